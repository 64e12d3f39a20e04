/** When a host refreshes its CRLs next, as far as this is known without connecting to the host. */
import { isoTime } from "../core/crl-refresh/refresh-facts.ts";
import type { CrlRefresh } from "../core/crl-refresh/inputs.ts";

const minuteMilliseconds = 60_000;
/** The minutes of the longest day, which is one with a change of the clocks. */
const dayMinutes = 25 * 60;

/**
 * Returns the first of the `times` from `now` (milliseconds since 1970) on, in ISO 8601. The host adds its random delay
 * to it. Undefined where the times are in the host's own time zone, because that zone is not known here, and where the
 * only time of the next 25 hours is one that a change of the clocks leaves out.
 */
export function nextRefresh(
  { times, timeZone }: Pick<CrlRefresh, "times" | "timeZone">,
  now: number,
): string | undefined {
  if (timeZone === undefined) return undefined;
  const clock = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const first = Math.ceil(now / minuteMilliseconds);
  for (let minute = first; minute < first + dayMinutes; minute++) {
    // The search goes minute by minute. It does not find a time that the change of the clocks leaves out, and the host
    // does not run at that time either.
    if (times.includes(clock.format(minute * minuteMilliseconds))) return isoTime(minute * 60);
  }
  return undefined;
}
