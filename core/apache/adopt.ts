/** Which directives of others are in the way of our own, and which of them `adopt` may comment out. */
import type { CrlJobFacts, Desired, Facts, ForeignDirective } from "./model.ts";
import { hasRevocation, isExcluded } from "./wishes.ts";

/** Foreign directives that contradict what is wanted for at least one covered virtual host. */
export function findConflicting(desired: Desired, facts: Facts): ForeignDirective[] {
  const covered = facts.virtualHosts.map((host) => !isExcluded(desired, host));
  return facts.foreign.filter(
    (directive) => directive.virtualHosts.some((index) => covered[index]) && isConflicting(desired, directive),
  );
}

/** Those that concern no excluded virtual host: commenting them out would change that one, too. */
export function findAdoptable(desired: Desired, facts: Facts): ForeignDirective[] {
  const excluded = facts.virtualHosts.map((host) => isExcluded(desired, host));
  return findConflicting(desired, facts).filter(({ virtualHosts }) => !virtualHosts.some((index) => excluded[index]));
}

/** A job as {@link findAdoptableJobs} gives it: `lineOffsets` as in a foreign directive. */
export interface AdoptableJob {
  readonly file: string;
  readonly lineOffsets: readonly number[];
}

/** Jobs that fetch a CRL and that we may comment out: lines of crontabs, for virtual hosts that are all covered. */
export const findAdoptableJobs = (desired: Desired, facts: Facts): AdoptableJob[] =>
  facts.crlJobs.flatMap((job) => {
    const { file, offset } = job;
    return offset === undefined || isOfExcluded(desired, facts, job) ? [] : [{ file, lineOffsets: [offset] }];
  });

/** Whether a virtual host that is left alone needs the job. */
export const isOfExcluded = (desired: Desired, facts: Facts, { virtualHosts }: CrlJobFacts): boolean =>
  facts.virtualHosts.some((host, index) => virtualHosts.includes(index) && isExcluded(desired, host));

function isConflicting(desired: Desired, { kind, value, fingerprints }: ForeignDirective): boolean {
  switch (kind) {
    case "sessionTicketKey":
      return false;
    case "caFile":
      return !isWithin(fingerprints, desired);
    case "crlCheck":
      return hasRevocation(desired) ? value !== desired.crlCheck : value !== "none";
    case "verifyClient":
    case "verifyDepth":
    case "caPath":
    case "caDnRequestFile":
    case "crlFile":
    case "crlPath":
    case "sslRequire":
    case "satisfyAny":
      return true;
  }
}

/** Another CA file does no harm when ours has all of its certificates: nobody loses access. */
function isWithin(fingerprints: readonly string[] | undefined, desired: Desired): boolean {
  const ours = new Set(desired.ca.certificates.map(({ fingerprint }) => fingerprint));
  return fingerprints?.every((fingerprint) => ours.has(fingerprint)) ?? false;
}
