/**
 * Reads the configuration as httpd does, from the main file through every Include. The result says which directives are
 * effective and where their bytes lie. Where httpd was asked, its list decides the conditions: a directive that httpd
 * lists stands in a true condition. Elsewhere the files decide. A condition that cannot be decided is reported and
 * never guessed.
 */
import { decide, isCondition, type Decision, type ConditionContext } from "./conditions.ts";
import type { Included } from "./dump.ts";
import { endOfSection, isWriter, decideByModInfo, notInModInfo } from "./mod-info.ts";
import { defineMacro, isHarmlessUse, type Macros } from "./macros.ts";
import { logicalText, nodeAt, nodeKind, parse, type Node, type Tree } from "./parse.ts";
import { includeFinder, type IncludeFinder } from "./include-finder.ts";
import { absolutePath, comparePaths } from "./paths.ts";
import type { Effective, Problem, Resolved, Source } from "./resolve-model.ts";
import { startSection, type Section } from "./sections.ts";
import { argumentsText, expandVariables, readWords, sectionArguments } from "./arguments.ts";

/**
 * Chooses the directives and sections that matter to the caller, by name in lower case. `words` are the arguments. They
 * are absent while only the name is known.
 */
export type IsWanted = (name: string, words?: readonly string[]) => boolean;

/** One reading of the whole configuration, with what is known so far. */
interface Walk {
  readonly source: Source;
  readonly wanted: IsWanted;
  readonly trees: Map<string, Tree>;
  readonly effective: Effective[];
  readonly problems: Problem[];
  readonly variables: Map<string, string>;
  /** Files that an earlier walk read more than once. */
  readonly repeated: ReadonlySet<string>;
  readonly undetermined: Map<string, Section>;
  readonly loaded: Set<string>;
  readonly macros: Macros;
  /** The files that are being read now, outermost first. */
  readonly reading: string[];
  /** How often each file has been read so far. */
  readonly readings: Map<string, number>;
  /**
   * The include finders, by the including file where httpd printed which files each file includes. Otherwise one finder
   * serves all files, under the empty name.
   */
  readonly finders: Map<string, IncludeFinder>;
  visits: number;
  /** The size of all texts so far in which variables were replaced, in bytes. */
  expandedBytes: number;
  /** Whether the problem that these texts are too long has been reported: it is reported once. */
  isTooLong: boolean;
  serverRoot: string;
}

/** What is around the place that is being read: the innermost section, and the innermost undecided condition. */
interface Context {
  readonly section: Section | undefined;
  readonly undecided: Section | undefined;
}

/**
 * More files than any real configuration reads, counting repeats. A chain of files that each include the next one twice
 * makes 2^n reads.
 */
const maxVisits = 10_000;

/** How deep files may include files: httpd gives up at 128, and thousands of levels would be too much for our stack. */
const maxDepth = 256;

/**
 * The limit for all texts together in which variables are replaced, in one reading: 64 MiB. httpd expands a value when
 * it is defined, so each Define that uses the previous one twice doubles it, and forty lines would fill any memory.
 */
export const mostExpandedBytes = 64 * 2 ** 20;

/** Resolves the configuration. `wanted` chooses which directives and sections are returned; without it, all are. */
export function resolve(source: Source, wanted: IsWanted = () => true): Resolved {
  const walk = walkThrough(source, wanted, new Set());
  const repeated = [...walk.readings].filter(([, readings]) => readings > 1).map(([file]) => file);
  // The first walk trusted httpd's list. That list cannot distinguish two readings of one file, so such files need a
  // second walk.
  return source.dump?.effective === undefined || repeated.length === 0
    ? walk
    : walkThrough(source, wanted, new Set(repeated));
}

/**
 * Reads the whole configuration one time. `repeated` are the files whose IfDefine conditions httpd's list cannot
 * decide.
 */
function walkThrough(source: Source, wanted: IsWanted, repeated: ReadonlySet<string>): Walk {
  const defines = source.defines.map((define): [string, string] => {
    const equalsSign = define.indexOf("=");
    return equalsSign < 0 ? [define, ""] : [define.slice(0, equalsSign), define.slice(equalsSign + 1)];
  });
  const walk: Walk = {
    source,
    wanted,
    trees: new Map(),
    effective: [],
    problems: [],
    variables: new Map(defines),
    repeated,
    undetermined: new Map(),
    loaded: new Set(),
    macros: new Map(),
    reading: [],
    readings: new Map(),
    finders: new Map(),
    visits: 0,
    expandedBytes: 0,
    isTooLong: false,
    serverRoot: source.serverRoot,
  };
  readFile(walk, source.mainFile, { section: undefined, undecided: undefined });
  return walk;
}

/**
 * Reads a file and, by its Includes, further ones: {@link include} calls this function again. `outer` is what stands
 * around the Include of the file. Nothing is read of a file that is missing or that would be one too many.
 */
function readFile(walk: Walk, file: string, outer: Context): void {
  const tree = treeOf(walk, file);
  if (tree === undefined || !countVisit(walk, file)) return;
  walk.reading.push(file);
  walk.readings.set(file, (walk.readings.get(file) ?? 0) + 1);
  const stack: Context[] = [outer];
  // By the index of a name, whether its directives are carried out or wanted. To ask once for each name saves time.
  const isRead = tree.names.map((name) => notInModInfo.has(name) || walk.wanted(name));
  for (let index = 0; index < tree.count; index++) {
    const kind = tree.kindIds[index];
    const context = stack.at(-1) ?? outer;
    if (kind === nodeKind.directive) {
      if (isRead[tree.nameIds[index] ?? 0] === true) readDirective(walk, file, tree, nodeAt(tree, index), context);
    } else if (kind === nodeKind.open) {
      const opener = nodeAt(tree, index);
      const inner = openSection(walk, file, tree, opener, context);
      if (inner === undefined) index = endOfSection(tree, index);
      // A section that is never closed is already a problem of the tree. What follows is read as if it stood outside.
      else if (opener.partner >= 0) stack.push(inner);
    } else if (kind === nodeKind.close && (tree.partners[index] ?? -1) >= 0) stack.pop();
  }
  walk.reading.pop();
}

/** Counts the reading of a file. The result is false when too many were read, which is reported once. */
function countVisit(walk: Walk, file: string): boolean {
  walk.visits++;
  if (walk.visits === maxVisits + 1)
    walk.problems.push({ file, line: 0, text: `from here on nothing was read: ${maxVisits} files were, twice or not` });
  return walk.visits <= maxVisits;
}

/** The tree of a file, which is parsed when it is first read. A file that is missing is reported. */
function treeOf(walk: Walk, file: string): Tree | undefined {
  const parsed = walk.trees.get(file);
  if (parsed !== undefined) return parsed;
  const text = walk.source.files.get(file);
  if (text === undefined) {
    walk.problems.push({ file, line: 0, text: "the configuration includes this file, and it was not read" });
    return undefined;
  }
  const tree = parse(text);
  walk.trees.set(file, tree);
  for (const problem of tree.problems) walk.problems.push({ file, ...problem });
  return tree;
}

const writerProblem = (name: string): string =>
  `mod_${name} writes configuration that stands in no file, and a line in it cannot be edited; write its sections out`;

/**
 * The context inside a section; undefined when the content of the section is skipped, as it is in a false condition. A
 * section that is no condition is recorded if the caller wants it.
 */
function openSection(walk: Walk, file: string, tree: Tree, node: Node, context: Context): Context | undefined {
  const { name } = node;
  if (isWriter(name)) {
    readWriter(walk, file, tree, node, context);
    return undefined;
  }
  const isWanted = walk.wanted(name);
  const isConditional = isCondition(name);
  const text = isWanted || isConditional ? sectionArguments(expand(walk, file, node, logicalText(tree, node))) : "";
  const section = startSection(name, text, file, node, context.section);
  if (isConditional) {
    const decisionOfFiles = decide(name, text, conditionContext(walk));
    const decision = filesDecideFirst(walk, name, file)
      ? (decisionOfFiles ?? decisionOfHttpd(walk, file, tree, node))
      : (decisionOfHttpd(walk, file, tree, node) ?? decisionOfFiles);
    if (decision === false) return undefined;
    // The content of a condition that cannot be decided is read as well, and is marked as undecided.
    return decision ? context : { ...context, undecided: section };
  }
  if (isWanted) walk.effective.push({ name, file, node, opens: section, arguments: [text], ...context });
  return { ...context, section };
}

/**
 * Reads a `<Macro>` or a `<Perl>`. A macro writes nothing until it is used, so only its definition is remembered here.
 * A `<Perl>` is a problem.
 */
function readWriter(walk: Walk, file: string, tree: Tree, node: Node, { undecided }: Context): void {
  if (node.name !== "macro") walk.problems.push({ file, line: node.line, text: writerProblem(node.name) });
  else {
    const argument = sectionArguments(expand(walk, file, node, logicalText(tree, node)));
    defineMacro(walk.macros, { argument, tree, node, isSure: undecided === undefined }, walk.wanted);
  }
}

/** What httpd's list says about a condition, if there is a list. */
const decisionOfHttpd = ({ source: { dump, hasMark } }: Walk, file: string, tree: Tree, node: Node): Decision =>
  decideByModInfo(dump, file, tree, node, hasMark && ((line) => hasMark(file, line)));

/**
 * Whether the files decide a condition before httpd's list does. httpd lists line numbers, but does not say for which
 * of two readings of a file. A Define between the two readings may change an IfDefine, so the variables decide it.
 */
const filesDecideFirst = ({ repeated }: Walk, condition: string, file: string): boolean =>
  condition === "ifdefine" && repeated.has(file);

/** What the conditions are decided from at this point of the reading. */
function conditionContext(walk: Walk): ConditionContext {
  const { hasAllDefines, version, existing, dump } = walk.source;
  const { variables, undetermined, loaded, serverRoot } = walk;
  return { variables, undetermined, hasAllDefines, modules: dump?.modules, loaded, version, serverRoot, existing };
}

/** Carries out a directive if httpd does so while it reads, and records it if the caller wants it. */
function readDirective(walk: Walk, file: string, tree: Tree, node: Node, context: Context): void {
  const words = argumentsAt(walk, file, tree, node);
  if (notInModInfo.has(node.name)) readNow(walk, file, node, words, context);
  if (!walk.wanted(node.name)) return;
  walk.effective.push({ name: node.name, file, node, opens: undefined, arguments: words, ...context });
}

/**
 * Carries out a directive that httpd carries out while it reads. LoadFile, DefaultRuntimeDir and Error have no effect
 * here.
 */
function readNow(walk: Walk, file: string, node: Node, words: readonly string[], context: Context): void {
  const first = words[0] ?? "";
  switch (node.name) {
    case "include":
    case "includeoptional":
      for (const path of filesOf(walk, file, node, first)) include(walk, file, node, path, context);
      break;
    case "loadmodule":
    case "define":
    case "undefine":
      setName(walk, context, node.name, words);
      break;
    case "serverroot":
      walk.serverRoot = absolutePath(walk.serverRoot, first);
      break;
    case "undefmacro":
      if (context.undecided === undefined) walk.macros.delete(first.toLowerCase());
      break;
    case "use":
      if (!isHarmlessUse(walk.macros, words))
        walk.problems.push({ file, line: node.line, text: writerProblem("macro") });
      break;
    case "perl":
      walk.problems.push({ file, line: node.line, text: writerProblem("perl") });
  }
}

/**
 * Carries out a LoadModule, a Define or an UnDefine. Below a condition that cannot be decided, nobody knows whether
 * httpd does the same, so from there on it is not known whether the name is set. A module that is loaded already stays
 * loaded.
 */
function setName(walk: Walk, { undecided }: Context, directive: string, words: readonly string[]): void {
  const { loaded, variables, undetermined } = walk;
  const [name = "", value = ""] = words;
  if (undecided !== undefined) {
    undetermined.set(name, undecided);
    variables.delete(name);
    return;
  }
  undetermined.delete(name);
  if (directive === "loadmodule") loaded.add(name);
  else if (directive === "define") variables.set(name, value);
  else variables.delete(name);
}

/**
 * The arguments of a directive, with the values of variables. Only httpd knows the variables of its environment, so
 * where such a variable is left, the arguments come from httpd's list, which shows them with its value. Where the list
 * lacks them, too, the variable stays.
 */
function argumentsAt(walk: Walk, file: string, tree: Tree, node: Node): readonly string[] {
  const line = logicalText(tree, node);
  const words = readWords(argumentsText(line)).map((word) => expand(walk, file, node, word));
  if (!words.some((word) => word.includes("${"))) return words;
  const listed = walk.source.dump?.directives.get(`${file}:${node.lastLine}`);
  return listed === undefined ? words : readWords(argumentsText(listed));
}

/**
 * Replaces the variables in a text. A variable that is not known stays as it is. So does the whole text where all
 * replaced texts together would exceed {@link mostExpandedBytes}, which is reported once.
 */
function expand(walk: Walk, file: string, { line }: Node, text: string): string {
  if (!text.includes("${")) return text;
  const expanded = expandVariables(text, walk.variables, mostExpandedBytes - walk.expandedBytes);
  if (expanded !== undefined && expanded !== text) walk.expandedBytes += expanded.length;
  if (expanded === undefined && !walk.isTooLong) {
    walk.isTooLong = true;
    walk.problems.push({ file, line, text: tooLongProblem });
  }
  return expanded ?? text;
}

const tooLongProblem = `with this line, what variables stand for comes to more than ${mostExpandedBytes / 2 ** 20} MiB, so it was read without their values; define shorter ones`;

/**
 * Reads one file of an Include, unless it is ours. A file that is being read already, or that lies too deep, is a
 * problem instead.
 */
function include(walk: Walk, file: string, node: Node, path: string, context: Context): void {
  if (walk.source.skips(path)) return;
  const report = (text: string): void => {
    walk.problems.push({ file, line: node.line, text });
  };
  if (walk.reading.includes(path)) report("this file includes itself");
  else if (walk.reading.length >= maxDepth) report(`this Include lies ${maxDepth} files deep; httpd reads fewer`);
  else readFile(walk, path, context);
}

/**
 * The files that an Include reads. They are chosen from those that httpd printed for the including file, or else from
 * all files by name. Without httpd's list, a pattern with a variable of unknown value is a problem, and has no files.
 */
function filesOf(walk: Walk, file: string, node: Node, pattern: string): readonly string[] {
  const hasPrinted = walk.source.dump?.includes !== undefined;
  const hasVariable = pattern.includes("${");
  const finder = finderOf(walk, hasPrinted ? file : "");
  if (!hasVariable) return finder.matching(absolutePath(walk.serverRoot, pattern));
  // httpd knows the value, and it has printed the files with the line of their Include.
  if (hasPrinted) return finder.atLine(node.lastLine);
  walk.problems.push({ file, line: node.line, text: "the Include has a variable", unknown: pattern });
  return [];
}

/** The finder in {@link Walk.finders} for an including file, which is made when it is first needed. */
function finderOf({ finders, source }: Walk, file: string): IncludeFinder {
  const existing = finders.get(file);
  if (existing !== undefined) return existing;
  const allFiles = (): Included[] =>
    [...source.files.keys()].sort(comparePaths).map((path) => ({ file: path, line: 0 }));
  const printed = source.dump?.includes;
  const finder = includeFinder(printed === undefined ? allFiles() : (printed.get(file) ?? []));
  finders.set(file, finder);
  return finder;
}
