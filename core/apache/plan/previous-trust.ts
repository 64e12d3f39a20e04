/**
 * Finds out whom each virtual host trusted before our line: this depends on the unmanaged directives, including adopted
 * ones.
 */
import { isOfWholeHosts } from "../facts/unmanaged-kinds.ts";
import type { UnmanagedDirective } from "../facts/unmanaged-model.ts";
import type { CertificateSummary } from "../../pki/summary.ts";
import type { Desired, Facts } from "../model.ts";
import { comparable } from "../../pki/same-name.ts";

/** What counted in a virtual host before our line. Each question takes the index of the virtual host. */
export interface Trust {
  /** Whether certificates were requested, for the whole virtual host or for a part of it. */
  readonly verifies: (index: number) => boolean;
  /** Whether nobody got into the virtual host without a certificate. */
  readonly requires: (index: number) => boolean;
  /** How CRLs were checked; undefined where they were not checked. */
  readonly crlCheck: (index: number) => "leaf" | "chain" | undefined;
  /** The subjects of CAs of the site whose certificates were not trusted there. */
  readonly newCas: (index: number) => readonly string[];
  /** The greatest number of CAs above a user's certificate of the site, including the root. */
  readonly deepestChain: number;
}

/** The value of SSLVerifyDepth in mod_ssl where no directive sets it. */
const defaultDepth = 1;

/** Reads all directives once, for all questions. */
export function readTrust(desired: Desired, { foreign }: Facts): Trust {
  const verifying = indexesOf(foreign, ({ kind, value }) => kind === "verifyClient" && value !== "none");
  const requiring = indexesOf(
    foreign,
    ({ kind, level, value }) => kind === "verifyClient" && value === "require" && isOfWholeHosts(level),
  );
  const chain = indexesOf(foreign, ({ kind, value }) => kind === "crlCheck" && value === "chain");
  const leaf = indexesOf(foreign, ({ kind, value }) => kind === "crlCheck" && value === "leaf");
  // The CA file of each virtual host, by its index: the last one that the facts list for it.
  const caFiles = new Map<number, UnmanagedDirective>();
  for (const directive of foreign)
    if (directive.kind === "caFile") for (const index of directive.virtualHosts) caFiles.set(index, directive);
  const depths = readDepths(foreign);
  const levels = findLevels(desired.ca.certificates);
  // Thousands of virtual hosts may have the same CA file and depth, so the answer is found once for these two.
  const newCasByFileAndDepth = new Map<string, readonly string[]>();
  return {
    verifies: (index) => verifying.has(index),
    requires: (index) => requiring.has(index),
    crlCheck: (index) => (chain.has(index) ? "chain" : leaf.has(index) ? "leaf" : undefined),
    newCas: (index) => {
      const { file = "", line = 0, certificates = [] } = caFiles.get(index) ?? {};
      const depth = depths.get(index) ?? defaultDepth;
      const key = `${file}:${line} ${depth}`;
      const isTooDeep = ({ fingerprint }: CertificateSummary): boolean => (levels.get(fingerprint) ?? 0) > depth;
      const subjects = newCasByFileAndDepth.get(key) ?? findNewCas(desired.ca.certificates, certificates, isTooDeep);
      newCasByFileAndDepth.set(key, subjects);
      return subjects;
    },
    deepestChain: Math.max(0, ...levels.values()),
  };
}

/** The greatest SSLVerifyDepth in a virtual host or in a part of it, by the index of the virtual host. */
function readDepths(foreign: readonly UnmanagedDirective[]): ReadonlyMap<number, number> {
  const depths = new Map<number, number>();
  for (const { kind, value, virtualHosts } of foreign)
    if (kind === "verifyDepth" && value !== undefined)
      for (const index of virtualHosts) depths.set(index, Math.max(depths.get(index) ?? 0, Number(value)));
  return depths;
}

/**
 * For each CA, by fingerprint, the number of CAs on the longest path from a root down to it, including both. A CA to
 * which no root leads has no number.
 */
function findLevels(cas: readonly CertificateSummary[]): ReadonlyMap<string, number> {
  const casByIssuer = new Map<string, CertificateSummary[]>();
  for (const ca of cas) {
    const issuer = comparable(ca.issuer);
    const group = casByIssuer.get(issuer);
    if (group === undefined) casByIssuer.set(issuer, [ca]);
    else group.push(ca);
  }
  const isRoot = ({ issuer, subject }: CertificateSummary): boolean => comparable(issuer) === comparable(subject);
  const levels = new Map<string, number>();
  let level = cas.filter(isRoot);
  // A CA that is reached again at a greater depth gets that depth. The limit ends circles.
  for (let depth = 1; level.length > 0 && depth <= cas.length; depth++) {
    for (const { fingerprint } of level) levels.set(fingerprint, depth);
    const issued = level.flatMap(({ subject }) => casByIssuer.get(comparable(subject)) ?? []);
    level = [...new Set(issued.filter((ca) => !isRoot(ca)))];
  }
  return levels;
}

/** The virtual hosts for which a wanted directive is effective, as indexes. */
const indexesOf = (
  foreign: readonly UnmanagedDirective[],
  isWanted: (directive: UnmanagedDirective) => boolean,
): ReadonlySet<number> => new Set(foreign.filter(isWanted).flatMap(({ virtualHosts }) => virtualHosts));

/**
 * The subjects of those of our CAs that bring new users, where the `previous` CAs were trusted. A CA below a trusted
 * one brings none: its clients could already send its certificate along, unless that chain is too long.
 */
function findNewCas(
  ours: readonly CertificateSummary[],
  previous: NonNullable<UnmanagedDirective["certificates"]>,
  isTooDeep: (ca: CertificateSummary) => boolean,
): readonly string[] {
  const fingerprints = new Set(previous.map(({ fingerprint }) => fingerprint));
  const trusted = new Set(previous.map(({ subject }) => comparable(subject)));
  let candidates = ours.filter((ca) => isTooDeep(ca) || !fingerprints.has(ca.fingerprint));
  // Each round trusts the CAs below those of the round before, until no further one is found.
  for (;;) {
    const untrusted = candidates.filter((ca) => isTooDeep(ca) || !trusted.has(comparable(ca.issuer)));
    if (untrusted.length === candidates.length) return candidates.map(({ subject }) => subject);
    for (const { subject } of candidates.filter((ca) => !untrusted.includes(ca))) trusted.add(comparable(subject));
    candidates = untrusted;
  }
}
