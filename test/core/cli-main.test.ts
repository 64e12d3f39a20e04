/** The command line itself: help, exit codes, colours. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { count, styleFor } from "../../cli/output.ts";
import { version } from "../../provider/version.ts";

describe("the clientcert command line", () => {
  const run = (...args: readonly string[]) =>
    spawnSync(process.execPath, ["--import", "tsx", "cli/main.ts", ...args], { encoding: "utf8" });

  it("shows its commands with --help, and its version", () => {
    const { stdout, status } = run("--help");
    for (const word of ["lint", "pki", "check", "plan", "observe-program", "COMMAND --help"])
      assert.ok(stdout.includes(word), word);
    assert.equal(status, 0);
    assert.equal(run("--version").stdout, `${version}\n`);
  }).timeout(20_000);

  it("tells in a command's help the exit codes that it can end with, and no defaults that are none", () => {
    const codesOf = (command: string): string[] => {
      const { stdout } = run(command, "--help");
      assert.doesNotMatch(stdout, /default: false/);
      return [...stdout.slice(stdout.indexOf("\nExit codes:")).matchAll(/^ {2}(\d) {2}/gm)].map(
        ([, code = ""]) => code,
      );
    };
    assert.deepEqual(codesOf("lint"), ["0", "2"]);
    assert.deepEqual(codesOf("pki"), ["0", "7", "1", "2"]);
    assert.deepEqual(codesOf("check"), ["0", "7", "1", "2"]);
    assert.deepEqual(codesOf("plan"), ["0", "7", "1", "2"]);
    assert.deepEqual(codesOf("observe-program"), ["0", "2"]);
  }).timeout(40_000);

  it("ends with 2 when the command line is wrong", () => {
    const { stderr, status } = run("lint", "--jsn", "x");
    assert.match(stderr, /unknown option '--jsn'/);
    assert.match(stderr, /^\(clientcert lint --help shows what is possible\)$/m);
    assert.equal(status, 2);
  }).timeout(20_000);

  it("prints no sudoers line for what is no user's name", () => {
    const { stdout, status } = run("observe-program", "--sudoers", "ops ALL");
    assert.equal(stdout, '--sudoers: found "ops ALL"; write the name of a user, or %group\n');
    assert.equal(status, 2);
    assert.match(run("observe-program", "--sudoers", "%ops").stdout, /^%ops ALL=\(root\) NOPASSWD: sha256:/);
  }).timeout(20_000);

  it("ends with lint's exit code and prints no colours into a pipe", () => {
    const { stdout, status } = run("lint", "nowhere.yaml");
    assert.equal(
      stdout,
      `problem nowhere.yaml: does not exist, nor any other site file in ${process.cwd()}; copy stacks/example.yaml of the project, or write another path\n1 site file: 1 problem\n`,
    );
    assert.equal(status, 2);
  }).timeout(20_000);

  it("names the site files that there are for one that is not there", () => {
    const { stdout, status } = run("check", "--site", "nope");
    assert.equal(stdout, "stacks/nope.yaml: does not exist; there are stacks/example.yaml\n");
    assert.equal(status, 2);
  }).timeout(20_000);

  it("refuses a file to save in that cannot be written, before any host is looked at", () => {
    for (const file of ["/no/folder/saved.json", "stacks"]) {
      const { stdout, status } = run("check", "--site", "example", "--save", file);
      assert.match(stdout, new RegExp(`^--save ${file}: cannot be written; give the path of a file in a folder`));
      assert.equal(status, 2);
    }
  }).timeout(20_000);

  it("colours only on a terminal, and never with NO_COLOR", () => {
    assert.notEqual(styleFor({ isTTY: true }, {}).red("x"), "x");
    for (const [stream, environment] of [
      [{}, {}],
      [{ isTTY: true }, { NO_COLOR: "1" }],
      [{ isTTY: true }, { TERM: "dumb" }],
    ] as const) {
      assert.equal(styleFor(stream, environment).red("x"), "x");
    }
  });

  it("counts in plain words", () =>
    assert.deepEqual(
      [0, 1, 2].map((n) => count(n, "problem")),
      ["0 problems", "1 problem", "2 problems"],
    ));
});
