/** `files`: what of a host a reader sees in a diff, as path → text. Ours only, never a line of the customer's. */
import { diffLines } from "diff";
import { shown } from "../../core/shown.ts";
import { confName, crlName } from "../../core/own-files.ts";
import { ownPath } from "../../core/apache/plan/clientcert-conf.ts";
import { type Change, type Facts, type Plan, includeLine } from "../../core/apache/model.ts";
import { hashText, includeKey } from "../../core/apache/plan/plan.ts";
import { otherVersion, programPath, unattendedStates } from "../../core/apache/facts/unattended.ts";
import { hostText } from "../../core/host-text.ts";
import type { DiffArgs, DiffKind } from "../engine/resource.ts";

export type Files = Readonly<Record<string, string>>;

/** What stands on the host now: our configuration in full, other files of ours by hash, and each include line. */
export function liveFiles(facts: Facts): Files {
  const includes = facts.virtualHosts.flatMap((host) =>
    host.include === undefined ? [] : [[includeKey(host), includeText(host.include.last)] as const],
  );
  const shown = ownFiles(facts, hashesOf(facts), facts.own.conf);
  return { ...withStates(facts, shown), ...programFile(facts), ...Object.fromEntries(includes) };
}

/** What would stand there after `plan`. A host that is as wanted keeps its view, whatever it is. */
export function plannedFiles(facts: Facts, { change, files }: Plan): Files {
  if (change === undefined) return liveFiles(facts);
  const kept = Object.entries(hashesOf(facts)).filter(([name]) => !change.drop.includes(name));
  const written = change.write.map(({ name, sha256 }) => [name, sha256] as const);
  const shown = ownFiles(facts, Object.fromEntries([...kept, ...written]), undefined);
  return { ...shown, ...downloaded(facts, change), ...files };
}

/** By name, of timers by path. */
const hashesOf = ({ own, refresh }: Facts): Readonly<Record<string, string>> => ({ ...own.files, ...refresh.timers });

/** The program with what lies beside it: one thing to a reader, because it is written as one. */
function programFile(facts: Facts): Files {
  const hash = facts.unattended?.program;
  if (hash === undefined) return {};
  const states = unattendedStates(facts);
  return {
    [programPath(facts.server.instance)]: hashText(hash) + (states.length === 0 ? "" : `(${states.join("; ")})\n`),
  };
}

/** Absolute path of a file of ours, as bytes. */
export const pathOf = (facts: Facts, name: string): string => (name.startsWith("/") ? name : ownPath(facts, name));

/** The same as text. */
export const shownPathOf = (facts: Facts, name: string): string => hostText(pathOf(facts, name));

function ownFiles(facts: Facts, hashes: Readonly<Record<string, string>>, conf: string | undefined): Files {
  const shown = Object.entries(hashes).map(([name, sha256]) => [shownPathOf(facts, name), hashText(sha256)] as const);
  return { ...Object.fromEntries(shown), ...(conf === undefined ? {} : { [shownPathOf(facts, confName)]: conf }) };
}

/** By path what is wrong with a file of ours whose bytes are right, in words: else a diff could not show it. */
export const fileStates = (facts: Facts): readonly (readonly [path: string, state: string])[] => [
  ...disabledTimer(facts),
  ...openTimers(facts),
  ...expiredCrl(facts),
];

function withStates(facts: Facts, shown: Files): Files {
  const states = fileStates(facts).filter(([path]) => path in shown);
  return { ...shown, ...Object.fromEntries(states.map(([path, state]) => [path, `${shown[path]}(${state})\n`])) };
}

function disabledTimer({ refresh }: Facts): (readonly [string, string])[] {
  if (refresh.isTimerEnabled) return [];
  return Object.keys(refresh.timers)
    .filter((path) => path.endsWith(".timer"))
    .map((path) => [path, "is not enabled"]);
}

const openTimers = ({ refresh, unattended }: Facts): (readonly [string, string])[] =>
  Object.entries(unattended?.wrong ?? {}).filter(([path]) => path in refresh.timers);

/** Only where somebody renews it: nothing that an update does would help against the end of another one. */
function expiredCrl(facts: Facts): (readonly [string, string])[] {
  const { nowSeconds = 0 } = facts.refresh;
  const ended = facts.own.crls.flatMap(({ nextUpdate }) =>
    nextUpdate !== undefined && Date.parse(nextUpdate) <= nowSeconds * 1000 ? [nextUpdate] : [],
  );
  return ended.slice(0, 1).map((nextUpdate) => [shownPathOf(facts, crlName), `has expired on ${nextUpdate}`]);
}

/** The first CRL, or one in the place of one that has expired. Else what a download brings is no part of what is wanted. */
function downloaded(facts: Facts, { refresh, write }: Change): Files {
  const isNeeded = facts.own.files[crlName] === undefined || expiredCrl(facts).length > 0;
  const isSent = write.some(({ name }) => name === crlName);
  return refresh && isNeeded && !isSent ? { [shownPathOf(facts, crlName)]: "as the sources deliver it\n" } : {};
}

/** Said in words, because the text alone would look as it should. */
const includeText = (isLast: boolean): string =>
  isLast ? `${includeLine}\n` : `${includeLine}\n(not the last line: what follows can override it)\n`;

/**
 * The differences by property path, shown as text of the old outputs → text of the inputs. Where Check knew no facts the
 * inputs have no texts, and a path would look like a deletion: then the changed inputs must do.
 */
export function fileChanges(live: Files, planned: Files, { inputs, oldInputs }: DiffArgs): Record<string, DiffKind> {
  if ((inputs.files ?? oldInputs.files) === undefined) return {};
  const changed = Object.keys({ ...live, ...planned }).filter((key) => live[key] !== planned[key]);
  return Object.fromEntries(changed.map((key) => [filePath(key), kindOf(live[key], planned[key])]));
}

function kindOf(live: string | undefined, planned: string | undefined): DiffKind {
  if (live === undefined) return "add";
  return planned === undefined ? "delete" : "update";
}

/** The differences in words, with file and line: a plain preview shows no more than that `files` differs. */
export function fileChangeTexts(live: Files, planned: Files): readonly string[] {
  return Object.keys({ ...live, ...planned }).flatMap((key) => {
    const [found, wanted] = [live[key], planned[key]];
    if (found === wanted) return [];
    if (found === undefined) return [`${key}: is missing`];
    if (wanted === undefined) return [`${key}: is not wanted any more`];
    if (isProgram(key)) return [`${key}: ${programText(found, wanted)}`];
    return key.endsWith(`/${confName}`) ? lineChangesOf(key, found, wanted) : [`${key}: ${stateIn(found)}`];
  });
}

const isProgram = (path: string): boolean => path === programPath(path.split("/")[4] ?? "");

/** As {@link programFile} wrote it. What lies beside a program of another version is so, too, and comes with it. */
function programText(found: string, wanted: string): string {
  const [hash, states = "()"] = found.split("\n");
  const isSame = `${hash}\n` === wanted;
  const told = states
    .slice(1, -1)
    .split("; ")
    .filter((state) => state !== "" && (isSame || !state.endsWith(otherVersion)));
  const version =
    isSame || told.includes("is empty") ? [] : [`the program that refreshes and undoes on this host ${otherVersion}`];
  return [...version, ...told].join("; ");
}

/** As {@link withStates} wrote it, or in general. */
const stateIn = (found: string): string => /^SHA-256 .*\n\((.*)\)\n$/.exec(found)?.[1] ?? "is not as wanted";

/** What differs in a file of ours, one text for each line. */
export function lineChangesOf(path: string, found: string, wanted: string): readonly string[] {
  let next = 1;
  const changes = differencesOf(found, wanted).map(({ value, added, removed }) => {
    const lines = value.replace(/\n$/, "").split("\n");
    const first = next;
    if (!added) next += lines.length;
    return { lines: lines.map((line) => line.trim()), first, added, removed };
  });
  return changes.flatMap(({ lines, first, added, removed }, index) => {
    const [before, after] = [changes[index - 1], changes[index + 1]];
    // A removal and the addition after it are one edit, told where it was made.
    if (added) return lines.slice(before?.removed ? before.lines.length : 0).map((line) => missing(path, line));
    if (!removed) return [];
    return lines.map((line, at) => {
      const instead = after?.added ? after.lines[at] : undefined;
      const wish = instead === undefined ? "is not wanted" : `where ${JSON.stringify(instead)} is wanted`;
      return `${path}:${first + at}: ${JSON.stringify(line)} ${wish}`;
    });
  });
}

/** Differing lines up to which the shortest difference is searched; that takes the square of them, and nobody reads as many. */
export const mostEdits = 1000;

function differencesOf(found: string, wanted: string): readonly { value: string; added: boolean; removed: boolean }[] {
  const whole = [
    { value: found, added: false, removed: true },
    { value: wanted, added: true, removed: false },
  ];
  return diffLines(found, wanted, { maxEditLength: mostEdits }) ?? whole;
}

const missing = (path: string, line: string): string => `${path}: ${JSON.stringify(line)} is missing`;

/** A key of `files` as a property path: quoted, because paths hold dots. */
const filePath = (key: string): string => `files[${JSON.stringify(shown(key))}]`;

/** What would run on the host by itself, and what it would go by: to be read before it is there, so not as a hash. */
function jobTexts(facts: Facts, { change }: Plan): Files {
  const texts = (change?.write ?? []).flatMap(({ role, name, text }) =>
    text !== undefined && (role === "timer" || role === "refresh") ? [[shownPathOf(facts, name), text] as const] : [],
  );
  return Object.fromEntries(texts);
}

/** What would be written, as text for a log: at creation the inputs show nothing of it yet. */
export function planText(address: string, facts: Facts, plan: Plan): string {
  const live = liveFiles(facts);
  const changed = Object.entries({ ...plannedFiles(facts, plan), ...jobTexts(facts, plan) }).filter(
    ([key, text]) => live[key] !== text,
  );
  if (changed.length === 0) return `${address}: is as wanted already`;
  const indented = (text: string): string[] =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => `    ${line}`);
  return [`${address}: would be written:`, ...changed.flatMap(([key, text]) => [`  ${key}`, ...indented(text)])].join(
    "\n",
  );
}
