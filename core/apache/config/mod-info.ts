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

/**
 * Whether httpd listed the node at `index`. `lines` are the listed lines of its file. The result is undefined for nodes
 * that httpd never lists, and for a line with our mark that is not listed: httpd took it for a comment.
 */
function isInModInfo(tree: Tree, index: number, lines: ReadonlySet<number> | undefined, hasMark: HasMark): Decision {
  const kind = tree.kindIds[index];
  const name = tree.names[tree.nameIds[index] ?? 0] ?? "";
  const isListable =
    kind === nodeKind.directive ? !notInModInfo.has(name) : kind === nodeKind.open && !isCondition(name);
  if (!isListable || isWriter(name)) return undefined;
  const { line, lastLine } = nodeAt(tree, index);
  if (lines?.has(lastLine) === true) return true;
  return hasMark(line) ? undefined : false;
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
 * Decides the condition that begins at `opener` by what httpd listed. The condition is true when httpd listed anything
 * inside it, and false when httpd listed nothing of what stands directly in it. It stays undefined where nothing stands
 * directly in it that httpd would list, where there is no list, and where it asks for mod_info itself. One directive
 * that is not listed does not make the condition false while another one is listed: a module may carry out its own
 * directives while httpd reads.
 */
export function decideByModInfo(
  dump: Dump | undefined,
  file: string,
  tree: Tree,
  opener: Node,
  hasMark: HasMark = () => false,
): Decision {
  const listedLines = dump?.effective;
  // mod_info itself may have been loaded only for the dump.
  if (listedLines === undefined || isAboutModInfo(tree, opener)) return undefined;
  const lines = listedLines.get(file);
  const end = endOfSection(tree, opener.index);
  let decision: Decision;
  // The end of the conditions inside this one that the loop has entered.
  let endOfInner = 0;
  for (let index = opener.index + 1; index < end; index++) {
    const listed = isInModInfo(tree, index, lines, hasMark);
    if (listed === true) return true;
    const standsDirectlyInIt = index > endOfInner;
    if (standsDirectlyInIt) decision = listed ?? decision;
    if (tree.kindIds[index] !== nodeKind.open) continue;
    const endOfNested = endOfSection(tree, index);
    // The content of an inner condition is searched as well: if any of it is listed, the outer condition is true. If
    // none is, the inner condition may be false, which proves nothing about the outer one. The content of any other
    // section is skipped, because the open tag itself would be listed.
    if (isCondition(tree.names[tree.nameIds[index] ?? 0] ?? "")) endOfInner = Math.max(endOfInner, endOfNested);
    else index = endOfNested;
  }
  return decision;
}

/** Whether a condition asks for mod_info itself. */
const isAboutModInfo = (tree: Tree, node: Node): boolean =>
  node.name === "ifmodule" && /\bmod_info\.c|\binfo_module/.test(logicalText(tree, node));
