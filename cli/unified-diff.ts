/**
 * A unified diff made from splices, which say themselves what differs. A search for the difference of two texts takes
 * the square of the number of edits: minutes for a file of ten thousand virtual hosts.
 */
import { type StructuredPatchHunk, formatPatch } from "diff";
import { applySplices } from "../core/apache/config/splices.ts";
import { endOfPhysicalLine } from "../core/apache/config/lines.ts";
import type { Splice } from "../core/apache/model.ts";

/** Names as the head of the diff shows them. */
export interface DiffNames {
  readonly before: string;
  readonly after: string;
}

/** Lines around a change, as many as `diff -U4` shows. */
const contextLines = 4;

/** Empty where the splices change nothing. Splices are sorted, as {@link applySplices} wants them. */
export function diffOfSplices(names: DiffNames, before: string, splices: readonly Splice[]): string {
  // Splices may cancel each other out.
  if (applySplices(before, splices) === before) return "";
  const lines = linesOf(before);
  const hunks = hunksOf(lines, replacementsOf(before, lines, splices));
  const headers = { oldHeader: undefined, newHeader: undefined };
  const patch = formatPatch({ oldFileName: names.before, newFileName: names.after, ...headers, hunks });
  return withHead(patch, names);
}

/** A patch as `diff -u` begins it: the library puts a ruler in front, and takes bytes in names for letters. */
export const withHead = (patch: string, { before, after }: DiffNames): string =>
  patch.replace(/^(?:=+\n)?--- .*\n\+\+\+ .*\n/, () => `--- ${headName(before)}\n+++ ${headName(after)}\n`);

/**
 * Bytes as they are; quoted like a string of C, or ended by a tabulator, where `patch` would read on or stop too early.
 */
function headName(name: string): string {
  if (/["\\]/.test(name)) return `"${name.replace(/["\\]/g, "\\$&")}"`;
  return name.includes(" ") ? `${name}\t` : name;
}

/** Each with its line end; the last may have none. */
function linesOf(text: string): string[] {
  const lines: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = endOfPhysicalLine(text, at);
    lines.push(text.slice(at, end));
    at = end;
  }
  return lines;
}

/** Whole physical lines that splices touch, as bytes. */
interface Block {
  readonly start: number;
  end: number;
  readonly splices: Splice[];
  /** Only whole lines are put in or taken out, so the line behind stays as it is. */
  isWhole: boolean;
}

/** Blocks do not touch one another: what lies side by side is one. */
function blocksOf(text: string, splices: readonly Splice[]): Block[] {
  const blocks: Block[] = [];
  for (const splice of splices) {
    let block = blocks.at(-1);
    if (block === undefined || splice.offset > block.end) {
      const start = startOfLine(text, splice.offset);
      block = { start, end: start, splices: [], isWhole: true };
      blocks.push(block);
    }
    const end = splice.offset + splice.remove;
    block.splices.push(splice);
    block.isWhole &&= isOfWholeLines(text, splice);
    block.end = Math.max(block.end, block.isWhole ? end : endOfPhysicalLine(text, end));
  }
  return blocks;
}

const startOfLine = (text: string, offset: number): number =>
  offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;

const isOfWholeLines = (text: string, { offset, remove, insert }: Splice): boolean =>
  isLineStart(text, offset) && isLineStart(text, offset + remove) && (insert === "" || insert.endsWith("\n"));

const isLineStart = (text: string, offset: number): boolean => offset === 0 || text[offset - 1] === "\n";

/** Lines `[start, end)`, counted from 0, that become other ones. */
interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
}

function replacementsOf(before: string, lines: readonly string[], splices: readonly Splice[]): Replacement[] {
  let index = 0;
  let offset = 0;
  const lineAt = (wanted: number): number => {
    for (; offset < wanted; index++) offset += lines[index]?.length ?? 1;
    return index;
  };
  return blocksOf(before, splices).flatMap((block) => {
    const own = block.splices.map((splice) => ({ ...splice, offset: splice.offset - block.start }));
    const after = linesOf(applySplices(before.slice(block.start, block.end), own));
    const start = lineAt(block.start);
    return withoutCommon(lines, { start, end: lineAt(block.end), lines: after });
  });
}

/** None where nothing remains. */
function withoutCommon(before: readonly string[], { start, end, lines }: Replacement): Replacement[] {
  let head = 0;
  while (head < lines.length && start + head < end && before[start + head] === lines[head]) head++;
  let tail = 0;
  const most = Math.min(lines.length, end - start) - head;
  while (tail < most && before[end - tail - 1] === lines[lines.length - tail - 1]) tail++;
  const rest = { start: start + head, end: end - tail, lines: lines.slice(head, lines.length - tail) };
  return rest.start === rest.end && rest.lines.length === 0 ? [] : [rest];
}

function hunksOf(lines: readonly string[], replacements: readonly Replacement[]): StructuredPatchHunk[] {
  const groups: Replacement[][] = [];
  for (const replacement of replacements) {
    const group = groups.at(-1);
    const last = group?.at(-1);
    if (last !== undefined && replacement.start - last.end <= contextLines * 2) group?.push(replacement);
    else groups.push([replacement]);
  }
  let shift = 0;
  return groups.map((group) => {
    const hunk = hunkOf(lines, group, shift);
    shift += hunk.newLines - hunk.oldLines;
    return hunk;
  });
}

/** `shift`: how many lines more there are before this hunk than there were. */
function hunkOf(lines: readonly string[], group: readonly Replacement[], shift: number): StructuredPatchHunk {
  const start = Math.max(0, (group[0]?.start ?? 0) - contextLines);
  const end = Math.min(lines.length, (group.at(-1)?.end ?? 0) + contextLines);
  const shown: string[] = [];
  const show = (sign: string, some: readonly string[]): void => {
    for (const line of some) shown.push(...shownLine(sign, line));
  };
  let at = start;
  let added = 0;
  for (const replacement of group) {
    show(" ", lines.slice(at, replacement.start));
    show("-", lines.slice(replacement.start, replacement.end));
    show("+", replacement.lines);
    added += replacement.lines.length - (replacement.end - replacement.start);
    at = replacement.end;
  }
  show(" ", lines.slice(at, end));
  const oldLines = end - start;
  return { oldStart: start + 1, oldLines, newStart: start + 1 + shift, newLines: oldLines + added, lines: shown };
}

const shownLine = (sign: string, line: string): string[] =>
  line.endsWith("\n") ? [`${sign}${line.slice(0, -1)}`] : [`${sign}${line}`, "\\ No newline at end of file"];
