/**
 * Reads what `httpd -t -D DUMP_VHOSTS -D DUMP_RUN_CFG -D DUMP_MODULES -D DUMP_INCLUDES -D DUMP_CONFIG` prints. All
 * parts come in one text, and each part has its own first line. Any part may be missing: DUMP_CONFIG prints nothing
 * without mod_info, and older versions of httpd lack some of the other parts.
 */

import { unescapeLog } from "../../host-text.ts";

export interface Dump {
  /** The main configuration file, under the name that httpd uses. */
  readonly mainFile: string | undefined;
  /**
   * The files that each file includes, by the including file and in the order of reading; undefined where httpd printed
   * no tree of them.
   */
  readonly includes: ReadonlyMap<string, readonly Included[]> | undefined;
  readonly virtualHosts: readonly DumpedVirtualHost[];
  /**
   * The line numbers of effective directives, by file; a directive of several physical lines has the number of the last
   * one. These numbers decide which conditions are true. Undefined without mod_info.
   */
  readonly effective: ReadonlyMap<string, ReadonlySet<number>> | undefined;
  /**
   * The text of those effective directives whose names were asked for, by `file:line`. Variables are replaced and
   * continuation lines are joined.
   */
  readonly directives: ReadonlyMap<string, string>;
  /** Modules such as `ssl_module`, and how each one was linked; undefined where httpd printed no modules. */
  readonly modules: ReadonlyMap<string, "static" | "shared"> | undefined;
  /** Values of Define by name; the value is empty for a name without one. */
  readonly defines: ReadonlyMap<string, string>;
  readonly serverRoot: string | undefined;
  /**
   * The place where httpd stopped reading. The line is 0 for a file that httpd could not open. Undefined when httpd
   * accepted the configuration.
   */
  readonly rejected: { readonly file: string; readonly line: number } | undefined;
}

export interface Included {
  readonly file: string;
  /**
   * The line of the Include, as httpd prints it. It is not reliable: when a wildcard matches several files and one of
   * them includes something itself, the files after that one get the line of *that* Include (seen with 2.4.71).
   */
  readonly line: number;
}

export interface DumpedVirtualHost {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  /** The address as httpd prints it: `*:443`, `192.0.2.1:443`, `[::1]:443`. */
  readonly address: string;
}

/**
 * Parses the dump. `wanted` chooses, by the first word in lower case, which directives keep their text; the line
 * numbers of all are kept.
 */
export function parseDump(text: string, wanted: (word: string) => boolean = () => false): Dump {
  const lines = text.split("\n");
  const values = readValues(lines);
  return {
    ...readIncludes(lines),
    virtualHosts: readVirtualHosts(lines),
    ...readConfiguration(lines, wanted),
    ...values,
    // httpd prints its ServerRoot only for a configuration that it accepts.
    rejected: values.serverRoot === undefined ? readRejection(text) : undefined,
  };
}

/** Finds the place where httpd stopped reading, in its error message; undefined where there is no such message. */
function readRejection(text: string): Dump["rejected"] {
  // For an included file, httpd names the including line first and the line with the error last. A path may have colons
  // in it: it ends at one before a blank or the line end.
  const [, line, file] = [...text.matchAll(/Syntax error on line (\d+) of (.+?):(?=\s|$)/gm)].at(-1) ?? [];
  if (file !== undefined) return { file: unescapeLog(file), line: Number(line) };
  const [, missing] = /Could not open configuration file (.+?): /.exec(text) ?? [];
  return missing === undefined ? undefined : { file: unescapeLog(missing), line: 0 };
}

/**
 * Reads the tree of files. A line of it is `(LINE) FILE`, with the line of the Include, or `(*) FILE` for the main
 * file. The indentation says how deep the file is included.
 */
function readIncludes(lines: readonly string[]): Pick<Dump, "mainFile" | "includes"> {
  const start = lines.indexOf("Included configuration files:");
  if (start < 0) return { mainFile: undefined, includes: undefined };
  const includes = new Map<string, Included[]>();
  const stack: string[] = [];
  for (const line of lines.slice(start + 1)) {
    const match = /^((?: {2})+)\((\*|\d+)\) (.*)$/.exec(line);
    // The next part of the dump ends the tree. Other lines that do not match are warnings, which may stand in between.
    if (/^(VirtualHost configuration|# In file|ServerRoot)/.test(line)) break;
    if (match === null) continue;
    const [, indent = "", includingLine = "", file = ""] = match;
    const depth = indent.length / 2 - 1;
    // The stack keeps the files around this one; the last of them includes it.
    stack.length = Math.min(stack.length, depth);
    const includingFile = stack.at(-1);
    if (includingFile !== undefined) pushTo(includes, includingFile, { file, line: Number(includingLine) });
    stack.push(file);
  }
  // Every file is included by the main file, so the main file stays first.
  return { mainFile: stack[0], includes };
}

/** Adds a value to the list of its key. */
function pushTo<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/**
 * Reads the virtual hosts. httpd prints each one in one of two forms: `*:443  name (file:line)` for the only one of an
 * address, and `port 443 namevhost name (file:line)` below the address for name-based ones. The list ends at the first
 * line of another form.
 */
function readVirtualHosts(lines: readonly string[]): DumpedVirtualHost[] {
  const start = lines.indexOf("VirtualHost configuration:");
  if (start < 0) return [];
  const hosts: DumpedVirtualHost[] = [];
  let address = "";
  for (const line of lines.slice(start + 1)) {
    // The address stands above its name-based virtual hosts. The other lines below it repeat one of them or name
    // aliases.
    if (/^\S+:(\d+|\*)\s+is a NameVirtualHost$/.test(line)) address = line.replace(/\s.*$/, "");
    else if (/^ +(default server|port|alias|wild alias|wildcard) /.test(line)) {
      const [, ...nameAndPlace] = /^ +port \S+ namevhost (.*) \((.*):(\d+)\)$/.exec(line) ?? [];
      if (nameAndPlace.length > 0) hosts.push(dumpedHost(address, nameAndPlace));
    } else {
      const match = /^(\S+:(?:\d+|\*)) +(.*) \((.*):(\d+)\)$/.exec(line);
      if (match === null) break;
      const [, onlyAddress = "", ...nameAndPlace] = match;
      hosts.push(dumpedHost(onlyAddress, nameAndPlace));
    }
  }
  return hosts;
}

const dumpedHost = (address: string, [name = "", file = "", line = ""]: readonly string[]): DumpedVirtualHost => ({
  address,
  name,
  file,
  line: Number(line),
});

const inFile = "# In file: ";

/**
 * Reads what mod_info prints, from the first `# In file:` on. Above each directive stands a line with its number, such
 * as `#   12:`. The dump does not have the tags of empty sections.
 */
function readConfiguration(
  lines: readonly string[],
  wanted: (word: string) => boolean,
): Pick<Dump, "effective" | "directives"> {
  const start = lines.findIndex((line) => line.startsWith(inFile));
  if (start < 0) return { effective: undefined, directives: new Map() };
  const effective = new Map<string, Set<number>>();
  const directives = new Map<string, string>();
  let file = "";
  let numbers = new Set<number>();
  for (let index = start; index < lines.length; index++) {
    const line = lines[index] ?? "";
    if (line.startsWith(inFile)) {
      file = line.slice(inFile.length);
      numbers = effective.get(file) ?? new Set();
      effective.set(file, numbers);
      continue;
    }
    const number = /^ *# +(\d+):$/.exec(line)?.[1];
    if (number === undefined) continue;
    numbers.add(Number(number));
    // The directive itself stands in the next line.
    index++;
    const text = (lines[index] ?? "").trimStart();
    const firstWord = /^\S*/.exec(text)?.[0] ?? "";
    if (wanted(firstWord.toLowerCase())) directives.set(`${file}:${number}`, text);
  }
  return { effective, directives };
}

type Values = Pick<Dump, "modules" | "defines" | "serverRoot">;

/** Reads modules, defines and the server root, whose lines may stand anywhere. */
function readValues(lines: readonly string[]): Values {
  const defines = new Map<string, string>();
  const modules = new Map<string, "static" | "shared">();
  let serverRoot: string | undefined;
  for (const line of lines) {
    const module = /^ (\S+_module) \((static|shared)\)$/.exec(line);
    if (module !== null) modules.set(module[1] ?? "", module[2] === "static" ? "static" : "shared");
    // The `-D DUMP_…` options are those of our own call.
    const define = /^Define: ([^=]*)=?(.*)$/.exec(line);
    if (define !== null && !/^DUMP_/.test(define[1] ?? "")) defines.set(define[1] ?? "", define[2] ?? "");
    serverRoot ??= /^ServerRoot: "(.*)"$/.exec(line)?.[1];
  }
  return { defines, serverRoot, modules: modules.size > 0 ? modules : undefined };
}
