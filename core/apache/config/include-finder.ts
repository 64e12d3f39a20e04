/** Which files an Include takes, found without asking each file for each Include: there may be thousands of both. */
import type { Included } from "./dump.ts";
import { includeMatcher, literalStart } from "./paths.ts";

/** What the Includes of one file, or of all, can take. */
export interface IncludeFinder {
  /** Files that an absolute pattern takes, each once, in the order that was given. */
  readonly taken: (pattern: string) => readonly string[];
  /** Files of the Include that ends at this line: for a pattern that has a variable. */
  readonly at: (line: number) => readonly string[];
}

/** Paths in the order in which httpd reads them; one that is there twice counts at its first place. */
export function includeFinder(included: readonly Included[]): IncludeFinder {
  const order = new Map<string, number>();
  const lines = new Map<number, Set<string>>();
  for (const { file, line } of included) {
    if (!order.has(file)) order.set(file, order.size);
    const files = lines.get(line) ?? new Set();
    lines.set(line, files.add(file));
  }
  const sorted = [...order.keys()].sort();
  const known = new Map<string, readonly string[]>();
  const taken = (pattern: string): readonly string[] => {
    const before = known.get(pattern);
    if (before !== undefined) return before;
    const found = candidates(sorted, order, pattern).filter(includeMatcher(pattern));
    found.sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
    known.set(pattern, found);
    return found;
  };
  return { taken, at: (line) => [...(lines.get(line) ?? [])] };
}

/** Without a wildcard that is the path itself and what lies below it. */
function candidates(sorted: readonly string[], order: ReadonlyMap<string, number>, pattern: string): string[] {
  const start = literalStart(pattern);
  if (start !== pattern) return beginningWith(sorted, start);
  return [...(order.has(pattern) ? [pattern] : []), ...beginningWith(sorted, `${pattern}/`)];
}

/** `sorted` as `sort()` leaves it, where what begins alike lies side by side. */
function beginningWith(sorted: readonly string[], start: string): string[] {
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
