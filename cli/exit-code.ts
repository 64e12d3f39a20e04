/** The exit codes of the command line. */
import type { HostState } from "../core/host-status.ts";

/**
 * The exit codes of every command: everything is as wanted, something could not be found out, the input is wrong,
 * something differs from what is wanted.
 */
export const exitCode = { fine: 0, unknown: 1, wrongInput: 2, different: 7 } as const;

/** The exit code for several hosts: `unknown` takes precedence over `different`. */
export function codeOf(reports: readonly { readonly state: HostState }[]): number {
  if (reports.some(({ state }) => state === "unknown")) return exitCode.unknown;
  return reports.every(({ state }) => state === "as wanted") ? exitCode.fine : exitCode.different;
}
