/**
 * Makes a unified diff from splices, which already say what differs. A search for the difference between two texts
 * takes the square of the number of edits: that is minutes for a file of ten thousand virtual hosts.
 */
import { type StructuredPatchHunk, formatPatch } from "diff";
import { applySplices } from "../core/apache/config/splices.ts";
import { endOfPhysicalLine } from "../core/apache/config/lines.ts";
import type { Splice } from "../core/apache/model.ts";

/** The names that the head of the diff shows. */
export interface DiffNames {
  readonly before: string;
  readonly after: string;
}

/** The number of lines around a change, as many as `diff -U4` shows. */
const contextLines = 4;

/**
 * The diff between `before` and the text that the splices make of it. Empty where they change nothing. The splices are
 * sorted, as {@link applySplices} expects them.
 */
export function diffOfSplices(names: DiffNames, before: string, splices: readonly Splice[]): string {
  // Splices may cancel each other out.
  if (applySplices(before, splices) === before) return "";
  const lines = linesOf(before);
  const hunks = hunksOf(lines, replacementsOf(before, lines, splices));
  const headers = { oldHeader: undefined, newHeader: undefined };
  const patch = formatPatch({ oldFileName: names.before, newFileName: names.after, ...headers, hunks });
  return withHead(patch, names);
}

/**
 * Gives a patch the head that `diff -u` writes. The library puts a ruler before it, and takes the bytes in names for
 * letters. The new head comes from a function, because `replace` would take a `$` of a name in a text for a reference.
 */
export const withHead = (patch: string, { before, after }: DiffNames): string =>
  patch.replace(/^(?:=+\n)?--- .*\n\+\+\+ .*\n/, () => `--- ${headName(before)}\n+++ ${headName(after)}\n`);

/**
 * The name as `patch` reads it, byte by byte. A name with a quote or a backslash is quoted like a string in C. A name
 * with a blank ends with a tab, because `patch` would stop at the blank.
 */
function headName(name: string): string {
  if (/["\\]/.test(name)) return `"${name.replace(/["\\]/g, "\\$&")}"`;
  return name.includes(" ") ? `${name}\t` : name;
}

/** The lines, each with its line end. The last line may have none. */
function linesOf(text: string): string[] {
  const lines: string[] = [];
  for (let start = 0; start < text.length;) {
    const end = endOfPhysicalLine(text, start);
    lines.push(text.slice(start, end));
    start = end;
  }
  return lines;
}

/** Whole physical lines that splices touch, with offsets in bytes. */
interface Block {
  readonly start: number;
  end: number;
  readonly splices: Splice[];
  /** True where only whole lines are inserted or removed, so that the line after the block stays as it is. */
  isWhole: boolean;
}

/**
 * Gathers the splices into blocks, in their order. Splices that touch the same lines, or neighbouring lines, share a
 * block.
 */
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

/** Whether the splice removes and inserts whole lines only. */
const isOfWholeLines = (text: string, { offset, remove, insert }: Splice): boolean =>
  isLineStart(text, offset) && isLineStart(text, offset + remove) && (insert === "" || insert.endsWith("\n"));

const isLineStart = (text: string, offset: number): boolean => offset === 0 || text[offset - 1] === "\n";

/** The lines `[start, end)`, counted from 0, that are replaced by other lines. */
interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
}

/** The lines that each block replaces, and the lines that replace them. */
function replacementsOf(before: string, lines: readonly string[], splices: readonly Splice[]): Replacement[] {
  // The offsets are asked for in rising order, so one walk over the lines finds all of them.
  let index = 0;
  let offset = 0;
  const lineAt = (wantedOffset: number): number => {
    // Behind the last line, 1 for the length ends the loop.
    for (; offset < wantedOffset; index++) offset += lines[index]?.length ?? 1;
    return index;
  };
  return blocksOf(before, splices).flatMap((block) => {
    const splicesInBlock = block.splices.map((splice) => ({ ...splice, offset: splice.offset - block.start }));
    const after = linesOf(applySplices(before.slice(block.start, block.end), splicesInBlock));
    const start = lineAt(block.start);
    return trimCommonLines(lines, { start, end: lineAt(block.end), lines: after });
  });
}

/** Leaves out the lines at the beginning and at the end that both sides share. Empty where nothing remains. */
function trimCommonLines(before: readonly string[], { start, end, lines }: Replacement): Replacement[] {
  let head = 0;
  while (head < lines.length && start + head < end && before[start + head] === lines[head]) head++;
  let tail = 0;
  // The common lines at the end must not overlap those at the beginning.
  const longestTail = Math.min(lines.length, end - start) - head;
  while (tail < longestTail && before[end - tail - 1] === lines[lines.length - tail - 1]) tail++;
  const rest = { start: start + head, end: end - tail, lines: lines.slice(head, lines.length - tail) };
  return rest.start === rest.end && rest.lines.length === 0 ? [] : [rest];
}

/** Makes the hunks. Replacements whose context lines would touch or overlap share a hunk. */
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

/**
 * The hunk for a group of replacements, with the lines between and around them. `shift` says by how many lines the
 * hunks before this one have made the file longer.
 */
function hunkOf(lines: readonly string[], group: readonly Replacement[], shift: number): StructuredPatchHunk {
  const start = Math.max(0, (group[0]?.start ?? 0) - contextLines);
  const end = Math.min(lines.length, (group.at(-1)?.end ?? 0) + contextLines);
  const shown: string[] = [];
  const show = (sign: string, signedLines: readonly string[]): void => {
    for (const line of signedLines) shown.push(...shownLine(sign, line));
  };
  let next = start;
  let added = 0;
  for (const replacement of group) {
    show(" ", lines.slice(next, replacement.start));
    show("-", lines.slice(replacement.start, replacement.end));
    show("+", replacement.lines);
    added += replacement.lines.length - (replacement.end - replacement.start);
    next = replacement.end;
  }
  show(" ", lines.slice(next, end));
  const oldLines = end - start;
  return { oldStart: start + 1, oldLines, newStart: start + 1 + shift, newLines: oldLines + added, lines: shown };
}

/** A line with its sign. `patch` needs the remark where a file does not end with a line end. */
const shownLine = (sign: string, line: string): string[] =>
  line.endsWith("\n") ? [`${sign}${line.slice(0, -1)}`] : [`${sign}${line}`, "\\ No newline at end of file"];
