/** What the set-up scripts share: where the checkout is, running a program, saying what takes long. Plain Node only. */
import { spawn } from "node:child_process";
import { accessSync, constants, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Absolute path of the checkout. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Folder for what is expensive to make and must survive a fresh clone. */
export const cacheDirectory = join(
  process.env.XDG_CACHE_HOME || join(process.env.HOME || "/root", ".cache"),
  "clientcert",
);

/** True when the module at `url` is the script that node was started with. */
export function isMain(url) {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(url);
}

/** Prints one line, in colour only on a terminal: nobody wants escape sequences in a log. */
export function say(text, colour) {
  const code = { green: 32, red: 31, yellow: 33, dim: 2 }[colour];
  const plain = code === undefined || !process.stdout.isTTY || process.env.NO_COLOR !== undefined;
  process.stdout.write(plain ? `${text}\n` : `\u001b[${code}m${text}\u001b[0m\n`);
}

/** Seconds since `start` (from `performance.now()`), such as `1.2 s`. */
export function since(start) {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}

/** Absolute path of a program, or undefined. Debian keeps servers in /usr/sbin, which users' PATH may lack. */
export function findProgram(name) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there or not ours to run: both mean "look further".
    return false;
  }
}

/**
 * Runs a program to its end with nothing on its standard input, so that it cannot ask, and collects what it prints.
 * A signal, or a program that cannot be started, is status -1.
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

/** As {@link run}, but a failure is an error that quotes the end of the output. */
export async function requireSuccess(what, command, args, options) {
  const { status, output } = await run(command, args, options);
  if (status === 0) return output;
  const tail = output.trimEnd().split("\n").slice(-15).join("\n  ");
  throw new Error(`${what}: ${command} ${args[0] ?? ""} ended with ${status}:\n  ${tail}`);
}

/** Says that `work` begins, every 30 seconds that it goes on, and how long it took. */
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

/** Runs a script's main function: an error is one plain message and exit 1, never a stack trace. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
