/** The lines of a report about the CRLs that a host downloads by itself, made from one observation of the host. */
import type { CrlSourceStatus, TimerStatus } from "../core/crl-refresh/refresh-status.ts";
import type { HostStatus } from "../core/host-status.ts";
import { nextRefresh } from "./next-refresh.ts";
import { count } from "./output.ts";

export interface RevocationReport {
  readonly sources: readonly CrlSourceStatus[];
  readonly timer: TimerStatus;
  /** ISO 8601, without the random delay. Undefined where the times are in the host's own time zone. */
  readonly nextRefresh: string | undefined;
}

/**
 * The report on the downloads of CRLs, from a host's status. Undefined where nothing is to be downloaded. `now` is in
 * milliseconds since 1970.
 */
export function describeRevocation(
  { crlStatus, timer }: Pick<HostStatus, "crlStatus" | "timer">,
  now: number,
): RevocationReport | undefined {
  if (timer === undefined) return undefined;
  // While the host has no timer file, nothing is scheduled.
  return { sources: crlStatus, timer, nextRefresh: timer.isEnabled ? nextRefresh(timer, now) : undefined };
}

export const revocationLines = ({ sources, timer, nextRefresh: next }: RevocationReport): string[] => [
  ...sources.flatMap(sourceLines),
  `  ${timerWords(timer, next)}`,
];

/** The lines about one source: the CRL that it delivered last, and its last failure. */
function sourceLines({ urls, url, lastSuccess, lastFailure, reason, ...crl }: CrlSourceStatus): string[] {
  // `url` is the address that delivered the CRL. Before the first download, all `urls` are still possible.
  const place = url ?? urls[0] ?? "";
  const others = url === undefined && urls.length > 1 ? ` (and ${urls.length - 1} more)` : "";
  const success = lastSuccess === undefined ? "not downloaded yet" : `downloaded ${lastSuccess}`;
  const number = crl.number === undefined ? [] : [`number ${crl.number}`];
  const entries = crl.entries === undefined ? [] : [count(crl.entries, "revoked certificate")];
  const end = crl.nextUpdate === undefined ? [] : [`until ${crl.nextUpdate}`];
  return [
    `  CRL of ${place}${others}: ${[success, ...number, ...entries, ...end].join(", ")}`,
    ...(lastFailure === undefined ? [] : [`    failed ${lastFailure}: ${reason ?? "no reason was kept"}`]),
  ];
}

/**
 * When CRLs are refreshed, what starts the refresh, and how the last one ended. A host without an enabled timer had one
 * where it has run a refresh before.
 */
function timerWords(timer: TimerStatus, next?: string): string {
  const { isEnabled, times, timeZone, spreadMinutes, scheduler, lastRun, lastResult, lastReason } = timer;
  if (!isEnabled && lastRun === undefined) return "CRLs are not refreshed yet: `pulumi up` installs the timer";
  if (!isEnabled) return "CRLs are not refreshed: the timer is gone, or it is not enabled";
  const delay = spreadMinutes === 0 ? "" : ` and up to ${count(spreadMinutes, "minute")} later`;
  const coming = next === undefined ? "" : `, next ${next}`;
  const why = lastReason === undefined ? "" : ` (${lastReason})`;
  const last = lastRun === undefined ? "" : `; last ${lastRun}: ${lastResult ?? ""}${why}`;
  return `CRLs refreshed at ${times.join(", ")} (${timeZone ?? "the host's time zone"})${delay} by ${scheduler}${coming}${last}`;
}
