/**
 * A lossless tree of one httpd configuration file, held as latin1 bytes. The nodes lie side by side in the order of the
 * file and every byte belongs to exactly one of them; nesting is told by {@link Node.partner}. Flat, because a hostile file
 * nests a million sections, and recursion would not survive that.
 */
import { continues, endOfPhysicalLine, isBlank, readLogicalLine, trimBlanks } from "./lines.ts";
import { readWord } from "./words.ts";

/** `trivia` is a run of blank lines and comments; `open` and `close` are the two tags of a section. */
export type NodeKind = "trivia" | "directive" | "open" | "close";

export interface Node {
  readonly kind: NodeKind;
  /** Byte span, line end included. */
  readonly start: number;
  readonly end: number;
  /** 1-based number of its first physical line. */
  readonly line: number;
  /** Number of its last physical line, which is the one that httpd reports. */
  readonly lastLine: number;
  /** Name of the directive or section in lower case, as httpd compares it; empty for trivia. */
  readonly name: string;
  /** Index of the other tag of a section; -1 where there is none. */
  readonly partner: number;
}

export interface SyntaxProblem {
  readonly line: number;
  readonly text: string;
}

export interface Tree {
  /** The bytes of the file as latin1. */
  readonly text: string;
  readonly nodes: readonly Node[];
  readonly problems: readonly SyntaxProblem[];
}

/** A node under construction: the end of a run of comments and the partner of a tag are known later. */
type Draft = { -readonly [Key in keyof Node]: Node[Key] };

const hash = 0x23;
const lessThan = 0x3c;
const quotes = [0x22, 0x27];

/** Parses any bytes; what is wrong with them is in `problems`. */
export function parse(text: string): Tree {
  const nodes: Draft[] = [];
  const hasNul = text.includes("\0");
  let line = 1;
  for (let start = 0; start < text.length;) {
    const node = readNode(text, start, line, hasNul);
    const previous = nodes.at(-1);
    if (node.kind === "trivia" && previous?.kind === "trivia") {
      previous.end = node.end;
      previous.lastLine = node.lastLine;
    } else nodes.push(node);
    start = node.end;
    line = node.lastLine + 1;
  }
  return { text, nodes, problems: matchTags(nodes) };
}

/** The bytes again: the pieces of all nodes, joined. */
export const render = (tree: Tree): string => tree.nodes.map((node) => tree.text.slice(node.start, node.end)).join("");

/** Text of a node as httpd sees it: continuations joined, blanks around it gone. */
export function logicalText(tree: Tree, node: Node): string {
  const line = tree.text.slice(node.start, node.end);
  const isPlain = node.line === node.lastLine && !line.includes("\0");
  return isPlain ? trimBlanks(line) : readLogicalLine(tree.text, node.start).text;
}

function readNode(text: string, start: number, line: number, hasNul: boolean): Draft {
  const end = endOfPhysicalLine(text, start);
  if (hasNul || continues(text, start, end)) return readRareNode(text, start, line);
  let first = start;
  while (first < end && isBlank(text.charCodeAt(first))) first++;
  const code = text.charCodeAt(first);
  if (first === end || code === hash) return trivia(start, end, line, line);
  if (quotes.includes(code))
    return nodeOf(readWord(trimBlanks(text.slice(first, end)), 0).word, start, end, line, line);
  let wordEnd = first;
  while (wordEnd < end && !isBlank(text.charCodeAt(wordEnd))) wordEnd++;
  return nodeOf(text.slice(first, wordEnd), start, end, line, line);
}

/** A line that is continued or holds a NUL: only here the joined text is made. */
function readRareNode(text: string, start: number, line: number): Draft {
  const logical = readLogicalLine(text, start);
  const lastLine = line + logical.physicalLines - 1;
  if (logical.text === "" || logical.text.startsWith("#")) return trivia(start, logical.end, line, lastLine);
  return nodeOf(readWord(logical.text, 0).word, start, logical.end, line, lastLine);
}

const trivia = (start: number, end: number, line: number, lastLine: number): Draft => ({
  kind: "trivia",
  start,
  end,
  line,
  lastLine,
  name: "",
  partner: -1,
});

/** The node of a line whose first word is `word`, such as `SSLEngine`, `<VirtualHost` or `</VirtualHost>`. */
function nodeOf(word: string, start: number, end: number, line: number, lastLine: number): Draft {
  const node: Draft = { kind: "directive", start, end, line, lastLine, name: word.toLowerCase(), partner: -1 };
  if (word.charCodeAt(0) !== lessThan) return node;
  node.kind = word.startsWith("</") ? "close" : "open";
  node.name = node.name.slice(node.kind === "close" ? 2 : 1, word.endsWith(">") ? -1 : undefined);
  return node;
}

/** Pairs the tags as httpd does: a close tag closes the innermost open section, or it is wrong. */
function matchTags(nodes: Draft[]): SyntaxProblem[] {
  const problems: SyntaxProblem[] = [];
  const open: number[] = [];
  nodes.forEach((node, index) => {
    if (node.kind === "open") open.push(index);
    if (node.kind !== "close") return;
    const opener = nodes[open.at(-1) ?? -1];
    if (opener?.name !== node.name) {
      const instead =
        opener === undefined ? "no section is open" : `the section open here began at line ${opener.line}`;
      problems.push({ line: node.line, text: `a close tag without its open tag; ${instead}` });
      return;
    }
    node.partner = open.pop() ?? -1;
    opener.partner = index;
  });
  for (const index of open) problems.push({ line: nodes[index]?.line ?? 0, text: "this section is never closed" });
  return problems.sort((a, b) => a.line - b.line);
}
