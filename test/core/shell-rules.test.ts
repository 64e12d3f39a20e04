/** The rules of the program that runs on hosts, read from its text: whose a variable is, and how long a line may be. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { variablesOf } from "./shell-text.ts";

const folder = new URL("../../host/posix/", import.meta.url);

/** Of a program that is started, or of the shell. */
const isOfEnvironment = (name: string): boolean => /^(_|[A-Z_]+|https?_proxy)$/.test(name);

function readFiles(): Map<string, string> {
  const names = readdirSync(folder, { encoding: "utf8", recursive: true }).filter((name) => name.endsWith(".sh"));
  return new Map(names.map((name) => [name, readFileSync(new URL(name, folder), "utf8")]));
}

/** The list at the top of `lib/request.sh`: names, then a sentence. */
function sharedNames(files: ReadonlyMap<string, string>): string[] {
  const lines = (files.get("lib/request.sh") ?? "").matchAll(/^# {3}(\w+(?:, \w+)*) {2,}\S/gm);
  return [...lines].flatMap(([, names = ""]) => names.split(", "));
}

/** `apache/stage.sh` owns `stage` and `stage_…`, `lib/processes.sh` `process_…`, and both files named main `main_…`. */
function prefixOf(file: string): string {
  const name = /([^/]*)\.sh$/.exec(file)?.[1] ?? "";
  return name.startsWith("main") ? "main" : name.replaceAll("-", "_").replace(/(?<=ss)es$|(?<=[a-rt-z])s$/, "");
}

/** Variables that a file sets although they are neither its own nor shared. */
function strayVariables(files: ReadonlyMap<string, string>): string[] {
  const shared = new Set(sharedNames(files));
  const stray = [...files].flatMap(([file, text]) => {
    const prefix = prefixOf(file);
    return variablesOf(text)
      .filter(({ name, kind }) => kind === "set" && !isOfEnvironment(name) && !shared.has(name))
      .filter(({ name }) => name !== prefix && !name.startsWith(`${prefix}_`))
      .map(({ name, start }) => `${file}:${text.slice(0, start).split("\n").length}: ${name}`);
  });
  return [...new Set(stray)];
}

/** Variables that are read and that nobody sets. */
function unsetVariables(files: ReadonlyMap<string, string>): string[] {
  const all = [...files.values()].flatMap((text) => variablesOf(text));
  const set = new Set(all.filter(({ kind }) => kind !== "read").map(({ name }) => name));
  const read = all.filter(({ name }) => !set.has(name) && !isOfEnvironment(name)).map(({ name }) => name);
  return [...new Set(read)];
}

describe("the program that runs on hosts", () => {
  const files = readFiles();
  const withMore = (file: string, more: string): Map<string, string> =>
    new Map([...files].map(([name, text]) => [name, name === file ? text + more : text]));

  it("has variables that begin with the name of the file that sets them, but for the few that its list of shared ones has", () => {
    assert.deepEqual(strayVariables(files), []);
  });

  it("is found out where it sets another one, by every way to do that", () => {
    for (const more of [
      "stray=1",
      "IFS= read -r stray _",
      "for stray in 1; do :; done",
      'x() { stray=$(echo "a b"); }',
    ])
      assert.match(strayVariables(withMore("apache/stage.sh", `${more}\n`)).join(), /^apache\/stage\.sh:\d+: stray$/);
    assert.deepEqual(strayVariables(withMore("apache/stage.sh", "stray=1 awk '{ stray = 1 }'\n# stray=1\n")), []);
  });

  it("has no two files that own the same variable, and shares none that one file alone uses", () => {
    const prefixes = [...files.keys()].filter((file) => !file.startsWith("main")).map(prefixOf);
    for (const one of prefixes)
      assert.deepEqual(
        prefixes.filter((other) => other === one || other.startsWith(`${one}_`)),
        [one],
      );
    const used = [...files.values()].map((text) => new Set(variablesOf(text).map(({ name }) => name)));
    for (const name of sharedNames(files)) assert.ok(used.filter((names) => names.has(name)).length > 1, name);
  });

  it("reads no variable that it never sets, but for those of its caller", () => {
    assert.deepEqual(unsetVariables(files), ["s", "ftp_proxy", "all_proxy", "no_proxy"]);
  });
});
