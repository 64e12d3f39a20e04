/**
 * Decides conditions by the directives that httpd lists with mod_info: a listed directive proves that its condition is
 * true.
 */
import { isCondition, type Decision } from "./conditions.ts";
import type { Dump } from "./dump.ts";
import { logicalText, nodeAt, nodeKind, type Node, type Tree } from "./parse.ts";

/** Index of the last node of the section that opens at `index`; a section that is never closed ends with the file. */
export function endOfSection(tree: Tree, index: number): number {
  const partner = tree.partners[index] ?? -1;
  return partner < 0 ? tree.count - 1 : partner;
}

/** Whether httpd listed the node at `index`; undefined for nodes that httpd never lists. */
function isInModInfo(tree: Tree, index: number, lines: ReadonlySet<number> | undefined, hasMark: HasMark): Decision {
  const kind = tree.kindIds[index];
  const name = tree.names[tree.nameIds[index] ?? 0] ?? "";
  const isCounted =
    kind === nodeKind.directive ? !notInModInfo.has(name) : kind === nodeKind.open && !isCondition(name);
  if (!isCounted || isWriter(name)) return undefined;
  const { line, lastLine } = nodeAt(tree, index);
  return lines?.has(lastLine) === true ? true : hasMark(line) ? undefined : false;
}

/** Whether an adoption has put its mark into this line, so that httpd saw a comment there. */
type HasMark = (line: number) => boolean;

/** Sections whose content is not configuration itself but writes configuration. */
export const isWriter = (name: string): boolean => name === "macro" || name === "perl";

/** Directives that httpd carries out while it reads: mod_info never lists them. */
export const notInModInfo: ReadonlySet<string> = new Set([
  ...["include", "includeoptional", "loadmodule", "loadfile", "define", "undefine"],
  ...["serverroot", "defaultruntimedir", "use", "undefmacro", "perl", "error"],
]);

/**
 * Decides a condition by what httpd listed. The condition is true when httpd listed anything inside it, and false when
 * httpd listed nothing of what stands directly in it. One directive that is not listed does not make the condition false
 * while another one is listed: a module may carry out its own directives while httpd reads.
 */
export function decideByModInfo(
  dump: Dump | undefined,
  file: string,
  tree: Tree,
  opener: Node,
  hasMark: HasMark = () => false,
): Decision {
  const dumped = dump?.effective;
  // mod_info itself may have been loaded only for the dump.
  if (dumped === undefined || isAboutModInfo(tree, opener)) return undefined;
  const lines = dumped.get(file);
  const end = endOfSection(tree, opener.index);
  let decision: Decision;
  let endOfInner = 0;
  for (let index = opener.index + 1; index < end; index++) {
    const listed = isInModInfo(tree, index, lines, hasMark);
    if (listed === true) return true;
    if (index > endOfInner) decision = listed ?? decision;
    if (tree.kindIds[index] !== nodeKind.open) continue;
    const endOfThis = endOfSection(tree, index);
    // A condition inside this section proves nothing when it skips its content, but it proves that this one is true
    // when it lets content through.
    if (!isCondition(tree.names[tree.nameIds[index] ?? 0] ?? "")) index = endOfThis;
    else endOfInner = Math.max(endOfInner, endOfThis);
  }
  return decision;
}

const isAboutModInfo = (tree: Tree, node: Node): boolean =>
  node.name === "ifmodule" && /\bmod_info\.c|\binfo_module/.test(logicalText(tree, node));
