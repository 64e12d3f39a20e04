/**
 * What Pulumi and the command line show of the CRLs that a host downloads by itself, and of the timer that starts the
 * downloads.
 */
import { isoTime } from "./refresh-facts.ts";
import type { CrlFacts, CrlInputs, Scheduler } from "./refresh-model.ts";

/** The part of the inputs that the status needs. */
type Refreshed = Pick<CrlInputs, "crlRefresh" | "crlSources" | "sample">;

/** Times are ISO 8601, UTC, by the host's clock. */
export interface CrlSourceStatus {
  readonly urls: readonly string[];
  /** The URL that answered last. */
  readonly url: string | undefined;
  readonly lastSuccess: string | undefined;
  /** The last failure, with its reason. Undefined after a success. */
  readonly lastFailure: string | undefined;
  readonly reason: string | undefined;
  /** This field and the next three are about the CRL that the source delivered last. */
  readonly thisUpdate: string | undefined;
  readonly nextUpdate: string | undefined;
  readonly number: string | undefined;
  readonly entries: number | undefined;
}

export interface TimerStatus {
  /** The timer's file on the host. Undefined while there is none. */
  readonly path: string | undefined;
  readonly scheduler: Scheduler;
  readonly isEnabled: boolean;
  readonly times: readonly string[];
  /** Undefined where the host's own time zone counts. */
  readonly timeZone: string | undefined;
  readonly spreadMinutes: number;
  readonly lastRun: string | undefined;
  /** One word of the refresh program, such as `updated`. */
  readonly lastResult: string | undefined;
  /** The reason for the result, where it is not the fault of a source. */
  readonly lastReason: string | undefined;
  /** Why the sample certificate shows nothing about the installed CRLs. @default - it is accepted, or there is none */
  readonly sampleCertificate?: string;
}

/** The status of each source, in the order of the site file. */
export function crlStatusOf(
  { crlSources }: Pick<Refreshed, "crlSources">,
  { refresh }: Pick<CrlFacts, "refresh">,
): readonly CrlSourceStatus[] {
  return crlSources.map(({ id, urls }) => {
    const source = refresh.sources.find((one) => one.id === id);
    return {
      urls,
      url: source?.url,
      lastSuccess: timeOf(source?.lastSuccessSeconds),
      lastFailure: timeOf(source?.lastFailureSeconds),
      reason: source?.reason,
      thisUpdate: source?.thisUpdate,
      nextUpdate: source?.nextUpdate,
      number: source?.number,
      entries: source?.entries,
    };
  });
}

/** The status of the timer. Undefined where nothing is to be downloaded. */
export function timerStatusOf(
  { crlSources, crlRefresh, sample }: Refreshed,
  { refresh }: Pick<CrlFacts, "refresh">,
): TimerStatus | undefined {
  if (crlSources.length === 0) return undefined;
  const { scheduler, timers, isTimerEnabled, lastRun } = refresh;
  const { times, timeZone, spreadMinutes } = crlRefresh;
  // systemd has two files, and the times stand in the one that ends in `.timer`. cron has one file, which may be left
  // over from before.
  const paths = Object.keys(timers).sort();
  const fileWithTimes = paths.find((path) => path.endsWith(".timer")) ?? paths[0];
  return {
    path: fileWithTimes,
    scheduler,
    isEnabled: fileWithTimes !== undefined && isTimerEnabled,
    times,
    timeZone,
    spreadMinutes,
    lastRun: timeOf(lastRun?.seconds),
    lastResult: lastRun?.result,
    lastReason: lastRun?.reason,
    ...(sample && refresh.sample ? { sampleCertificate: refresh.sample } : {}),
  };
}

const timeOf = (seconds: number | undefined): string | undefined =>
  seconds === undefined ? undefined : isoTime(seconds);
