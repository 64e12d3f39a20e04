/**
 * Which files of a copy httpd reads, from the main file through every Include. It also finds what these files need and
 * the copy lacks.
 */
import { sourceOf } from "../core/apache/facts/read-facts.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { CopyObservation, ObservedFile, Observation } from "../core/apache/observation.ts";
import { absolutePath, isInclude } from "../core/apache/config/paths.ts";
import { remedyForCondition, remedyForVariable } from "../core/apache/config/remedies.ts";
import type { Effective, Resolved } from "../core/apache/config/resolve-model.ts";
import { resolve } from "../core/apache/config/resolve.ts";
import { hostText } from "../core/host-text.ts";
import { IncludeError, type Tree } from "./tree.ts";

/** Where the search for Includes begins. */
export interface Start {
  readonly tree: Tree;
  /** The observation with the main file alone. */
  readonly observation: Observation;
  readonly mainFile: string;
  /** The ServerRoot that applies where the files have none. Undefined when nobody has given it. */
  readonly builtIn: string | undefined;
  /** The modules that `httpd -M` lists. */
  readonly modules: CopyObservation["modules"];
}

/** The result of following the Includes. */
export interface Followed {
  readonly files: ReadonlyMap<string, ObservedFile>;
  readonly serverRoot: string;
  readonly effective: readonly Effective[];
  readonly copy: CopyObservation;
}

/** Stands for a ServerRoot that is not known. No path contains a NUL byte, so nothing is found below this path. */
const noRoot = "/\0";

/**
 * Finds the files that httpd reads, the ServerRoot, and the directives that are in `wanted` by name or decide which
 * files are read. Each pass reads the files that the files so far include, until a pass finds no new one: what was read
 * may decide which Includes count. Throws an error where the ServerRoot is not known.
 */
export function followIncludes(start: Start, wanted: ReadonlySet<string>): Followed {
  const { tree, observation } = start;
  const files = new Map(observation.files);
  const expand = expanderOf(tree);
  let serverRoot = start.builtIn ?? noRoot;
  for (;;) {
    const copy = { has: hasIn(tree, serverRoot), modules: start.modules, unread: [] };
    const server = { ...observation.server, serverRoot };
    const resolved = resolve(sourceOf({ ...observation, files, copy, server }), isFollowed(wanted));
    const declaredRoot = readServerRoot(resolved, server);
    serverRoot = declaredRoot?.path ?? serverRoot;
    const included = new Set(resolved.effective.flatMap((directive) => filesIncludedBy(serverRoot, directive, expand)));
    const newFiles = [...included].flatMap((path): [string, ObservedFile][] => {
      const file = files.has(path) ? undefined : tree.read(path);
      return file === undefined ? [] : [[path, file]];
    });
    if (newFiles.length > 0) for (const [path, file] of newFiles) files.set(path, file);
    else {
      requireRoot(start, serverRoot, declaredRoot?.problem);
      const { effective } = resolved;
      const unread = findUnread(tree, serverRoot, effective, expand);
      return { files, serverRoot, effective, copy: { ...copy, has: hasIn(tree, serverRoot), unread } };
    }
  }
}

/** Chooses the directives that are needed here: those that decide which files are read, and the wanted ones. */
const isFollowed =
  (wanted: ReadonlySet<string>) =>
  (name: string): boolean =>
    isInclude(name) || name === "serverroot" || wanted.has(name);

/**
 * Makes a function that tells whether a path exists on the host, or undefined where the copy does not show it. Below
 * the ServerRoot, a missing file is taken for missing on the host as soon as its directory is in the copy, because the
 * customer was asked to copy the whole server root.
 */
const hasIn =
  (tree: Tree, serverRoot: string) =>
  (path: string): boolean | undefined => {
    const isBelow = path.startsWith(`${serverRoot}/`);
    const isInCopiedDirectory = isBelow && tree.resolve(path.slice(0, path.lastIndexOf("/"))) !== undefined;
    return tree.has(path) ?? (isInCopiedDirectory && !isListed(tree, path) ? false : undefined);
  };

/** Whether the directory lists the name. A listed name that does not resolve is a link whose target was not copied. */
const isListed = (tree: Tree, path: string): boolean => {
  const slash = path.lastIndexOf("/");
  return tree.list(path.slice(0, slash)).includes(path.slice(slash + 1));
};

/** The ServerRoot that the files declare, or why it cannot be known. */
type DeclaredRoot =
  { readonly path: string; readonly problem?: undefined } | { readonly path?: undefined; readonly problem: string };

/**
 * The path of the last ServerRoot directive, which counts for httpd, or why that path cannot be known. Undefined where
 * there is no such directive.
 */
function readServerRoot(
  { effective, undetermined }: Resolved,
  { serverRoot, version }: Observation["server"],
): DeclaredRoot | undefined {
  const directive = effective.filter(({ name }) => name === "serverroot").at(-1);
  if (directive === undefined) return undefined;
  const { file, node, undecided, arguments: words } = directive;
  const [path = ""] = words;
  const forRemedy = { serverRoot, version, undetermined };
  if (undecided !== undefined) {
    const cause = "the files alone do not tell whether this condition around ServerRoot is true";
    return {
      problem: `${hostText(undecided.file)}:${undecided.node.line}: ${cause}; ${remedyForCondition(undecided, forRemedy)}`,
    };
  }
  if (!path.includes("${")) return { path: absolutePath(serverRoot, path) };
  const cause = "this ServerRoot has a variable whose value only httpd knows";
  return { problem: `${hostText(file)}:${node.line}: ${cause}; ${remedyForVariable(path, forRemedy)}` };
}

/**
 * Throws an error where the ServerRoot is not known, because a guess might put the protection where httpd never reads
 * it.
 */
function requireRoot({ mainFile }: Start, serverRoot: string, problem: string | undefined): void {
  if (problem !== undefined) throw new Error(problem);
  if (serverRoot !== noRoot) return;
  const cause = "the copied files have no ServerRoot, so where httpd looks for its files is not known";
  const remedy = "give --httpd-version FILE with the output of httpd -V, which says it as HTTPD_ROOT";
  throw new Error(`${mainFile}: ${cause}; ${remedy}`);
}

/** Finds the files that an absolute pattern matches. `problem` says why the search was given up. */
type Expander = (pattern: string) => { readonly files: readonly string[]; readonly problem?: string };

/** An expander that searches each pattern only once. */
function expanderOf(tree: Tree): Expander {
  const cache = new Map<string, ReturnType<Expander>>();
  return (pattern) => {
    const expanded = cache.get(pattern) ?? tryExpand(tree, pattern);
    cache.set(pattern, expanded);
    return expanded;
  };
}

/** Expands a pattern. An Include that cannot be followed to its end becomes the `problem`, and has no files. */
function tryExpand(tree: Tree, pattern: string): ReturnType<Expander> {
  try {
    return { files: tree.expand(pattern) };
  } catch (error) {
    if (!(error instanceof IncludeError)) throw error;
    return { files: [], problem: error.message };
  }
}

/** The files that a directive includes. Empty for a directive that is not an Include. */
function filesIncludedBy(serverRoot: string, directive: Effective, expand: Expander): readonly string[] {
  const pattern = patternOf(directive);
  return pattern === undefined ? [] : expand(absolutePath(serverRoot, pattern)).files;
}

/**
 * The path or pattern of an Include. Undefined for other directives, and where only httpd knows the value of a
 * variable.
 */
const patternOf = ({ name, arguments: [pattern = ""] }: Effective): string | undefined =>
  isInclude(name) && !pattern.includes("${") ? pattern : undefined;

/**
 * The problems with Includes whose files were not read. A running httpd has every file of its Includes, or it would not
 * have started. A file that is missing in the copy may hold virtual hosts.
 */
function findUnread(tree: Tree, serverRoot: string, effective: readonly Effective[], expand: Expander): Diagnostic[] {
  const unread = effective.flatMap((directive): (readonly [string, Diagnostic])[] => {
    const pattern = patternOf(directive);
    if (pattern === undefined) return [];
    const path = absolutePath(serverRoot, pattern);
    const place = `${directive.file}:${directive.node.line}`;
    const { files, problem } = expand(path);
    if (problem !== undefined) return [[place, { severity: "problem", place, text: problem }]];
    // An IncludeOptional may find nothing, and an Include of an empty directory finds nothing either.
    if (directive.name !== "include" || files.length > 0 || tree.resolve(path) !== undefined) return [];
    const text = `the copy has no ${hostText(path)}, which is included here; copy it, too`;
    return [[place, { severity: "problem", place, text, isUndecided: true }]];
  });
  // Each finding is kept once, however often the including file is read.
  return [...new Map(unread).values()];
}
