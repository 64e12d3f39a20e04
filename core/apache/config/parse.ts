/**
 * Parses one httpd configuration file, held as latin1 bytes, into a tree that loses nothing. The nodes lie side by side
 * in the order of the file, and every byte belongs to exactly one node. The nodes are numbers in typed arrays, not
 * objects: 10 MB have 300,000 nodes, and the garbage collector would take longer than the reader. {@link Node.partner}
 * describes the nesting; recursion would not survive a hostile file that nests a million sections.
 */
import { continues, endOfPhysicalLine, isBlank, readLogicalLine, trimBlanks } from "./lines.ts";
import { readWord } from "./arguments.ts";

/** `trivia` is a run of blank lines and comments; `open` and `close` are the two tags of a section. */
export type NodeKind = (typeof kinds)[number];

const kinds = ["trivia", "directive", "open", "close"] as const;

/** The numbers of the kinds in {@link Tree.kindIds}. */
export const nodeKind = { trivia: 0, directive: 1, open: 2, close: 3 } as const;

export interface Node {
  readonly index: number;
  readonly kind: NodeKind;
  /** The bytes of the node, including its line end. */
  readonly start: number;
  readonly end: number;
  /** The number of its first physical line, counted from 1. */
  readonly line: number;
  /** Number of its last physical line, which is the one that httpd reports. */
  readonly lastLine: number;
  /** The name of the directive or section in lower case, because httpd ignores case; empty for trivia. */
  readonly name: string;
  /** The index of the other tag of the section; -1 where there is none. */
  readonly partner: number;
}

export interface SyntaxProblem {
  readonly line: number;
  readonly text: string;
}

export interface Tree {
  /** The bytes of the file as latin1. */
  readonly text: string;
  /** How many nodes there are. */
  readonly count: number;
  readonly problems: readonly SyntaxProblem[];
  /** Every name once; {@link nameIds} holds indexes into this array. */
  readonly names: readonly string[];
  readonly nameIds: Int32Array;
  /** The kind of each node, as a number of {@link nodeKind}. */
  readonly kindIds: Int32Array;
  /**
   * Where each node starts. The array has one entry more than there are nodes, so each node ends where the next one
   * starts.
   */
  readonly starts: Int32Array;
  /** The first physical line of each node; this array has one entry more, too. */
  readonly lines: Int32Array;
  readonly partners: Int32Array;
}

const { trivia, directive, open, close } = nodeKind;
const hash = 0x23;
const doubleQuote = 0x22;
const singleQuote = 0x27;

/** Parses a file, given as latin1 text. It never fails: `problems` says what is wrong with the file. */
export function parse(text: string): Tree {
  const draft = startDraft(text);
  while (draft.start < text.length) readNode(draft);
  // The extra entries say where the last node ends.
  draft.starts[draft.count] = draft.start;
  draft.lines[draft.count] = draft.line;
  const { count, names, nameIds, kindIds, starts, lines } = draft;
  const partners = new Int32Array(count).fill(-1);
  const tree = { text, count, names, nameIds, kindIds, starts, lines, partners, problems: [] };
  return { ...tree, problems: fillPartners(tree, partners) };
}

/** The bytes of the file again: the pieces of all nodes, joined. */
export function render(tree: Tree): string {
  let text = "";
  for (let index = 0; index < tree.count; index++) text += tree.text.slice(tree.starts[index], tree.starts[index + 1]);
  return text;
}

/** The node at `index`. Throws a RangeError where there is none. */
export function nodeAt(tree: Tree, index: number): Node {
  return {
    index,
    kind: kinds[numberAt(tree.kindIds, index)] ?? "trivia",
    start: numberAt(tree.starts, index),
    end: numberAt(tree.starts, index + 1),
    line: numberAt(tree.lines, index),
    lastLine: numberAt(tree.lines, index + 1) - 1,
    name: tree.names[numberAt(tree.nameIds, index)] ?? "",
    partner: numberAt(tree.partners, index),
  };
}

function numberAt(numbers: Int32Array, index: number): number {
  const number = numbers[index];
  if (number === undefined) throw new RangeError(`there is no node ${index}`);
  return number;
}

/** The text of a node as httpd sees it: continuations joined, without blanks at its beginning and end. */
export function logicalText(tree: Tree, node: Node): string {
  const line = tree.text.slice(node.start, node.end);
  const isPlain = node.line === node.lastLine && !line.includes("\0");
  return isPlain ? trimBlanks(line) : readLogicalLine(tree.text, node.start).text;
}

/** The arrays of a tree while they grow. */
interface Draft {
  readonly text: string;
  readonly hasNul: boolean;
  readonly names: string[];
  /** Ids of names by spelling: most names are spelled the same each time. */
  readonly ids: Map<string, number>;
  count: number;
  /** Where the next node starts, and on which physical line it starts. */
  start: number;
  line: number;
  nameIds: Int32Array;
  kindIds: Int32Array;
  starts: Int32Array;
  lines: Int32Array;
}

/**
 * Starts with room for one node in 64 bytes, and for 64 more; {@link grow} makes room for others. The first name is the
 * empty one of trivia.
 */
function startDraft(text: string): Draft {
  const array = (): Int32Array => new Int32Array(64 + (text.length >> 6));
  const arrays = { nameIds: array(), kindIds: array(), starts: array(), lines: array() };
  return { text, hasNul: text.includes("\0"), names: [""], ids: new Map(), count: 0, start: 0, line: 1, ...arrays };
}

/**
 * Adds the next line to the draft. The first word of a plain line is taken directly from the text, which is fast. No
 * line of a file with a NUL counts as plain.
 */
function readNode(draft: Draft): void {
  const { text, start } = draft;
  const end = endOfPhysicalLine(text, start);
  if (draft.hasNul || continues(text, start, end)) {
    readRareNode(draft);
    return;
  }
  let first = start;
  while (first < end && isBlank(text.charCodeAt(first))) first++;
  const code = text.charCodeAt(first);
  const isTrivia = first === end || code === hash;
  if (isTrivia) addNode(draft, "", end, 1);
  // The name of a directive may stand in quotes.
  else if (code === doubleQuote || code === singleQuote) addNode(draft, firstWord(text.slice(first, end)), end, 1);
  else {
    let wordEnd = first;
    while (wordEnd < end && !isBlank(text.charCodeAt(wordEnd))) wordEnd++;
    addNode(draft, text.slice(first, wordEnd), end, 1);
  }
}

/** Adds the next line where it is continued, or may contain a NUL. Only such a line needs a joined text. */
function readRareNode(draft: Draft): void {
  const { text, end, physicalLines } = readLogicalLine(draft.text, draft.start);
  addNode(draft, text.startsWith("#") ? "" : firstWord(text), end, physicalLines);
}

/**
 * Adds the node whose first word is `word`, such as `SSLEngine`, `<VirtualHost` or `</VirtualHost>`. The word is empty
 * for a blank line or a comment; such lines that follow each other make one node.
 */
function addNode(draft: Draft, word: string, end: number, physicalLines: number): void {
  const { count } = draft;
  const kind = kindOf(word);
  const continuesTrivia = kind === trivia && count > 0 && draft.kindIds[count - 1] === trivia;
  if (!continuesTrivia) {
    // There must be room for the extra entry of `starts` and `lines`, too.
    if (count + 1 >= draft.starts.length) grow(draft);
    draft.kindIds[count] = kind;
    draft.starts[count] = draft.start;
    draft.lines[count] = draft.line;
    draft.nameIds[count] = kind === trivia ? 0 : nameId(draft, word);
    draft.count++;
  }
  draft.start = end;
  draft.line += physicalLines;
}

function kindOf(word: string): number {
  if (word === "") return trivia;
  if (!word.startsWith("<")) return directive;
  return word.startsWith("</") ? close : open;
}

/** The index in {@link Tree.names} for the name in a first word, in whatever case the word is spelled. */
function nameId(draft: Draft, word: string): number {
  const knownId = draft.ids.get(word);
  if (knownId !== undefined) return knownId;
  // Takes off the `<` or `</` and the `>` of a tag.
  const name = word.replace(/^<\/?(.*?)>?$/s, "$1").toLowerCase();
  // A spelling never begins with a NUL, because httpd's text ends there. So this key is free.
  const id = draft.ids.get(`\0${name}`) ?? draft.names.push(name) - 1;
  draft.ids.set(word, id).set(`\0${name}`, id);
  return id;
}

/** Doubles the arrays. */
function grow(draft: Draft): void {
  const double = (old: Int32Array): Int32Array => {
    const larger = new Int32Array(old.length * 2);
    larger.set(old);
    return larger;
  };
  draft.nameIds = double(draft.nameIds);
  draft.kindIds = double(draft.kindIds);
  draft.starts = double(draft.starts);
  draft.lines = double(draft.lines);
}

const firstWord = (line: string): string => readWord(trimBlanks(line), 0).word;

/**
 * Fills `partners` by pairing the tags as httpd does, and returns the tags that have none, in the order of their lines:
 * a close tag must close the innermost open section. The content of a Macro is plain text up to its own close tag, even
 * if other sections begin or end in it; only a Macro inside it is paired.
 */
function fillPartners(tree: Tree, partners: Int32Array): SyntaxProblem[] {
  const problems: SyntaxProblem[] = [];
  const opened: number[] = [];
  const lineOf = (index: number): number => tree.lines[index] ?? 0;
  const macro = tree.names.indexOf("macro");
  for (let index = 0; index < tree.count; index++) {
    const kind = tree.kindIds[index];
    const opener = opened.at(-1);
    const isMacroText = opener !== undefined && tree.nameIds[opener] === macro && tree.nameIds[index] !== macro;
    if (isMacroText) continue;
    if (kind === open) opened.push(index);
    if (kind !== close) continue;
    if (opener === undefined || tree.nameIds[opener] !== tree.nameIds[index]) {
      const instead =
        opener === undefined ? "no section is open" : `the section open here began at line ${lineOf(opener)}`;
      problems.push({ line: lineOf(index), text: `a close tag without its open tag; ${instead}` });
      continue;
    }
    opened.pop();
    partners[index] = opener;
    partners[opener] = index;
  }
  for (const index of opened) problems.push({ line: lineOf(index), text: "this section is never closed" });
  return problems.sort((a, b) => a.line - b.line);
}
