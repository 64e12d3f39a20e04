/** This project as a contender: `clientcert check`, and Pulumi's own preview with the real engine. */
import { copyFile, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Contender } from "./contender.ts";
import type { Fleet } from "./fleet.ts";
import { measure, type Command } from "./measure.ts";

const checkout = path.dirname(import.meta.dirname);
const program = path.join(checkout, "build/cli/clientcert");
const stack = "bench";
const shared = ["package.json", "tsconfig.json", "components", "core", "provider", "build", "node_modules"];

/** `env` is the environment to run the engine in. */
export function ownContenders(env: NodeJS.ProcessEnv): readonly Contender[] {
  const prepare = async (fleet: Fleet): Promise<void> => {
    await makeProject(fleet, "project", await readFile(path.join(checkout, "index.ts"), "utf8"));
    await makeProject(fleet, "empty", "export {};\n");
    for (const name of ["project", "empty"]) {
      await requireZero(pulumi(fleet, name, env, ["stack", "init", stack]));
      await requireZero(pulumi(fleet, name, env, ["up", "--yes", "--skip-preview"]));
    }
  };
  const preview = ["preview", "--refresh", "--expect-no-changes"];
  return [
    {
      name: "clientcert check",
      prepare,
      command: async (fleet) => ({ program, args: ["check", "--site", siteFile(fleet)] }),
      isUnchanged: () => true, // its exit status says so
    },
    {
      name: "pulumi preview --refresh; ratio to an empty program",
      prepare,
      command: async (fleet) => pulumi(fleet, "project", env, preview),
      baseline: async (fleet) => pulumi(fleet, "empty", env, preview),
      isUnchanged: () => true, // exit 7 otherwise
    },
  ];
}

const siteFile = (fleet: Fleet): string => path.join(fleet.folder, "project", "stacks", `${stack}.yaml`);

function pulumi(fleet: Fleet, project: string, env: NodeJS.ProcessEnv, args: readonly string[]): Command {
  const folder = path.join(fleet.folder, project);
  const settings = {
    PATH: env["PATH"] ?? "",
    PULUMI_BACKEND_URL: `file://${folder}/state`,
    PULUMI_HOME: path.join(folder, "home"),
    PULUMI_CONFIG_PASSPHRASE: "for the bench only",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
  const quiet = ["--non-interactive", "--color=never"];
  return { program: "pulumi", args: [...args, ...quiet], cwd: folder, env: settings };
}

async function requireZero(command: Command): Promise<void> {
  const { status, output } = await measure(command);
  if (status === 0) return;
  const last = output.trim().split("\n").slice(-3).join(" | ");
  throw new Error(`pulumi ${command.args[0] ?? ""} ended with ${status}: ${last}`);
}

/** This checkout's program with a stack, state and settings of its own. */
async function makeProject(fleet: Fleet, name: string, index: string): Promise<void> {
  const folder = path.join(fleet.folder, name);
  for (const part of ["stacks", "state", "home"]) await mkdir(path.join(folder, part), { recursive: true });
  for (const part of shared) await symlink(path.join(checkout, part), path.join(folder, part));
  await copyFile(path.join(checkout, "Pulumi.yaml"), path.join(folder, "Pulumi.yaml"));
  await writeFile(path.join(folder, "index.ts"), index);
  for (const file of ["ca.pem", "crl.pem"]) {
    await copyFile(path.join(fleet.folder, file), path.join(folder, "stacks", file));
  }
  // JSON is YAML, too.
  await writeFile(path.join(folder, "stacks", `${stack}.yaml`), JSON.stringify(site(fleet), undefined, 2));
}

function site(fleet: Fleet) {
  return {
    clientAuth: {
      caFiles: ["ca.pem"],
      crlFiles: ["crl.pem"],
      organizations: ["ABC CORPORATION"],
      countries: ["JP"],
    },
    hosts: fleet.hosts.map((host, index) => ({
      name: fleet.name(index),
      address: host.address,
      port: host.ports.https,
      connection: { user: "root", port: host.ports.ssh, hostKey: host.hostKey, login: { keyFile: host.keyFile } },
    })),
  };
}
