/**
 * The order of the installed bundle. OpenSSL's answers depend on it, so everything must be judged in this order,
 * whatever the order of the site file is.
 */
import { defaultVerifyDepth } from "./summary.ts";
import { authorityFits } from "./authority.ts";
import { type Certificate, hasKeyUsage, isIssuedBy, seemsIssuedBy } from "./certificate.ts";
import type { Crl } from "./crl.ts";
import { isSameAuthority } from "./crl-signer.ts";

/** What else decides which order is right. */
export interface OrderOptions {
  /** Milliseconds since 1970. @default - every certificate counts as valid */
  readonly now?: number;
  /** @default defaultVerifyDepth */
  readonly verifyDepth?: number | undefined;
  /** The CRLs that are known without a host. @default - none */
  readonly crls?: readonly Pick<Crl, "canonicalIssuer" | "authority">[];
  /** Whether CRLs will be checked that are not known yet, because sources deliver them. @default false */
  readonly hasUnknownCrls?: boolean;
}

/** Keeps one certificate for each fingerprint, in the given order. */
export const unique = (certificates: readonly Certificate[]): Certificate[] => [
  ...new Map(certificates.map((certificate) => [certificate.summary.fingerprint, certificate])).values(),
];

/**
 * Puts the certificates in the order in which they are installed, each once. They are sorted by fingerprint, so that
 * the order in the site file never causes a change. Certificates of one subject are an exception: OpenSSL uses the
 * first valid one and never goes back, so among at most `mostOrders` orders the first one with the fewest refused CAs
 * is chosen.
 */
export function inInstalledOrder(certificates: readonly Certificate[], options: OrderOptions = {}): Certificate[] {
  const sorted = unique(certificates).sort((a, b) => (a.summary.fingerprint < b.summary.fingerprint ? -1 : 1));
  let best = { order: sorted, faults: countRefused(sorted, options) };
  if (best.faults === 0) return sorted;
  let tried = 0;
  for (const order of reorderings(sorted)) {
    const faults = countRefused(order, options);
    if (faults < best.faults) best = { order, faults };
    if (faults === 0 || ++tried >= mostOrders) break;
  }
  return best.order;
}

/** All orders of six certificates. This is more than any site needs: none has so many CA certificates of one name. */
const mostOrders = 720;

/** Makes the orders in which certificates of one subject change places with each other. The first is the given one. */
function* reorderings(sorted: readonly Certificate[]): Generator<Certificate[]> {
  const places = new Map<string, number[]>();
  for (const [place, { canonicalSubject }] of sorted.entries())
    places.set(canonicalSubject, [...(places.get(canonicalSubject) ?? []), place]);
  const groups = [...places.values()].filter((group) => group.length > 1);
  yield* reorderGroups(sorted, groups);
}

/**
 * Makes every order in which the certificates of each group change places: reorders the first group, and calls itself
 * for the rest. A group is a list of places in `order`.
 */
function* reorderGroups(
  order: readonly Certificate[],
  groups: readonly (readonly number[])[],
): Generator<Certificate[]> {
  const [group, ...rest] = groups;
  if (group === undefined) {
    yield [...order];
    return;
  }
  for (const permuted of permutations(group)) {
    // The place from which each place of the group gets its certificate. `?? place` only satisfies the compiler: a
    // permutation has as many places.
    const from = new Map(group.map((place, index) => [place, permuted[index] ?? place]));
    yield* reorderGroups(
      order.map((ca, place) => order[from.get(place) ?? place] ?? ca),
      rest,
    );
  }
}

/** Makes every order of the places, the given one first: takes each as the first, and calls itself for the others. */
function* permutations(places: readonly number[]): Generator<number[]> {
  if (places.length < 2) yield [...places];
  else
    for (const first of places)
      for (const rest of permutations(places.filter((place) => place !== first))) yield [first, ...rest];
}

/** Groups the CA certificates by name and key: each group is one CA. `bundle` may be in any order. */
export function findAuthorities(bundle: readonly Certificate[]): Certificate[][] {
  const authorities: Certificate[][] = [];
  for (const ca of bundle.filter(({ isCa }) => isCa)) {
    // All certificates of a group have one name and one key, so the first stands for all.
    const authority = authorities.find(([first]) => first !== undefined && isSameAuthority(first, ca));
    if (authority === undefined) authorities.push([ca]);
    else authority.push(ca);
  }
  return authorities;
}

/** The number of CAs whose users OpenSSL refuses with the bundle in this order. */
const countRefused = (installed: readonly Certificate[], options: OrderOptions): number =>
  findAuthorities(installed).filter((authority) => {
    const used = findUsed(authority, options.now);
    return (
      used !== undefined &&
      (isRefused(buildChain(used, installed, options.now), options) || missesCrl(used, authority, options))
    );
  }).length;

/**
 * Whether OpenSSL refuses the users of the CA at the beginning of the chain because of the chain: it ends below a root,
 * is too deep, has a wrong signature, or has a certificate that is no CA for clients or is not valid.
 */
function isRefused(chain: Chain, { now, verifyDepth = defaultVerifyDepth }: OrderOptions): boolean {
  return (
    !endOf(chain).isTop ||
    chain.length > verifyDepth ||
    findExceededLimit(chain) !== undefined ||
    findUnsigned(chain) !== undefined ||
    chain.some((ca) => !ca.isCa || !hasKeyUsage(ca, "keyCertSign") || !ca.allowsClientAuth || !isValid(ca, now))
  );
}

/**
 * Whether the certificate that OpenSSL uses may sign no CRL, or is not the one that a CRL of the CA names. False where
 * no CRL of the CA is known and no source delivers any, because CRLs are then not checked.
 */
function missesCrl(
  used: Certificate,
  authority: readonly Certificate[],
  { crls = [], hasUnknownCrls = false }: OrderOptions,
): boolean {
  const own = crls.filter(
    (crl) => crl.canonicalIssuer === used.canonicalSubject && authority.some((ca) => authorityFits(crl.authority, ca)),
  );
  const isChecked = own.length > 0 || hasUnknownCrls;
  return isChecked && (!hasKeyUsage(used, "cRLSign") || own.some((crl) => !authorityFits(crl.authority, used)));
}

/** A CA's certificate, the certificate above it, and so on. */
export type Chain = readonly [Certificate, ...Certificate[]];

export const endOf = (chain: Chain): Certificate => chain.at(-1) ?? chain[0];

/** Whether the certificate is valid at `now`. Without `now`, every certificate is valid. */
export const isValid = ({ summary }: Certificate, now: number | undefined): boolean =>
  now === undefined || (Date.parse(summary.notBefore) <= now && now < Date.parse(summary.notAfter));

/**
 * Finds the certificate that OpenSSL uses among several that could have issued another one: the first that is valid
 * now, or else the one that expires last. Undefined where there are no candidates. `candidates` are in the order of the
 * installed bundle.
 *
 * @see X509_STORE_CTX_get1_issuer in OpenSSL's crypto/x509/x509_lu.c
 */
export function findUsed(candidates: readonly Certificate[], now: number | undefined): Certificate | undefined {
  const byEnd = [...candidates].sort((a, b) => Date.parse(b.summary.notAfter) - Date.parse(a.summary.notAfter));
  return candidates.find((ca) => isValid(ca, now)) ?? byEnd[0];
}

/**
 * Builds the chain that OpenSSL builds from a CA's certificate upwards: by names, identifiers and kinds of keys alone,
 * never by signatures, and never back. The chain ends at a certificate that is its own issuer, that has no issuer in
 * `installed`, or whose issuer is already in the chain. `installed` is in the installed order.
 */
export function buildChain(start: Certificate, installed: readonly Certificate[], now: number | undefined): Chain {
  const chain: [Certificate, ...Certificate[]] = [start];
  const issuersOf = (below: Certificate): Certificate[] => installed.filter((ca) => seemsIssuedBy(below, ca));
  for (let below = start; !below.isTop;) {
    const upper = findUsed(issuersOf(below), now);
    if (upper === undefined || chain.includes(upper)) break;
    chain.push(upper);
    below = upper;
  }
  return chain;
}

/** The first certificate of the chain that allows fewer CAs below itself than there are (pathLenConstraint). */
export const findExceededLimit = (chain: Chain): Certificate | undefined =>
  chain.find(({ pathLength }, index) => pathLength !== undefined && countBelow(chain, index) > pathLength);

/**
 * The number of CAs below that at `index`. CAs with the same name for subject and issuer, which are made for a change
 * of keys, do not count. RFC 5280, section 6.1.4 (l).
 */
const countBelow = (chain: Chain, index: number): number =>
  chain.slice(0, index).filter((ca) => ca.canonicalSubject !== ca.canonicalIssuer).length;

/** The first certificate of the chain that the certificate above it did not sign, although the names fit. */
export const findUnsigned = (chain: Chain): Certificate | undefined =>
  chain.find((ca, index) => {
    const upper = chain[index + 1];
    return upper !== undefined && !isSignedBy(ca, upper);
  });

/** The results of {@link isSignedBy}, by the lower and then by the upper certificate. */
const signatureResults = new WeakMap<Certificate, WeakMap<Certificate, boolean>>();

/** Whether the key of `upper` made the signature of `ca`. The result is kept, because many orders are tried. */
function isSignedBy(ca: Certificate, upper: Certificate): boolean {
  const results = signatureResults.get(ca) ?? new WeakMap<Certificate, boolean>();
  signatureResults.set(ca, results);
  const isSigned = results.get(upper) ?? ca.x509.verify(upper.x509.publicKey);
  results.set(upper, isSigned);
  return isSigned;
}

/**
 * The CAs that OpenSSL uses above a certificate, the nearest first. Empty where no CA of the bundle issued the
 * certificate, or only the certificate itself did. `bundle` is in the installed order.
 */
export function findChain(certificate: Certificate, bundle: readonly Certificate[], now: number): Certificate[] {
  const issuers = bundle.filter((ca) => ca.isCa && isIssuedBy(certificate, ca));
  const used = findUsed(issuers, now);
  return used === undefined || used === certificate ? [] : [...buildChain(used, bundle, now)];
}
