/** Whether the timer of a host asks often enough for the CRLs that it keeps. */
import type { CrlSummary } from "../pki/summary.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { CrlRefresh } from "./inputs.ts";
import type { CrlFacts, CrlInputs } from "./refresh-model.ts";
import { crlNameOf, isLeftOver, isRefreshed } from "./crl-policy.ts";

const minutesOfDay = 24 * 60;

/** The longest time between two of the times (`HH:MM`, sorted), in minutes. The gap over midnight counts, too. */
export function longestGapMinutes(times: readonly string[]): number {
  const minutes = times.map((time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3)));
  // The gap before the first time of a day begins at the last time of the day before.
  const gaps = minutes.map((minute, index) => minute - (minutes[index - 1] ?? (minutes.at(-1) ?? 0) - minutesOfDay));
  return Math.max(...gaps);
}

/**
 * Warns of CRLs that are valid for a shorter time than the timer may wait: the installed CRLs that sources keep
 * current, and first lists, each name once. Such a CRL expires before the next one is downloaded, and everybody below
 * its CA is refused until then.
 */
export function findShortLived(desired: CrlInputs, facts: CrlFacts): Diagnostic[] {
  const { crlRefresh, crls } = desired;
  const waitMinutes = longestGapMinutes(crlRefresh.times) + crlRefresh.spreadMinutes;
  const kept = facts.own.crls.filter((crl) => isRefreshed(desired, crl) && !isLeftOver(facts, crl));
  const shortLived = [...kept, ...crls.filter(({ isFirstList }) => isFirstList === true)].flatMap((crl) => {
    const minutes = lifeMinutes(crl);
    return minutes === undefined || minutes >= waitMinutes ? [] : [{ name: crlNameOf(crl), minutes }];
  });
  return shortLived
    .filter(({ name }, index) => shortLived.findIndex((other) => other.name === name) === index)
    .map(({ name, minutes }) => ({
      severity: "warning",
      place: "crlRefresh",
      text: `the CRL of ${name} is valid for ${inWords(minutes)}, and up to ${inWords(waitMinutes)} pass between two downloads: in between it expires, and everyone with a certificate of it is refused; ${remedy(minutes, crlRefresh)}`,
    }));
}

/** How long a CRL is valid. Undefined where it never expires. */
function lifeMinutes({ thisUpdate, nextUpdate }: CrlSummary): number | undefined {
  return nextUpdate === undefined ? undefined : (Date.parse(nextUpdate) - Date.parse(thisUpdate)) / 60_000;
}

/** The intervals to propose, in hours. Each divides a day, so that the times are the same every day. */
const intervalsHours = [12, 8, 6, 4, 3, 2, 1];

/**
 * Says what to write so that two downloads fall into the life of a CRL, because one may fail, or else one download. A
 * CRL that lives only for an hour or little more also needs a smaller `spreadMinutes`. For a shorter life there is no
 * remedy but another CRL.
 */
function remedy(lifeMinutes: number, { spreadMinutes }: CrlRefresh): string {
  const findInterval = (limit: number): number | undefined =>
    intervalsHours.find((hours) => hours * 60 + spreadMinutes <= limit);
  const hours = findInterval(lifeMinutes / 2) ?? findInterval(lifeMinutes);
  if (hours !== undefined) return `write under crlRefresh times: [${timesEvery(hours).join(", ")}]`;
  return lifeMinutes >= 60
    ? `write under crlRefresh times: [${timesEvery(1).join(", ")}] and spreadMinutes: ${Math.min(10, Math.floor(lifeMinutes - 60))}`
    : "no timer asks so often; ask the issuer for CRLs that are valid longer";
}

/**
 * The times of a day with this interval, each in quotes and half past an hour, as issuers have maintenance at midnight.
 */
const timesEvery = (hours: number): string[] =>
  Array.from({ length: 24 / hours }, (_, index) => `"${String(index * hours).padStart(2, "0")}:30"`);

/** Writes minutes as text, such as `6 h 20 min`. */
function inWords(minutes: number): string {
  const [hours, rest] = [Math.floor(minutes / 60), Math.round(minutes % 60)];
  return [...(hours > 0 ? [`${hours} h`] : []), ...(rest > 0 || hours === 0 ? [`${rest} min`] : [])].join(" ");
}
