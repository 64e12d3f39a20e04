/** What a diff shows of an Apache host. */
import { confName, crlName } from "../../core/own-files.ts";
import { ownPath } from "../../core/apache/facts/own-conf.ts";
import { type Change, type Facts, type Plan, includeLine } from "../../core/apache/model.ts";
import { hashText, includeKey } from "../../core/apache/plan/plan.ts";
import { otherVersion, programPath, unattendedStates } from "../../core/apache/facts/unattended.ts";
import { hostText } from "../../core/host-text.ts";
import type { ShownFile, ShownFiles } from "../../core/server-kind.ts";
import { changeTexts, lineChangesOf } from "../resource/shown-files.ts";

/** What stands on the host now: our configuration in full, our other files by hash, and each include line. */
export function liveFiles(facts: Facts): ShownFiles {
  const includes = facts.virtualHosts.flatMap((host) =>
    host.include === undefined ? [] : [[includeKey(host), { text: includeText(host.include.last) }] as const],
  );
  const shown = ownFiles(facts, hashesOf(facts), facts.own.conf);
  return { ...withStates(facts, shown), ...programFile(facts), ...Object.fromEntries(includes) };
}

/** What would stand on the host after `plan`. A host that needs no change keeps its view, whatever it is. */
export function plannedFiles(facts: Facts, { change, files }: Plan): ShownFiles {
  if (change === undefined) return liveFiles(facts);
  const kept = Object.entries(hashesOf(facts)).filter(([name]) => !change.drop.includes(name));
  const written = change.write.map(({ name, sha256 }) => [name, sha256] as const);
  const shown = ownFiles(facts, Object.fromEntries([...kept, ...written]), undefined);
  return { ...shown, ...downloaded(facts, change), ...asFiles(files) };
}

const asFiles = (texts: Readonly<Record<string, string>>): ShownFiles =>
  Object.fromEntries(Object.entries(texts).map(([path, text]) => [path, { text }]));

/** The hashes of our files by name, and those of timers by path. */
const hashesOf = ({ own, refresh }: Facts): Readonly<Record<string, string>> => ({ ...own.files, ...refresh.timers });

/** The program together with the files beside it. They are shown as one thing, because they are written as one. */
function programFile(facts: Facts): ShownFiles {
  const hash = facts.unattended?.program;
  if (hash === undefined) return {};
  return { [programPath(facts.server.instance)]: { text: hashText(hash), states: unattendedStates(facts) } };
}

/** The absolute path of a file of ours, as bytes. */
export const pathOf = (facts: Facts, name: string): string => (name.startsWith("/") ? name : ownPath(facts, name));

/** The same path as text. */
export const shownPathOf = (facts: Facts, name: string): string => hostText(pathOf(facts, name));

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

function withStates(facts: Facts, shown: ShownFiles): ShownFiles {
  const states = new Map(fileStates(facts));
  return Object.fromEntries(
    Object.entries(shown).map(([path, file]) => {
      const state = states.get(path);
      return [path, state === undefined ? file : { ...file, states: [state] }];
    }),
  );
}

function disabledTimer({ refresh }: Facts): (readonly [string, string])[] {
  if (refresh.isTimerEnabled) return [];
  return Object.keys(refresh.timers)
    .filter((path) => path.endsWith(".timer"))
    .map((path) => [path, "is not enabled"]);
}

const openTimers = ({ refresh, unattended }: Facts): (readonly [string, string])[] =>
  Object.entries(unattended?.wrong ?? {}).filter(([path]) => path in refresh.timers);

/**
 * Reports an expired CRL only on a host that refreshes CRLs. An update would not help against the expiry of another
 * CRL.
 */
function expiredCrl(facts: Facts): (readonly [string, string])[] {
  const { nowSeconds = 0 } = facts.refresh;
  const ended = facts.own.crls.flatMap(({ nextUpdate }) =>
    nextUpdate !== undefined && Date.parse(nextUpdate) <= nowSeconds * 1000 ? [nextUpdate] : [],
  );
  return ended.slice(0, 1).map((nextUpdate) => [shownPathOf(facts, crlName), `has expired on ${nextUpdate}`]);
}

/**
 * Shows the download of the first CRL, or of one that replaces an expired CRL. Any other download does not belong to
 * what is wanted.
 */
function downloaded(facts: Facts, { refresh, write }: Change): ShownFiles {
  const isNeeded = facts.own.files[crlName] === undefined || expiredCrl(facts).length > 0;
  const isSent = write.some(({ name }) => name === crlName);
  return refresh && isNeeded && !isSent
    ? { [shownPathOf(facts, crlName)]: { text: "as the sources deliver it\n" } }
    : {};
}

/** Shows in words that the line is not the last one, because the text alone would look right. */
const includeText = (isLast: boolean): string =>
  isLast ? `${includeLine}\n` : `${includeLine}\n(not the last line: what follows can override it)\n`;

/** The differences in words, with file and line. */
export const fileChangeTexts = (live: ShownFiles, planned: ShownFiles): readonly string[] =>
  changeTexts(live, planned, describeDifference);

function describeDifference(path: string, found: ShownFile, wanted: ShownFile): readonly string[] {
  if (isProgram(path)) return [`${path}: ${programText(found, wanted)}`];
  if (path.endsWith(`/${confName}`)) return lineChangesOf(path, found.text, wanted.text);
  return [`${path}: ${found.states?.join("; ") ?? "is not as wanted"}`];
}

const isProgram = (path: string): boolean => path === programPath(path.split("/")[4] ?? "");

/**
 * The files beside a program of another version have that other version, too, and are replaced with it. They are not
 * reported separately.
 */
function programText(found: ShownFile, wanted: ShownFile): string {
  const isSame = found.text === wanted.text;
  const states = (found.states ?? []).filter((state) => isSame || !state.endsWith(otherVersion));
  const version =
    isSame || states.includes("is empty") ? [] : [`the program that refreshes and undoes on this host ${otherVersion}`];
  return [...version, ...states].join("; ");
}

/**
 * What would run on the host by itself, and the settings for it. A person should read them before they are on the host,
 * so they are shown in full and not as a hash.
 */
export function jobFiles(facts: Facts, { change }: Plan): ShownFiles {
  const files = (change?.write ?? []).flatMap(({ role, name, text }) =>
    text !== undefined && (role === "timer" || role === "refresh")
      ? [[shownPathOf(facts, name), { text }] as const]
      : [],
  );
  return Object.fromEntries(files);
}
