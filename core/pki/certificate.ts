/** Reads certificates from the bytes of a file. */
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
import { type AuthorityKey, authorityFits, readAuthority } from "./authority.ts";
import { type Extension, extensionOid, findExtension, hasBit, readExtensions } from "./extensions.ts";
import { type PkiDiagnostic, problem } from "./pki-diagnostic.ts";
import { findNoCaReason, readAllowsClientAuth, readConstraints, readSubjectKey } from "./certificate-extensions.ts";
import { describeWrongKind } from "./kind.ts";
import { type NameAttribute, canonicalName, readAttributes, renderName } from "./name.ts";
import { type Block, readBlocks } from "./pem.ts";
import { canHaveSigned, findCurveBits, keySecurityBits, signatureStrength, usualBits } from "./strength.ts";

export interface Certificate {
  readonly summary: CertificateSummary;
  readonly der: Buffer;
  /** The certificate for OpenSSL's own code, which checks chains and signatures. */
  readonly x509: X509Certificate;
  /** Lower-case hex. */
  readonly serial: string;
  /** The bytes of the name itself, to be copied into what we write. */
  readonly subjectDer: Uint8Array;
  /** The names in the form in which OpenSSL compares them. */
  readonly canonicalSubject: string;
  readonly canonicalIssuer: string;
  /** The attributes of the subject. httpd compares them with the issuers that the site file lets in. */
  readonly attributes: readonly NameAttribute[];
  readonly signatureAlgorithm: string;
  /**
   * The digest of an RSASSA-PSS signature, as the object identifier in its parameters. Undefined for the default
   * digest, and for every other kind of signature.
   */
  readonly signatureDigest: string | undefined;
  readonly extensions: readonly Extension[];
  /** What the certificate says about its issuer's certificate. */
  readonly authority: AuthorityKey;
  /** Whether OpenSSL accepts the certificate as a CA: basicConstraints says CA:TRUE, or it is an old kind of root. */
  readonly isCa: boolean;
  /** Why the certificate is not a CA, in words that end a sentence in brackets. Undefined for a CA. */
  readonly noCaReason: string | undefined;
  /**
   * Whether names, identifiers and kind of key say that the certificate is its own issuer. OpenSSL then looks for no
   * certificate above it, and does not check its signature.
   */
  readonly isTop: boolean;
  /** Whether both dates have the form that RFC 5280 demands. OpenSSL does not accept any other form as a date. */
  readonly hasExactDates: boolean;
  /**
   * Whether the key is written with all parameters of its curve instead of the curve's name. OpenSSL refuses such a
   * key.
   */
  readonly hasExplicitCurve: boolean;
  /** How many CAs may stand between this CA and a user. Undefined means any number. */
  readonly pathLength: number | undefined;
  /** Hex. */
  readonly subjectKey: string | undefined;
  /**
   * False where an extended key usage is present and leaves out clientAuth. OpenSSL then refuses clients below the CA.
   * The usage "any" does not count there.
   */
  readonly allowsClientAuth: boolean;
}

export interface Certificates {
  readonly certificates: readonly Certificate[];
  readonly diagnostics: readonly PkiDiagnostic[];
}

/**
 * Reads PEM (several blocks, with text between them) or DER. Anything else in the file is reported as a problem that
 * says what it is.
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

/** Adds the certificate of a block to `certificates`, or the reason why it cannot be read to `problems`. */
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

/** Reads one certificate from its DER. Throws {@link DerError}. */
export function readCertificate(der: Buffer): Certificate {
  const fields = readFields(der);
  const x509 = openX509(der);
  const isTop =
    fields.canonicalSubject === fields.canonicalIssuer &&
    authorityFits(fields.authority, fields) &&
    canHaveSigned(x509.publicKey, fields.signatureAlgorithm);
  // The signature of a certificate that is its own issuer is never checked, so its strength does not count.
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
 * Loads the certificate with OpenSSL, because httpd loads it with OpenSSL, too. Throws {@link DerError} where OpenSSL
 * cannot load it or its key. OpenSSL's own messages say little to a reader, so they are not passed on.
 */
function openX509(der: Buffer): X509Certificate {
  try {
    const x509 = new X509Certificate(der);
    // The key is parsed lazily. This line makes an unknown key type throw here and not in the middle of a check.
    void x509.publicKey;
    return x509;
  } catch {
    throw new DerError("OpenSSL cannot load it");
  }
}

/**
 * Reads the fields of a certificate from its DER, without OpenSSL. Throws {@link DerError}. TBSCertificate ::= SEQUENCE
 * { [0] version (left out in version 1), serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo, …,
 * [3] extensions }. RFC 5280, section 4.1.
 */
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
    ...readNamesAndDates(der, { subject, issuer, validity }),
  };
}

/** Where the names and dates lie in a certificate. */
interface SummaryFields {
  readonly subject: Tlv;
  readonly issuer: Tlv;
  readonly validity: Tlv;
}

/** The names and dates as text, and whether the dates are whole seconds. */
function readNamesAndDates(der: Buffer, { subject, issuer, validity }: SummaryFields) {
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

/**
 * The object identifier of the digest of an RSASSA-PSS signature. Undefined where the parameters leave it out, which
 * means SHA-1, and for every other algorithm. RSASSA-PSS-params ::= SEQUENCE { [0] hashAlgorithm … }.
 */
function readPssDigest(der: Buffer, algorithm: Tlv): string | undefined {
  const parameters = children(der, algorithm)[1];
  if (readAlgorithm(der, algorithm) !== "1.2.840.113549.1.1.10" || parameters?.tag !== derTag.sequence)
    return undefined;
  const hash = children(der, parameters).find(({ tag }) => tag === contextTag(0, true));
  return hash && readAlgorithm(der, requireTlv(der, hash.content, hash.end, derTag.sequence, "an algorithm"));
}

const ecOid = "1.2.840.10045.2.1";

/**
 * Whether the key has a SEQUENCE with all parameters of its elliptic curve. The parameters of a named curve are an
 * OBJECT IDENTIFIER. SubjectPublicKeyInfo ::= SEQUENCE { SEQUENCE { algorithm, parameters }, BIT STRING }.
 */
function hasExplicitCurve(der: Buffer, publicKey: Tlv): boolean {
  const algorithm = requireTlv(der, publicKey.content, publicKey.end, derTag.sequence, "an algorithm");
  return readAlgorithm(der, algorithm) === ecOid && children(der, algorithm)[1]?.tag === derTag.sequence;
}

/** The object identifier of an AlgorithmIdentifier. */
function readAlgorithm(der: Buffer, algorithm: Tlv): string {
  return readOid(der, requireTlv(der, algorithm.content, algorithm.end, derTag.oid, "an algorithm"));
}

/** The extensions, which stand in the part [3]. A certificate of version 1 has none. */
function readTaggedExtensions(der: Buffer, parts: readonly Tlv[]): Extension[] {
  const tagged = parts.find((part) => part.tag === contextTag(3, true));
  return tagged
    ? readExtensions(der, requireTlv(der, tagged.content, tagged.end, derTag.sequence, "the list of extensions"))
    : [];
}

/**
 * The name of a certificate in diagnostics: its subject in quotes, or the start of its fingerprint where it has none.
 */
export const nameOf = ({ summary }: Certificate): string =>
  JSON.stringify(summary.subject || `(no name, fingerprint ${summary.fingerprint.slice(0, 16)})`);

/** Whether the certificate names itself as its issuer and was signed with its own key. */
export const isSelfSigned = (certificate: Certificate): boolean =>
  certificate.canonicalSubject === certificate.canonicalIssuer && isIssuedBy(certificate, certificate);

/**
 * Whether `issuer` really signed the certificate: the function checks names, key identifiers, key usage and the
 * signature itself.
 */
export const isIssuedBy = (certificate: Certificate, issuer: Certificate): boolean =>
  certificate.canonicalIssuer === issuer.canonicalSubject &&
  certificate.x509.checkIssued(issuer.x509) &&
  certificate.x509.verify(issuer.x509.publicKey);

/** Whether keyUsage allows `usage`. A certificate without keyUsage may be used for everything. */
export function hasKeyUsage(certificate: Certificate, usage: "keyCertSign" | "cRLSign"): boolean {
  const extension = findExtension(certificate.extensions, extensionOid.keyUsage);
  // RFC 5280, section 4.2.1.3, numbers the bits.
  return extension === undefined || hasBit(extension.value, usage === "keyCertSign" ? 5 : 6);
}

/** Whether both certificates have the same key pair: the CA was renewed, or another CA cross-signed it. */
export const hasSameKey = (a: Certificate, b: Certificate): boolean => a.x509.publicKey.equals(b.x509.publicKey);

/**
 * Describes a key with fewer security bits than the default settings of OpenSSL demand, or else a signature with a
 * broken digest. Undefined where there is neither. A signature whose algorithm is not known does not count.
 */
export function findWeakness(certificate: Certificate): string | undefined {
  const { x509, summary, isTop, signatureAlgorithm, signatureDigest } = certificate;
  if ((summary.strength?.keyBits ?? usualBits) < usualBits) return describeKey(x509.publicKey);
  // The signature of a trusted root is never checked.
  if (isTop) return undefined;
  const { bits, weak } = signatureStrength(signatureAlgorithm, signatureDigest);
  return bits < usualBits && weak !== undefined ? `a ${weak} signature` : undefined;
}

/** Describes the kind and size of a key, with an article. Only RSA and DSA keys have a `modulusLength`. */
function describeKey(key: KeyObject): string {
  const { modulusLength, namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  const type = key.asymmetricKeyType ?? "";
  if (modulusLength !== undefined) return `${type.startsWith("rsa") ? "an RSA" : "a DSA"} key of ${modulusLength} bits`;
  return type === "ec" ? `an elliptic-curve key of ${findCurveBits(namedCurve)} bits` : `a key of the kind ${type}`;
}

/**
 * Whether names, identifiers and kind of key fit. OpenSSL checks no more before it uses `issuer` as the issuer; it
 * checks the signature later.
 */
export const seemsIssuedBy = (certificate: Certificate, issuer: Certificate): boolean =>
  certificate.canonicalIssuer === issuer.canonicalSubject &&
  authorityFits(certificate.authority, issuer) &&
  canHaveSigned(issuer.x509.publicKey, certificate.signatureAlgorithm);
