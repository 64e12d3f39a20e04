#!/usr/bin/env node
/**
 * `npm test`: runs set-up, lint, types, and every ring of tests except the long one. `node scripts/test.mjs RING…
 * [--grep TEXT]` runs only those rings, with only the set-up that they need. The last line is `N passed, N failed, N
 * skipped`.
 */
import { parseArgs } from "node:util";
import { rings, runRing } from "./rings.mjs";
import { runChecks } from "./checks.mjs";
import { setup } from "./setup.mjs";
import { isMain, main, say, since } from "./steps.mjs";

function readCommandLine() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { grep: { type: "string" } } });
  const unknown = positionals.filter((name) => !rings.some((ring) => ring.name === name));
  if (unknown.length > 0) {
    const names = rings.map(({ name }) => name).join(", ");
    throw new Error(
      `test: ${JSON.stringify(unknown[0])} is no ring; write any of ${names}, or none for all but the long one`,
    );
  }
  const chosen =
    positionals.length === 0
      ? rings.filter(({ isLong }) => isLong !== true)
      : rings.filter(({ name }) => positionals.includes(name));
  return { chosen, grep: values.grep, isWhole: positionals.length === 0 && values.grep === undefined };
}

async function runTests() {
  const { chosen, grep, isWhole } = readCommandLine();
  const engine = await setup("test", new Set(chosen.flatMap(({ needs }) => needs)));
  const results = isWhole ? [await runChecks(say)] : [];
  for (const ring of chosen) {
    const result = await runRingAloud(ring, grep, engine.env);
    // With --grep most rings have no matching test, and that is not a mistake.
    if (grep === undefined && isEmpty(result)) result.failed.push(`ring ${ring.name}: no test ran`);
    results.push(result);
  }
  if (results.every(isEmpty)) results.push({ passed: 0, failed: ["no test ran"], skipped: [] });
  summarize(results);
}

const isEmpty = ({ passed, failed, skipped }) => passed + failed.length + skipped.length === 0;

async function runRingAloud(ring, grep, env) {
  const start = performance.now();
  say(`ring ${ring.name}: ${ring.what} …`);
  const result = await runRing(ring, { grep, env });
  say(`ring ${ring.name}: ${countsOf(result)} (${since(start)})`, result.failed.length > 0 ? "red" : undefined);
  return result;
}

const countsOf = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed.length} failed, ${skipped.length} skipped`;

function summarize(results) {
  const total = {
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    failed: results.flatMap(({ failed }) => failed),
    skipped: results.flatMap(({ skipped }) => skipped),
  };
  for (const { title, reason } of total.skipped) say(`skipped: ${title}: ${reason}`, "yellow");
  for (const title of total.failed) say(`failed: ${title}`, "red");
  say(countsOf(total), total.failed.length > 0 ? "red" : "green");
  process.exitCode = total.failed.length > 0 ? 1 : 0;
}

if (isMain(import.meta.url)) await main(runTests);
