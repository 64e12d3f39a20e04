/**
 * Decides which macros of mod_macro are harmless. A harmless macro writes nothing that this project needs to know, so
 * it does not matter where it is used. Any other macro writes lines that stand in no file.
 *
 * @see https://httpd.apache.org/docs/2.4/mod/mod_macro.html
 */
import { isWriter, notInModInfo } from "./mod-info.ts";
import { logicalText, nodeAt, parse, type Node, type Tree } from "./parse.ts";
import { readWord, readWords } from "./arguments.ts";

/** The names of the macros that a definition uses, in lower case; undefined when it is not harmless itself. */
type Uses = readonly string[] | undefined;

/**
 * The macros that may be defined at one place, by name in lower case. A name has several definitions where a condition
 * could not be decided.
 */
export type Macros = Map<string, readonly Uses[]>;

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
  // A definition that is never closed reaches to the end of the file.
  const content = tree.text.slice(node.end, node.partner < 0 ? undefined : nodeAt(tree, node.partner).start);
  const earlier = isSure ? [] : (macros.get(name) ?? []);
  macros.set(name, [...earlier, findUses(parameters, content, isLookedAt)]);
}

/**
 * Whether a Use with these arguments (the macro's name, then the values) writes nothing that matters to us and nothing
 * that httpd carries out while it reads, also by the macros that this macro uses. A macro that no file defines is not
 * harmless. A macro whose parameters may become the name of a directive is not harmless either.
 */
export function isHarmlessUse(macros: Macros, [name = "", ...values]: readonly string[]): boolean {
  if (values.some(joinsLines)) return false;
  const reached = new Set([name.toLowerCase()]);
  // The loop also visits the names that it adds to the set, each of them once: macros may use each other in a circle.
  for (const macro of reached) {
    const definitions = macros.get(macro) ?? [];
    if (definitions.length === 0 || definitions.includes(undefined)) return false;
    for (const used of definitions.flatMap((uses) => uses ?? [])) reached.add(used);
  }
  return true;
}

/**
 * Whether a value of a Use may join lines of the macro: a backslash at the end of the value, where the value ends a
 * line, makes the next line a continuation.
 */
const joinsLines = (value: string): boolean => value.endsWith("\\");

/**
 * The macros that a macro with this text uses; undefined when it is not harmless itself. httpd replaces `parameters`
 * wherever they stand in the text: a beginning with `$`, `%` or `@` is only a recommendation.
 */
function findUses(parameters: readonly string[], text: string, isLookedAt: IsLookedAt): Uses {
  const tree = parse(text);
  // A section may begin in a macro and end after its Use. A parameter with a variable in it may be any text.
  if (tree.problems.length > 0 || parameters.some((parameter) => parameter.includes("${"))) return undefined;
  // Whether no parameter begins before `end`, so that no Use can change this part of the line.
  const isFixed = (line: string, end: number): boolean =>
    parameters.every((parameter) => line.indexOf(parameter) === -1 || line.indexOf(parameter) >= end);
  const uses: string[] = [];
  for (let index = 0; index < tree.count; index++) {
    const node = nodeAt(tree, index);
    if (node.kind === "trivia") continue;
    const line = logicalText(tree, node);
    const endOfName = readWord(line, 0).next;
    // The arguments as the macro has them: no value has replaced a parameter.
    const words = readWords(line, endOfName);
    if (!isFixed(line, endOfName) || isWriter(node.name) || isLookedAt(node.name, words)) return undefined;
    if (!notInModInfo.has(node.name)) continue;
    // Of the directives that httpd carries out while it reads, only the Use of a fixed macro is followed.
    const [usedMacro = "", ...values] = words;
    const endOfMacro = readWord(line, endOfName).next;
    if (node.name !== "use" || !isFixed(line, endOfMacro) || values.some(joinsLines)) return undefined;
    uses.push(usedMacro.toLowerCase());
  }
  return uses;
}
