/**
 * Finds the files that an Include matches, without testing each file against each Include: there may be thousands of
 * both.
 */
import type { Included } from "./dump.ts";
import { includeMatcher, literalStart } from "./paths.ts";

/** Finds the files of the Includes of one file, or of all files. */
export interface IncludeFinder {
  /** The files that match an absolute pattern, each file once, in the given order. */
  readonly matching: (pattern: string) => readonly string[];
  /** The files of the Include that ends at this line; this is for a pattern that contains a variable. */
  readonly atLine: (line: number) => readonly string[];
}

/**
 * Makes a finder. `included` has the files in the order in which httpd reads them; a file that occurs twice counts at
 * its first place.
 */
export function includeFinder(included: readonly Included[]): IncludeFinder {
  const order = new Map<string, number>();
  const filesByLine = new Map<number, Set<string>>();
  for (const { file, line } of included) {
    if (!order.has(file)) order.set(file, order.size);
    const files = filesByLine.get(line) ?? new Set();
    filesByLine.set(line, files.add(file));
  }
  const sorted = [...order.keys()].sort();
  const cache = new Map<string, readonly string[]>();
  const matching = (pattern: string): readonly string[] => {
    const cached = cache.get(pattern);
    if (cached !== undefined) return cached;
    const matches = candidates(sorted, order, pattern).filter(includeMatcher(pattern));
    matches.sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
    cache.set(pattern, matches);
    return matches;
  };
  return { matching, atLine: (line) => [...(filesByLine.get(line) ?? [])] };
}

/**
 * The files that may match the pattern. With a wildcard they are all files below the directory before that wildcard.
 * Without one they are the path itself and everything below it, because it may be a directory.
 */
function candidates(sorted: readonly string[], order: ReadonlyMap<string, number>, pattern: string): string[] {
  const start = literalStart(pattern);
  if (start !== pattern) return beginningWith(sorted, start);
  return [...(order.has(pattern) ? [pattern] : []), ...beginningWith(sorted, `${pattern}/`)];
}

/**
 * The paths with this beginning. `sorted` must be in the order of `sort()`, where paths with the same beginning are
 * neighbours.
 */
function beginningWith(sorted: readonly string[], start: string): string[] {
  // A binary search finds the first of these paths.
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? "") < start) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while (sorted[end]?.startsWith(start) === true) end++;
  return sorted.slice(low, end);
}
