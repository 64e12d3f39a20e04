/** The exit codes of the command line. */
import type { HostState } from "../core/host-status.ts";

/** The exit codes that all commands share. */
export const exitCode = {
  /** Everything is as wanted. */
  fine: 0,
  /** Something could not be found out. */
  unknown: 1,
  /** A given file, or the command line, is wrong. */
  wrongInput: 2,
  /** Something differs from what is wanted. */
  different: 7,
} as const;

/**
 * The exit code for several hosts: `unknown` where the state of any host is unknown, else `fine` where every host is as
 * wanted, else `different`. A conflict counts as `different`.
 */
export function codeOf(reports: readonly { readonly state: HostState }[]): number {
  if (reports.some(({ state }) => state === "unknown")) return exitCode.unknown;
  return reports.every(({ state }) => state === "as wanted") ? exitCode.fine : exitCode.different;
}
