/** Recognises by content, not by name, what a file or a PEM block is. */
import { type Tlv, DerError, children, derTag, isTime, readOid, readTlv } from "./der.ts";

export type Kind =
  | "certificate"
  | "crl"
  | "request"
  | "privateKey"
  | "publicKey"
  | "pkcs7"
  | "pkcs12"
  | "html"
  | "utf16"
  | "empty"
  | "gzip"
  | "zip"
  | "unknown";

/** What each kind is in words, and what to do `instead` when it stands where a certificate or a CRL belongs. */
const descriptions: Readonly<Record<Kind, { readonly is: string; readonly instead: string }>> = {
  certificate: { is: "a certificate", instead: "list CA certificates under caFiles" },
  crl: { is: "a certificate revocation list", instead: "list it under crlFiles" },
  request: { is: "a certificate signing request", instead: "use the certificate that the issuer made from it" },
  privateKey: {
    is: "a private key",
    instead: "remove it from here, keep it secret, and give the issuer's certificate",
  },
  publicKey: { is: "a public key", instead: "give the certificate" },
  pkcs7: {
    is: "a PKCS#7 file",
    instead: "convert it: openssl pkcs7 -print_certs -in FILE (with -inform DER for a binary file)",
  },
  pkcs12: {
    is: "a PKCS#12 file (.p12, .pfx), which holds a private key",
    instead: "give only the issuer's CA certificates, as PEM or DER",
  },
  html: {
    is: "a web page (HTML), probably an error or login page saved in its place",
    instead: "download the file again and look at it",
  },
  utf16: { is: "text in UTF-16, which OpenSSL cannot read", instead: "save it as UTF-8 without a byte order mark" },
  empty: { is: "empty", instead: "download or export it again" },
  gzip: { is: "compressed (gzip)", instead: "unpack it" },
  zip: { is: "a ZIP archive", instead: "unpack it" },
  unknown: { is: "neither PEM nor DER", instead: "give the issuer's file as PEM or DER" },
};

/** A text such as `is a private key; remove it …`, for a file where `wanted` is expected. */
export function describeWrongKind(kind: Kind, wanted: string): string {
  const { is, instead } = descriptions[kind];
  return `is ${is}, not ${wanted}; ${instead}`;
}

/** The kind of a whole file that is not PEM, by its first bytes, its beginning as text, or its DER. */
export function detectBinaryKind(bytes: Uint8Array): Kind {
  if (bytes.length === 0) return "empty";
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return "utf16";
  // The first bytes of gzip, and the letters PK of ZIP.
  if (first === 0x1f && second === 0x8b) return "gzip";
  if (first === 0x50 && second === 0x4b) return "zip";
  const start = Buffer.from(bytes.subarray(0, 512));
  const text = start
    .toString("latin1")
    // A byte order mark of UTF-8 may stand before the first tag.
    .replace(/^\xef\xbb\xbf/, "")
    .trimStart();
  // Blanks alone count as empty. Only 512 bytes are read as text.
  if (text === "" && bytes.length <= 512) return "empty";
  if (/^<(!doctype|html|\?xml|head|body|!--)/i.test(text)) return "html";
  // ASCII text in UTF-16 (little endian) has a zero in every second byte.
  if (start.length > 8 && start.every((byte, i) => i % 2 === 0 || byte === 0)) return "utf16";
  return detectDerKind(bytes);
}

const pkcs7SignedData = "1.2.840.113549.1.7.2";

/**
 * The kind of one DER value, recognised by the types of its first parts. `unknown` when the value is not DER or is none
 * of these kinds.
 */
export function detectDerKind(bytes: Uint8Array): Kind {
  try {
    const outer = readTlv(bytes, 0, bytes.length);
    if (outer.tag !== derTag.sequence) return "unknown";
    return detectByParts(bytes, children(bytes, outer));
  } catch (error) {
    if (error instanceof DerError) return "unknown";
    throw error;
  }
}

/** The kind of a SEQUENCE, by its first three parts. */
function detectByParts(bytes: Uint8Array, [first, second, third]: readonly Tlv[]): Kind {
  if (first === undefined || second === undefined) return "unknown";
  if (first.tag === derTag.oid) return readOid(bytes, first) === pkcs7SignedData ? "pkcs7" : "unknown";
  // The number is the version: 3 in PKCS#12, 0 or 1 in a private key.
  if (first.tag === derTag.integer) return bytes[first.content] === 3 ? "pkcs12" : "privateKey";
  if (first.tag !== derTag.sequence) return "unknown";
  if (third?.tag === derTag.bitString) return detectSignedKind(bytes, first);
  // An algorithm and an OCTET STRING are an encrypted key. An algorithm and a BIT STRING are a public key.
  return second.tag === derTag.octetString ? "privateKey" : second.tag === derTag.bitString ? "publicKey" : "unknown";
}

/**
 * Certificates, CRLs and requests have the same outer form. The first five parts inside tell them apart: only a CRL has
 * a date among them. A certificate has its dates inside a SEQUENCE.
 */
function detectSignedKind(bytes: Uint8Array, signed: Tlv): Kind {
  const tags: number[] = [];
  let hasTime = false;
  for (let offset = signed.content; offset < signed.end && tags.length < 5;) {
    const part = readTlv(bytes, offset, signed.end);
    tags.push(part.tag);
    hasTime ||= isTime(part);
    offset = part.end;
  }
  if (hasTime) return "crl";
  // A request consists of version, name, key and attributes, which includes two SEQUENCEs. A certificate has four
  // before its extensions, and at least three of them are among the first five parts.
  const sequences = tags.filter((tag) => tag === derTag.sequence).length;
  return sequences === 2 ? "request" : sequences >= 3 ? "certificate" : "unknown";
}
