/** Whom each virtual host trusted before ours: by what others have written, adopted lines included. */
import type { ForeignDirective } from "./foreign-model.ts";
import type { CertificateSummary, Desired, Facts } from "./model.ts";
import { comparable } from "./revocation.ts";

/** What counted in a virtual host before ours; by its index. */
export interface Trust {
  /** Certificates were asked for, of the whole virtual host or of a part. */
  readonly verifies: (index: number) => boolean;
  /** How CRLs were checked; undefined where they were not. */
  readonly crlCheck: (index: number) => "leaf" | "chain" | undefined;
  /** Subjects of CAs of the site whose holders were not trusted. */
  readonly newCas: (index: number) => readonly string[];
  /** CAs above a user's certificate of the site, the root included, where most stand above one. */
  readonly deepestChain: number;
}

/** Looks through the directives once, for all questions. */
export function readTrust(desired: Desired, { foreign }: Facts): Trust {
  const verifying = indexesOf(foreign, ({ kind, value }) => kind === "verifyClient" && value !== "none");
  const chain = indexesOf(foreign, ({ kind, value }) => kind === "crlCheck" && value === "chain");
  const leaf = indexesOf(foreign, ({ kind, value }) => kind === "crlCheck" && value === "leaf");
  const trusted = new Map<number, ForeignDirective>();
  for (const directive of foreign)
    if (directive.kind === "caFile") for (const index of directive.virtualHosts) trusted.set(index, directive);
  const known = new Map<ForeignDirective | undefined, readonly string[]>();
  return {
    verifies: (index) => verifying.has(index),
    crlCheck: (index) => (chain.has(index) ? "chain" : leaf.has(index) ? "leaf" : undefined),
    newCas: (index) => {
      const directive = trusted.get(index);
      const found = known.get(directive) ?? findNewCas(desired.ca.certificates, directive?.certificates ?? []);
      known.set(directive, found);
      return found;
    },
    deepestChain: findDeepestChain(desired.ca.certificates),
  };
}

/** From root to root: of CAs that name each other in a circle, none has one. */
function findDeepestChain(cas: readonly CertificateSummary[]): number {
  const below = new Map<string, CertificateSummary[]>();
  for (const ca of cas) {
    const issuer = comparable(ca.issuer);
    const group = below.get(issuer);
    if (group === undefined) below.set(issuer, [ca]);
    else group.push(ca);
  }
  const isRoot = ({ issuer, subject }: CertificateSummary): boolean => comparable(issuer) === comparable(subject);
  let level = cas.filter(isRoot);
  let depth = 0;
  for (; level.length > 0 && depth <= cas.length; depth++)
    level = [
      ...new Set(level.flatMap(({ subject }) => (below.get(comparable(subject)) ?? []).filter((ca) => !isRoot(ca)))),
    ];
  return depth;
}

const indexesOf = (
  foreign: readonly ForeignDirective[],
  isWanted: (directive: ForeignDirective) => boolean,
): ReadonlySet<number> => new Set(foreign.filter(isWanted).flatMap(({ virtualHosts }) => virtualHosts));

/** A CA below a trusted one brings nobody new: clients could send its certificate along. */
function findNewCas(
  ours: readonly CertificateSummary[],
  theirs: NonNullable<ForeignDirective["certificates"]>,
): readonly string[] {
  const fingerprints = new Set(theirs.map(({ fingerprint }) => fingerprint));
  const trusted = new Set(theirs.map(({ subject }) => comparable(subject)));
  let left = ours.filter(({ fingerprint }) => !fingerprints.has(fingerprint));
  for (;;) {
    const fresh = left.filter(({ issuer }) => !trusted.has(comparable(issuer)));
    if (fresh.length === left.length) return left.map(({ subject }) => subject);
    for (const { subject } of left.filter((one) => !fresh.includes(one))) trusted.add(comparable(subject));
    left = fresh;
  }
}
