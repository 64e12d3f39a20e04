/** Lab hosts for one contender, and how each kind of tool is told about them. Nothing is shared between two fleets. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { startLabHost, type LabHost } from "../lab/host.ts";
import { labPki } from "../lab/pki.ts";

export interface Fleet {
  readonly hosts: readonly LabHost[];
  /** Temporary folder: `ssh_config`, `known_hosts`, `ca.pem`, `crl.pem`. */
  readonly folder: string;
  readonly sshConfig: string;
  readonly knownHosts: string;
  /** Name in `ssh_config` and inventories, counted from 0. */
  readonly name: (index: number) => string;
  /** Remote executions so far, over all hosts. */
  readonly executions: () => Promise<number>;
  readonly stop: () => Promise<void>;
}

/** Hosts that start at the same time: more would only wait for the two cores. */
const startedAtOnce = 4;

/** Starts `size` hosts, each with its own sshd, mount namespace, tree and httpd. */
export async function startFleet(size: number): Promise<Fleet> {
  const folder = await mkdtemp(path.join(tmpdir(), "clientcert-bench-"));
  const hosts: LabHost[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(hosts.map((host) => host.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    while (hosts.length < size) {
      const batch = Array.from({ length: Math.min(startedAtOnce, size - hosts.length) }, () => startLabHost());
      hosts.push(...(await Promise.all(batch)));
    }
    await writeFiles(folder, hosts);
  } catch (error) {
    await stop();
    throw error;
  }
  const executions = async (): Promise<number> =>
    (await Promise.all(hosts.map((host) => host.executions()))).reduce((sum, count) => sum + count, 0);
  const sshConfig = path.join(folder, "ssh_config");
  return { hosts, folder, sshConfig, knownHosts: path.join(folder, "known_hosts"), name: nameOf, executions, stop };
}

const nameOf = (index: number): string => `lab${index + 1}`;

async function writeFiles(folder: string, hosts: readonly LabHost[]): Promise<void> {
  const pki = await labPki();
  const known = hosts.map((host) => `[${host.address}]:${host.ports.ssh} ${host.hostKey}\n`);
  await writeFile(path.join(folder, "known_hosts"), known.join(""));
  const sections = hosts.map((host, index) => sshSection(host, nameOf(index), folder));
  await writeFile(path.join(folder, "ssh_config"), sections.join(""));
  await writeFile(path.join(folder, "ca.pem"), pki.caBundle);
  await writeFile(path.join(folder, "crl.pem"), await pki.crl());
}

function sshSection(host: LabHost, name: string, folder: string): string {
  return `Host ${name}
  HostName ${host.address}
  Port ${host.ports.ssh}
  User root
  IdentityFile ${host.keyFile}
  IdentitiesOnly yes
  BatchMode yes
  StrictHostKeyChecking yes
  UserKnownHostsFile ${folder}/known_hosts
  GlobalKnownHostsFile /dev/null
`;
}
