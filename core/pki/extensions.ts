/** Extensions of certificates and CRLs. */
import { type Tlv, DerError, children, contentOf, derTag, readOid } from "./der.ts";

export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  /** The content of the OCTET STRING, which is DER itself. */
  readonly value: Uint8Array;
}

export const extensionOid = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  crlNumber: "2.5.29.20",
  deltaCrlIndicator: "2.5.29.27",
  issuingDistributionPoint: "2.5.29.28",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  crlDistributionPoints: "2.5.29.31",
  crlReason: "2.5.29.21",
  subjectAltName: "2.5.29.17",
  certificatePolicies: "2.5.29.32",
  policyMappings: "2.5.29.33",
  policyConstraints: "2.5.29.36",
  inhibitAnyPolicy: "2.5.29.54",
  ipAddresses: "1.3.6.1.5.5.7.1.7",
  asNumbers: "1.3.6.1.5.5.7.1.8",
  proxyCertificate: "1.3.6.1.5.5.7.1.14",
  ocspNoCheck: "1.3.6.1.5.5.7.48.1.5",
  netscapeType: "2.16.840.1.113730.1.1",
} as const;

/** Reads the extensions. `list` is the SEQUENCE OF Extension inside its context tag. */
export function readExtensions(bytes: Uint8Array, list: Tlv): Extension[] {
  if (list.tag !== derTag.sequence) throw new DerError("its extensions are malformed");
  return children(bytes, list).map((extension) => readExtension(bytes, extension));
}

/**
 * Reads one extension. Throws {@link DerError}. Extension ::= SEQUENCE { extnID, critical BOOLEAN DEFAULT FALSE,
 * extnValue OCTET STRING }
 */
function readExtension(bytes: Uint8Array, extension: Tlv): Extension {
  const parts = children(bytes, extension);
  const value = parts[parts.length - 1];
  const oid = parts[0];
  if (oid === undefined || value === undefined || value.tag !== derTag.octetString)
    throw new DerError("an extension is malformed");
  const flag = parts.length === 3 ? parts[1] : undefined;
  // OpenSSL takes every value but 0 as TRUE.
  const critical = flag !== undefined && flag.tag === derTag.boolean && bytes[flag.content] !== 0;
  return { oid: readOid(bytes, oid), critical, value: contentOf(bytes, value) };
}

/** Finds the extension with this object identifier. */
export const findExtension = (extensions: readonly Extension[], oid: string): Extension | undefined =>
  extensions.find((extension) => extension.oid === oid);

/**
 * Whether bit `index` of a BIT STRING such as keyUsage is set. Bits are counted from 0 at the left. A bit behind the
 * end of the value is not set.
 */
export function hasBit(value: Uint8Array, index: number): boolean {
  // The value consists of the tag, the length, the number of unused bits, and the bits.
  const byte = value[3 + (index >> 3)];
  return byte !== undefined && (byte & (0x80 >> (index & 7))) !== 0;
}

/** The critical extensions that OpenSSL accepts in a certificate (X509_supported_extension). */
const criticalOids: ReadonlySet<string> = new Set([
  extensionOid.netscapeType,
  extensionOid.keyUsage,
  extensionOid.subjectAltName,
  extensionOid.basicConstraints,
  extensionOid.certificatePolicies,
  extensionOid.crlDistributionPoints,
  extensionOid.extendedKeyUsage,
  extensionOid.ipAddresses,
  extensionOid.asNumbers,
  extensionOid.ocspNoCheck,
  extensionOid.policyConstraints,
  extensionOid.proxyCertificate,
  extensionOid.nameConstraints,
  extensionOid.policyMappings,
  extensionOid.inhibitAnyPolicy,
]);

/**
 * Finds a critical extension that OpenSSL does not accept. OpenSSL refuses the certificate for it, and all certificates
 * below it.
 */
export const findUnknownCritical = (extensions: readonly Extension[]): Extension | undefined =>
  extensions.find(({ critical, oid }) => critical && !criticalOids.has(oid));

/** Whether an extension stands there twice. OpenSSL refuses such a certificate. */
export const hasRepeats = (extensions: readonly Extension[]): boolean =>
  new Set(extensions.map(({ oid }) => oid)).size < extensions.length;
