/** Distinguished names as text, and how OpenSSL compares them. */
import { type Tlv, DerError, children, contentOf, derTag, rawOf, readOid } from "./der.ts";

/** The short names that OpenSSL prints. @see RFC 4519, RFC 2985 and OpenSSL's objects.txt */
const shortNames: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.4": "SN",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.9": "street",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "2.5.4.12": "title",
  "2.5.4.13": "description",
  "2.5.4.15": "businessCategory",
  "2.5.4.17": "postalCode",
  "2.5.4.41": "name",
  "2.5.4.42": "GN",
  "2.5.4.43": "initials",
  "2.5.4.44": "generationQualifier",
  "2.5.4.46": "dnQualifier",
  "2.5.4.65": "pseudonym",
  "2.5.4.97": "organizationIdentifier",
  "0.9.2342.19200300.100.1.1": "UID",
  "0.9.2342.19200300.100.1.25": "DC",
  "1.2.840.113549.1.9.1": "emailAddress",
};

const stringTag = {
  utf8: 0x0c,
  printable: 0x13,
  t61: 0x14,
  ia5: 0x16,
  visible: 0x1a,
  universal: 0x1c,
  bmp: 0x1e,
} as const;

interface Attribute {
  readonly oid: string;
  readonly tag: number;
  readonly content: Uint8Array;
  /** The text for readers. Undefined when the value is not a string type. */
  readonly text: string | undefined;
  readonly raw: Uint8Array;
}

/**
 * A Name in the form that `openssl x509 -nameopt RFC2253,-esc_msb` and httpd's `SSL_CLIENT_S_DN` print: the last part
 * comes first, such as `CN=Harbour Issuing CA,O=Harbour,C=JP`. The text holds no control character, whatever the
 * certificate contains.
 */
export function renderName(bytes: Uint8Array, name: Tlv): string {
  const parts = readParts(bytes, name).map((part) => part.map(renderAttribute).join("+"));
  return parts.reverse().join(",");
}

/**
 * A text that is equal for names that OpenSSL takes to be equal: the string type, the case of ASCII letters and runs of
 * blanks do not count. Two encodings of one Japanese name are two names, because OpenSSL reads every T61String as
 * latin1.
 *
 * @see https://docs.openssl.org/3.0/man3/X509_cmp/ (X509_NAME_cmp compares the canonical encoding)
 */
export function canonicalName(bytes: Uint8Array, name: Tlv): string {
  const canonical = ({ oid, tag, content, raw }: Attribute): string => {
    const text = decodeAsOpenssl(tag, content);
    return JSON.stringify([oid, text === undefined ? Buffer.from(raw).toString("hex") : foldText(text)]);
  };
  return readParts(bytes, name)
    .map((part) => part.map(canonical).sort().join("+"))
    .join(",");
}

/** Folds what OpenSSL does not compare: runs of blanks, blanks at both ends, and the case of ASCII letters. */
const foldText = (text: string): string =>
  text
    .replace(/[\t\n\v\f\r ]+/g, " ")
    .replace(/^ | $/g, "")
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** The parts of a name (RelativeDistinguishedName), each with its attributes, which are mostly one. */
function readParts(bytes: Uint8Array, name: Tlv): Attribute[][] {
  if (name.tag !== derTag.sequence) throw new DerError("a name is malformed");
  return children(bytes, name).map((part) => {
    if (part.tag !== derTag.set) throw new DerError("a name is malformed");
    return children(bytes, part).map((attribute) => readAttribute(bytes, attribute));
  });
}

/** AttributeTypeAndValue ::= SEQUENCE { type OBJECT IDENTIFIER, value }. Throws {@link DerError}. */
function readAttribute(bytes: Uint8Array, attribute: Tlv): Attribute {
  const [type, value] = children(bytes, attribute);
  if (type === undefined || value === undefined) throw new DerError("a name is malformed");
  const { tag } = value;
  const content = contentOf(bytes, value);
  return { oid: readOid(bytes, type), tag, content, text: decodeText(tag, content), raw: rawOf(bytes, value) };
}

/** One attribute of a name, in the form in which httpd compares it. */
export interface NameAttribute {
  /** The short name from {@link renderName}, or the object identifier. */
  readonly type: string;
  /** Undefined where no site file can name the text: its bytes are not UTF-8, or it has control characters. */
  readonly text: string | undefined;
}

/**
 * The attributes in the order of the certificate, in which mod_ssl numbers them.
 *
 * @see https://github.com/apache/httpd/blob/2.4.63/modules/ssl/ssl_util_ssl.c (asn1_string_convert: UTF8_CONVERT)
 */
export const readAttributes = (bytes: Uint8Array, name: Tlv): NameAttribute[] =>
  readParts(bytes, name)
    .flat()
    .map(({ oid, tag, content }) => {
      // OpenSSL converts to UTF-8 and passes a UTF8String on unchanged. It reads types that are not string types of
      // names as latin1.
      const text = tag === stringTag.utf8 ? decodeUtf8(content) : (decodeAsOpenssl(tag, content) ?? latin1(content));
      return { type: shortNames[oid] ?? oid, text: text === undefined || /\p{Cc}/u.test(text) ? undefined : text };
    });

/** An attribute without a short name or a text is printed as hexadecimal digits of its DER. RFC 2253, section 2.4. */
function renderAttribute({ oid, text, raw }: Attribute): string {
  const shortName = shortNames[oid];
  if (shortName === undefined || text === undefined)
    return `${shortName ?? oid}=#${Buffer.from(raw).toString("hex").toUpperCase()}`;
  return `${shortName}=${escapeValue(text)}`;
}

/**
 * Escapes what RFC 2253, section 2.4, reserves, a blank or `#` at the beginning, and a blank at the end. Control and
 * bidirectional characters are written as `\XX`, so that a name cannot rewrite a line of the terminal.
 */
function escapeValue(text: string): string {
  // The second line escapes the blank of a text of one blank, so the third one looks for a backslash before the blank.
  return text
    .replace(/[,+"\\<>;]/g, "\\$&")
    .replace(/^[# ]/, "\\$&")
    .replace(/([^\\]|^) $/, "$1\\ ")
    .replace(/[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, escapeBytes);
}

const escapeBytes = (character: string): string =>
  [...Buffer.from(character, "utf8")].map((byte) => `\\${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");

/**
 * The text of a value for readers, whatever its encoding is. Undefined for a type that is not a string type, and for a
 * wrong number of bytes. {@link decodeAsOpenssl} makes the text for comparisons.
 */
function decodeText(tag: number, bytes: Uint8Array): string | undefined {
  switch (tag) {
    case stringTag.utf8:
    case stringTag.t61:
    case stringTag.printable:
    case stringTag.ia5:
    case stringTag.visible:
      return decodeBytes(bytes);
    case stringTag.bmp:
      return decodeUtf16(bytes);
    case stringTag.universal:
      return decodeUtf32(bytes);
    default:
      return undefined;
  }
}

/**
 * Decodes bytes of an unknown encoding. Old Japanese issuers wrote Shift_JIS, EUC-JP or ISO-2022-JP into T61String and
 * even into UTF8String. The first encoding without an error is used. The last one is latin1, which OpenSSL assumes for
 * T61String and which never fails.
 */
function decodeBytes(bytes: Uint8Array): string {
  const encodings = ["utf-8", "euc-jp", "shift_jis"];
  // ISO-2022-JP is ASCII with escape sequences, so it would be mistaken for UTF-8.
  if (bytes.includes(0x1b)) encodings.unshift("iso-2022-jp");
  for (const encoding of encodings) {
    try {
      return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      // The bytes do not have this encoding. The next one is tried.
    }
  }
  return Buffer.from(bytes).toString("latin1");
}

/**
 * The text that OpenSSL reads from a string type before it compares names. Undefined for a type that it compares byte
 * by byte. Throws {@link DerError} where the bytes do not have the type's encoding.
 */
function decodeAsOpenssl(tag: number, content: Uint8Array): string | undefined {
  switch (tag) {
    case stringTag.utf8:
      return decodeUtf8(content) ?? refuseText();
    case stringTag.bmp:
      return decodeUtf16(content) ?? refuseText();
    case stringTag.universal:
      return decodeUtf32(content) ?? refuseText();
    case stringTag.t61:
    case stringTag.printable:
    case stringTag.ia5:
    case stringTag.visible:
      return latin1(content);
    default:
      return undefined;
  }
}

/** OpenSSL refuses a certificate or a CRL whose names it cannot decode, so it is not read here either. */
function refuseText(): never {
  throw new DerError("a name has text in another encoding than it says, which OpenSSL cannot load");
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** Decodes UTF-8. Undefined where the bytes are not UTF-8. */
function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Decodes UTF-16 (big endian). Undefined for an odd number of bytes. Half of a pair becomes the replacement character.
 */
function decodeUtf16(bytes: Uint8Array): string | undefined {
  return bytes.length % 2 === 0 ? new TextDecoder("utf-16be", { ignoreBOM: true }).decode(bytes) : undefined;
}

/**
 * Decodes UTF-32. Undefined for a wrong number of bytes. A number that is no character becomes the replacement
 * character.
 */
function decodeUtf32(bytes: Uint8Array): string | undefined {
  if (bytes.length % 4 !== 0) return undefined;
  const view = Buffer.from(bytes);
  let text = "";
  for (let i = 0; i < view.length; i += 4) {
    const code = view.readUInt32BE(i);
    text += code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
  }
  return text;
}
