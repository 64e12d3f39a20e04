/**
 * What in a user's certificate makes httpd refuse its holder, whatever the CAs and CRLs are: the check of
 * `openssl verify -purpose sslclient`.
 *
 * @see check_purpose_ssl_client in OpenSSL's crypto/x509/v3_purp.c
 */
import type { Certificate } from "./certificate.ts";
import { readPoints } from "./distribution-points.ts";
import { type Extension, extensionOid, findExtension, findUnknownCritical, hasBit, hasRepeats } from "./extensions.ts";

/**
 * All reasons for which OpenSSL or httpd refuses the certificate, as texts that follow its name. Empty where both
 * accept it.
 */
export function findRefusals(certificate: Certificate): string[] {
  const { allowsClientAuth, extensions, hasExplicitCurve, hasExactDates } = certificate;
  const usage = findExtension(extensions, extensionOid.keyUsage);
  // Bit 0 of Netscape's type is the TLS client.
  const type = findExtension(extensions, extensionOid.netscapeType);
  const unknown = findUnknownCritical(extensions);
  return [
    ...(allowsClientAuth ? [] : ["is not for clients (extended key usage without clientAuth)"]),
    ...(usage === undefined || allowsTls(usage)
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
    ...(hasExplicitCurve ? ["is refused by OpenSSL (explicit parameters of its elliptic curve)"] : []),
    ...(hasExactDates ? [] : ["is refused by OpenSSL (a date with a fraction of a second)"]),
  ];
}

/** Whether keyUsage has the bit digitalSignature (0) or keyAgreement (4). */
const allowsTls = ({ value }: Extension): boolean => hasBit(value, 0) || hasBit(value, 4);
