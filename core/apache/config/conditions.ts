/**
 * Decides the conditions IfModule, IfDefine, IfVersion, IfFile and IfDirective from what is known, without running
 * httpd.
 *
 * @see https://httpd.apache.org/docs/2.4/sections.html
 */
import { absolutePath } from "./paths.ts";
import { readWord, readWords } from "./arguments.ts";

/** What is known at one place of the configuration. The knowledge grows while the files are read. */
export interface ConditionContext {
  /** Values of variables by name: the `-D` options, and each Define that has been read so far. */
  readonly variables: ReadonlyMap<string, string>;
  /** Names of variables and modules of which it is not known whether they are set. */
  readonly undetermined: ReadonlyMap<string, unknown>;
  /** Whether `variables` holds every `-D` option of httpd's command line. */
  readonly hasAllDefines: boolean;
  /** Modules that httpd itself reports; undefined where httpd was not asked. */
  readonly modules: ReadonlyMap<string, "static" | "shared"> | undefined;
  /** Modules that a LoadModule has named so far. */
  readonly loaded: ReadonlySet<string>;
  /** The version, such as `Apache/2.4.71 (Debian)`. Without a number it may be any 2.4, which the product requires. */
  readonly version: string;
  readonly serverRoot: string;
  /** Whether a path exists; undefined where this was not observed. */
  readonly existing: (path: string) => boolean | undefined;
}

/** The answer of a condition; undefined when the files alone do not decide it. */
export type Decision = boolean | undefined;

/** Whether httpd decides a section of this name while it reads the configuration, rather than at each request. */
export const isCondition = (sectionName: string): boolean => deciders.has(sectionName);

/**
 * Decides the condition `<name argument>`, whose name is in lower case. A `!` before the argument negates the answer.
 * The result is undefined for a section that is no condition.
 */
export function decide(name: string, argument: string, context: ConditionContext): Decision {
  const isNegated = argument.startsWith("!");
  const decision = deciders.get(name)?.(isNegated ? argument.slice(1) : argument, context);
  return decision === undefined ? undefined : decision !== isNegated;
}

/** The decision of each condition, by its name in lower case. Only httpd itself can answer an IfSection. */
const deciders: ReadonlyMap<string, (argument: string, context: ConditionContext) => Decision> = new Map([
  ["ifmodule", (argument, context) => hasModule(moduleName(argument), context)],
  ["ifdefine", hasVariable],
  ["ifversion", decideVersion],
  ["iffile", (path, context) => context.existing(absolutePath(context.serverRoot, readWord(path, 0).word))],
  // A directive exists where its module is loaded. The directives whose names begin with SSL are those of mod_ssl. For
  // other directives the module is not known here.
  ["ifdirective", (argument, context) => (/^ssl/i.test(argument) ? hasModule("ssl_module", context) : undefined)],
  ["ifsection", () => undefined],
]);

/**
 * Whether a `-D` option or a Define has set the variable. The answer is no only where all `-D` options are known and
 * every condition around a Define or UnDefine of this name was decided; else it is undefined.
 */
function hasVariable(name: string, { variables, undetermined, hasAllDefines }: ConditionContext): Decision {
  if (variables.has(name)) return true;
  return hasAllDefines && !undetermined.has(name) ? false : undefined;
}

/** Source files whose module has another name than the file. */
const moduleOfSource: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "core.c": "core_module",
    "http_core.c": "http_module",
    "event.c": "mpm_event_module",
    "worker.c": "mpm_worker_module",
    "prefork.c": "mpm_prefork_module",
    "util_ldap.c": "ldap_module",
    "mod_php5.c": "php5_module",
    "mod_php7.c": "php7_module",
  }),
);

/** The identifier of a module (`ssl_module`), which IfModule may also name by its source file (`mod_ssl.c`). */
function moduleName(argument: string): string {
  return moduleOfSource.get(argument) ?? argument.replace(/^mod_(.*)\.c$/, "$1_module");
}

/** Modules that are often compiled into httpd: such a module may be there although no LoadModule names it. */
const maybeStatic = /^(so|http|core|watchdog|log_config|logio|version|unixd|ssl|mpm_\w+)_module$/;

/**
 * Whether httpd has the module. It has each module that a LoadModule has named so far. For any other module the list
 * that httpd reports decides. Without that list, three modules are always there; another one counts as missing only
 * where the files do load modules, where it is rarely compiled in, and where no undecided condition may load it.
 */
function hasModule(name: string, context: ConditionContext): Decision {
  if (context.loaded.has(name)) return true;
  if (context.modules !== undefined) {
    const linked = context.modules.get(name);
    // A shared mod_info in the list may have been loaded by our command line, for the dump only. So only a LoadModule
    // proves it.
    return linked === "static" || (linked === "shared" && name !== "info_module");
  }
  if (name === "core_module" || name === "http_module" || name === "so_module") return true;
  return context.loaded.size > 0 && !maybeStatic.test(name) && !context.undetermined.has(name) ? false : undefined;
}

/**
 * Decides an IfVersion. The operator is `=` where none is given, and the wanted version is the last word. Where httpd's
 * version is not known, the condition is decided only if every release of 2.4 gives the same answer. It is never
 * decided where {@link versionTest} has no test.
 */
function decideVersion(argument: string, context: ConditionContext): Decision {
  const version = /^Apache\/(\d+(?:\.\d+){1,2})/.exec(context.version)?.[1];
  const words = readWords(argument);
  const operator = words.length > 1 ? (words[0] ?? "") : "=";
  const wanted = words.at(-1) ?? "";
  const holds = versionTest(operator, wanted);
  if (holds === undefined) return undefined;
  const answers = new Set((version === undefined ? releasesToTry(operator, wanted) : [version]).map(holds));
  return answers.size === 1 ? answers.has(true) : undefined;
}

/**
 * Releases of 2.4 that together show every answer which the test may give. For a comparison these are the first release
 * (2.4.1), those around `wanted`, where the answer may change, and one above all others. For a pattern these are all
 * possible releases.
 */
function releasesToTry(operator: string, wanted: string): readonly string[] {
  // Nine digits at most: then 1e9, the last release to try, is above it.
  const patch = /^2\.4\.(\d{1,9})$/.exec(wanted)?.[1];
  const isPattern = operator.endsWith("~") || wanted.startsWith("/");
  const neighbours =
    patch === undefined ? [] : [-1, 0, 1].map((step) => Number(patch) + step).filter((number) => number > 0);
  const patches = isPattern ? Array.from({ length: 999 }, (_, index) => index + 1) : [1, ...neighbours, 1e9];
  return patches.map((number) => `2.4.${number}`);
}

/**
 * The test that the operator makes on a version; a `!` before the operator negates it. There is no test for an operator
 * that httpd does not know, for a wanted version that is none, and for a pattern that is not simple.
 */
function versionTest(operator: string, wanted: string): ((version: string) => boolean) | undefined {
  const comparison = operator.replace(/^!/, "");
  const isNegated = comparison !== operator;
  const test = comparison === "~" ? patternTest(wanted) : comparisonTest(comparison, wanted);
  return test && ((version) => test(version) !== isNegated);
}

/**
 * The test of any operator but `~`, which compares versions. With `=` and `==`, httpd also takes a pattern between
 * slashes.
 */
function comparisonTest(operator: string, wanted: string): ((version: string) => boolean) | undefined {
  if (/^==?$/.test(operator) && /^\/.*\/$/.test(wanted)) return patternTest(wanted.slice(1, -1));
  if (!/^\d+(\.\d+){0,2}$/.test(wanted)) return undefined;
  const accepts = comparisons.get(operator);
  return accepts && ((version) => accepts(compareVersions(version, wanted)));
}

/** Whether each operator accepts an order, which is a result of {@link compareVersions}. */
const comparisons: ReadonlyMap<string, (order: number) => boolean> = new Map([
  ["=", (order) => order === 0],
  ["==", (order) => order === 0],
  [">", (order) => order > 0],
  [">=", (order) => order >= 0],
  ["<", (order) => order < 0],
  ["<=", (order) => order <= 0],
]);

/**
 * The test whether a version matches the pattern. Undefined for a pattern that is not simple: every engine of regular
 * expressions must read it alike, and none may take long for it.
 */
function patternTest(pattern: string): ((version: string) => boolean) | undefined {
  // A simple pattern has anchors only at its ends, and inside them digits, `.`, `\.`, `\d`, `|`, and ranges of digits.
  // Only a range may be repeated.
  if (!/^\^?(\\[.d]|\d|\.|[|]|\[[\d-]+\][*+]?)*\$?$/.test(pattern)) return undefined;
  try {
    const expression = new RegExp(pattern);
    return (version) => expression.test(version);
  } catch {
    // A range is the wrong way round, such as `[9-1]`.
    return undefined;
  }
}

/**
 * Compares two versions; the result is below 0 when `a` is older. A part that is missing counts as 0, as in
 * mod_version.
 */
export function compareVersions(a: string, b: string): number {
  const left = a.split(".").map(Number);
  const right = b.split(".").map(Number);
  for (let part = 0; part < 3; part++) {
    const difference = (left[part] ?? 0) - (right[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
