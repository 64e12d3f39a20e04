/** How a host is: the one answer from which a resource's outputs, the command line and reports are shown. */
import type { CrlSourceStatus, TimerStatus } from "./crl-refresh/refresh-status.ts";
import { type Diagnostic, alarmTexts, diagnosticText, isBlocking, problemTexts } from "./diagnostic.ts";

/** `unknown`: the host could not be looked at, or its files alone do not tell. */
export type HostState = "as wanted" | "differs" | "conflict" | "unknown";

/** What can be told of a server of any kind. */
export interface HostStatus extends PlanStatus {
  readonly serverVersion: string;
  readonly isRunning: boolean;
  /** `organization/project/stack/name` of the resource that has set it up. */
  readonly owner: string | undefined;
  /** Counts real changes of the host. */
  readonly generation: number;
  /** When the first CA certificate expires. */
  readonly caNotAfter: Expiry;
  /** When the first CRL expires, and with it access by certificate. */
  readonly crlNextUpdate: Expiry;
  /** Of the CRLs that the host downloads by itself, in the order of the site file. */
  readonly crlStatus: readonly CrlSourceStatus[];
  /** Undefined where nothing is to be downloaded. */
  readonly timer: TimerStatus | undefined;
  /** Why the live server does not run what its files say. */
  readonly pendingReload: string | undefined;
}

/** ISO 8601, of what is installed, and of what would be after the next change where nothing is. */
export interface Expiry {
  readonly installed: string | undefined;
  readonly planned: string | undefined;
}

/** What a plan says of a host; texts of one line each. */
export interface PlanStatus {
  readonly state: HostState;
  readonly warnings: readonly string[];
  /** What keeps the next change from being made. */
  readonly problems: readonly string[];
  /** What somebody must act on, because no change does it for them. */
  readonly alarms: readonly string[];
}

/** `change`: undefined where nothing is to be done. */
export const planStatusOf = ({ diagnostics, change }: Planned): PlanStatus => ({
  state: stateOf(diagnostics, change !== undefined),
  warnings: diagnostics.filter(isWarning).map(diagnosticText),
  problems: problemTexts(diagnostics),
  alarms: alarmTexts(diagnostics),
});

interface Planned {
  readonly diagnostics: readonly Diagnostic[];
  readonly change: object | undefined;
}

function stateOf(diagnostics: readonly Diagnostic[], isChanged: boolean): HostState {
  if (diagnostics.some(({ isUndecided }) => isUndecided === true)) return "unknown";
  if (diagnostics.some(isBlocking)) return "conflict";
  return isChanged || alarmTexts(diagnostics).length > 0 ? "differs" : "as wanted";
}

/** What the next change mends stands in its way no more than a warning. */
const isWarning = (diagnostic: Diagnostic): boolean =>
  diagnostic.severity === "warning" || (diagnostic.severity === "problem" && !isBlocking(diagnostic));

/** The first to expire of what is installed and of what is wanted. */
export function expiryOf(installed: readonly (string | undefined)[], wanted: readonly (string | undefined)[]): Expiry {
  return { installed: earliest(installed), planned: earliest(installed.length > 0 ? installed : wanted) };
}

/** Of times in ISO 8601. */
const earliest = (times: readonly (string | undefined)[]): string | undefined =>
  times.filter((time) => time !== undefined).sort()[0];
