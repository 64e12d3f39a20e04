/**
 * Decides which unmanaged lines `adopt` comments out, and which lines come back because they should never have gone.
 */
import type { UnmanagedDirective } from "../facts/unmanaged-model.ts";
import type { AdoptedLine, CrlJobFacts, Desired, Facts } from "../model.ts";
import { isInForceElsewhere, judgeUnmanaged } from "./unmanaged-verdict.ts";
import { isExcluded } from "./excluded-hosts.ts";

/**
 * Finds the unmanaged directives that stand in our way and that `adopt` may comment out: they apply to covered virtual
 * hosts only. Those that are commented out already are included.
 */
function findAdoptable(desired: Desired, facts: Facts): UnmanagedDirective[] {
  if (facts.foreign.length === 0) return [];
  const judge = judgeUnmanaged(desired, facts);
  return facts.foreign.filter(
    (directive) => judge(directive).is === "removable" && !isInForceElsewhere(desired, facts, directive),
  );
}

/**
 * Finds lines of httpd's configuration that an earlier adoption has commented out and that an adoption of today would
 * leave in force. An earlier version took out more than it should have, or the inputs have changed since. The next
 * change puts these lines back. That `adopt` is no longer set brings no line back.
 */
export function findReturning(desired: Desired, facts: Facts): AdoptedLine[] {
  const lines = facts.adopted.filter(({ isJob }) => !isJob);
  if (lines.length === 0) return [];
  // The lines that an adoption would take out today stay commented out.
  const staying = new Set(
    findAdoptable(desired, facts).flatMap(({ file, lineOffsets }) => lineOffsets.map((offset) => `${file}:${offset}`)),
  );
  return lines.filter(({ file, offset }) => !staying.has(`${file}:${offset}`));
}

/** What a change does to unmanaged lines in httpd's configuration. */
export interface Marks {
  /** The directives that `adopt` has yet to comment out. */
  readonly out: readonly UnmanagedDirective[];
  /** The lines that come back. */
  readonly back: readonly AdoptedLine[];
}

/** Finds the lines that a plan marks, and the lines whose mark it takes away. */
export function findMarks(desired: Desired, facts: Facts): Marks {
  const adoptable = desired.adopt ? findAdoptable(desired, facts) : [];
  return { out: adoptable.filter(({ isAdopted }) => isAdopted !== true), back: findReturning(desired, facts) };
}

/** A job as {@link findAdoptableJobs} returns it; `lineOffsets` has the same meaning as in an unmanaged directive. */
export interface AdoptableJob {
  readonly file: string;
  readonly lineOffsets: readonly number[];
}

/**
 * Finds the jobs that download a CRL and that we may comment out: lines of crontabs, for virtual hosts that are all
 * covered.
 */
export const findAdoptableJobs = (desired: Desired, facts: Facts): AdoptableJob[] =>
  facts.crlJobs.flatMap((job) => {
    const { file, offset } = job;
    return offset === undefined || isJobOfExcluded(desired, facts, job) ? [] : [{ file, lineOffsets: [offset] }];
  });

/** Whether an excluded virtual host needs the job. */
export const isJobOfExcluded = (desired: Desired, facts: Facts, { virtualHosts }: CrlJobFacts): boolean =>
  virtualHosts.some((index) => {
    const host = facts.virtualHosts[index];
    return host !== undefined && isExcluded(desired, host);
  });
