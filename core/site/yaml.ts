/** Reads YAML and remembers the position of everything. */
import { CORE_SCHEMA, type EventType, type State, YAMLException, load } from "js-yaml";
import { type Path, renderPath } from "./problem.ts";

export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Document {
  readonly value: unknown;
  /** The position of the key or array item at each path. */
  readonly positions: ReadonlyMap<string, Position>;
  /** Keys that occur twice in one set of keys. js-yaml itself would stop at the first of them. */
  readonly duplicates: readonly { readonly path: Path; readonly at: Position }[];
}

export interface SyntaxMistake {
  readonly at: Position;
  /** The reason of js-yaml, without the part of the file that it quotes. */
  readonly reason: string;
}

interface Node {
  readonly start: number;
  end: number;
  value: unknown;
  readonly children: Node[];
}

/** The document with positions, or the first syntax error: nothing after the error can be read reliably. */
export function readYaml(text: string): Document | SyntaxMistake {
  const root: Node = { start: 0, end: text.length, value: undefined, children: [] };
  try {
    // The option `json` accepts a repeated key, so that all of them can be reported from the positions. CORE_SCHEMA has
    // no dates.
    const value = load(text, { schema: CORE_SCHEMA, json: true, listener: makeListener(root) });
    return { value, ...locate(text, value, root.children[0] ?? root) };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const mark = error.mark as YAMLException["mark"] | undefined; // Missing for errors about the document as a whole.
    return {
      at: { line: (mark?.line ?? 0) + 1, column: (mark?.column ?? 0) + 1 },
      // js-yaml may quote the file at the end of its reason, after one of these signs.
      reason: error.reason.replace(/\s*[("'<!].*$/s, ""),
    };
  }
}

/**
 * Makes a listener that collects the nodes below `root`. js-yaml calls it when a node opens and when it closes.
 * Children open and close inside their parents, so this makes a tree.
 */
function makeListener(root: Node): (event: EventType, state: State) => void {
  const open: Node[] = [root];
  return (event, state) => {
    const innermost = open[open.length - 1];
    if (event === "open") {
      const node: Node = { start: state.position, end: state.position, value: undefined, children: [] };
      innermost?.children.push(node);
      open.push(node);
    } else if (innermost !== undefined) {
      innermost.end = state.position;
      innermost.value = state.result;
      open.pop();
    }
  };
}

/**
 * Finds the position of every key and item, and the repeated keys, by walking through nodes and values together. `root`
 * is the node of `value`.
 */
function locate(text: string, value: unknown, root: Node): Omit<Document, "value"> {
  const starts = lineStarts(text);
  const positions = new Map<string, Position>();
  const duplicates: { path: Path; at: Position }[] = [];
  const visit = (node: Node, nodeValue: unknown, path: Path): void => {
    if (Array.isArray(nodeValue)) {
      node.children.forEach((child, i) => {
        positions.set(renderPath([...path, i]), positionOf(starts, skipBlanks(text, child.start)));
        visit(child, nodeValue[i], [...path, i]);
      });
    } else if (isMapping(nodeValue)) {
      visitMapping(node, nodeValue, path);
    }
  };
  const visitMapping = (node: Node, mapping: Record<string, unknown>, path: Path): void => {
    const seen = new Set<string>();
    pairsOf(text, node, mapping).forEach(({ key, keyNode, valueNode }) => {
      const at = positionOf(starts, skipBlanks(text, keyNode.start));
      if (seen.has(key)) duplicates.push({ path: [...path, key], at });
      seen.add(key);
      positions.set(renderPath([...path, key]), at);
      if (valueNode !== undefined) visit(valueNode, mapping[key], [...path, key]);
    });
  };
  visit(root, value, []);
  return { positions, duplicates };
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

interface Pair {
  readonly key: string;
  readonly keyNode: Node;
  readonly valueNode: Node | undefined;
}

/**
 * The pairs of a mapping, whose nodes stand in one row: key, value, key, value. A key without a value gives one node
 * instead of two, so a key is recognized by the colon behind it.
 */
function pairsOf(text: string, node: Node, mapping: Record<string, unknown>): Pair[] {
  const pairs: Pair[] = [];
  const isKey = (child: Node | undefined): boolean =>
    child !== undefined &&
    Object.hasOwn(mapping, String(child.value)) &&
    child.children.length === 0 &&
    // Only blanks stand between a key and its colon. 80 characters are enough for them.
    /^[ \t]*:/.test(text.slice(child.end, child.end + 80));
  for (let i = 0; i < node.children.length; i++) {
    const keyNode = node.children[i];
    if (keyNode === undefined || !isKey(keyNode)) continue;
    const next = node.children[i + 1];
    const valueNode = isKey(next) ? undefined : next;
    if (valueNode !== undefined) i++;
    pairs.push({ key: String(keyNode.value), keyNode, valueNode });
  }
  return pairs;
}

/**
 * The offset of the first character from `start` on that belongs neither to a blank nor to a comment. js-yaml opens the
 * node of an array item before the blanks and comments in front of it.
 */
function skipBlanks(text: string, start: number): number {
  const blanks = /(?:[\s\ufeff]+|(?<=\s)#[^\n]*)*/y;
  blanks.lastIndex = start;
  return start + (blanks.exec(text)?.[0].length ?? 0);
}

/** The offset of the first character of each line. */
function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** The line and column of an offset, by a binary search for the last line that starts at or before it. */
function positionOf(starts: readonly number[], offset: number): Position {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
}
