/** This project as a contender: `clientcert check`, and Pulumi's own preview with the real engine. */
import { copyFile } from "node:fs/promises";
import path from "node:path";
import { createProject, type Project } from "../lab/project.ts";
import { siteText } from "../lab/site.ts";
import { programOf, type Build } from "./build.ts";
import type { Contender } from "./contender.ts";
import type { Fleet } from "./fleet.ts";
import type { Command } from "./measure.ts";

const emptyProgram = "export {};\n";

interface Projects {
  readonly site: Project;
  /** What the engine costs by itself. */
  readonly empty: Project;
}

/** `env` is the environment to run the engine in. */
export function ownContenders(env: NodeJS.ProcessEnv, build: Build): readonly Contender[] {
  const program = programOf(build, "cli/clientcert");
  const made = new WeakMap<Fleet, Projects>();
  const prepare = async (fleet: Fleet): Promise<void> => void made.set(fleet, await makeProjects(fleet, env, build));
  const projectOf = (fleet: Fleet, name: keyof Projects): Project => {
    const project = made.get(fleet)?.[name];
    if (project === undefined) throw new Error("bench: the fleet was not prepared");
    return project;
  };
  const preview = (fleet: Fleet, name: keyof Projects): Command => {
    const project = projectOf(fleet, name);
    const args = ["preview", "--refresh", "--expect-no-changes", "--non-interactive", "--color=never"];
    return { program: "pulumi", args, cwd: project.folder, env: project.env };
  };
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
      command: async (fleet) => preview(fleet, "site"),
      baseline: async (fleet) => preview(fleet, "empty"),
      stateKib: async (fleet) => {
        const { output } = await projectOf(fleet, "site").pulumi("stack", "export");
        return Buffer.byteLength(output) / 1024;
      },
      isUnchanged: () => true, // exit 7 otherwise
    },
  ];
}

const projectFolder = (fleet: Fleet, name: keyof Projects): string => path.join(fleet.folder, name);
const siteFile = (fleet: Fleet): string => path.join(projectFolder(fleet, "site"), "stacks", "lab.yaml");

/** Both with their hosts, or nothing, as wanted. The fleet removes their folders with its own. */
async function makeProjects(fleet: Fleet, environment: NodeJS.ProcessEnv, build: Build): Promise<Projects> {
  const from = { environment, checkout: build.root };
  const site = await createProject({ ...from, folder: projectFolder(fleet, "site") });
  const empty = await createProject({ ...from, folder: projectFolder(fleet, "empty"), index: emptyProgram });
  const files = ["ca.pem", "crl.pem"];
  for (const file of files) await copyFile(path.join(fleet.folder, file), path.join(site.folder, "stacks", file));
  const hosts = fleet.hosts.map((lab, index) => ({ name: fleet.name(index), lab }));
  await site.write("lab.yaml", siteText({ caFiles: ["ca.pem"], crlFiles: ["crl.pem"], hosts }));
  for (const project of [site, empty]) {
    const { status, output } = await project.pulumi("up", "--yes", "--skip-preview");
    if (status !== 0)
      throw new Error(`pulumi up ended with ${status}: ${output.trim().split("\n").slice(-3).join(" | ")}`);
  }
  return { site, empty };
}
