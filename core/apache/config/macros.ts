/**
 * Decides which macros of mod_macro are harmless. A harmless macro writes nothing that this project needs to know, so
 * it does not matter where it is used. Any other macro writes lines that stand in no file.
 *
 * @see https://httpd.apache.org/docs/2.4/mod/mod_macro.html
 */
import { isWriter, notInModInfo } from "./mod-info.ts";
import { logicalText, nodeAt, parse, type Node, type Tree } from "./parse.ts";
import { readWord, readWords } from "./arguments.ts";

/**
 * The macros that may be defined at one place, by name in lower case. A name has several definitions where a condition
 * could not be decided. Each definition is the list of the macros that it uses, or undefined when it is not harmless
 * itself.
 */
export type Macros = Map<string, readonly (readonly string[] | undefined)[]>;

/** A macro definition as it stands in a file. */
export interface Definition {
  /** The text between `<Macro` and `>`. */
  readonly argument: string;
  readonly tree: Tree;
  readonly node: Node;
  /** False when the definition stands below a condition that could not be decided. */
  readonly isSure: boolean;
}

/** Whether a directive or section matters to us, given its name in lower case and its arguments. */
type IsLookedAt = (name: string, words: readonly string[]) => boolean;

/**
 * Remembers a definition. It replaces the earlier ones of its name, unless a condition that could not be decided is
 * around it.
 */
export function defineMacro(macros: Macros, definition: Definition, isLookedAt: IsLookedAt): void {
  const { argument, tree, node, isSure } = definition;
  const [word = "", ...parameters] = readWords(argument);
  const name = word.toLowerCase();
  const text = tree.text.slice(node.end, node.partner < 0 ? undefined : nodeAt(tree, node.partner).start);
  macros.set(name, [...(isSure ? [] : (macros.get(name) ?? [])), findUses(parameters, text, isLookedAt)]);
}

/**
 * Whether `Use` with these words writes nothing that matters to us and nothing that httpd carries out while it reads. A
 * macro that no file defines is not harmless. A macro whose parameters may become the name of a directive is not
 * harmless either.
 */
export function isHarmlessUse(macros: Macros, [name = "", ...values]: readonly string[]): boolean {
  if (values.some(joinsLines)) return false;
  const reached = new Set([name.toLowerCase()]);
  // The loop also visits the names that it adds to the set.
  for (const used of reached) {
    const definitions = macros.get(used) ?? [];
    if (definitions.length === 0 || definitions.includes(undefined)) return false;
    for (const further of definitions.flatMap((uses) => uses ?? [])) reached.add(further);
  }
  return true;
}

/**
 * Such a value joins lines: at the end of a line of the macro, its backslash takes the next line for a continuation.
 */
const joinsLines = (value: string): boolean => value.endsWith("\\");

/**
 * The macros that a macro with this text uses; undefined when it is not harmless itself. httpd replaces `parameters`
 * wherever they stand in the text: a beginning with `$`, `%` or `@` is only a recommendation.
 */
function findUses(parameters: readonly string[], text: string, isLookedAt: IsLookedAt): readonly string[] | undefined {
  const tree = parse(text);
  // A section may begin in a macro and end after its Use.
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
