/**
 * The two kinds of text that we put into files that are not ours: the include line, and the mark before an adopted
 * line.
 */
import { endOfPhysicalLine } from "../config/lines.ts";
import { includeLine, type AdoptedLine } from "../model.ts";
import { logicalText, nodeAt, type Node, type Tree } from "../config/parse.ts";

/**
 * The mark turns a physical line into a comment. A removal deletes the mark, which restores exactly the bytes from
 * before.
 */
export const adoptedMark = "#clientcert-adopted# ";

/** Whether a node is our line, rather than another line that names the same file. */
export const isIncludeLine = (tree: Tree, node: Node): boolean =>
  node.kind === "directive" && node.name === "includeoptional" && logicalText(tree, node) === includeLine;

/** Finds our lines in a file wherever they stand, also below false conditions. */
export function findIncludeLines(tree: Tree): Node[] {
  const name = tree.names.indexOf("includeoptional");
  if (name < 0) return [];
  const nodes: Node[] = [];
  // The array may be longer than the tree: it has room for more nodes.
  tree.nameIds.forEach((id, index) => {
    if (id === name && index < tree.count) nodes.push(nodeAt(tree, index));
  });
  return nodes.filter((node) => isIncludeLine(tree, node));
}

/**
 * The text without our lines, as `grep -v` prints it on the host (keep_loaded in host/posix/apache/reload.sh): the last
 * line always gets a line end.
 */
export function withoutOurLines(bytes: string): string {
  const lines = bytes.replace(/\n$/, "").split("\n");
  return lines.flatMap((line) => (ourLine.test(line) ? [] : [`${line}\n`])).join("");
}

/** Our line as `grep` finds it on the host: with blanks around it, and perhaps the CR of a line end. */
const ourLine = new RegExp(`^[ \\t]*${includeLine.replace(".", "\\.")}[ \\t\\r]*$`);

/** Finds the physical lines that an earlier adoption commented out: those that begin with our mark. */
export function findAdoptedLines(file: string, text: string, isJob = false): AdoptedLine[] {
  const lines: AdoptedLine[] = [];
  // The line that begins at `lineStart` has the number `line`.
  let lineStart = 0;
  let line = 1;
  for (let offset = text.indexOf(adoptedMark); offset >= 0; offset = text.indexOf(adoptedMark, offset + 1)) {
    const isAtLineStart = offset === 0 || text[offset - 1] === "\n";
    if (!isAtLineStart) continue;
    for (let next = endOfPhysicalLine(text, lineStart); next <= offset; next = endOfPhysicalLine(text, lineStart)) {
      lineStart = next;
      line++;
    }
    lines.push({ file, line, offset, length: adoptedMark.length, isJob });
  }
  return lines;
}

/** The offsets of the physical lines of a node. */
export function lineOffsetsOf(tree: Tree, node: Node): number[] {
  const offsets: number[] = [];
  for (let offset = node.start; offset < node.end; offset = endOfPhysicalLine(tree.text, offset)) offsets.push(offset);
  return offsets;
}
