/** What a diff shows of an Apache host. */
import { confName, crlName } from "../../core/own-files.ts";
import { ownPath } from "../../core/apache/facts/own-conf.ts";
import { type Change, type Facts, type Plan, includeLine } from "../../core/apache/model.ts";
import { hashText, includeKey } from "../../core/apache/plan/plan.ts";
import { otherVersion, programPath, unattendedStates } from "../../core/apache/facts/unattended.ts";
import { hostText } from "../../core/host-text.ts";
import type { ShownFile, ShownFiles } from "../../core/server-kind.ts";
import { changeTexts, lineChangesOf } from "../resource/shown-files.ts";

/**
 * What is on the host now, by path: our configuration in full, our other files and the program by their hashes, each
 * with what is wrong with it. The include line of a virtual host has the key `FILE:LINE SERVERNAME`.
 */
export function liveFiles(facts: Facts): ShownFiles {
  const includes = facts.virtualHosts.flatMap((host) =>
    host.include === undefined ? [] : [[includeKey(host), { text: includeText(host.include.last) }] as const],
  );
  const shown = ownFiles(facts, hashesOf(facts), facts.own.conf);
  return { ...withStates(facts, shown), ...programFile(facts), ...Object.fromEntries(includes) };
}

/** What would be on the host after `plan`, in the form of {@link liveFiles}. Without a change, both are the same. */
export function plannedFiles(facts: Facts, { change, files }: Plan): ShownFiles {
  if (change === undefined) return liveFiles(facts);
  const kept = Object.entries(hashesOf(facts)).filter(([name]) => !change.drop.includes(name));
  const written = change.write.map(({ name, sha256 }) => [name, sha256] as const);
  // The `files` of the plan have the include lines, and the text of our configuration in the place of its hash.
  const shown = ownFiles(facts, Object.fromEntries([...kept, ...written]), undefined);
  return { ...shown, ...downloadedCrl(facts, change), ...asFiles(files) };
}

/** Texts by path as files without states. */
const asFiles = (texts: Readonly<Record<string, string>>): ShownFiles =>
  Object.fromEntries(Object.entries(texts).map(([path, text]) => [path, { text }]));

/** The hashes of our files by name, and those of timers by path. */
const hashesOf = ({ own, refresh }: Facts): Readonly<Record<string, string>> => ({ ...own.files, ...refresh.timers });

/**
 * The program on the host by its hash, with what is wrong with it and with the scripts beside it. They are shown as one
 * file, because they are written together. Empty where the program is missing or was not observed.
 */
function programFile(facts: Facts): ShownFiles {
  const hash = facts.unattended?.program;
  if (hash === undefined) return {};
  return { [programPath(facts.server.instance)]: { text: hashText(hash), states: unattendedStates(facts) } };
}

/** The absolute path of a file of ours, as bytes. The name of a timer's file is its absolute path already. */
export const pathOf = (facts: Facts, name: string): string => (name.startsWith("/") ? name : ownPath(facts, name));

/** The same path as text. */
export const shownPathOf = (facts: Facts, name: string): string => hostText(pathOf(facts, name));

/** Our files by path: the configuration as `conf`, where it is given, and every other file by its hash. */
function ownFiles(
  facts: Facts,
  hashes: Readonly<Record<string, string>>,
  conf: string | undefined,
): Readonly<Record<string, ShownFile>> {
  const shown = Object.entries(hashes).map(([name, sha256]) => [shownPathOf(facts, name), hashText(sha256)] as const);
  return asFiles({
    ...Object.fromEntries(shown),
    ...(conf === undefined ? {} : { [shownPathOf(facts, confName)]: conf }),
  });
}

/**
 * What is wrong with files of ours whose bytes are right, in words and by path. Without it, a diff could not show the
 * mistake.
 */
export const fileStates = (facts: Facts): readonly (readonly [path: string, state: string])[] => [
  ...disabledTimer(facts),
  ...openTimers(facts),
  ...expiredCrl(facts),
];

/** The files, each with its state from {@link fileStates}. Of several states of one file, the last one is shown. */
function withStates(facts: Facts, shown: ShownFiles): ShownFiles {
  const states = new Map(fileStates(facts));
  return Object.fromEntries(
    Object.entries(shown).map(([path, file]) => {
      const state = states.get(path);
      return [path, state === undefined ? file : { ...file, states: [state] }];
    }),
  );
}

/** The timers of systemd, where they are not enabled. */
function disabledTimer({ refresh }: Facts): (readonly [string, string])[] {
  if (refresh.isTimerEnabled) return [];
  return Object.keys(refresh.timers)
    .filter((path) => path.endsWith(".timer"))
    .map((path) => [path, "is not enabled"]);
}

/** The timer files that are wrong in another way than by their bytes, such as files that others may write. */
const openTimers = ({ refresh, unattended }: Facts): (readonly [string, string])[] =>
  Object.entries(unattended?.wrong ?? {}).filter(([path]) => path in refresh.timers);

/**
 * The state of our crl.pem where a CRL in it has expired; the first such date is named. Only a host that refreshes its
 * CRLs has this state, because on any other host an update would not help. The facts of other hosts have no time, and
 * at time 0 no CRL has expired.
 */
function expiredCrl(facts: Facts): (readonly [string, string])[] {
  const { nowSeconds = 0 } = facts.refresh;
  const ended = facts.own.crls.flatMap(({ nextUpdate }) =>
    nextUpdate !== undefined && Date.parse(nextUpdate) <= nowSeconds * 1000 ? [nextUpdate] : [],
  );
  return ended.slice(0, 1).map((nextUpdate) => [shownPathOf(facts, crlName), `has expired on ${nextUpdate}`]);
}

/**
 * The crl.pem that the host will download, as a file with a text in the place of its hash. Empty where the change
 * downloads nothing, or sends a crl.pem itself. Also empty where the host has a crl.pem in which nothing has expired:
 * it is good enough, so a diff does not show that a download replaces it.
 */
function downloadedCrl(facts: Facts, { refresh, write }: Change): ShownFiles {
  const isNeeded = facts.own.files[crlName] === undefined || expiredCrl(facts).length > 0;
  const isSent = write.some(({ name }) => name === crlName);
  return refresh && isNeeded && !isSent
    ? { [shownPathOf(facts, crlName)]: { text: "as the sources deliver it\n" } }
    : {};
}

/**
 * The include line as diffs show it. Where it is not the last line of its virtual host, words say so, because the line
 * alone would look right.
 */
const includeText = (isLast: boolean): string =>
  isLast ? `${includeLine}\n` : `${includeLine}\n(not the last line: what follows can override it)\n`;

/** The differences between what stands on the host and what is planned, in words, with file and line. */
export const fileChangeTexts = (live: ShownFiles, planned: ShownFiles): readonly string[] =>
  changeTexts(live, planned, describeDifference);

/**
 * The texts about one file that differs: our configuration by line, the program by its version, any other file by its
 * states. A file without a state `is not as wanted`.
 */
function describeDifference(path: string, found: ShownFile, wanted: ShownFile): readonly string[] {
  if (isProgram(path)) return [`${path}: ${programText(found, wanted)}`];
  if (path.endsWith(`/${confName}`)) return lineChangesOf(path, found.text, wanted.text);
  return [`${path}: ${found.states?.join("; ") ?? "is not as wanted"}`];
}

/** Whether `path` is `/var/lib/clientcert/INSTANCE/program` (INSTANCE has index 4, after an empty text at index 0). */
const isProgram = (path: string): boolean => path === programPath(path.split("/")[4] ?? "");

/**
 * What is wrong with the program on the host and with the scripts beside it, in words. Where the program is of another
 * version, its scripts are, too, and are replaced with it, so they are not reported separately. An empty program is
 * called empty, and not of another version.
 */
function programText(found: ShownFile, wanted: ShownFile): string {
  const isSame = found.text === wanted.text;
  const states = (found.states ?? []).filter((state) => isSame || !state.endsWith(otherVersion));
  const version =
    isSame || states.includes("is empty") ? [] : [`the program that refreshes and undoes on this host ${otherVersion}`];
  return [...version, ...states].join("; ");
}

/**
 * The files of the timer and the refresh.conf that the plan writes, with their texts. They make the host run something
 * by itself, so a person should read them in full before they are there.
 */
export function jobFiles(facts: Facts, { change }: Plan): ShownFiles {
  const files = (change?.write ?? []).flatMap(({ role, name, text }) =>
    text !== undefined && (role === "timer" || role === "refresh")
      ? [[shownPathOf(facts, name), { text }] as const]
      : [],
  );
  return Object.fromEntries(files);
}
