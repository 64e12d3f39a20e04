/**
 * What in a user's certificate makes httpd refuse its holder, whatever the CAs and CRLs: `openssl verify -purpose sslclient`.
 *
 * @see check_purpose_ssl_client in OpenSSL's crypto/x509/v3_purp.c
 */
import type { Certificate } from "./certificate.ts";
import { type Tlv, DerError, children, contextTag, derTag, readWhole } from "./der.ts";
import { readPoints } from "./distribution-points.ts";
import { type Extension, extensionOid, findExtension, hasBit } from "./extensions.ts";

/** In words that follow the certificate's name, each with the reason in brackets; none where OpenSSL has nothing against it. */
export function findRefusals(certificate: Certificate): string[] {
  const { allowsClientAuth, extensions } = certificate;
  const usage = findExtension(extensions, extensionOid.keyUsage);
  const type = findExtension(extensions, extensionOid.netscapeType);
  const unknown = extensions.find(({ critical, oid }) => critical && !criticalOids.has(oid));
  return [
    ...(allowsClientAuth ? [] : ["is not for clients (extended key usage without clientAuth)"]),
    ...(usage === undefined || maySign(usage)
      ? []
      : ["is not for clients (keyUsage with neither digitalSignature nor keyAgreement)"]),
    ...(type === undefined || hasBit(type.value, 0) ? [] : ["is not for clients (nsCertType without client)"]),
    ...(unknown === undefined
      ? []
      : [`is refused by OpenSSL (critical extension ${unknown.oid}, which it does not know)`]),
    ...(findExtension(extensions, extensionOid.proxyCertificate)
      ? ["is a proxy certificate, which httpd refuses"]
      : []),
    ...(readPoints(certificate) === undefined ? ["is refused by OpenSSL (malformed crlDistributionPoints)"] : []),
    ...(hasRepeats(extensions) ? ["is refused by OpenSSL (an extension stands in it twice)"] : []),
    ...(hasExplicitCurve(certificate) ? ["is refused by OpenSSL (explicit parameters of its elliptic curve)"] : []),
  ];
}

const maySign = ({ value }: Extension): boolean => hasBit(value, 0) || hasBit(value, 4);

/** Whether it may be critical: X509_supported_extension. */
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

const hasRepeats = (extensions: readonly Extension[]): boolean =>
  new Set(extensions.map(({ oid }) => oid)).size < extensions.length;

const ecOid = Buffer.from("2a8648ce3d0201", "hex");

/** SubjectPublicKeyInfo is SEQUENCE { SEQUENCE { algorithm, parameters }, BIT STRING }: a named curve is an OBJECT IDENTIFIER. */
function hasExplicitCurve({ der }: Certificate): boolean {
  try {
    const [tbs] = children(der, readWhole(der));
    const parts = tbs === undefined ? [] : children(der, tbs);
    const first = parts[0]?.tag === contextTag(0, true) ? 1 : 0;
    const [algorithm] = childrenOf(der, parts[first + 5]);
    const [oid, parameters] = childrenOf(der, algorithm);
    const isEc = oid !== undefined && ecOid.equals(der.subarray(oid.content, oid.end));
    return isEc && parameters?.tag === derTag.sequence;
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}

const childrenOf = (der: Buffer, parent: Tlv | undefined): readonly Tlv[] =>
  parent === undefined ? [] : children(der, parent);
