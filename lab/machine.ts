/**
 * One machine within this machine. It has its own mounts, processes, IPC and host name; the network is shared. This
 * file knows nothing of Apache.
 */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { requireValue } from "./values.ts";

const bootScript = fileURLToPath(new URL("machine.sh", import.meta.url));
const cleanEnvironment = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
  LANG: "C",
};
/**
 * A shell program that removes the files of the machine when it has ended. It outlives Node, so that nothing stays even
 * when Node is killed. A pid 1 may have made a control group with the name of the directory, which is removed, too.
 */
const guard = `directory=$1; shift; "$@"; status=$?
for groups in /sys/fs/cgroup/systemd /sys/fs/cgroup; do
  [ ! -d "$groups/\${directory##*/}" ] || find "$groups/\${directory##*/}" -depth -type d -exec rmdir {} +
done
rm -rf "$directory"; exit $status`;
const largestOutputBytes = 256 * 1024 * 1024;

export interface Execution {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Machine {
  /** A private directory outside of the machine. `stop` removes it. */
  readonly directory: string;
  /** The process id that the machine's pid 1 has outside of the machine. */
  readonly pid: number;
  /** Runs a shell command as root inside. Texts are latin1. */
  exec(command: string, input?: string | Buffer): Promise<Execution>;
  /** Like `exec`, but fails where the exit status is not 0. Returns the output. */
  run(command: string, input?: string | Buffer): Promise<string>;
  /** Ends everything inside, and removes the directory. */
  stop(): Promise<void>;
}

export interface MachineFile {
  readonly content: string | Buffer;
  /** @default 0o644 */
  readonly mode?: number;
}

export interface MachineOptions {
  /**
   * Files that are laid over the machine's root, by absolute path. Files below `/usr/local/ni` go to the product's own
   * tree.
   */
  readonly files: ReadonlyMap<string, MachineFile>;
  /** A shell script that starts the servers. It runs inside as root. Where it fails, the machine does not start. */
  readonly start: string;
  /**
   * A shell script that becomes another pid 1 after `start`.
   * @default - the machine's own, which only waits
   */
  readonly init?: string | undefined;
}

/** The product's tree. It lies on the disk, not on an overlay. */
const productTree = "/usr/local/ni/";

/** Starts a machine. The promise resolves when the start script has ended well. */
export async function startMachine(options: MachineOptions): Promise<Machine> {
  const directory = await mkdtemp(path.join(tmpdir(), "clientcert-lab-"));
  try {
    const init: [string, MachineFile][] =
      options.init === undefined ? [] : [["/lab-init.sh", { content: options.init }]];
    await writeFiles(directory, new Map([...options.files, ["/lab-start.sh", { content: options.start }], ...init]));
    return await boot(directory);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

async function boot(directory: string): Promise<Machine> {
  const namespaces = ["--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child=KILL", "--propagation", "private"];
  const shell = ["sh", bootScript, directory, ...(await furtherMounts())];
  // The machine has a session of its own, so Ctrl-C ends Node only. When Node has ended, the pipe ends the machine, and
  // the guard removes its files.
  const child = spawn("sh", ["-c", guard, "lab-guard", directory, "unshare", ...namespaces, "--", ...shell], {
    env: cleanEnvironment,
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await untilReady(child);
  const pid = await childOf(await childOf(requireValue(child.pid, "process of the lab machine")));
  const exec = (command: string, input?: string | Buffer) => execute(pid, command, input);
  return {
    directory,
    pid,
    exec,
    async run(command, input) {
      const { status, stdout, stderr } = await exec(command, input);
      if (status !== 0) throw new Error(`lab machine: ${command}: ended with ${status}: ${stderr.trim()}`);
      return stdout;
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}

async function childOf(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "latin1");
  return Number(requireValue(children.split(" ")[0], `child of process ${pid}`));
}

/**
 * The deadline of a start. It is far longer than a start takes, also on a busy machine. A start that hangs must end at
 * some time.
 */
const startDeadlineSeconds = 60;

/** Waits for the line `ready`. */
function untilReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = "";
    const deadline = setTimeout(() => killGroup(child), startDeadlineSeconds * 1000);
    const onData = (chunk: Buffer) => {
      output += chunk.toString("latin1");
      if (!/^ready$/m.test(output)) return;
      clearTimeout(deadline);
      resolve();
    };
    child.stdout?.on("data", onData);
    child.stderr?.on("data", onData);
    child.once("error", reject);
    child.once("close", (status) => reject(new Error(`lab machine: did not start (${status}): ${output.trim()}`)));
  });
}

/** Ends the session of the machine. The machine's pid 1 dies with the process that made the namespaces. */
function killGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, "SIGKILL");
}

function execute(pid: number, command: string, input: string | Buffer | undefined): Promise<Execution> {
  // The command has a session of its own: a Ctrl-C that Node survives must not end what runs inside.
  const enter = ["nsenter", `--target=${pid}`, "--mount", "--pid", "--ipc", "--uts", "--"];
  const args = [...enter, "/bin/sh", "-c", command];
  return new Promise((resolve, reject) => {
    const options = { env: cleanEnvironment, encoding: "latin1" as const, maxBuffer: largestOutputBytes };
    const child = execFile("setsid", args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ status: 0, stdout, stderr });
      else if (typeof error.code === "number") resolve({ status: error.code, stdout, stderr });
      else reject(new Error(`lab machine: ${command}: ${error.message}`));
    });
    child.stdin?.on("error", () => undefined); // a command that does not read its input is no failure
    child.stdin?.end(input ?? "");
  });
}

async function writeFiles(directory: string, files: ReadonlyMap<string, MachineFile>): Promise<void> {
  await Promise.all(["files", "ni"].map((folder) => mkdir(path.join(directory, folder))));
  for (const [name, { content, mode }] of files) {
    const target = name.startsWith(productTree)
      ? path.join(directory, "ni", name.slice(productTree.length))
      : path.join(directory, "files", name);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, content, { mode: mode ?? 0o644 });
  }
}

/** Lists the mount points of disk file systems other than the root, because an overlay of `/` shows them empty. */
async function furtherMounts(): Promise<string[]> {
  const lines = (await readFile("/proc/self/mountinfo", "latin1")).trim().split("\n");
  const points = lines.map((line) => {
    const [before = "", after = ""] = line.split(" - ");
    return { point: before.split(" ")[4] ?? "", type: after.split(" ")[0] ?? "" };
  });
  const wanted = points.filter(
    ({ point, type }) =>
      /^(ext[234]|xfs|btrfs)$/.test(type) && /^\/(usr|etc|var|opt|home|root|srv|lib|bin|sbin)\b/.test(point),
  );
  return wanted.map(({ point }) => point);
}
