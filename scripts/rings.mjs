/** The rings of tests. Each ring runs in a mocha of its own. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./steps.mjs";

/**
 * The rings, from the innermost one to the outermost one:
 * - `needs`: the parts of set-up that the ring needs beyond node_modules
 * - `testSeconds`: the limit of one test, unless the test sets its own
 * - `ringMinutes`: the limit of the whole ring, for a test that blocks mocha itself
 * - `processes`: how many processes run files at the same time, where tests mostly wait for lab hosts; each process has
 *   its own lab hosts
 * - `long`: files that take minutes, one for each process
 * - `isLong`: `npm test` leaves the ring out, and CI runs it by its name
 */
export const rings = [
  { name: "core", what: "pure functions, no host", needs: [], testSeconds: 20, ringMinutes: 10, processes: 1 },
  {
    name: "contract",
    what: "the built plugin, over gRPC",
    needs: ["build"],
    testSeconds: 20,
    ringMinutes: 4,
    processes: 1,
  },
  {
    name: "host",
    what: "the scripts on a real Apache",
    needs: ["packages", "build"],
    testSeconds: 90,
    ringMinutes: 15,
    processes: 3,
  },
  {
    name: "engine",
    what: "the real Pulumi engine, sshd and Apache",
    needs: ["packages", "engine", "build"],
    testSeconds: 180,
    ringMinutes: 12,
    processes: 2,
  },
  {
    name: "faults",
    what: "kill, cut, fill, corrupt at every step",
    long: ["process-kill.test.ts"],
    needs: ["packages", "engine", "build"],
    testSeconds: 240,
    ringMinutes: 30,
    processes: 3,
  },
  {
    name: "refresh",
    what: "CRLs that hosts download: every timer, in every weather, with an accident at every moment",
    isLong: true,
    long: [
      "refresh-moments.test.ts",
      "refresh-first.test.ts",
      "refresh-timer.test.ts",
      "refresh-timer-systemd.test.ts",
    ],
    needs: ["packages", "engine", "build"],
    testSeconds: 240,
    ringMinutes: 40,
    processes: 3,
  },
  {
    name: "upgrades",
    what: "hosts and state of earlier builds, under the real engine",
    isLong: true,
    needs: ["packages", "engine", "build"],
    testSeconds: 240,
    ringMinutes: 15,
    processes: 2,
  },
  {
    name: "attacks",
    what: "hosts that are hostile, damaged, short of something or odd",
    isLong: true,
    long: ["judge-deadly.test.ts", "hanging-look.test.ts"],
    needs: ["packages", "build"],
    testSeconds: 240,
    ringMinutes: 40,
    processes: 3,
  },
  {
    name: "trust",
    what: "lint against the real OpenSSL, thousands of times",
    isLong: true,
    needs: ["packages"],
    testSeconds: 1200,
    ringMinutes: 25,
    processes: 1,
  },
  {
    name: "directives",
    what: "other people's directives on a live httpd",
    isLong: true,
    needs: ["packages", "build"],
    testSeconds: 120,
    ringMinutes: 20,
    processes: 3,
  },
];

/**
 * @typedef {{passed: number, failed: string[], skipped: {title: string, reason: string}[]}} Result
 * `failed` has titles, with the reason behind each; the whole of it was printed when the ring ended.
 */

/**
 * Runs one ring. However mocha ends, the result holds what was seen until then.
 *
 * @param {{grep?: string, env: NodeJS.ProcessEnv}} choice
 * @returns {Promise<Result>}
 */
export async function runRing(ring, choice) {
  const files = findTests(ring);
  const shares = Array.from({ length: ring.processes }, (_, share) =>
    files.filter((_file, index) => index % ring.processes === share),
  );
  const results = await Promise.all(shares.map((share) => runShare(ring, share, choice)));
  return {
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    failed: results.flatMap(({ failed }) => failed),
    skipped: results.flatMap(({ skipped }) => skipped),
  };
}

async function runShare(ring, files, choice) {
  if (files.length === 0) return { passed: 0, failed: [], skipped: [] };
  const folder = mkdtempSync(join(tmpdir(), "clientcert-test-"));
  const events = join(folder, "events");
  try {
    writeFileSync(events, "");
    const end = await runMocha(ring, files, events, choice);
    return readResult(ring, readFileSync(events, "utf8"), end);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function findTests(ring) {
  const folder = join("test", ring.name);
  if (!existsSync(join(root, folder))) return [];
  const names = readdirSync(join(root, folder), { recursive: true }).filter((name) => name.endsWith(".test.ts"));
  const long = ring.long ?? [];
  const others = names.filter((name) => !long.includes(name)).sort();
  return [...long, ...others].map((name) => join(folder, name));
}

function runMocha(ring, files, events, { grep, env }) {
  const args = ["--import", "tsx", "node_modules/mocha/bin/mocha.js", "--forbid-only"];
  args.push("--reporter", "scripts/mocha-reporter.cjs", "--reporter-option", `events=${events}`);
  args.push("--timeout", String(ring.testSeconds * 1000), ...(grep === undefined ? [] : ["--grep", grep]), ...files);
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] });
    const timer = setTimeout(() => child.kill("SIGKILL"), ring.ringMinutes * 60_000);
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal });
    });
  });
}

/** A text of several lines, so that only its first line begins at the left. */
const indent = (text) => text.replaceAll("\n", "\n    ");

function readResult(ring, text, { status, signal }) {
  const events = text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const of = (type) => events.filter((event) => event.type === type);
  const failed = of("failed").map(({ title, reason }) =>
    reason === undefined ? title : `${title}: ${indent(reason)}`,
  );
  for (const { title, reason } of of("skipped")) {
    if (reason === undefined) failed.push(`${title}: skipped without a reason; use test/skip.ts`);
  }
  const how = signal === null ? `with status ${status}` : `by ${signal}, limit ${ring.ringMinutes} minutes`;
  if (of("end").length === 0) failed.push(`ring ${ring.name}: mocha ended too early, ${how}`);
  else if (status !== 0 && failed.length === 0) failed.push(`ring ${ring.name}: mocha ended ${how}`);
  return { passed: of("passed").length, failed, skipped: of("skipped").filter(({ reason }) => reason !== undefined) };
}
