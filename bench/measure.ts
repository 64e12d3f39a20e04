/** One command measured as a whole process tree: wall, CPU, memory. */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** Added to the environment of this process. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** File that becomes standard input. @default - /dev/null */
  readonly input?: string;
}

export interface Run {
  readonly status: number;
  readonly output: string;
  readonly wallSeconds: number;
  /** User and system time of the process and of all descendants that were waited for; daemons are not among them. */
  readonly cpuSeconds: number;
}

/** What one run took. */
export interface Sample {
  readonly wallSeconds: number;
  readonly cpuSeconds?: number;
  /** Peak. */
  readonly memoryMib?: number;
}

/** Something set up to be measured run by run. */
export interface Sampler {
  readonly sample: () => Promise<Sample>;
  /** Peak of a run of its own, where `sample` does not tell it. */
  readonly memoryMib?: () => Promise<number>;
  readonly stop: () => Promise<void>;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** bash reports what its children used, and theirs. Files, because a daemon would hold the end of a pipe for long. */
const timed =
  '"$@" <"$BENCH_INPUT" >"$BENCH_FOLDER/output" 2>&1; status=$?; times >"$BENCH_FOLDER/times"; exit $status';

/** Runs a command to its end. */
export async function measure(command: Command): Promise<Run> {
  const folder = await mkdtemp(path.join(tmpdir(), "clientcert-measure-"));
  try {
    const begun = performance.now();
    const status = await start(command, { BENCH_FOLDER: folder });
    const wallSeconds = (performance.now() - begun) / 1000;
    const [output, times] = await Promise.all(
      ["output", "times"].map((name) => readFile(path.join(folder, name), "utf8")),
    );
    return { status, output: output ?? "", wallSeconds, cpuSeconds: readTimes(times ?? "") };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Peaks in MiB. */
export interface Memory {
  /** Of the command and all its descendants, daemons too; pages that they share count once. */
  readonly wholeMib: number;
  /** Of the largest process among them that runs our plugin, shared pages included. */
  readonly pluginMib: number;
}

export async function measureMemory(command: Command): Promise<Memory> {
  const mark = randomUUID();
  const marked = { ...command, env: { ...command.env, BENCH_MARK: mark } };
  return watchMemory(mark, measure(marked));
}

/** Of all processes that have BENCH_MARK in their environment, for as long as a run goes on. */
export async function watchMemory(mark: string, run: Promise<unknown>): Promise<Memory> {
  let isRunning = true;
  const ended = run.finally(() => (isRunning = false));
  const known = new Map<string, boolean>();
  let peak: Memory = { wholeMib: 0, pluginMib: 0 };
  while (isRunning) {
    const now = await sampleMemory(`BENCH_MARK=${mark}`, known);
    peak = { wholeMib: Math.max(peak.wholeMib, now.wholeMib), pluginMib: Math.max(peak.pluginMib, now.pluginMib) };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await ended;
  return peak;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? NaN;
  const middle = (sorted.length - 1) / 2;
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  };
}

function start({ program, args, env, cwd, input }: Command, more: Readonly<Record<string, string>>): Promise<number> {
  const child = spawn("bash", ["-c", timed, "bench", program, ...args], {
    cwd,
    env: { ...process.env, ...env, ...more, BENCH_INPUT: input ?? "/dev/null" },
    stdio: "ignore",
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (status) => resolve(status ?? -1));
  });
}

/** What the shell's `times` prints. The last line is that of the children: `0m1.234s 0m0.056s`. */
export function readTimes(text: string): number {
  const [user = "", system = ""] = text.trim().split("\n").at(-1)?.split(" ") ?? [];
  return seconds(user) + seconds(system);
}

/** `1m2.345s` */
function seconds(text: string): number {
  const [minutes, rest] = text.replace("s", "").split("m");
  return Number(minutes) * 60 + Number(rest);
}

/** All processes whose environment has the mark; `known` remembers which those are. */
async function sampleMemory(mark: string, known: Map<string, boolean>): Promise<Memory> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const amounts = await Promise.all(
    pids.map(async (pid) => {
      if (!known.has(pid)) known.set(pid, (await readProc(pid, "environ")).includes(mark));
      return known.get(pid) === true ? processMemory(pid) : { wholeMib: 0, pluginMib: 0 };
    }),
  );
  return {
    wholeMib: amounts.reduce((sum, { wholeMib }) => sum + wholeMib, 0),
    pluginMib: Math.max(0, ...amounts.map(({ pluginMib }) => pluginMib)),
  };
}

async function processMemory(pid: string): Promise<Memory> {
  const [command, rollup] = [await readProc(pid, "cmdline"), await readProc(pid, "smaps_rollup")];
  const mib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(rollup)?.[1] ?? 0) / 1024;
  return { wholeMib: mib("Pss"), pluginMib: command.includes("pulumi-resource-clientcert") ? mib("Rss") : 0 };
}

/** A process may end at any moment: then it has nothing. */
function readProc(pid: string, name: string): Promise<string> {
  return readFile(`/proc/${pid}/${name}`, "latin1").catch(() => "");
}
