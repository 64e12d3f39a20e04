/** The checks that `npm test` makes on the sources before any test runs: lint, format, types. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { root, run, since } from "./steps.mjs";

/**
 * The scripts that run on hosts must be POSIX. The scripts of the lab run on this machine, where dash's `local` is
 * allowed.
 */
const shellFolders = ["host/posix", "lab"];

/**
 * The host's files are joined when they are sent. So a variable may be set in one file (SC2034) and used in another one
 * (SC2154).
 */
const shellcheckOptions = ["--shell=sh", "--severity=warning", "--exclude=SC2034,SC2154"];

const tool = (name, ...args) => [process.execPath, [`node_modules/${name}`, ...args]];

function listChecks() {
  const scripts = shellFolders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name)))
    .filter((path) => path.endsWith(".sh"));
  return [
    { name: "lint: eslint", command: tool("eslint/bin/eslint.js", ".", "--max-warnings", "0") },
    { name: "lint: prettier", command: tool("prettier/bin/prettier.cjs", "--check", "--log-level", "warn", ".") },
    { name: "lint: shellcheck", command: ["shellcheck", [...shellcheckOptions, ...scripts]] },
    { name: "types: tsc", command: tool("typescript/bin/tsc", "--noEmit") },
  ];
}

/** Runs all checks at once. Prints one line for each check, and its output where it fails. */
export async function runChecks(say) {
  const results = await Promise.all(
    listChecks().map(async ({ name, command: [program, args] }) => {
      const start = performance.now();
      const { status, output } = await run(program, args);
      say(
        `${name}: ${status === 0 ? "ok" : `failed\n${output.trimEnd()}`} (${since(start)})`,
        status === 0 ? undefined : "red",
      );
      return { name, ok: status === 0 };
    }),
  );
  const failed = results.filter(({ ok }) => !ok).map(({ name }) => name);
  return { passed: results.length - failed.length, failed, skipped: [] };
}
