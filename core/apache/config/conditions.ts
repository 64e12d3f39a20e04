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

/** Decides the condition `<name argument>`. A `!` before the argument negates the answer. */
export function decide(name: string, argument: string, known: ConditionContext): Decision {
  const isNegated = argument.startsWith("!");
  const decision = deciders.get(name)?.(isNegated ? argument.slice(1) : argument, known);
  return decision === undefined ? undefined : decision !== isNegated;
}

const deciders: ReadonlyMap<string, (argument: string, known: ConditionContext) => Decision> = new Map([
  ["ifmodule", (argument, known) => hasModule(moduleName(argument), known)],
  ["ifdefine", hasVariable],
  ["ifversion", decideVersion],
  ["iffile", (path, known) => known.existing(absolutePath(known.serverRoot, readWord(path, 0).word))],
  ["ifdirective", (argument, known) => (/^ssl/i.test(argument) ? hasModule("ssl_module", known) : undefined)],
  ["ifsection", () => undefined],
]);

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

/** IfModule takes either the identifier of a module (`ssl_module`) or its source file (`mod_ssl.c`). */
function moduleName(argument: string): string {
  return moduleOfSource.get(argument) ?? argument.replace(/^mod_(.*)\.c$/, "$1_module");
}

/** Modules that are often compiled into httpd: such a module may be there although no LoadModule names it. */
const maybeStatic = /^(so|http|core|watchdog|log_config|logio|version|unixd|ssl|mpm_\w+)_module$/;

function hasModule(name: string, known: ConditionContext): Decision {
  if (known.loaded.has(name)) return true;
  const linked = known.modules?.get(name);
  // mod_info may have been loaded by the command line for the dump only. Where it is shared, only a LoadModule proves
  // it.
  if (known.modules !== undefined) return linked === "static" || (linked === "shared" && name !== "info_module");
  if (name === "core_module" || name === "http_module" || name === "so_module") return true;
  return known.loaded.size > 0 && !maybeStatic.test(name) && !known.undetermined.has(name) ? false : undefined;
}

function decideVersion(argument: string, known: ConditionContext): Decision {
  const version = /^Apache\/(\d+(?:\.\d+){1,2})/.exec(known.version)?.[1];
  const words = readWords(argument);
  const operator = words.length > 1 ? (words[0] ?? "") : "=";
  const wanted = words.at(-1) ?? "";
  const holds = versionTest(operator, wanted);
  if (holds === undefined) return undefined;
  const answers = new Set((version === undefined ? versionsAround(operator, wanted) : [version]).map(holds));
  return answers.size === 1 ? answers.has(true) : undefined;
}

/**
 * The releases of 2.4 around `wanted`, where the answer of a comparison may change; for a pattern, all possible
 * releases.
 */
function versionsAround(operator: string, wanted: string): readonly string[] {
  const patch = /^2\.4\.(\d{1,9})$/.exec(wanted)?.[1];
  const isNumber = !operator.endsWith("~") && !wanted.startsWith("/");
  const turns =
    patch === undefined ? [] : [-1, 0, 1].map((step) => Number(patch) + step).filter((number) => number > 0);
  // 2.4.1 was the first release.
  const patches = isNumber ? [1, ...turns, 1e9] : Array.from({ length: 999 }, (_, index) => index + 1);
  return patches.map((number) => `2.4.${number}`);
}

/**
 * The test that the operator makes on a version. It is undefined for an operator that httpd does not know, and for a
 * pattern that is not simple.
 */
function versionTest(operator: string, wanted: string): ((version: string) => boolean) | undefined {
  const comparison = operator.replace(/^!/, "");
  const isNegated = comparison !== operator;
  const test = comparison === "~" ? patternTest(wanted) : comparisonTest(comparison, wanted);
  return test && ((version) => test(version) !== isNegated);
}

function comparisonTest(operator: string, wanted: string): ((version: string) => boolean) | undefined {
  if (/^==?$/.test(operator) && /^\/.*\/$/.test(wanted)) return patternTest(wanted.slice(1, -1));
  if (!/^\d+(\.\d+){0,2}$/.test(wanted)) return undefined;
  const asks = orders.get(operator);
  return asks && ((version) => asks(compareVersions(version, wanted)));
}

const orders: ReadonlyMap<string, (order: number) => boolean> = new Map([
  ["=", (order) => order === 0],
  ["==", (order) => order === 0],
  [">", (order) => order > 0],
  [">=", (order) => order >= 0],
  ["<", (order) => order < 0],
  ["<=", (order) => order <= 0],
]);

/** Accepts only patterns that every regular-expression engine reads alike and that no engine takes long for. */
function patternTest(pattern: string): ((version: string) => boolean) | undefined {
  if (!/^\^?(\\[.d]|\d|\.|[|]|\[[\d-]+\][*+]?)*\$?$/.test(pattern)) return undefined;
  try {
    const expression = new RegExp(pattern);
    return (version) => expression.test(version);
  } catch {
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
