/**
 * Tells which macros of mod_macro are as good as text: nothing that they write is looked at, so where they write it
 * does not matter. Any other one writes lines that stand in no file.
 *
 * @see https://httpd.apache.org/docs/2.4/mod/mod_macro.html
 */
import { isWriter, notInModInfo } from "./mod-info.ts";
import { logicalText, nodeAt, parse, type Node, type Tree } from "./parse.ts";
import { readWord, readWords } from "./arguments.ts";

/**
 * What may be defined at one place, by name in lower case: for each definition (several where a condition could not be
 * decided) the names of the macros that it uses, or undefined when it is not harmless by itself.
 */
export type Macros = Map<string, readonly (readonly string[] | undefined)[]>;

/** A definition as it stands in a file. */
export interface Definition {
  /** What stands in `<Macro …>`. */
  readonly argument: string;
  readonly tree: Tree;
  readonly node: Node;
  /** False below a condition that could not be decided. */
  readonly isSure: boolean;
}

/** Whether a directive or section matters: by its name in lower case, and its arguments. */
type IsLookedAt = (name: string, words: readonly string[]) => boolean;

/** Remembers a definition; where it is sure, it takes the place of earlier ones of its name. */
export function defineMacro(macros: Macros, definition: Definition, isLookedAt: IsLookedAt): void {
  const { argument, tree, node, isSure } = definition;
  const [word = "", ...parameters] = readWords(argument);
  const name = word.toLowerCase();
  const text = tree.text.slice(node.end, node.partner < 0 ? undefined : nodeAt(tree, node.partner).start);
  macros.set(name, [...(isSure ? [] : (macros.get(name) ?? [])), findUses(parameters, text, isLookedAt)]);
}

/**
 * Whether `Use` with these words writes nothing that is looked at, nor what httpd carries out while it reads. A macro
 * that no file defines is not harmless, nor one whose parameters may become the name of a directive.
 */
export function isHarmlessUse(macros: Macros, [name = "", ...values]: readonly string[]): boolean {
  if (values.some(joinsLines)) return false;
  const reached = new Set([name.toLowerCase()]);
  // A set that grows is walked to its end.
  for (const used of reached) {
    const definitions = macros.get(used) ?? [];
    if (definitions.length === 0 || definitions.includes(undefined)) return false;
    for (const further of definitions.flatMap((uses) => uses ?? [])) reached.add(further);
  }
  return true;
}

/** At the end of a line of the macro, such a value takes the next line for a continuation. */
const joinsLines = (value: string): boolean => value.endsWith("\\");

/**
 * `parameters` are replaced wherever they stand in the text: that they begin with `$`, `%` or `@` is only recommended.
 */
function findUses(parameters: readonly string[], text: string, isLookedAt: IsLookedAt): readonly string[] | undefined {
  const tree = parse(text);
  // A section may begin in a macro and end behind its Use.
  if (tree.problems.length > 0 || parameters.some((parameter) => parameter.includes("${"))) return undefined;
  const isFixed = (line: string, end: number): boolean =>
    parameters.every((parameter) => line.indexOf(parameter) === -1 || line.indexOf(parameter) >= end);
  const uses: string[] = [];
  for (let index = 0; index < tree.count; index++) {
    const node = nodeAt(tree, index);
    if (node.kind === "trivia") continue;
    const line = logicalText(tree, node);
    const { next } = readWord(line, 0);
    if (!isFixed(line, next) || isWriter(node.name) || isLookedAt(node.name, readWords(line, next))) return undefined;
    if (!notInModInfo.has(node.name)) continue;
    const [name = "", ...values] = readWords(line, next);
    if (node.name !== "use" || !isFixed(line, readWord(line, next).next) || values.some(joinsLines)) return undefined;
    uses.push(name.toLowerCase());
  }
  return uses;
}
