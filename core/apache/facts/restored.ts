/**
 * The configuration as it would be without the marks of an earlier adoption, and the offsets of its bytes in the real
 * files.
 */
import type { AdoptedLine } from "../model.ts";
import type { ObservedFile, Observation } from "../observation.ts";
import { adoptedMark } from "./own-lines.ts";

/** An observation without our marks, and the mapping back to the real files. */
export interface Restored {
  readonly observation: Observation;
  /** The offset in the real file (given by its resolved path) for an offset in the file without the marks. */
  readonly realOffset: (file: string, offset: number) => number;
  /** Whether a mark stands at this offset of the real file. */
  readonly isAdopted: (file: string, offset: number) => boolean;
  /** Whether a mark stands in this line; `name` is the name of the file that httpd uses. */
  readonly hasMark: (name: string, line: number) => boolean;
}

/** Removes the marks from an observation. `adopted` has every line with a mark. */
export function restore(observation: Observation, adopted: readonly AdoptedLine[]): Restored {
  if (adopted.length === 0) return { observation, ...unmarked };
  const offsets = groupBy(adopted, ({ offset }) => offset);
  const lines = groupBy(adopted, ({ line }) => line);
  const files = new Map([...observation.files].map(([name, file]) => [name, withoutMarks(file, offsets)]));
  // Where each mark stood, as an offset in the text without marks: the marks before it are gone there.
  const restoredOffsets = new Map(
    [...offsets].map(([file, marks]) => [file, marks.map((offset, index) => offset - index * markLength)]),
  );
  const markedLines = new Map([...lines].map(([file, numbers]) => [file, new Set(numbers)]));
  const markOffsets = new Map([...offsets].map(([file, marks]) => [file, new Set(marks)]));
  return {
    observation: { ...observation, files },
    // The mark at the beginning of this very line does not count, so its offset is that of the mark.
    realOffset: (file, offset) => offset + countBelow(restoredOffsets.get(file) ?? [], offset) * markLength,
    isAdopted: (file, offset) => markOffsets.get(file)?.has(offset) === true,
    hasMark: (name, line) => markedLines.get(observation.files.get(name)?.resolvedPath ?? name)?.has(line) === true,
  };
}

/** The mapping where no file has a mark. */
const unmarked: Omit<Restored, "observation"> = {
  realOffset: (_, offset) => offset,
  isAdopted: () => false,
  hasMark: () => false,
};

const markLength = adoptedMark.length;

/** The values by file, in the order in which they stand in the file. */
function groupBy(adopted: readonly AdoptedLine[], valueOf: (line: AdoptedLine) => number): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const line of adopted) {
    const group = groups.get(line.file) ?? [];
    group.push(valueOf(line));
    groups.set(line.file, group);
  }
  return groups;
}

/** The file without its marks. `offsets` has the offsets of the marks, by the file's resolved path. */
function withoutMarks(file: ObservedFile, offsets: ReadonlyMap<string, readonly number[]>): ObservedFile {
  const marks = offsets.get(file.resolvedPath);
  if (marks === undefined) return file;
  let copied = 0;
  const pieces = marks.map((offset) => {
    const piece = file.bytes.slice(copied, offset);
    copied = offset + markLength;
    return piece;
  });
  return { ...file, bytes: pieces.join("") + file.bytes.slice(copied) };
}

/** How many of the sorted numbers are below `limit`, by a binary search. */
function countBelow(sorted: readonly number[], limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? limit) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
