/** `files`: what a diff shows of a host. */
import { diffLines } from "diff";
import type { KindFiles, KindTypes, ShownFile, ShownFiles } from "../../core/server-kind.ts";
import { shown } from "../../core/shown.ts";
import type { DiffArgs, DiffKind } from "../engine/resource.ts";
import type { PlannedHost } from "./planned-host.ts";

/** The texts by path, in the form in which the state stores them. */
export const textsOf = (files: ShownFiles): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(files).map(([path, file]) => [path, textOf(file)]));

/** The text of a file. What is wrong with the file follows in parentheses, on a line of its own. */
const textOf = ({ text, states = [] }: ShownFile): string =>
  states.length === 0 ? text : `${text}(${states.join("; ")})\n`;

/** A file that is not as it should be. A side is undefined where the file is not there. */
interface Difference {
  readonly path: string;
  readonly found: ShownFile | undefined;
  readonly wanted: ShownFile | undefined;
}

/** The files whose text or whose states differ, or that are on one side only. */
function differencesOf(live: ShownFiles, planned: ShownFiles): readonly Difference[] {
  const all = Object.keys({ ...live, ...planned }).map((path) => ({ path, found: live[path], wanted: planned[path] }));
  return all.filter(({ found, wanted }) => (found && textOf(found)) !== (wanted && textOf(wanted)));
}

/**
 * The differences by property path, shown as text of the old outputs → text of the inputs. Where Check knew no facts,
 * the inputs have no texts and a path would look like a deletion. In that case only the changed inputs are shown.
 */
export function fileChanges(
  live: ShownFiles,
  planned: ShownFiles,
  { inputs, oldInputs }: DiffArgs,
): Record<string, DiffKind> {
  if ((inputs.files ?? oldInputs.files) === undefined) return {};
  return Object.fromEntries(
    differencesOf(live, planned).map((difference) => [filePath(difference.path), kindOf(difference)]),
  );
}

function kindOf({ found, wanted }: Difference): DiffKind {
  if (found === undefined) return "add";
  return wanted === undefined ? "delete" : "update";
}

/** A key of `files` as a property path. It is quoted, because paths contain dots. */
const filePath = (key: string): string => `files[${JSON.stringify(shown(key))}]`;

/**
 * The differences in words, with file and line, because a plain preview shows only that `files` differs. `describe`
 * makes the texts for a file that is on both sides.
 */
export function changeTexts(
  live: ShownFiles,
  planned: ShownFiles,
  describe: (path: string, found: ShownFile, wanted: ShownFile) => readonly string[],
): readonly string[] {
  return differencesOf(live, planned).flatMap(({ path, found, wanted }) => {
    if (found === undefined) return [`${path}: is missing`];
    return wanted === undefined ? [`${path}: is not wanted any more`] : describe(path, found, wanted);
  });
}

/** What differs in a file of ours, with one text for each line. A line of `found` is named by its number. */
export function lineChangesOf(path: string, found: string, wanted: string): readonly string[] {
  let nextLine = 1;
  const changes = lineDifferencesOf(found, wanted).map(({ value, added, removed }) => {
    // The line end at the end begins no further line.
    const lines = value.replace(/\n$/, "").split("\n");
    const first = nextLine;
    // The number is that of the line in `found`, where added lines do not stand.
    if (!added) nextLine += lines.length;
    return { lines: lines.map((line) => line.trim()), first, added, removed };
  });
  return changes.flatMap(({ lines, first, added, removed }, index) => {
    const [before, after] = [changes[index - 1], changes[index + 1]];
    // A removal and the addition after it are one edit: its removed lines are reported, each with the added line in its
    // place. Of the added lines, only those beyond the number of the removed ones are reported here.
    if (added) return lines.slice(before?.removed ? before.lines.length : 0).map((line) => missing(path, line));
    if (!removed) return [];
    return lines.map((line, offset) => {
      const instead = after?.added ? after.lines[offset] : undefined;
      const wish = instead === undefined ? "is not wanted" : `where ${JSON.stringify(instead)} is wanted`;
      return `${path}:${first + offset}: ${JSON.stringify(line)} ${wish}`;
    });
  });
}

/**
 * The number of differing lines up to which the shortest difference is searched. The search takes the square of this
 * number, and nobody reads more lines.
 */
export const mostEdits = 1000;

/** The differing and the common pieces, in order. Where the search gives up, the whole text counts as replaced. */
function lineDifferencesOf(
  found: string,
  wanted: string,
): readonly { value: string; added: boolean; removed: boolean }[] {
  const whole = [
    { value: found, added: false, removed: true },
    { value: wanted, added: true, removed: false },
  ];
  return diffLines(found, wanted, { maxEditLength: mostEdits }) ?? whole;
}

const missing = (path: string, line: string): string => `${path}: ${JSON.stringify(line)} is missing`;

/**
 * What would be written, as text for a log: each new or changed file as diffs show it, and those of `readInFull` with
 * their whole text. At creation the inputs show nothing of it yet.
 */
export function planText<K extends KindTypes>(
  address: string,
  files: KindFiles<K>,
  { facts, plan }: PlannedHost<K>,
): string {
  const live = textsOf(files.live(facts));
  const planned = textsOf({ ...files.planned(facts, plan), ...files.readInFull(facts, plan) });
  const changed = Object.entries(planned).filter(([path, text]) => live[path] !== text);
  if (changed.length === 0) return `${address}: is as wanted already`;
  const lines = changed.flatMap(([path, text]) => [`  ${path}`, ...indented(text)]);
  return [`${address}: would be written:`, ...lines].join("\n");
}

const indented = (text: string): string[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => `    ${line}`);
