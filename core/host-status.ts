/** The state of a host. A resource's outputs, the command line and reports all show this one answer. */
import type { CrlSourceStatus, TimerStatus } from "./crl-refresh/refresh-status.ts";
import { type Diagnostic, alarmTexts, diagnosticText, isBlocking, problemTexts } from "./diagnostic.ts";

/** The state `unknown` means that the host could not be observed, or that its files alone do not show its state. */
export type HostState = "as wanted" | "differs" | "conflict" | "unknown";

/** The status that a server of any kind has. */
export interface HostStatus extends PlanStatus {
  readonly serverVersion: string;
  readonly isRunning: boolean;
  /** The resource that has set the host up, as `organization/project/stack/name`. */
  readonly owner: string | undefined;
  /** The number of real changes of the host so far. */
  readonly generation: number;
  /** When the first of the CA certificates expires. */
  readonly caNotAfter: Expiry;
  /** When the first of the CRLs expires, which ends access by certificate. */
  readonly crlNextUpdate: Expiry;
  /** The status of the CRLs that the host downloads by itself, in the order of the site file. */
  readonly crlStatus: readonly CrlSourceStatus[];
  /** Undefined where the host downloads nothing. */
  readonly timer: TimerStatus | undefined;
  /** Why the live server does not use what its files say. */
  readonly pendingReload: string | undefined;
}

/** Times in ISO 8601: of what is installed, and of what the next change would install where nothing is installed. */
export interface Expiry {
  readonly installed: string | undefined;
  readonly planned: string | undefined;
}

/** What a plan says about a host; each text is one line. */
export interface PlanStatus {
  readonly state: HostState;
  readonly warnings: readonly string[];
  /** What forbids the next change. */
  readonly problems: readonly string[];
  /** What somebody must act on, because no change does it. */
  readonly alarms: readonly string[];
}

/** Derives the status from the diagnostics and the change of a plan. */
export const planStatusOf = ({ diagnostics, change }: Planned): PlanStatus => ({
  state: stateOf(diagnostics, change !== undefined),
  warnings: diagnostics.filter(isWarning).map(diagnosticText),
  problems: problemTexts(diagnostics),
  alarms: alarmTexts(diagnostics),
});

interface Planned {
  readonly diagnostics: readonly Diagnostic[];
  /** Undefined where nothing is to be done. */
  readonly change: object | undefined;
}

/**
 * Returns the worst state that applies. A host with an alarm differs, too, although no change removes the cause of the
 * alarm.
 */
function stateOf(diagnostics: readonly Diagnostic[], hasChange: boolean): HostState {
  if (diagnostics.some(({ isUndecided }) => isUndecided === true)) return "unknown";
  if (diagnostics.some(isBlocking)) return "conflict";
  return hasChange || alarmTexts(diagnostics).length > 0 ? "differs" : "as wanted";
}

/** A problem that does not forbid the next change counts as a warning. */
const isWarning = (diagnostic: Diagnostic): boolean =>
  diagnostic.severity === "warning" || (diagnostic.severity === "problem" && !isBlocking(diagnostic));

/**
 * Finds the first expiry of what is installed, and the one to plan with: that of what is installed, or of what is
 * wanted where nothing is installed.
 */
export function expiryOf(installed: readonly (string | undefined)[], wanted: readonly (string | undefined)[]): Expiry {
  return { installed: earliest(installed), planned: earliest(installed.length > 0 ? installed : wanted) };
}

/** The earliest of times in ISO 8601, all in UTC: their order as texts is their order in time. */
const earliest = (times: readonly (string | undefined)[]): string | undefined =>
  times.filter((time) => time !== undefined).sort()[0];
