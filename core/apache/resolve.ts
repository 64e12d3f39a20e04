/**
 * Reads the configuration as httpd does, from the main file through every Include, and tells which directives are
 * effective and where their bytes lie. Conditions are judged by the real httpd where it was asked (what it lists was
 * in a true section), else from the files; what cannot be decided is said, never guessed.
 */
import { decide, isCondition, type Decision, type Known } from "./conditions.ts";
import type { Dump } from "./dump.ts";
import { logicalText, parse, type Node, type Tree } from "./parse.ts";
import { absolutePath, comparePaths, includesPath } from "./paths.ts";
import { argumentsText, expandVariables, readWords, sectionArguments } from "./words.ts";

/** What resolving starts from. */
export interface Source {
  /** Files by the name that httpd uses, as latin1 bytes. */
  readonly files: ReadonlyMap<string, string>;
  readonly mainFile: string;
  readonly serverRoot: string;
  readonly version: string;
  /** `-D` names of the command line. */
  readonly defines: readonly string[];
  readonly hasAllDefines: boolean;
  readonly dump: Dump | undefined;
  readonly existing: (path: string) => boolean;
  /** Files that are not read although they are included: our own. */
  readonly skips: (path: string) => boolean;
}

/** A section that is open around a directive. */
export interface Section {
  /** In lower case, such as `virtualhost`. */
  readonly name: string;
  readonly arguments: string;
  readonly file: string;
  readonly node: Node;
  readonly parent: Section | undefined;
}

/** An effective directive, or the open tag of a section, where {@link opens} is set. */
export interface Effective {
  readonly name: string;
  readonly file: string;
  readonly node: Node;
  readonly section: Section | undefined;
  readonly opens: Section | undefined;
  /** Unquoted, with the variables that were known at this place. */
  readonly arguments: readonly string[];
  /** The innermost condition around it that could not be decided. */
  readonly undecided: Section | undefined;
}

export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

export interface Resolved {
  readonly trees: ReadonlyMap<string, Tree>;
  /** In the order in which httpd reads them. */
  readonly effective: readonly Effective[];
  /** Syntax, Macro and Use, Includes that cannot be followed. */
  readonly problems: readonly Problem[];
}

interface Walk {
  readonly source: Source;
  readonly wanted: ((node: Node) => boolean) | undefined;
  readonly trees: Map<string, Tree>;
  readonly effective: Effective[];
  readonly problems: Problem[];
  readonly variables: Map<string, string>;
  readonly loaded: Set<string>;
  /** Files that are being read, outermost first. */
  readonly reading: string[];
  visits: number;
  serverRoot: string;
}

interface Context {
  readonly section: Section | undefined;
  readonly undecided: Section | undefined;
}

/** More visits of files than any real configuration makes; a few files that include each other twice make 2^n. */
const maxVisits = 10_000;

/** `wanted` chooses what is returned; without it, everything is. */
export function resolve(source: Source, wanted?: (node: Node) => boolean): Resolved {
  const defines = source.defines.map((define): [string, string] => {
    const at = define.indexOf("=");
    return at < 0 ? [define, ""] : [define.slice(0, at), define.slice(at + 1)];
  });
  const walk: Walk = {
    source,
    wanted,
    trees: new Map(),
    effective: [],
    problems: [],
    variables: new Map(defines),
    loaded: new Set(),
    reading: [],
    visits: 0,
    serverRoot: source.serverRoot,
  };
  readFile(walk, source.mainFile, { section: undefined, undecided: undefined });
  return walk;
}

function readFile(walk: Walk, file: string, outer: Context): void {
  const tree = requireTree(walk, file);
  if (tree === undefined || ++walk.visits > maxVisits) return;
  walk.reading.push(file);
  const stack: Context[] = [outer];
  for (let index = 0; index < tree.nodes.length; index++) {
    const node = tree.nodes[index];
    const context = stack.at(-1);
    if (node === undefined || context === undefined) break;
    switch (node.kind) {
      case "trivia":
        break;
      case "directive":
        readDirective(walk, file, tree, node, context);
        break;
      case "open": {
        const inner = openSection(walk, file, tree, index, context);
        if (inner === undefined) index = endOfSection(tree, index);
        else stack.push(inner);
        break;
      }
      case "close":
        if (node.partner >= 0 && stack.length > 1) stack.pop();
    }
  }
  walk.reading.pop();
}

function requireTree(walk: Walk, file: string): Tree | undefined {
  const known = walk.trees.get(file);
  if (known !== undefined) return known;
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

/** Index of the last node of the section that opens at `index`; a section that is never closed ends with the file. */
function endOfSection(tree: Tree, index: number): number {
  const partner = tree.nodes[index]?.partner ?? -1;
  return partner < 0 ? tree.nodes.length - 1 : partner;
}

/** The context inside a section; undefined when its content is skipped. */
function openSection(walk: Walk, file: string, tree: Tree, index: number, context: Context): Context | undefined {
  const node = tree.nodes[index];
  if (node === undefined) return undefined;
  const line = expandVariables(logicalText(tree, node), walk.variables);
  const section: Section = {
    name: node.name,
    arguments: sectionArguments(line),
    file,
    node,
    parent: context.section,
  };
  if (isCondition(node.name)) {
    const decision = judge(walk, file, tree, index) ?? decide(node.name, section.arguments, knownTo(walk));
    if (decision === false) return undefined;
    return decision ? context : { ...context, undecided: section };
  }
  if (node.name === "macro") {
    walk.problems.push({ file, line: node.line, text: macroProblem });
    return undefined;
  }
  if (walk.wanted?.(node) ?? true) {
    walk.effective.push({ name: node.name, file, node, opens: section, arguments: [section.arguments], ...context });
  }
  return { ...context, section };
}

const macroProblem =
  "mod_macro writes configuration that stands in no file, and a line in it cannot be edited; write its sections out";

/** Read by httpd before the tree is made, so mod_info never lists them. */
const unlisted = new Set([
  "include",
  "includeoptional",
  "loadmodule",
  "loadfile",
  "define",
  "undefine",
  "serverroot",
  "use",
  "error",
]);

/** Asks what httpd listed: a section is true when the first listed kind of directive in it was listed, else false. */
function judge(walk: Walk, file: string, tree: Tree, index: number): Decision {
  const opener = tree.nodes[index];
  const lines = walk.source.dump?.effective;
  // mod_info itself may have been loaded only to get the list.
  if (lines === undefined || opener === undefined || isAboutModInfo(tree, opener)) return undefined;
  const end = endOfSection(tree, index);
  for (let at = index + 1; at < end; at++) {
    const node = tree.nodes[at];
    if (node === undefined || node.kind === "close" || node.kind === "trivia" || unlisted.has(node.name)) continue;
    if (node.kind === "open" && (isCondition(node.name) || node.name === "macro")) at = endOfSection(tree, at);
    else return lines.get(file)?.has(node.lastLine) ?? false;
  }
  return undefined;
}

const isAboutModInfo = (tree: Tree, node: Node): boolean =>
  node.name === "ifmodule" && /\bmod_info\.c|\binfo_module/.test(logicalText(tree, node));

function knownTo(walk: Walk): Known {
  const { hasAllDefines, version, existing, dump } = walk.source;
  const { variables, loaded, serverRoot } = walk;
  return { variables, hasAllDefines, modules: dump?.modules, loaded, version, serverRoot, existing };
}

function readDirective(walk: Walk, file: string, tree: Tree, node: Node, context: Context): void {
  if (unlisted.has(node.name)) readNow(walk, file, tree, node, context);
  if (walk.wanted?.(node) ?? true) {
    const words = argumentsAt(walk, file, tree, node);
    walk.effective.push({ name: node.name, file, node, opens: undefined, arguments: words, ...context });
  }
}

/** What httpd carries out while it reads. */
function readNow(walk: Walk, file: string, tree: Tree, node: Node, context: Context): void {
  const words = argumentsAt(walk, file, tree, node);
  const first = words[0] ?? "";
  switch (node.name) {
    case "include":
    case "includeoptional":
      for (const path of filesOf(walk, file, node, first)) include(walk, file, node, path, context);
      break;
    case "loadmodule":
      walk.loaded.add(first);
      break;
    case "define":
      walk.variables.set(first, words[1] ?? "");
      break;
    case "undefine":
      walk.variables.delete(first);
      break;
    case "serverroot":
      walk.serverRoot = absolutePath(walk.serverRoot, first);
      break;
    case "use":
      walk.problems.push({ file, line: node.line, text: macroProblem });
  }
}

/** A variable of the environment is known to httpd only, which lists the line with its value. */
function argumentsAt(walk: Walk, file: string, tree: Tree, node: Node): readonly string[] {
  const line = logicalText(tree, node);
  const words = readWords(argumentsText(line)).map((word) => expandVariables(word, walk.variables));
  if (!words.some((word) => word.includes("${"))) return words;
  const listed = walk.source.dump?.directives.get(`${file}:${node.lastLine}`);
  return listed === undefined ? words : readWords(argumentsText(listed));
}

function include(walk: Walk, file: string, node: Node, path: string, context: Context): void {
  if (walk.source.skips(path)) return;
  if (!walk.reading.includes(path)) readFile(walk, path, context);
  else walk.problems.push({ file, line: node.line, text: "this file includes itself" });
}

/** Files that an Include takes, as httpd said or else as the names tell. */
function filesOf(walk: Walk, file: string, node: Node, pattern: string): readonly string[] {
  const said = walk.source.dump?.includes;
  if (said !== undefined) return said.get(`${file}:${node.lastLine}`) ?? [];
  if (pattern.includes("${")) {
    const text =
      "the Include has a variable whose value only the running httpd knows; give it under defines as NAME=VALUE";
    walk.problems.push({ file, line: node.line, text });
    return [];
  }
  const absolute = absolutePath(walk.serverRoot, pattern);
  return [...walk.source.files.keys()].filter((path) => includesPath(absolute, path)).sort(comparePaths);
}

/** The sections around a directive, outermost first. */
export function sectionsOf(section: Section | undefined): readonly Section[] {
  const sections: Section[] = [];
  for (let at = section; at !== undefined; at = at.parent) sections.unshift(at);
  return sections;
}
