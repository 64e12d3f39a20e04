/**
 * Resolves paths and patterns as httpd does for Include: relative to the server root, with wildcards in each component.
 */
import { ownDirectory } from "../model.ts";

/** Makes the path absolute below `root`, and removes `.`, `..` and doubled slashes. */
export function absolutePath(root: string, path: string): string {
  const components: string[] = [];
  for (const component of (path.startsWith("/") ? path : `${root}/${path}`).split("/")) {
    if (component === "..") components.pop();
    else if (component !== "" && component !== ".") components.push(component);
  }
  return `/${components.join("/")}`;
}

/** The path of our directory, with a slash at the end. */
export const ownPrefix = (serverRoot: string): string => `${absolutePath(serverRoot, `conf/${ownDirectory}`)}/`;

/** Whether a directive with this name (in lower case) reads other files. */
export const isInclude = (name: string): boolean => name === "include" || name === "includeoptional";

/**
 * Whether an Include of this pattern searches for names, rather than reading one path. A `[` that is never closed
 * counts too, although httpd does not take it for a pattern; the result is the same, because such a `[` matches itself.
 */
export const hasWildcard = (pattern: string): boolean => wildcardStart.test(pattern);
const wildcardStart = /[*?[]/;

/**
 * Whether httpd takes a path for a pattern, in an Include and in `<Directory>`.
 *
 * @see apr_fnmatch_test
 */
export const isPattern = (path: string): boolean => /[*?]|\[.*\]/.test(path);

/**
 * Whether an Include of `pattern` (absolute) reads the file `path`. An Include of a directory reads everything below
 * it, including dot files and backups. A wildcard does not match a name that begins with a dot.
 */
export const includesPath = (pattern: string, path: string): boolean => includeMatcher(pattern)(path);

/** {@link includesPath} for many paths: thousands of Includes may each be tested against thousands of files. */
export function includeMatcher(pattern: string): (path: string) => boolean {
  if (!hasWildcard(pattern)) return (path) => path === pattern || path.startsWith(`${pattern}/`);
  const literal = literalStart(pattern);
  const matchers = pattern.slice(literal.length).split("/").map(componentMatcher);
  return (path) => {
    if (!path.startsWith(literal)) return false;
    const components = path.slice(literal.length).split("/");
    // Further components of the path lie below a directory that the pattern matches.
    return matchers.length <= components.length && matchers.every((matches, index) => matches(components[index] ?? ""));
  };
}

/** The directories before the first wildcard, with a slash at the end; without a wildcard, the pattern. */
export function literalStart(pattern: string): string {
  const wildcard = pattern.search(wildcardStart);
  return wildcard < 0 ? pattern : pattern.slice(0, pattern.lastIndexOf("/", wildcard) + 1);
}

/**
 * The test of one component of a path. A name that begins with a dot is only matched where the pattern begins with one.
 */
function componentMatcher(pattern: string): (name: string) => boolean {
  if (!hasWildcard(pattern)) return (name) => name === pattern;
  const wildcards = readWildcards(pattern);
  const takesDots = pattern.startsWith(".");
  return (name) => (takesDots || !name.startsWith(".")) && matchesWildcards(wildcards, name);
}

/** One part of a component's pattern: `*`, or the test of a single character. */
type Wildcard = "any" | ((character: string) => boolean);

/**
 * Whether the whole name matches, as `apr_fnmatch` decides it: `*`, `?`, `[…]` with `!` or `^`, and a backslash before
 * a literal character. Only the last `*` is ever tried again, so a hostile pattern costs at most its length times the
 * length of the name.
 */
function matchesWildcards(wildcards: readonly Wildcard[], name: string): boolean {
  let position = 0;
  // The last `*`, and where the text behind what it stands for begins; -1 before the first `*`.
  let star = { index: -1, position: 0 };
  for (let next = 0; position < name.length || next < wildcards.length;) {
    const wildcard = wildcards[next];
    if (wildcard === "any") {
      star = { index: next, position };
      next++;
    } else if (wildcard !== undefined && position < name.length && wildcard(name.charAt(position))) {
      next++;
      position++;
    } else if (star.index >= 0 && star.position < name.length) {
      // The last `*` stands for one more character.
      star = { index: star.index, position: star.position + 1 };
      next = star.index + 1;
      position = star.position;
    } else return false;
  }
  return true;
}

/** Splits a pattern into runs of `*`, `?`, `[…]`, and single characters with or without a backslash before them. */
function readWildcards(pattern: string): Wildcard[] {
  // A `]` that is the first member of a `[…]` does not close it. `[^]` is any character, also a line end. A `[` that is
  // never closed stands for itself.
  return (pattern.match(/\*+|\?|\[[!^]?\]?[^\]]*\]|\\?[^]/g) ?? []).map((part) => {
    if (part.startsWith("*")) return "any";
    if (part === "?") return () => true;
    if (part.startsWith("[") && part.length > 1) return bracket(part);
    const literal = part.length > 1 ? part.slice(1) : part;
    return (character) => character === literal;
  });
}

/** The test of a `[…]`, whose members are ranges such as `a-z` and single characters. */
function bracket(part: string): (character: string) => boolean {
  const isNegated = part[1] === "!" || part[1] === "^";
  const members = [...part.slice(isNegated ? 2 : 1, -1).matchAll(/([^])-([^])|([^])/g)];
  const isMember = (character: string): boolean =>
    members.some(([, from, to, single]) =>
      from === undefined || to === undefined ? character === single : from <= character && character <= to,
    );
  return (character) => isMember(character) !== isNegated;
}

/** Orders paths as httpd reads the files that an Include matches: by the bytes of each component. */
export function comparePaths(a: string, b: string): number {
  // A slash must come before every other byte, so that a directory comes before its longer neighbours.
  const left = a.replaceAll("/", "\0");
  const right = b.replaceAll("/", "\0");
  return left < right ? -1 : left > right ? 1 : 0;
}
