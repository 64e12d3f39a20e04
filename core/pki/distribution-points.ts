/**
 * Reads from certificates where the CRL of their issuer is published. A CA's own certificate names the CRL of the CA
 * above it, never its own CRL. Only users' certificates name the CRL that revokes users.
 *
 * @see RFC 5280, section 4.2.1.13
 */
import type { Certificate } from "./certificate.ts";
import { findUrlMistake } from "./crl-url.ts";
import { type Tlv, DerError, children, contentOf, contextTag, derTag, readWhole } from "./der.ts";
import { extensionOid, findExtension } from "./extensions.ts";
import { nameKey, readDirectoryName, readUri } from "./general-name.ts";

/** One CRL that a site could list under `crlSources`. */
export interface CrlProposal {
  /** The CA that signs the CRL, in the form of `CrlSummary.issuer`. */
  readonly issuer: string;
  /** The addresses in the order in which a host should try them: http, https, ldap. There is at least one. */
  readonly urls: readonly string[];
}

/** http comes first: the host's curl may not support ldap, and a CRL is signed, so that https is not needed. */
const schemeOrder = ["http:", "https:", "ldap:", "ldaps:"];

/**
 * The CRLs that these certificates name: one proposal for each issuer, in the order of the certificates. Addresses that
 * no host can use are left out, and so is an issuer without any other address.
 */
export function proposeCrlUrls(certificates: readonly Certificate[]): CrlProposal[] {
  const byIssuer = new Map<string, { readonly issuer: string; readonly urls: Set<string> }>();
  for (const certificate of certificates) {
    const urls = findCrlUrls(certificate).filter((url) => findUrlMistake(url) === undefined);
    const { issuer } = certificate.summary;
    const proposal = byIssuer.get(certificate.canonicalIssuer) ?? { issuer, urls: new Set() };
    for (const url of urls) proposal.urls.add(url);
    if (proposal.urls.size > 0) byIssuer.set(certificate.canonicalIssuer, proposal);
  }
  return [...byIssuer.values()].map(({ issuer, urls }) => ({ issuer, urls: sortByScheme(urls) }));
}

const sortByScheme = (urls: Iterable<string>): string[] =>
  [...urls].sort((a, b) => schemeOrder.indexOf(new URL(a).protocol) - schemeOrder.indexOf(new URL(b).protocol));

/**
 * The addresses of the CRLs of the certificate's CA. Each address has the form that stands in the certificate, even an
 * address that no host can use, such as `ldap:///CN=…` of a Microsoft CA. Empty where the extension is missing or
 * malformed: OpenSSL judges that, and it does not keep us from reading the certificate. Addresses of CRLs for some
 * reasons only, or of another CA, are left out, because httpd cannot use them.
 */
export function findCrlUrls(certificate: Pick<Certificate, "extensions" | "canonicalIssuer">): string[] {
  const points = readPoints(certificate) ?? [];
  const usable = points.filter((point) => !point.isForSomeReasons && isOfIssuer(point, certificate));
  return [...new Set(usable.flatMap(({ urls }) => urls))];
}

/** Whether the certificate's own CA signs the CRL of this point. */
export const isOfIssuer = (
  { issuers }: DistributionPoint,
  { canonicalIssuer }: Pick<Certificate, "canonicalIssuer">,
): boolean => issuers === undefined || issuers.includes(canonicalIssuer);

/** DistributionPoint: one place where a certificate says that its CA publishes a CRL. */
export interface DistributionPoint {
  /**
   * The names in the form of {@link nameKey}. Empty for a name relative to the issuer's name. Undefined where the point
   * names no place.
   */
  readonly names: readonly string[] | undefined;
  /** The names that are addresses and can be printed. */
  readonly urls: readonly string[];
  /** The canonical names of the CAs that sign the CRL. Undefined where the certificate's own CA signs it. */
  readonly issuers: readonly string[] | undefined;
  /** Whether the CRL is not for all reasons for which a certificate may be revoked. */
  readonly isForSomeReasons: boolean;
}

/**
 * Reads the points in the order of the certificate. Empty where there is no such extension. Undefined where it is
 * malformed: OpenSSL then refuses the certificate.
 */
export function readPoints({ extensions }: Pick<Certificate, "extensions">): DistributionPoint[] | undefined {
  const value = findExtension(extensions, extensionOid.crlDistributionPoints)?.value;
  if (value === undefined) return [];
  try {
    return children(value, readWhole(value)).map((point) => readPoint(value, point));
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** Reads a point: [0] where, [1] reasons, [2] another CA that signs. Throws {@link DerError}. */
function readPoint(bytes: Uint8Array, point: Tlv): DistributionPoint {
  if (point.tag !== derTag.sequence) throw new DerError("a distribution point is malformed");
  const parts = children(bytes, point);
  const find = (tag: number): Tlv | undefined => parts.find((part) => part.tag === tag);
  const where = find(contextTag(0, true));
  // Inside, [0] is a list of full names, and [1] is a part of a name, which gives an empty list here.
  const fullNames = where && children(bytes, where).filter(({ tag }) => tag === contextTag(0, true));
  const names = fullNames?.flatMap((list) => children(bytes, list));
  const issuer = find(contextTag(2, true));
  const reasons = find(contextTag(1, false));
  return {
    names: names?.map((name) => nameKey(bytes, name)),
    urls: (names ?? []).flatMap((name) => readUrl(bytes, name) ?? []),
    issuers: issuer && children(bytes, issuer).flatMap((name) => readDirectoryName(bytes, name) ?? []),
    isForSomeReasons: reasons !== undefined && (readFlags(contentOf(bytes, reasons)) & allReasons) !== allReasons,
  };
}

/** All reasons that OpenSSL knows (CRLDP_ALL_REASONS): bits 1 to 8 from the left. */
const allReasons = 0x7f80;

/** The first two bytes of a BIT STRING. The byte before them counts the unused bits. */
const readFlags = ([, first = 0, second = 0]: Uint8Array): number => (first << 8) | second;

/**
 * Reads an address. Undefined for another kind of name, and for an address with a character that is not printable
 * ASCII: a control character could rewrite a line of the terminal.
 */
function readUrl(bytes: Uint8Array, name: Tlv): string | undefined {
  const text = readUri(bytes, name);
  return text !== undefined && /^[\x20-\x7e]+$/.test(text) ? text : undefined;
}
