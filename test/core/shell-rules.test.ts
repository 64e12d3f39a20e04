/** The rules of the program that runs on hosts, read from its text: whose a variable is, and how long a line may be. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { readShellFiles, shellFunctionsOf } from "../faults/marks.ts";
import { replaceOnce } from "../faults/program.ts";
import {
  contractAbove,
  contractsOf,
  isOfEnvironment,
  isOwnedBy,
  prefixOf,
  sharedNames,
  withContract,
} from "./shell-program.ts";
import { codeOf, variablesOf } from "./shell-text.ts";

/** Variables that a file sets although they are neither its own nor shared. */
function strayVariables(files: ReadonlyMap<string, string>): string[] {
  const shared = new Set(sharedNames(files));
  const stray = [...files].flatMap(([file, text]) => {
    return variablesOf(text)
      .filter(({ name, kind }) => kind === "set" && !isOfEnvironment(name) && !shared.has(name))
      .filter(({ name }) => !isOwnedBy(file, name))
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
  const files = readShellFiles();
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

  it("has lines of at most 120 columns", () => {
    assert.deepEqual(longLines(files), []);
    assert.equal(longLines(withMore("main.sh", `# ${"a b ".repeat(30)}\n`)).length, 1);
    assert.equal(longLines(withMore("main.sh", `${"word && ".repeat(20)}\n`)).length, 1);
    assert.deepEqual(longLines(withMore("main.sh", `part "${"said so and so ".repeat(20)}"\n`)), []);
  });

  it("reads no variable that it never sets, but for those of its caller and the table that it is made with", () => {
    assert.deepEqual(unsetVariables(files), ["s", "file_directives", "ftp_proxy", "all_proxy", "no_proxy"]);
  });
});

/** A sentence in quotes, which somebody reads and which is not parted. */
const sentence = /"(?:\\.|\$\((?:[^()]|\([^()]*\))*\)|[^"\\])*"|'[^']*'/g;

const isSentence = (text: string): boolean => /[a-z]+,? [a-z]+,? [a-z]+,? [a-z]+/.test(text);

function longLines(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([file, text]) =>
    text.split("\n").flatMap((line, index) => {
      const told = (line.match(sentence) ?? []).filter(isSentence).join("");
      const isLong = line.length > 120 && line.length - told.length > 100;
      return isLong ? [`${file}:${index + 1}: ${line.length} columns`] : [];
    }),
  );
}

/**
 * Functions that end the process, each with its reason: a trap or a process of its own, or an end from which nothing
 * may go on.
 */
const ending: Readonly<Record<string, string>> = {
  refuse_unfit_shell: "a shell that cannot run the rest",
  fail: "the run ends where it is, and end_carrier puts back what was begun",
  guard_run: "traps, which lead to end_carrier",
  end_carrier: "the trap itself",
  end_when_late: "a process of its own beside an observation",
  run_judge: "a trap, which takes the work directory away",
  run_apply: "traps, which lead to leave_nothing",
  end_run: "the end of a run is reported, and nothing may be done behind it",
  undo_request: "wrong options, or --help, before anything is looked at",
  run_undo: "the status of the process that did the work",
  run_refresh: "wrong options, --help and --status, and a server that has no sources any more",
  begin_refresh: "no room, before anything is changed, and traps",
  detach_refresh: "the status of the process that did the work",
  refresh_detached: "the last source went while this waited for the lock",
  end_refresh: "the end of a refresh is recorded, and nothing may be done behind it",
  wait_for_turn: "not the hour of this server's refresh",
  shadow_outside_view: "a trap of the process that httpd is tried in",
};

describe("the hosts' program", () => {
  it("ends its process in main, and in those functions alone that have a reason for it", () => {
    const found = [...readShellFiles()]
      .filter(([file]) => !file.startsWith("main"))
      .flatMap(([file, text]) => shellFunctionsOf(file, text))
      .filter(({ text }) => /(?<![\w-])exit(?![\w-])/.test(codeOf(text)) || trapped.test(text))
      .map(({ name }) => name);
    assert.deepEqual([...new Set(found)].sort(), Object.keys(ending).sort());
  });
});

/** In a text that a trap runs. */
const trapped = /\btrap '[^']*\bexit\b/;

describe("each function of the hosts' program that another file calls", () => {
  it("says above itself what it takes from other files and what it sets for them, and nothing else (UPDATE=1 writes it)", () => {
    if (process.env["UPDATE"] === "1") writeContracts();
    assert.deepEqual(wrongContracts(readShellFiles()), []);
  });

  it("is found where it says nothing, too much or too little, and where it says so at another place", () => {
    const files = readShellFiles();
    const [path = "", text = ""] = [...files].find(([file]) => file === "apache/compare.sh") ?? [];
    const contract = "# in: removal, returning, work\n# sets: nothing\nstatus_differs() {";
    const altered = (to: string): Map<string, string> =>
      new Map([...files, [path, replaceOnce(text, contract, to)] as const]);
    for (const to of [
      "status_differs() {",
      "# in: removal, work\n# sets: nothing\nstatus_differs() {",
      "# in: removal, returning, work\n# sets: verdict\nstatus_differs() {",
      "# in: removal, returning, work\n# sets: nothing\n\nstatus_differs() {",
      "# sets: nothing\n# in: removal, returning, work\nstatus_differs() {",
    ])
      assert.deepEqual(wrongContracts(altered(to)), ["apache/compare.sh: status_differs"]);
  });

  it("keeps its mark directly above itself", () => {
    for (const text of readShellFiles().values()) assert.doesNotMatch(text, /^# writes\n(?!\w+\(\) [{(])/m);
  });
});

function wrongContracts(files: ReadonlyMap<string, string>): string[] {
  return contractsOf(files)
    .filter(({ file, start, text }) => contractAbove(files.get(file) ?? "", start) !== text)
    .map(({ file, name }) => `${file}: ${name}`);
}

function writeContracts(): void {
  const files = readShellFiles();
  const fromLast = contractsOf(files).sort((a, b) => b.start - a.start);
  for (const [file, text] of files) {
    const written = fromLast
      .filter((one) => one.file === file)
      .reduce((before, one) => withContract(before, one.start, one.text), text);
    writeFileSync(new URL(`../../host/posix/${file}`, import.meta.url), written);
  }
}
