#!/usr/bin/env node
/**
 * `npm run mutate`: breaks each safety step in turn on a copy of this folder, and runs the tests that must notice. Most
 * of these steps are in the program that runs on hosts. The exit status is 1 when one mutation goes unnoticed. `node
 * scripts/mutate.mjs TEXT` tries only the mutations with this text in their names.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { mutations } from "./mutations.mjs";
import { isMain, main, root, say, since } from "./steps.mjs";

const posix = "host/posix";
const minutesPerMutation = 6;

/** Copies everything that tests read. The libraries are shared. */
function copyPackage() {
  const copy = mkdtempSync(path.join(tmpdir(), "clientcert-mutate-"));
  const left = new Set(["node_modules", "build", ".git"].map((name) => path.join(root, name)));
  cpSync(root, copy, { recursive: true, filter: (source) => !left.has(source) });
  symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"));
  return copy;
}

/** Returns whether the tests notice the mutation. */
function tryMutation(copy, { name, folder = posix, file, from, to, test, grep }) {
  const target = path.join(copy, folder, file);
  const text = readFileSync(target, "utf8");
  if (text.split(from).length !== 2)
    throw new Error(`${folder}/${file}: the text of "${name}" is not there exactly once; adapt the mutation`);
  writeFileSync(
    target,
    text.replace(from, () => to),
  );
  try {
    return runTests(copy, test, grep);
  } finally {
    writeFileSync(target, text);
  }
}

function runTests(copy, test, grep) {
  const args = [
    "--import",
    "tsx",
    "node_modules/mocha/bin/mocha.js",
    "--reporter",
    "json",
    `test/${test.includes("/") ? test : `faults/${test}`}.test.ts`,
    "--grep",
    grep,
  ];
  const run = spawnSync(process.execPath, args, {
    cwd: copy,
    encoding: "utf8",
    timeout: minutesPerMutation * 60_000,
    killSignal: "SIGKILL",
  });
  const json = run.stdout.slice(run.stdout.indexOf("{\n"));
  const { stats } = run.status === null ? { stats: { tests: 1, failures: 1 } } : JSON.parse(json);
  if (stats.tests === 0) throw new Error(`${test}: no test matches ${JSON.stringify(grep)}`);
  return stats.failures > 0;
}

/** Fails where a test is red without any mutation, because such a test would seem to notice everything. */
function requireGreen(copy, chosen) {
  for (const { test, grep } of chosen) {
    if (runTests(copy, test, grep)) throw new Error(`${test}: ${JSON.stringify(grep)} fails without any mutation`);
  }
}

async function mutate() {
  const [wanted = ""] = process.argv.slice(2);
  const chosen = mutations.filter(({ name }) => name.includes(wanted));
  if (chosen.length === 0) throw new Error(`mutate: no mutation's name holds ${JSON.stringify(wanted)}`);
  const copy = copyPackage();
  try {
    requireGreen(copy, [...new Map(chosen.map((one) => [`${one.test} ${one.grep}`, one])).values()]);
    const survivors = chosen.filter((mutation) => {
      const start = performance.now();
      const isNoticed = tryMutation(copy, mutation);
      const how = isNoticed ? `noticed by ${mutation.test}` : "SURVIVED";
      say(`${mutation.name.padEnd(58)} ${how} (${since(start)})`, isNoticed ? undefined : "red");
      return !isNoticed;
    });
    const noticed = chosen.length - survivors.length;
    say(`mutate: ${noticed} of ${chosen.length} broken safety steps noticed`, survivors.length > 0 ? "red" : "green");
    process.exitCode = survivors.length > 0 ? 1 : 0;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

if (isMain(import.meta.url)) await main(mutate);
