/** How the refreshes of a host went: its scheduler, its timer files, and the record that its program keeps. */
import { shown } from "../shown.ts";
import { refreshName } from "../own-files.ts";
import type { RefreshFacts, RefreshObservation, SourceFacts } from "./refresh-model.ts";

/**
 * Reads the facts. Most of them are empty for a host without sources. The time is only kept where the settings of the
 * refresh program are installed, because it differs at each observation.
 */
export function readRefresh(observation: RefreshObservation): RefreshFacts {
  const { scheduler, isTimerEnabled, timerDropIns = [], timers, own, refreshRecord, server } = observation;
  return {
    scheduler,
    timers: Object.fromEntries([...timers].map(([path, { sha256 }]) => [path, sha256])),
    isTimerEnabled,
    ...(timerDropIns.length === 0 ? {} : { timerDropIns }),
    nowSeconds: own.has(refreshName) ? server.nowSeconds : undefined,
    ...readRecord(refreshRecord),
  };
}

/**
 * Reads lines `run SECONDS EXIT RESULT [REASON]`, `source ID KIND SECONDS …` and `sample WORDS`, as host/posix writes
 * them. Of several lines about one thing, the last one counts. A line that was cut, or that is of a kind which this
 * version does not know, is ignored.
 */
export function readRecord(text: string): Pick<RefreshFacts, "lastRun" | "sources" | "sample"> {
  const sources = new Map<string, SourceFacts>();
  let lastRun: RefreshFacts["lastRun"];
  let sample: string | undefined;
  for (const line of text.split("\n")) {
    const [kind, ...words] = line.split(" ");
    if (kind === "run") lastRun = readRun(words) ?? lastRun;
    if (kind === "sample") sample = safeWords(words.join(" "));
    const [id = "", ...rest] = words;
    if (kind === "source" && /^[0-9a-f]{8}$/.test(id)) sources.set(id, { id, ...sources.get(id), ...readSource(rest) });
  }
  return { lastRun, sources: [...sources.values()], ...(sample === undefined ? {} : { sample }) };
}

/**
 * Reads the words after `run`. Undefined where the time or the result is missing. The exit code, which comes second, is
 * not used.
 */
function readRun([seconds = "", , result = "", ...reason]: readonly string[]): RefreshFacts["lastRun"] {
  if (!isSeconds(seconds) || result === "") return undefined;
  const run = { seconds: Number(seconds), result: safeWords(result) };
  return reason.length === 0 ? run : { ...run, reason: safeWords(reason.join(" ")) };
}

/**
 * Reads the words after the id of a source. Empty for an unknown kind or a malformed time. The second word is a time,
 * whatever the kind is.
 */
function readSource([kind, seconds = "", ...others]: readonly string[]): Partial<SourceFacts> {
  if (!isSeconds(seconds)) return {};
  switch (kind) {
    case "success":
      return { lastSuccessSeconds: Number(seconds), url: safeWords(others.join(" ")) };
    case "failure":
      return { lastFailureSeconds: Number(seconds), reason: safeWords(others.join(" ")) };
    case "crl":
      return { thisUpdate: isoTime(Number(seconds)), ...readCrl(others) };
    default:
      return {};
  }
}

/** Reads what follows the date of a CRL. A field that is not a number is left out. */
const readCrl = ([next = "", number = "", entries = ""]: readonly string[]): Partial<SourceFacts> => ({
  ...(isSeconds(next) && { nextUpdate: isoTime(Number(next)) }),
  // The 20 bytes that RFC 5280 allows have at most 49 digits.
  ...(/^\d{1,60}$/.test(number) && { number }),
  ...(/^\d{1,9}$/.test(entries) && { entries: Number(entries) }),
});

/** Whether a text is a number of seconds since 1970. The limit is the year 5138, which `Date` can still write. */
const isSeconds = (text: string): boolean => /^\d{1,11}$/.test(text);

/** The form of dates in CRLs: ISO 8601, UTC, without milliseconds. */
export const isoTime = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");

/**
 * Makes the record's words safe to show: the first 500 bytes, as UTF-8, with control characters escaped and passwords
 * removed. They come from curl and from servers, and an earlier version wrote a proxy's address with its password into
 * the record.
 */
const safeWords = (latin1: string): string => {
  const words = Buffer.from(latin1.slice(0, 500), "latin1").toString("utf8").split(" ");
  return shown(words.map(withoutCredentials).join(" "));
};

/**
 * Removes user and password from an address, even from a malformed one: of everything before the last `@`, only the
 * scheme is kept, and what stands before it, such as a quote.
 */
function withoutCredentials(word: string): string {
  const end = word.lastIndexOf("@");
  if (end < 0) return word;
  const scheme = /^["'(]?[a-z][a-z0-9]*:\/\//i.exec(word)?.[0] ?? "";
  return `${scheme}…${word.slice(end)}`;
}
