/** When a host refreshes its CRLs next, as far as that is known without asking it. */
import { isoTime } from "../core/crl-refresh/refresh-facts.ts";
import type { CrlRefresh } from "../core/crl-refresh/inputs.ts";

const minuteMilliseconds = 60_000;
/** Of the longest day: one with a change of the clocks. */
const dayMinutes = 25 * 60;

/**
 * The first of the `times` from `now` (milliseconds since 1970) on; the random delay comes on top. Undefined where the
 * times are in the host's own time zone, which is not known here.
 */
export function nextRefresh(
  { times, timeZone }: Pick<CrlRefresh, "times" | "timeZone">,
  now: number,
): string | undefined {
  if (timeZone === undefined) return undefined;
  const clock = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const first = Math.ceil(now / minuteMilliseconds);
  for (let minute = first; minute < first + dayMinutes; minute++) {
    // Minute by minute: a time that the change of the clocks leaves out is not found, as the host leaves it out, too.
    if (times.includes(clock.format(minute * minuteMilliseconds))) return isoTime(minute * 60);
  }
  return undefined;
}
