/** Certificates, from the bytes of a file. */
import { X509Certificate, createHash } from "node:crypto";
import type { CertificateSummary } from "../apache/model.ts";
import {
  type Tlv,
  DerError,
  children,
  contextTag,
  derTag,
  readInteger,
  readOid,
  readTime,
  readWhole,
  requireTlv,
} from "./der.ts";
import { type Extension, extensionOid, findExtension, hasBit, readExtensions } from "./extensions.ts";
import { type PkiFinding, problem } from "./finding.ts";
import { describeWrongKind } from "./kind.ts";
import { type NameAttribute, canonicalName, readAttributes, renderName } from "./name.ts";
import { type Block, readBlocks } from "./pem.ts";

export interface Certificate {
  readonly summary: CertificateSummary;
  readonly der: Buffer;
  /** For chain and signature checks by OpenSSL's own code. */
  readonly x509: X509Certificate;
  /** Lower-case hex. */
  readonly serial: string;
  /** Names as OpenSSL compares them. */
  readonly canonicalSubject: string;
  readonly canonicalIssuer: string;
  /** Of the subject, as httpd compares them with what the site file lets in. */
  readonly attributes: readonly NameAttribute[];
  readonly signatureAlgorithm: string;
  readonly extensions: readonly Extension[];
  /** basicConstraints says CA:TRUE. */
  readonly isCa: boolean;
  /** How many CAs may stand between it and a user; undefined = any number. */
  readonly pathLength: number | undefined;
  /** Hex. */
  readonly subjectKey: string | undefined;
  /** False where an extended key usage leaves clientAuth out: OpenSSL then refuses clients below; "any" does not count there. */
  readonly allowsClientAuth: boolean;
}

export interface Certificates {
  readonly certificates: readonly Certificate[];
  readonly findings: readonly PkiFinding[];
}

/** Reads PEM (several blocks, text between them) or DER. Anything else in the file is a problem that says what it is. */
export function readCertificates(bytes: Buffer): Certificates {
  const { blocks, findings } = readBlocks(bytes, "a certificate");
  const certificates: Certificate[] = [];
  const problems: PkiFinding[] = [...findings];
  for (const block of blocks) {
    const place = block.line === undefined ? "" : `line ${block.line}: the block `;
    if (block.kind !== "certificate") problems.push(problem(place + describeWrongKind(block.kind, "a certificate")));
    else collect(block, place, certificates, problems);
  }
  return { certificates, findings: problems };
}

function collect(block: Block, place: string, certificates: Certificate[], problems: PkiFinding[]): void {
  try {
    certificates.push(readCertificate(block.der));
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    problems.push(
      problem(`${place}is a certificate that cannot be read: ${error.message}; download or export it again`),
    );
  }
}

/** One certificate from its DER. Throws {@link DerError}. */
export function readCertificate(der: Buffer): Certificate {
  const fields = readFields(der);
  return {
    ...fields,
    der,
    x509: openX509(der),
    summary: { fingerprint: createHash("sha256").update(der).digest("hex"), ...fields.summary },
  };
}

/** OpenSSL must be able to load what httpd will load; its own words say little to a reader, so they are not passed on. */
function openX509(der: Buffer): X509Certificate {
  try {
    const x509 = new X509Certificate(der);
    // Parsed lazily: an unknown key type throws here and not in the middle of a check.
    void x509.publicKey;
    return x509;
  } catch {
    throw new DerError("OpenSSL cannot load it");
  }
}

function readFields(der: Buffer) {
  const [tbs, algorithm] = children(der, readWhole(der));
  if (tbs?.tag !== derTag.sequence || algorithm?.tag !== derTag.sequence)
    throw new DerError("its outer form is not that of a certificate");
  const parts = children(der, tbs);
  const first = parts[0]?.tag === contextTag(0, true) ? 1 : 0;
  const [serial, , issuer, validity, subject] = parts.slice(first);
  if (!serial || !issuer || !validity || !subject) throw new DerError("it has too few parts");
  const [notBefore, notAfter] = children(der, validity);
  if (!notBefore || !notAfter) throw new DerError("its validity is malformed");
  const extensions = readTaggedExtensions(der, parts);
  return {
    serial: readInteger(der, serial).toString(16),
    canonicalSubject: canonicalName(der, subject),
    canonicalIssuer: canonicalName(der, issuer),
    attributes: readAttributes(der, subject),
    signatureAlgorithm: readAlgorithm(der, algorithm),
    extensions,
    ...readConstraints(extensions),
    subjectKey: readSubjectKey(extensions),
    allowsClientAuth: readAllowsClientAuth(extensions),
    summary: {
      subject: renderName(der, subject),
      issuer: renderName(der, issuer),
      notBefore: readTime(der, notBefore),
      notAfter: readTime(der, notAfter),
    },
  };
}

/** Object identifier of an AlgorithmIdentifier. */
function readAlgorithm(der: Buffer, algorithm: Tlv): string {
  return readOid(der, requireTlv(der, algorithm.content, algorithm.end, derTag.oid, "an algorithm"));
}

function readTaggedExtensions(der: Buffer, parts: readonly Tlv[]): Extension[] {
  const tagged = parts.find((part) => part.tag === contextTag(3, true));
  return tagged
    ? readExtensions(der, requireTlv(der, tagged.content, tagged.end, derTag.sequence, "the list of extensions"))
    : [];
}

/** Signed with its own key. */
export const isSelfSigned = (certificate: Certificate): boolean =>
  certificate.canonicalSubject === certificate.canonicalIssuer && isIssuedBy(certificate, certificate);

/** True when `issuer` really signed it: names, key identifiers, key usage and the signature itself. */
export const isIssuedBy = (certificate: Certificate, issuer: Certificate): boolean =>
  certificate.canonicalIssuer === issuer.canonicalSubject &&
  certificate.x509.checkIssued(issuer.x509) &&
  certificate.x509.verify(issuer.x509.publicKey);

/** keyUsage allows it; a certificate without keyUsage may do everything. */
export function hasKeyUsage(certificate: Certificate, usage: "keyCertSign" | "cRLSign"): boolean {
  const extension = findExtension(certificate.extensions, extensionOid.keyUsage);
  return extension === undefined || hasBit(extension.value, usage === "keyCertSign" ? 5 : 6);
}

const clientAuthOid = "1.3.6.1.5.5.7.3.2";

/** BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL } */
function readConstraints(extensions: readonly Extension[]): Pick<Certificate, "isCa" | "pathLength"> {
  const value = findExtension(extensions, extensionOid.basicConstraints)?.value;
  if (value === undefined) return { isCa: false, pathLength: undefined };
  const [flag, length] = children(value, readWhole(value));
  const isCa = flag?.tag === derTag.boolean && value[flag.content] !== 0;
  return { isCa, pathLength: isCa && length ? Number(readInteger(value, length)) : undefined };
}

function readSubjectKey(extensions: readonly Extension[]): string | undefined {
  const value = findExtension(extensions, extensionOid.subjectKeyIdentifier)?.value;
  if (value === undefined) return undefined;
  const key = requireTlv(value, 0, value.length, derTag.octetString, "the subject key identifier");
  return Buffer.from(value.subarray(key.content, key.end)).toString("hex");
}

/** The same key pair: the CA was renewed, or cross-signed by another one. */
export const hasSameKey = (a: Certificate, b: Certificate): boolean => a.x509.publicKey.equals(b.x509.publicKey);

function readAllowsClientAuth(extensions: readonly Extension[]): boolean {
  const value = findExtension(extensions, extensionOid.extendedKeyUsage)?.value;
  return (
    value === undefined || children(value, readWhole(value)).some((usage) => readOid(value, usage) === clientAuthOid)
  );
}

/** Key and signature that today's OpenSSL settings may refuse, in words; undefined when they are fine. */
export function findWeakness(certificate: Certificate): string | undefined {
  const { asymmetricKeyType: type = "", asymmetricKeyDetails: details = {} } = certificate.x509.publicKey;
  const { modulusLength: bits, namedCurve } = details;
  if (bits !== undefined && bits < 2048) return `${type.startsWith("rsa") ? "an RSA" : "a DSA"} key of ${bits} bits`;
  // Every curve has its size in its name, such as prime192v1.
  const curveBits = Number(/\d{3}/.exec(namedCurve ?? "")?.[0]);
  if (curveBits < 224) return `an elliptic-curve key of ${curveBits} bits`;
  const weak = weakSignatures[certificate.signatureAlgorithm];
  // Nobody checks the signature of a trusted root.
  return weak !== undefined && !isSelfSigned(certificate) ? `a ${weak} signature` : undefined;
}

const weakSignatures: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.1.2": "MD2",
  "1.2.840.113549.1.1.4": "MD5",
  "1.2.840.113549.1.1.5": "SHA-1",
  "1.2.840.10045.4.1": "SHA-1",
};
