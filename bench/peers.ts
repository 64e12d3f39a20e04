/** Other tools on the same job: installed into a Python environment in the cache, and how each is run. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { Contender } from "./contender.ts";
import type { Fleet } from "./fleet.ts";
import { measure, type Command } from "./measure.ts";

const run = promisify(execFile);

/** Exact, so that the table can be measured again. */
const requirements = ["ansible-core==2.21.5", "mitogen==0.3.54", "pyinfra==3.10.0"];
/** ansible-core 2.21 refuses an older one. */
const oldestPython = [3, 12];
const jobs = path.join(import.meta.dirname, "peers");

/** All peers; where Python or a package is not to be had, each says why. */
export async function findPeers(cacheDirectory: string, say: (line: string) => void): Promise<readonly Contender[]> {
  const environment = path.join(cacheDirectory, "peers", "1");
  const unavailable = await install(environment, say).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)),
  );
  const program = (name: string): string => path.join(environment, "bin", name);
  const peers = [pyinfra(program("pyinfra")), ...(await ansibleVariants(environment, program("ansible-playbook")))];
  return unavailable === undefined ? peers : peers.map((peer) => ({ ...peer, unavailable }));
}

async function install(environment: string, say: (line: string) => void): Promise<void> {
  const done = path.join(environment, "complete");
  if (existsSync(done)) return;
  const python = await requirePython();
  say(`bench: installing ${requirements.join(" ")} (up to a minute)`);
  await rm(environment, { recursive: true, force: true });
  await run(python, ["-m", "venv", environment]);
  const pip = ["install", "--quiet", "--disable-pip-version-check", ...requirements];
  await run(path.join(environment, "bin", "pip"), pip, { maxBuffer: 2 ** 24 });
  await writeFile(done, "");
}

async function requirePython(): Promise<string> {
  const pyenv = path.join(homedir(), ".pyenv", "versions");
  const versions = existsSync(pyenv) ? (await readdir(pyenv)).sort().reverse() : [];
  const named = ["python3", "python3.14", "python3.13", "python3.12"];
  for (const python of [...named, ...versions.map((version) => path.join(pyenv, version, "bin", "python3"))]) {
    const code = `import sys; sys.exit(sys.version_info < (${oldestPython.join(", ")}))`;
    const fits = await run(python, ["-c", code]).then(
      () => true,
      () => false, // not there, or too old
    );
    if (fits) return python;
  }
  throw new Error(`no Python ${oldestPython.join(".")} or later`);
}

function pyinfra(program: string): Contender {
  const command = async (fleet: Fleet): Promise<Command> => {
    const inventory = path.join(fleet.folder, "pyinfra.py");
    const hosts = fleet.hosts.map((host, index) => {
      const data = { ssh_hostname: host.address, ssh_port: host.ports.ssh, ssh_user: "root", ssh_key: host.keyFile };
      return [fleet.name(index), { ...data, ssh_known_hosts_file: fleet.knownHosts }];
    });
    // Python reads lists of strings and numbers as JSON writes them.
    await writeFile(inventory, `lab = [${hosts.map((host) => `(${JSON.stringify(host).slice(1, -1)})`).join(", ")}]\n`);
    return { program, args: [inventory, "deploy.py", "-y"], cwd: jobs, env: { FILES: fleet.folder } };
  };
  const isUnchanged = (output: string): boolean => /^\s*Grand total +\d+ +- +- +\d+ *$/m.test(output);
  return { name: "pyinfra", prepare: (fleet) => applyFirst(command, fleet), command, isUnchanged };
}

/** `isFast`: what a user who reads the manual's page on speed sets; `strategy`: mitogen's. */
interface AnsibleVariant {
  readonly name: string;
  readonly isFast: boolean;
  readonly strategyFolder?: string;
}

async function ansibleVariants(environment: string, program: string): Promise<readonly Contender[]> {
  const library = path.join(environment, "lib");
  const python = existsSync(library)
    ? ((await readdir(library)).find((name) => name.startsWith("python3.")) ?? "")
    : "";
  const strategyFolder = path.join(library, python, "site-packages/ansible_mitogen/plugins/strategy");
  const variants: readonly AnsibleVariant[] = [
    { name: "mitogen, forks 10", isFast: true, strategyFolder },
    { name: "ansible, fast, forks 10", isFast: true },
    { name: "ansible, as installed", isFast: false },
  ];
  return variants.map((variant) => ansible(program, variant));
}

function ansible(program: string, variant: AnsibleVariant): Contender {
  const command = async (fleet: Fleet): Promise<Command> => {
    // New for each run, so that no connection of the run before is used again.
    const folder = await mkdtemp(path.join(fleet.folder, "a-"));
    await writeFile(path.join(folder, "inventory"), inventory(fleet));
    await writeFile(path.join(folder, "ansible.cfg"), configuration(fleet, folder, variant));
    const args = ["-i", path.join(folder, "inventory"), "playbook.yml", "-e", `files=${fleet.folder}`];
    if (variant.isFast) args.push("-e", "facts=false");
    return {
      program,
      args,
      cwd: jobs,
      env: { ANSIBLE_CONFIG: path.join(folder, "ansible.cfg"), ANSIBLE_HOME: folder },
    };
  };
  const isUnchanged = (output: string): boolean => {
    const recap = output.slice(output.indexOf("PLAY RECAP"));
    return /changed=0 /.test(recap) && !/(changed|unreachable|failed)=[1-9]/.test(recap);
  };
  return { name: variant.name, prepare: (fleet) => applyFirst(command, fleet), command, isUnchanged };
}

function inventory(fleet: Fleet): string {
  const lines = fleet.hosts.map((host, index) => {
    const connection = `ansible_host=${host.address} ansible_port=${host.ports.ssh} ansible_user=root`;
    return `${fleet.name(index)} ${connection} ansible_ssh_private_key_file=${host.keyFile}\n`;
  });
  return `[lab]\n${lines.join("")}`;
}

function configuration(fleet: Fleet, folder: string, { isFast, strategyFolder }: AnsibleVariant): string {
  const known = `-o UserKnownHostsFile=${fleet.knownHosts} -o IdentitiesOnly=yes`;
  const strategy =
    strategyFolder === undefined ? [] : [`strategy_plugins=${strategyFolder}`, "strategy=mitogen_linear"];
  // Named for all: where several are installed, discovery may take one that does not work.
  const defaults = ["interpreter_python=/usr/bin/python3", ...(isFast ? ["forks=10", ...strategy] : [])];
  const speed = isFast ? ["pipelining=True"] : [];
  return `${["[defaults]", `local_tmp=${folder}`, ...defaults, "[ssh_connection]", ...speed].join("\n")}
ssh_args=-o ControlMaster=auto -o ControlPersist=60s ${known}
control_path_dir=${folder}
`;
}

/** The first run changes, a second one must not. */
async function applyFirst(command: Contender["command"], fleet: Fleet): Promise<void> {
  const { status, output } = await measure(await command(fleet));
  if (status !== 0)
    throw new Error(`first run ended with ${status}: ${output.trim().split("\n").slice(-3).join(" | ")}`);
}
