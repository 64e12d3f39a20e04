/**
 * Which certificates of its CA a CRL covers: the extension issuingDistributionPoint, and what OpenSSL compares with it.
 *
 * @see RFC 5280, section 5.2.5; crl_crldp_check in OpenSSL's crypto/x509/x509_vfy.c
 */
import type { CrlSummary } from "./summary.ts";
import type { Certificate } from "./certificate.ts";
import type { Crl } from "./crl.ts";
import { type Tlv, DerError, children, contextTag, readWhole } from "./der.ts";
import { type DistributionPoint, isOfIssuer, readPoints } from "./distribution-points.ts";
import { type Extension, extensionOid, findExtension } from "./extensions.ts";
import { nameKey } from "./general-name.ts";

/** What an issuingDistributionPoint says. Empty where the CRL covers all certificates of its CA. */
export interface IssuingPoint extends Pick<CrlSummary, "scope" | "distributionPoint"> {
  /** Why OpenSSL does not use the CRL, and what to do. The text follows the name of the CRL. */
  readonly mistake?: string;
}

/**
 * Reads issuingDistributionPoint from the extensions of a CRL. Empty where there is none. A malformed one becomes a
 * `mistake`.
 */
export function readIssuingPoint(extensions: readonly Extension[]): IssuingPoint {
  const value = findExtension(extensions, extensionOid.issuingDistributionPoint)?.value;
  if (value === undefined) return {};
  try {
    return readParts(value, children(value, readWhole(value)));
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    return { mistake: "has a malformed issuingDistributionPoint; download it again" };
  }
}

/**
 * Returns the first mistake in the parts, or else their addresses and scope. The parts: [0] where, [1] user
 * certificates only, [2] CAs only, [3] reasons, [4] indirect, [5] attributes only.
 */
function readParts(value: Uint8Array, parts: readonly Tlv[]): IssuingPoint {
  const isSet = (number: number): boolean =>
    parts.some((part) => part.tag === contextTag(number, false) && value[part.content] !== 0);
  if (isSet(5)) return { mistake: notForUsers };
  if (isSet(4) || parts.some(({ tag }) => tag === contextTag(3, false)))
    return {
      mistake:
        "covers some reasons only or other CAs' certificates (issuingDistributionPoint), which httpd does not use; download the complete CRL",
    };
  if (isSet(1) && isSet(2))
    return {
      mistake:
        "is at once for users only and for CAs only (issuingDistributionPoint), so OpenSSL counts it for nobody; ask the issuer for the complete CRL",
    };
  const where = parts.find(({ tag }) => tag === contextTag(0, true));
  const place = where === undefined ? {} : readPlace(value, where);
  return isSet(1) ? { ...place, scope: "users" } : isSet(2) ? { ...place, scope: "authorities" } : place;
}

/** The message about a CRL that is not for users, in a place where a CRL for users is needed. */
export const notForUsers = "is not for user certificates (issuingDistributionPoint); download the one for users";

/**
 * Reads the addresses, joined by blanks, or the mistake in them. Throws {@link DerError}. DistributionPointName: [0]
 * full names, or [1] a part that is added to the issuer's name.
 */
function readPlace(value: Uint8Array, where: Tlv): IssuingPoint {
  const [place, ...others] = children(value, where);
  if (place === undefined || others.length > 0) throw new DerError("a distribution point is malformed");
  if (place.tag !== contextTag(0, true))
    return {
      mistake:
        "names its place by a part of its issuer's name (nameRelativeToCRLIssuer), which is not supported; ask the issuer for the complete CRL, or for one that names an address",
    };
  const names = children(value, place).map((name) => nameKey(value, name));
  return names.length === 0
    ? {
        mistake:
          "names no address in its issuingDistributionPoint, so OpenSSL counts it for no certificate; ask the issuer for the complete CRL",
      }
    : { distributionPoint: names.join(" ") };
}

/**
 * Whether OpenSSL uses this CRL for this certificate, where the CRL is of the right CA. False for a CRL that OpenSSL
 * cannot use at all.
 */
export function isInScope(crl: Crl, certificate: Certificate): boolean {
  const { scope, distributionPoint } = crl.summary;
  if (crl.scopeMistake !== undefined || scope === (certificate.isCa ? "users" : "authorities")) return false;
  return distributionPoint === undefined || findPoint(crl, certificate) !== undefined;
}

/**
 * Whether the distribution point that OpenSSL reads in the certificate names a CRL for some reasons only. OpenSSL then
 * needs another CRL for the other reasons, and accepts none (error 3).
 */
export function namesSomeReasonsOnly(certificate: Certificate, crl?: Crl): boolean {
  return findPoint(crl, certificate)?.isForSomeReasons === true;
}

/**
 * The certificate's first distribution point that is of the CA itself and of the CRL's part. A point without names is
 * of every part. Without a CRL, the first point that is of the CA itself. Undefined where there is none.
 */
function findPoint(crl: Crl | undefined, certificate: Certificate): DistributionPoint | undefined {
  const names = crl?.summary.distributionPoint?.split(" ");
  return readPoints(certificate)?.find(
    (point) =>
      isOfIssuer(point, certificate) &&
      (names === undefined || point.names === undefined || point.names.some((name) => names.includes(name))),
  );
}
