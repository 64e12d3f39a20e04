/** A Pulumi project of its own in a temporary folder: this checkout's program, its own stacks, state and settings. */
import { spawn } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { requireEngine } from "../scripts/engine.mjs";

const thisCheckout = path.resolve(import.meta.dirname, "..");

export interface Ended {
  readonly status: number | null;
  /** Standard output and standard error, in the order of arrival. */
  readonly output: string;
}

export interface Running {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Sends a signal to the CLI alone. */
  readonly signal: (name: NodeJS.Signals) => void;
  readonly output: () => string;
}

export interface ProjectOptions {
  /** Added to the environment, such as `PULUMI_DEBUG_PROVIDERS`. */
  readonly environment?: NodeJS.ProcessEnv;
  /**
   * The folder of the project, which is made where it is missing.
   * @default - a new temporary folder
   */
  readonly folder?: string;
  /** Text of another program. @default - the checkout's */
  readonly index?: string;
  /** Absolute path of the checkout that is tried out. @default - this one */
  readonly checkout?: string;
  /**
   * Fills the folder with another kind of program.
   * @default - the checkout's program, by links into the checkout
   */
  readonly fill?: (folder: string) => Promise<void>;
}

export interface Project {
  readonly folder: string;
  /** The environment that the engine runs with. */
  readonly env: NodeJS.ProcessEnv;
  /** Starts `pulumi …` on the stack `lab`. */
  readonly start: (args: readonly string[]) => Running;
  /** Runs `pulumi …` to its end. */
  readonly pulumi: (...args: readonly string[]) => Promise<Ended>;
  /** Writes a file below `stacks/`. */
  readonly write: (name: string, text: string) => Promise<void>;
  readonly remove: () => Promise<void>;
}

export async function createProject(options: ProjectOptions = {}): Promise<Project> {
  const folder = options.folder ?? (await mkdtemp(path.join(tmpdir(), "clientcert-project-")));
  for (const name of ["stacks", "state", "home"]) await mkdir(path.join(folder, name), { recursive: true });
  await (options.fill?.(folder) ?? fillFolder(folder, options));
  const env = { ...(await requireEngine()).env, ...settings(folder), ...options.environment };
  const start = (args: readonly string[]): Running => startPulumi(folder, env, args);
  const pulumi = (...args: readonly string[]): Promise<Ended> => start(args).ended;
  const write = (name: string, text: string): Promise<void> => writeFile(path.join(folder, "stacks", name), text);
  const made = await pulumi("stack", "init", "lab");
  if (made.status !== 0) throw new Error(made.output);
  return { folder, env, start, pulumi, write, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** What the program needs. These are links into the checkout. The project has its own folders for what it writes. */
const linked = ["package.json", "tsconfig.json", "components", "core", "provider", "build", "node_modules"];

async function fillFolder(folder: string, { index, checkout = thisCheckout }: ProjectOptions): Promise<void> {
  for (const name of linked) await symlink(path.join(checkout, name), path.join(folder, name));
  await copyFile(path.join(checkout, "Pulumi.yaml"), path.join(folder, "Pulumi.yaml"));
  if (index === undefined) await symlink(path.join(checkout, "index.ts"), path.join(folder, "index.ts"));
  else await writeFile(path.join(folder, "index.ts"), index);
}

function settings(folder: string): NodeJS.ProcessEnv {
  return {
    PULUMI_BACKEND_URL: `file://${folder}/state`,
    PULUMI_HOME: path.join(folder, "home"),
    PULUMI_CONFIG_PASSPHRASE: "for tests only",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    NO_COLOR: "1",
  };
}

function startPulumi(folder: string, env: NodeJS.ProcessEnv, args: readonly string[]): Running {
  const all = [...args, "--non-interactive", "--color=never"];
  const child = spawn("pulumi", all, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  const chunks: Buffer[] = [];
  const output = (): string => Buffer.concat(chunks).toString("utf8");
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, output: output() }));
  });
  return { pid: child.pid ?? 0, ended, output, signal: (name) => void child.kill(name) };
}
