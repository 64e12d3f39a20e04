/**
 * Where certificates say that the CRL of their issuer is published. A CA's own certificate names the CRL of the CA above it,
 * never its own: only users' certificates name the list that revokes users.
 *
 * @see RFC 5280, section 4.2.1.13
 */
import type { Certificate } from "./certificate.ts";
import { findUrlMistake } from "./crl-url.ts";
import { type Tlv, DerError, children, contentOf, contextTag, derTag, readWhole } from "./der.ts";
import { extensionOid, findExtension } from "./extensions.ts";

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
 */
export function findCrlUrls({ extensions }: Pick<Certificate, "extensions">): string[] {
  const value = findExtension(extensions, extensionOid.crlDistributionPoints)?.value;
  if (value === undefined) return [];
  try {
    const urls = children(value, readWhole(value)).flatMap((point) => readPoint(value, point));
    return [...new Set(urls)];
  } catch (error) {
    if (error instanceof DerError) return [];
    throw error;
  }
}

/** DistributionPoint: [0] where, [1] reasons, [2] another CA that signs. Lists of some reasons or of another CA are of no use to httpd. */
function readPoint(bytes: Uint8Array, point: Tlv): string[] {
  if (point.tag !== derTag.sequence) throw new DerError("a distribution point is malformed");
  const parts = children(bytes, point);
  const [where] = parts;
  if (where?.tag !== contextTag(0, true) || parts.length > 1) return [];
  const names = children(bytes, where).filter(({ tag }) => tag === contextTag(0, true));
  return names.flatMap((full) => children(bytes, full)).flatMap((name) => readUrl(bytes, name) ?? []);
}

/** GeneralName [6]: a URI as IA5String. One with a control character could rewrite a terminal line. */
function readUrl(bytes: Uint8Array, name: Tlv): string | undefined {
  if (name.tag !== contextTag(6, false)) return undefined;
  const text = Buffer.from(contentOf(bytes, name)).toString("latin1");
  return /^[\x20-\x7e]+$/.test(text) ? text : undefined;
}
