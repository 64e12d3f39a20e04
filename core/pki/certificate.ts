/** Certificates, from the bytes of a file. */
import { type KeyObject, X509Certificate, createHash } from "node:crypto";
import type { CertificateSummary } from "./summary.ts";
import {
  type Tlv,
  DerError,
  children,
  contextTag,
  derTag,
  readInteger,
  readOid,
  isExactTime,
  readTime,
  rawOf,
  readWhole,
  requireTlv,
} from "./der.ts";
import { type AuthorityKey, isNamedBy, readAuthority } from "./authority.ts";
import { type Extension, extensionOid, findExtension, hasBit, readExtensions } from "./extensions.ts";
import { type PkiDiagnostic, problem } from "./pki-diagnostic.ts";
import { describeWrongKind } from "./kind.ts";
import { type NameAttribute, canonicalName, readAttributes, renderName } from "./name.ts";
import { type Block, readBlocks } from "./pem.ts";
import { canHaveSigned, findCurveBits, keySecurityBits, signatureStrength, usualBits } from "./strength.ts";

export interface Certificate {
  readonly summary: CertificateSummary;
  readonly der: Buffer;
  /** For chain and signature checks by OpenSSL's own code. */
  readonly x509: X509Certificate;
  /** Lower-case hex. */
  readonly serial: string;
  /** The name's own bytes, for what is written in it. */
  readonly subjectDer: Uint8Array;
  /** Names as OpenSSL compares them. */
  readonly canonicalSubject: string;
  readonly canonicalIssuer: string;
  /** Of the subject, as httpd compares them with what the site file lets in. */
  readonly attributes: readonly NameAttribute[];
  readonly signatureAlgorithm: string;
  /** Digest of an RSASSA-PSS signature, from its parameters; undefined for its default, and for every other kind. */
  readonly signatureDigest: string | undefined;
  readonly extensions: readonly Extension[];
  /** What it says of its issuer's certificate. */
  readonly authority: AuthorityKey;
  /** OpenSSL takes it for a CA: basicConstraints says CA:TRUE, or it is an old kind of root. */
  readonly isCa: boolean;
  /** Why it is not one, in words that end a sentence in brackets; undefined for a CA. */
  readonly noCaReason: string | undefined;
  /** Its own issuer by names and identifiers: OpenSSL looks for nobody above it, and does not check its signature. */
  readonly isTop: boolean;
  /** Both dates are written as RFC 5280 wants them; any other OpenSSL does not count as a date. */
  readonly hasExactDates: boolean;
  /** The key is written with all parameters of its curve instead of the curve's name, which OpenSSL refuses. */
  readonly hasExplicitCurve: boolean;
  /** How many CAs may stand between it and a user; undefined = any number. */
  readonly pathLength: number | undefined;
  /** Hex. */
  readonly subjectKey: string | undefined;
  /**
   * False where an extended key usage leaves clientAuth out: OpenSSL then refuses clients below; "any" does not count
   * there.
   */
  readonly allowsClientAuth: boolean;
}

export interface Certificates {
  readonly certificates: readonly Certificate[];
  readonly diagnostics: readonly PkiDiagnostic[];
}

/**
 * Reads PEM (several blocks, text between them) or DER. Anything else in the file is a problem that says what it is.
 */
export function readCertificates(bytes: Buffer): Certificates {
  const { blocks, diagnostics } = readBlocks(bytes, "a certificate");
  const certificates: Certificate[] = [];
  const problems: PkiDiagnostic[] = [...diagnostics];
  for (const block of blocks) {
    const place = block.line === undefined ? "" : `line ${block.line}: the block `;
    if (block.kind !== "certificate") problems.push(problem(place + describeWrongKind(block.kind, "a certificate")));
    else collect(block, place, certificates, problems);
  }
  return { certificates, diagnostics: problems };
}

function collect(block: Block, place: string, certificates: Certificate[], problems: PkiDiagnostic[]): void {
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
  const x509 = openX509(der);
  const isTop =
    fields.canonicalSubject === fields.canonicalIssuer &&
    isNamedBy(fields.authority, fields) &&
    canHaveSigned(x509.publicKey, fields.signatureAlgorithm);
  const { bits } = signatureStrength(fields.signatureAlgorithm, fields.signatureDigest);
  const strength = { keyBits: keySecurityBits(x509.publicKey), ...(isTop ? {} : { signatureBits: bits }) };
  const noCaReason = findNoCaReason(fields, isTop);
  return {
    ...fields,
    der,
    x509,
    isTop,
    isCa: noCaReason === undefined,
    noCaReason,
    summary: { fingerprint: createHash("sha256").update(der).digest("hex"), ...fields.summary, strength },
  };
}

/**
 * OpenSSL must be able to load what httpd will load; its own words say little to a reader, so they are not passed on.
 */
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
  const isVersioned = parts[0]?.tag === contextTag(0, true);
  const [serial, , issuer, validity, subject, publicKey] = parts.slice(isVersioned ? 1 : 0);
  if (!serial || !issuer || !validity || !subject || !publicKey) throw new DerError("it has too few parts");
  const extensions = readTaggedExtensions(der, parts);
  return {
    isVersioned,
    serial: readInteger(der, serial).toString(16),
    subjectDer: rawOf(der, subject),
    canonicalSubject: canonicalName(der, subject),
    canonicalIssuer: canonicalName(der, issuer),
    attributes: readAttributes(der, subject),
    signatureAlgorithm: readAlgorithm(der, algorithm),
    signatureDigest: readPssDigest(der, algorithm),
    extensions,
    authority: readAuthority(extensions),
    pathLength: readConstraints(extensions)?.pathLength,
    subjectKey: readSubjectKey(extensions),
    allowsClientAuth: readAllowsClientAuth(extensions),
    hasExplicitCurve: hasExplicitCurve(der, publicKey),
    ...readSummary(der, { subject, issuer, validity }),
  };
}

function readSummary(
  der: Buffer,
  { subject, issuer, validity }: Readonly<Record<"subject" | "issuer" | "validity", Tlv>>,
) {
  const [notBefore, notAfter] = children(der, validity);
  if (!notBefore || !notAfter) throw new DerError("its validity is malformed");
  return {
    hasExactDates: isExactTime(der, notBefore) && isExactTime(der, notAfter),
    summary: {
      subject: renderName(der, subject),
      issuer: renderName(der, issuer),
      notBefore: readTime(der, notBefore),
      notAfter: readTime(der, notAfter),
    },
  };
}

/** RSASSA-PSS-params ::= SEQUENCE { [0] hashAlgorithm … }: where it is left out it is SHA-1. */
function readPssDigest(der: Buffer, algorithm: Tlv): string | undefined {
  const parameters = children(der, algorithm)[1];
  if (readAlgorithm(der, algorithm) !== "1.2.840.113549.1.1.10" || parameters?.tag !== derTag.sequence)
    return undefined;
  const hash = children(der, parameters).find(({ tag }) => tag === contextTag(0, true));
  return hash && readAlgorithm(der, requireTlv(der, hash.content, hash.end, derTag.sequence, "an algorithm"));
}

const ecOid = "1.2.840.10045.2.1";

/**
 * SubjectPublicKeyInfo is SEQUENCE { SEQUENCE { algorithm, parameters }, BIT STRING }: a named curve is an OBJECT
 * IDENTIFIER.
 */
function hasExplicitCurve(der: Buffer, publicKey: Tlv): boolean {
  const algorithm = requireTlv(der, publicKey.content, publicKey.end, derTag.sequence, "an algorithm");
  return readAlgorithm(der, algorithm) === ecOid && children(der, algorithm)[1]?.tag === derTag.sequence;
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

/** How diagnostics call it. */
export const nameOf = ({ summary }: Certificate): string =>
  JSON.stringify(summary.subject || `(no name, fingerprint ${summary.fingerprint.slice(0, 16)})`);

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

interface Constraints {
  readonly isCa: boolean;
  /** Only of a CA. */
  readonly pathLength: number | undefined;
}

/** BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL } */
function readConstraints(extensions: readonly Extension[]): Constraints | undefined {
  const value = findExtension(extensions, extensionOid.basicConstraints)?.value;
  if (value === undefined) return undefined;
  const [flag, length] = children(value, readWhole(value));
  const isCa = flag?.tag === derTag.boolean && value[flag.content] !== 0;
  return { isCa, pathLength: isCa && length ? Number(readInteger(value, length)) : undefined };
}

type CaFields = Pick<Certificate, "extensions"> & { readonly isVersioned: boolean };

/**
 * Without basicConstraints OpenSSL takes old kinds of roots for CAs: of version 1, with keyCertSign, of Netscape's
 * type.
 *
 * @see check_ca in OpenSSL's crypto/x509/v3_purp.c; check_extensions in x509_vfy.c takes these at the top of a chain alone
 */
function findNoCaReason({ extensions, isVersioned }: CaFields, isTop: boolean): string | undefined {
  const constraints = readConstraints(extensions);
  if (constraints !== undefined) return constraints.isCa ? undefined : "basicConstraints without CA:TRUE";
  const usage = findExtension(extensions, extensionOid.keyUsage);
  const type = findExtension(extensions, extensionOid.netscapeType);
  const isOldKind = !isVersioned || (usage ? hasBit(usage.value, 5) : type !== undefined && hasBit(type.value, 5));
  if (isOldKind && isTop) return undefined;
  if (!isVersioned) return "version 1, which OpenSSL takes as a CA only where it is self-signed";
  return isOldKind
    ? "no basicConstraints, which only a self-signed CA may leave out"
    : "neither basicConstraints nor keyUsage with keyCertSign";
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
export function findWeakness({ x509, summary, isTop, ...certificate }: Certificate): string | undefined {
  if ((summary.strength?.keyBits ?? usualBits) < usualBits) return describeKey(x509.publicKey);
  // Nobody checks the signature of a trusted root.
  if (isTop) return undefined;
  const { bits, weak } = signatureStrength(certificate.signatureAlgorithm, certificate.signatureDigest);
  return bits < usualBits && weak !== undefined ? `a ${weak} signature` : undefined;
}

function describeKey(key: KeyObject): string {
  const { modulusLength, namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  const type = key.asymmetricKeyType ?? "";
  if (modulusLength !== undefined) return `${type.startsWith("rsa") ? "an RSA" : "a DSA"} key of ${modulusLength} bits`;
  return type === "ec" ? `an elliptic-curve key of ${findCurveBits(namedCurve)} bits` : `a key of the kind ${type}`;
}

/**
 * Names, identifiers and kind of key fit, which is all that OpenSSL asks before it takes `issuer`: the signature comes
 * later.
 */
export const seemsIssuedBy = (certificate: Certificate, issuer: Certificate): boolean =>
  certificate.canonicalIssuer === issuer.canonicalSubject &&
  isNamedBy(certificate.authority, issuer) &&
  canHaveSigned(issuer.x509.publicKey, certificate.signatureAlgorithm);
