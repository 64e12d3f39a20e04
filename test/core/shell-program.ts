/**
 * The files of the hosts' program: whose a variable is, and what each function takes from other files and sets for
 * them.
 */
import { shellFunctionsOf, type ShellFunction } from "../faults/marks.ts";
import { callsOf, codeOf, depthsOf, variablesOf, type ShellName } from "./shell-text.ts";

/** The texts of the files, by name. */
export type ShellFiles = ReadonlyMap<string, string>;

/** Of a program that is started, or of the shell. */
export const isOfEnvironment = (name: string): boolean => /^(_|[A-Z_]+|https?_proxy)$/.test(name);

/** The list at the top of `lib/request.sh`: names, then a sentence. */
export function sharedNames(files: ShellFiles): string[] {
  const lines = (files.get("lib/request.sh") ?? "").matchAll(/^# {3}(\w+(?:, \w+)*) {2,}\S/gm);
  return [...lines].flatMap(([, names = ""]) => names.split(", "));
}

/** `apache/stage.sh` owns `stage` and `stage_…`, `lib/processes.sh` `process_…`, and both files named main `main_…`. */
export function prefixOf(file: string): string {
  const name = /([^/]*)\.sh$/.exec(file)?.[1] ?? "";
  return name.startsWith("main") ? "main" : name.replaceAll("-", "_").replace(/(?<=ss)es$|(?<=[a-rt-z])s$/, "");
}

export const isOwnedBy = (file: string, name: string): boolean =>
  name === prefixOf(file) || name.startsWith(`${prefixOf(file)}_`);

interface Reading {
  readonly one: ShellFunction;
  /** Variables of other files, each with the place where it is read first, and those that are for other files. */
  readonly takes: ReadonlyMap<string, number>;
  readonly sets: ReadonlyMap<string, number>;
  readonly calls: readonly Call[];
}

interface Call {
  readonly name: string;
  readonly start: number;
  /** In a subshell, from which no variable comes back. */
  readonly isInside: boolean;
}

type Readings = ReadonlyMap<string, Reading>;

export interface Contract {
  readonly file: string;
  readonly name: string;
  /** Of the function in its file. */
  readonly start: number;
  /** The lines that must stand above it. */
  readonly text: string;
}

/** Of each function that another file calls. */
export function contractsOf(files: ShellFiles): Contract[] {
  const functions = [...files].flatMap(([file, text]) => shellFunctionsOf(file, text));
  const names = new Set(functions.map(({ name }) => name));
  const isForOthers = crossingNames(files);
  const readings: Readings = new Map(functions.map((one) => [one.name, readFunction(one, names, isForOthers)]));
  const called = new Set(
    [...files].flatMap(([file, text]) => callsOf(codeOf(text), names).map(({ name }) => `${file} ${name}`)),
  );
  return functions
    .filter(({ file, name }) => [...files.keys()].some((other) => other !== file && called.has(`${other} ${name}`)))
    .filter(({ name }) => name !== "main")
    .map((one) => ({
      file: one.file,
      name: one.name,
      start: one.start,
      text: line("in", takesOf(one.name, readings)) + line("sets", setsOf(one.name, readings, one.file)),
    }));
}

/** Variables that one file sets and another one reads. */
function crossingNames(files: ShellFiles): ReadonlySet<string> {
  const read = [...files].flatMap(([file, text]) =>
    variablesOf(text).filter(({ name, kind }) => kind === "read" && !isOwnedBy(file, name)),
  );
  return new Set([...read.map(({ name }) => name), ...sharedNames(files)]);
}

function readFunction(one: ShellFunction, names: ReadonlySet<string>, isForOthers: ReadonlySet<string>): Reading {
  const text = `${one.text}\n`;
  const code = codeOf(text);
  const depths = depthsOf(code);
  const variables = variablesOf(text).filter(({ name }) => !isOfEnvironment(name) && !/^(nl|tab|s)$/.test(name));
  const first = (some: readonly ShellName[]): Map<string, number> =>
    new Map([...some].reverse().map(({ name, start }) => [name, start]));
  const sets = first(variables.filter(({ kind }) => kind === "set"));
  const isTaken = ({ name, kind, start }: ShellName): boolean =>
    kind === "read" && isForOthers.has(name) && !isOwnedBy(one.file, name) && start < (sets.get(name) ?? Infinity);
  return {
    one,
    takes: first(variables.filter(isTaken)),
    sets: first(
      variables.filter(({ name, kind, start }) => kind === "set" && isForOthers.has(name) && depths[start] === 0),
    ),
    calls: callsOf(code, names).map((call) => ({ ...call, isInside: depths[call.start] !== 0 })),
  };
}

/** What it takes, also through functions of its file, without what it or a function that it calls has set before. */
function takesOf(name: string, readings: Readings, seen: readonly string[] = []): ReadonlySet<string> {
  const reading = readings.get(name);
  if (reading === undefined || seen.includes(name)) return new Set();
  const { one, takes, sets, calls } = reading;
  const isFrom = (taken: string, start: number): boolean =>
    start < (sets.get(taken) ?? Infinity) &&
    !calls.some((call) => call.start < start && setsOf(call.name, readings).has(taken));
  const direct = [...takes].filter(([taken, start]) => isFrom(taken, start)).map(([taken]) => taken);
  const through = calls
    .filter((call) => readings.get(call.name)?.one.file === one.file)
    .flatMap((call) => [...takesOf(call.name, readings, [...seen, name])].filter((taken) => isFrom(taken, call.start)));
  return new Set([...direct, ...through]);
}

const known = new WeakMap<Readings, Map<string, ReadonlySet<string>>>();

/**
 * What is set when it has returned, also by the functions that it calls; by those of `file` alone, where one is given.
 */
function setsOf(name: string, readings: Readings, file?: string): ReadonlySet<string> {
  const found = known.get(readings) ?? new Map<string, ReadonlySet<string>>();
  known.set(readings, found);
  const key = `${file ?? ""} ${name}`;
  const sets = found.get(key) ?? new Set(reachableFrom(name, readings, file).flatMap((one) => [...one.sets.keys()]));
  found.set(key, sets);
  return sets;
}

function reachableFrom(name: string, readings: Readings, file: string | undefined): Reading[] {
  const reached = new Map<string, Reading>();
  const visit = (next: string): void => {
    const reading = readings.get(next);
    if (reading === undefined || reached.has(next) || (file ?? reading.one.file) !== reading.one.file) return;
    reached.set(next, reading);
    for (const call of reading.calls) if (!call.isInside) visit(call.name);
  };
  visit(name);
  return [...reached.values()];
}

/** At most 120 columns; what is longer goes on in the next line, further to the right. */
function line(word: string, names: ReadonlySet<string>): string {
  const lines = [`# ${word}:`];
  const listed = [...names].sort();
  if (listed.length === 0) return `# ${word}: nothing\n`;
  for (const [index, name] of listed.entries()) {
    const text = ` ${name}${index < listed.length - 1 ? "," : ""}`;
    const last = lines.at(-1) ?? "";
    if (last.length + text.length > 120) lines.push(`#  ${text}`);
    else lines[lines.length - 1] = last + text;
  }
  return `${lines.join("\n")}\n`;
}

const aboveFunction = /((?:^# (?:in|sets): .*\n(?:^# {3}.*\n)*)*)((?:^# writes\n)?)$(?![^])/m;

/** What stands directly above a function, and above its mark. */
export function contractAbove(text: string, start: number): string {
  return aboveFunction.exec(text.slice(0, start))?.[1] ?? "";
}

/** The text with `contract` there. */
export function withContract(text: string, start: number, contract: string): string {
  return text.slice(0, start).replace(aboveFunction, (_, _old, mark: string) => contract + mark) + text.slice(start);
}
