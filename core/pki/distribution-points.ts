/**
 * Where certificates say that the CRL of their issuer is published. A CA's own certificate names the CRL of the CA
 * above it, never its own: only users' certificates name the list that revokes users.
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
  /** The CA that signs it, as `CrlSummary.issuer`. */
  readonly issuer: string;
  /** In the order in which a host should try them: http, https, ldap. At least one. */
  readonly urls: readonly string[];
}

/** Http first: the host's curl may have no ldap, and a CRL's own signature makes https needless. */
const schemeOrder = ["http:", "https:", "ldap:", "ldaps:"];

/** What these certificates name, one proposal per issuer, in the order of the certificates. */
export function proposeCrlUrls(certificates: readonly Certificate[]): CrlProposal[] {
  const byIssuer = new Map<string, { readonly issuer: string; readonly urls: Set<string> }>();
  for (const certificate of certificates) {
    const urls = findCrlUrls(certificate).filter((url) => findUrlMistake(url) === undefined);
    const { issuer } = certificate.summary;
    const known = byIssuer.get(certificate.canonicalIssuer) ?? { issuer, urls: new Set() };
    for (const url of urls) known.urls.add(url);
    if (known.urls.size > 0) byIssuer.set(certificate.canonicalIssuer, known);
  }
  return [...byIssuer.values()].map(({ issuer, urls }) => ({ issuer, urls: sortByScheme(urls) }));
}

const sortByScheme = (urls: Iterable<string>): string[] =>
  [...urls].sort((a, b) => schemeOrder.indexOf(new URL(a).protocol) - schemeOrder.indexOf(new URL(b).protocol));

/**
 * Every address as the certificate has it, also one that no host can use, such as `ldap:///CN=…` of a Microsoft CA.
 * Empty where the extension is missing or malformed: OpenSSL judges that, and nobody needs it to read the certificate.
 * Addresses of CRLs of some reasons or of another CA are left out: they are of no use to httpd.
 */
export function findCrlUrls(certificate: Pick<Certificate, "extensions">): string[] {
  const points = readPoints(certificate) ?? [];
  return [...new Set(points.flatMap(({ urls, reasons, issuers }) => ((reasons ?? issuers) ? [] : urls)))];
}

/** DistributionPoint: one place where a certificate says that its CA publishes a CRL. */
export interface DistributionPoint {
  /** As {@link nameKey} has them, none for one relative to the issuer's name; undefined where it names no place. */
  readonly names: readonly string[] | undefined;
  /** Of them those that can be printed. */
  readonly urls: readonly string[];
  /** Canonical names of other CAs that sign; undefined: its own. */
  readonly issuers: readonly string[] | undefined;
  /** ReasonFlags of its CRL, as two bytes; undefined: all. */
  readonly reasons: number | undefined;
}

/** In the order of the certificate; undefined where they are malformed: OpenSSL then refuses the certificate. */
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

/** [0] where, [1] reasons, [2] another CA that signs. */
function readPoint(bytes: Uint8Array, point: Tlv): DistributionPoint {
  if (point.tag !== derTag.sequence) throw new DerError("a distribution point is malformed");
  const parts = children(bytes, point);
  const find = (tag: number): Tlv | undefined => parts.find((part) => part.tag === tag);
  const where = find(contextTag(0, true));
  const full = where && children(bytes, where).filter(({ tag }) => tag === contextTag(0, true));
  const names = full?.flatMap((one) => children(bytes, one));
  const issuer = find(contextTag(2, true));
  const reasons = find(contextTag(1, false));
  return {
    names: names?.map((name) => nameKey(bytes, name)),
    urls: (names ?? []).flatMap((name) => readUrl(bytes, name) ?? []),
    issuers: issuer && children(bytes, issuer).flatMap((name) => readDirectoryName(bytes, name) ?? []),
    reasons: reasons && readFlags(contentOf(bytes, reasons)),
  };
}

/** The first byte of a BIT STRING counts unused bits. */
const readFlags = ([, first = 0, second = 0]: Uint8Array): number => (first << 8) | second;

/** One with a control character could rewrite a terminal line. */
function readUrl(bytes: Uint8Array, name: Tlv): string | undefined {
  const text = readUri(bytes, name);
  return text !== undefined && /^[\x20-\x7e]+$/.test(text) ? text : undefined;
}
