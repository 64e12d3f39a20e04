/**
 * What the set-up scripts share: the path of the checkout, and functions that run programs and report long work. Plain
 * Node only.
 */
import { spawn } from "node:child_process";
import { accessSync, constants, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The absolute path of the checkout. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The folder for files that are expensive to make and must outlive a checkout. */
export const cacheDirectory = join(
  process.env.XDG_CACHE_HOME || join(process.env.HOME || "/root", ".cache"),
  "clientcert",
);

/** Returns whether the module at `url` is the script that node was started with. */
export function isMain(url) {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(url);
}

/** Prints one line. It has a colour only on a terminal, because escape sequences do not belong in a log. */
export function say(text, colour) {
  const code = { green: 32, red: 31, yellow: 33, dim: 2 }[colour];
  const plain = code === undefined || !process.stdout.isTTY || process.env.NO_COLOR !== undefined;
  process.stdout.write(plain ? `${text}\n` : `\u001b[${code}m${text}\u001b[0m\n`);
}

/** Returns the seconds since `start` (from `performance.now()`), such as `1.2 s`. */
export function since(start) {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}

/**
 * Returns the absolute path of a program, or undefined. Debian keeps servers in /usr/sbin, which a user's PATH may
 * lack.
 */
export function findProgram(name) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // The program is missing here, or this user may not run it. In both cases the search goes on.
    return false;
  }
}

/**
 * Runs a program to its end and collects what it prints. Its standard input is empty, so that it cannot ask a question.
 * The status is -1 for a program that a signal ended or that could not be started.
 */
export function run(command, args, { cwd = root, env = process.env } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const chunks = [];
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    const finish = (status, more) => resolve({ status, output: Buffer.concat(chunks).toString("utf8") + more });
    child.on("error", (error) => finish(-1, error.message));
    child.on("close", (status, signal) => finish(status ?? -1, signal === null ? "" : `ended by ${signal}`));
  });
}

/** Like {@link run}, but throws an error on failure, which quotes the end of the output. */
export async function requireSuccess(what, command, args, options) {
  const { status, output } = await run(command, args, options);
  if (status === 0) return output;
  const tail = output.trimEnd().split("\n").slice(-15).join("\n  ");
  throw new Error(`${what}: ${command} ${args[0] ?? ""} ended with ${status}:\n  ${tail}`);
}

/** Runs `work`. Reports that it begins, every 30 seconds that it goes on, and how long it took. */
export async function step(what, expected, work) {
  const start = performance.now();
  say(`set-up: ${what} (${expected}) …`);
  const alive = setInterval(() => say(`set-up: ${what}: still at it after ${since(start)}`, "dim"), 30_000);
  try {
    const result = await work();
    say(`set-up: ${what}: done in ${since(start)}`);
    return result;
  } finally {
    clearInterval(alive);
  }
}

/** Runs the main function of a script. An error becomes one plain message and exit status 1, never a stack trace. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
