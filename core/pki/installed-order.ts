/**
 * The order of the installed bundle. OpenSSL's answers depend on it, so everything must be judged in this order,
 * whatever the order of the site file is.
 */
import { defaultVerifyDepth } from "./summary.ts";
import { isNamedBy } from "./authority.ts";
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
  /** Whether CRLs that are not known yet will be checked. @default false */
  readonly hasMore?: boolean;
}

/** Keeps one certificate for each fingerprint, in the given order. */
export const unique = (certificates: readonly Certificate[]): Certificate[] => [
  ...new Map(certificates.map((certificate) => [certificate.summary.fingerprint, certificate])).values(),
];

/**
 * Puts the certificates in the order in which they are installed, each once. They are sorted by fingerprint, so that
 * the order in the site file never causes a change. Certificates of one subject are an exception: OpenSSL uses the
 * first valid one and never goes back, so the order in which OpenSSL refuses the fewest CAs is chosen.
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

/** This is more orders than any site needs: none has so many CA certificates of one name. */
const mostOrders = 720;

/** Makes orders in which certificates of one subject change places with each other. */
function* reorderings(sorted: readonly Certificate[]): Generator<Certificate[]> {
  const places = new Map<string, number[]>();
  for (const [place, { canonicalSubject }] of sorted.entries())
    places.set(canonicalSubject, [...(places.get(canonicalSubject) ?? []), place]);
  const groups = [...places.values()].filter((group) => group.length > 1);
  yield* reorderGroups(sorted, groups);
}

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
    // `?? place` only satisfies the compiler: a permutation has as many places.
    const from = new Map(group.map((place, index) => [place, permuted[index] ?? place]));
    yield* reorderGroups(
      order.map((ca, place) => order[from.get(place) ?? place] ?? ca),
      rest,
    );
  }
}

function* permutations(places: readonly number[]): Generator<number[]> {
  if (places.length < 2) yield [...places];
  else
    for (const first of places)
      for (const rest of permutations(places.filter((place) => place !== first))) yield [first, ...rest];
}

/** The CAs by name and key, each with all its certificates. `bundle` may be in any order. */
export function findAuthorities(bundle: readonly Certificate[]): Certificate[][] {
  const authorities: Certificate[][] = [];
  for (const ca of bundle.filter(({ isCa }) => isCa)) {
    const known = authorities.find(([first]) => first !== undefined && isSameAuthority(first, ca));
    if (known === undefined) authorities.push([ca]);
    else known.push(ca);
  }
  return authorities;
}

/** The number of CAs whose users OpenSSL refuses with the bundle in this order. */
const countRefused = (installed: readonly Certificate[], options: OrderOptions): number =>
  findAuthorities(installed).filter((authority) => {
    const taken = findTaken(authority, options.now);
    return (
      taken !== undefined &&
      (isRefused(takeChain(taken, installed, options.now), options) || missesCrl(taken, authority, options))
    );
  }).length;

function isRefused(chain: Chain, { now, verifyDepth = defaultVerifyDepth }: OrderOptions): boolean {
  return (
    !endOf(chain).isTop ||
    chain.length > verifyDepth ||
    findLimit(chain) !== undefined ||
    findUnsigned(chain) !== undefined ||
    chain.some((ca) => !ca.isCa || !hasKeyUsage(ca, "keyCertSign") || !ca.allowsClientAuth || !isValid(ca, now))
  );
}

/** Whether OpenSSL uses another certificate of the CA than the one that its CRL names, or one that may sign no CRL. */
function missesCrl(
  taken: Certificate,
  authority: readonly Certificate[],
  { crls = [], hasMore = false }: OrderOptions,
): boolean {
  const own = crls.filter(
    (crl) => crl.canonicalIssuer === taken.canonicalSubject && authority.some((ca) => isNamedBy(crl.authority, ca)),
  );
  const isChecked = own.length > 0 || hasMore;
  return isChecked && (!hasKeyUsage(taken, "cRLSign") || own.some((crl) => !isNamedBy(crl.authority, taken)));
}

/** A CA's certificate, the certificate above it, and so on. */
export type Chain = readonly [Certificate, ...Certificate[]];

export const endOf = (chain: Chain): Certificate => chain.at(-1) ?? chain[0];

/** Whether the certificate is valid at `now`. Without `now`, every certificate is valid. */
export const isValid = ({ summary }: Certificate, now: number | undefined): boolean =>
  now === undefined || (Date.parse(summary.notBefore) <= now && now < Date.parse(summary.notAfter));

/**
 * Of several certificates that could have issued another one, returns the one that OpenSSL uses: the first that is
 * valid now, or else the one that expires last. `candidates` are in the order of the installed bundle.
 *
 * @see X509_STORE_CTX_get1_issuer in OpenSSL's crypto/x509/x509_lu.c
 */
export function findTaken(candidates: readonly Certificate[], now: number | undefined): Certificate | undefined {
  const byEnd = [...candidates].sort((a, b) => Date.parse(b.summary.notAfter) - Date.parse(a.summary.notAfter));
  return candidates.find((ca) => isValid(ca, now)) ?? byEnd[0];
}

/**
 * The way from a CA's certificate upwards that OpenSSL goes: by names and identifiers alone, never back. `installed` is
 * in the installed order.
 */
export function takeChain(start: Certificate, installed: readonly Certificate[], now: number | undefined): Chain {
  const chain: [Certificate, ...Certificate[]] = [start];
  for (let below = start; !below.isTop;) {
    const at = below;
    const taken = findTaken(
      installed.filter((ca) => seemsIssuedBy(at, ca)),
      now,
    );
    if (taken === undefined || chain.includes(taken)) break;
    chain.push(taken);
    below = taken;
  }
  return chain;
}

/** The first certificate of the chain that allows fewer CAs below itself than there are. */
export const findLimit = (chain: Chain): Certificate | undefined =>
  chain.find(({ pathLength }, at) => pathLength !== undefined && countBelow(chain, at) > pathLength);

/**
 * The number of CAs below place `at`. CAs with the same name for subject and issuer, which are made for a change of
 * keys, do not count. RFC 5280, section 6.1.4 (l).
 */
const countBelow = (chain: Chain, at: number): number =>
  chain.slice(0, at).filter((ca) => ca.canonicalSubject !== ca.canonicalIssuer).length;

/** The first certificate of the chain that the certificate above it did not sign, although the names fit. */
export const findUnsigned = (chain: Chain): Certificate | undefined =>
  chain.find((ca, at) => {
    const upper = chain[at + 1];
    return upper !== undefined && !isSignedBy(ca, upper);
  });

const known = new WeakMap<Certificate, WeakMap<Certificate, boolean>>();

/** Checks each signature only once, however many orders are tried. */
function isSignedBy(ca: Certificate, upper: Certificate): boolean {
  const results = known.get(ca) ?? new WeakMap<Certificate, boolean>();
  known.set(ca, results);
  const isSigned = results.get(upper) ?? ca.x509.verify(upper.x509.publicKey);
  results.set(upper, isSigned);
  return isSigned;
}

/** The CAs above a certificate that OpenSSL uses, the nearest first. `bundle` is in the installed order. */
export function findChain(certificate: Certificate, bundle: readonly Certificate[], now: number): Certificate[] {
  const taken = findTaken(
    bundle.filter((ca) => ca.isCa && isIssuedBy(certificate, ca)),
    now,
  );
  return taken === undefined || taken === certificate ? [] : [...takeChain(taken, bundle, now)];
}
