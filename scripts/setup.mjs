#!/usr/bin/env node
/**
 * Makes a fresh clone ready for `npm run demo` and `npm test`. It is plain Node without dependencies, because it runs
 * before `npm ci`. When nothing is missing it only checks, which takes a tenth of a second.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { installPackages } from "./packages.mjs";
import { preparePhp } from "./php.mjs";
import { isMain, main, requireSuccess, root, say, step } from "./steps.mjs";

/** The oldest Node that the libraries run on. package.json names the same version for npm, which only warns. */
const oldestNode = [20, 19];

/**
 * @param {"demo" | "test" | "compare"} purpose which programs are needed on this machine
 * @param {Set<string>} parts what is needed beyond node_modules: any of packages (PHP for lab hosts with them), engine, build
 * @returns {Promise<{pulumi?: string, env: NodeJS.ProcessEnv}>} the engine, and the environment to run it in
 */
export async function setup(purpose, parts = new Set(["packages", "engine", "build"])) {
  requireNode();
  const did = [await installDependencies()];
  if (parts.has("packages")) did.push(await installPackages(purpose), await preparePhp());
  const engine = parts.has("engine") ? await findEngine() : { env: process.env };
  if (parts.has("build")) did.push(await build());
  const words = did.includes(true) ? "ready" : "everything was there";
  const from = engine.source === undefined ? "" : `, Pulumi from ${engine.source}`;
  say(`set-up: ${words}: Node ${process.versions.node}${from}`);
  return engine;
}

/** Fails with a plain message, where a library would fail with an obscure one. */
export function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const isTooOld = major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1]);
  if (isTooOld) {
    throw new Error(`set-up: this is Node ${process.versions.node}; install Node ${oldestNode.join(".")} or later`);
  }
}

/**
 * Runs `npm ci` when node_modules does not hold what package-lock.json lists. Returns whether there was something to
 * do.
 */
export async function installDependencies() {
  if (hasDependencies()) return false;
  await step("dependencies, npm ci", "up to a minute", () =>
    // npm's script `prepare` is left out: set-up makes the bundles in its last step, with messages of its own.
    requireSuccess("set-up", "npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]),
  );
  return true;
}

/** Compares contents and not times: a checkout gives package-lock.json a new time without changing it. */
function hasDependencies() {
  const installed = readPackages(join(root, "node_modules/.package-lock.json"));
  const wanted = readPackages(join(root, "package-lock.json"));
  const isSame = (path) => installed[path]?.version === wanted[path].version;
  // Optional packages are mostly for other platforms.
  const paths = Object.keys(wanted).filter((path) => path !== "" && wanted[path].optional !== true);
  return paths.every(isSame) && Object.keys(installed).every((path) => path in wanted);
}

function readPackages(lockFile) {
  return existsSync(lockFile) ? JSON.parse(readFileSync(lockFile, "utf8")).packages : {};
}

async function findEngine() {
  const { requireEngine } = await import("./engine.mjs");
  return requireEngine();
}

if (isMain(import.meta.url)) {
  await main(() => setup(process.argv[2] === "demo" ? "demo" : "test"));
}
