/**
 * A whole host for demo, tests and bench: a machine of its own with a real sshd and a real Apache httpd, reachable on
 * loopback only.
 */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { cronSetUp, cronStart } from "./cron.ts";
import { distributionLayout } from "./distributions.ts";
import type { Layout } from "./layout.ts";
import { startMachine, type Machine, type MachineFile } from "./machine.ts";
import type { LabHostOptions, LabPorts } from "./options.ts";
import { labPki, type LabPki } from "./pki.ts";
import { phpFiles, phpStart, switchPage } from "./php.ts";
import { freePorts } from "./ports.ts";
import { environmentPage, productLayout } from "./product.ts";
import { hashSnapshot, takeSnapshot, type Snapshot, type SnapshotOptions } from "./snapshot.ts";
import { variantFiles, variantSetUp, variantStart } from "./variants.ts";
import { systemdInit, systemdSetUp } from "./systemd.ts";
import { countExecutions, createSshKeys, loginKeys, sshFiles, sshLogFile, sshStart } from "./ssh.ts";

export interface LabHost extends Omit<Machine, "pid"> {
  /** The process id that the host's pid 1 has outside of the host. */
  readonly pid: number;
  readonly address: "127.0.0.1";
  readonly ports: LabPorts;
  /** Public host key, `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** The file, outside of the host, with the private key that logs in. */
  readonly keyFile: string;
  readonly pki: LabPki;
  readonly serverRoot: string;
  readonly configFile: string;
  /** Path of the URL that shows what an application sees of a request: PHP's page, else a CGI. */
  readonly page: string;
  /**
   * The path, outside of the host, of a file inside it. An absolute symlink on this path leads out of the host: use
   * `exec` where there is one.
   */
  path(inside: string): string;
  /** Reads the whole live tree, with its metadata. */
  snapshot(options?: SnapshotOptions): Promise<Snapshot>;
  /** The hash of such a snapshot, to compare the tree before and after. */
  treeHash(options?: SnapshotOptions): Promise<string>;
  /** The number of remote executions that sshd has started so far. */
  executions(): Promise<number>;
}

const startSeconds = 20;

/** Starts a host. The promise resolves when sshd and httpd answer. */
export async function startLabHost(options: LabHostOptions = {}): Promise<LabHost> {
  const pki = options.pki ?? (await labPki());
  const ports = await freePorts();
  const hostKey = createSshKeys();
  const layout = layoutOf(options, ports, pki);
  const files = new Map([
    ...(await sshFiles(options, ports, hostKey)),
    ...layout.files,
    ...(await variantFiles(options, pki)),
    ...(await phpFiles(options.php, ports.fpm)),
  ]);
  const machine = await startMachine({ files, start: startScript(options, layout, files), init: initOf(options) });
  const outside = (inside: string) => `/proc/${machine.pid}/root${inside}`;
  const keyFile = path.join(machine.directory, "id_ed25519");
  await writeFile(keyFile, loginKeys().private, { mode: 0o600 });
  return {
    ...machine,
    address: "127.0.0.1",
    ports,
    hostKey: hostKey.public,
    keyFile,
    pki,
    serverRoot: layout.serverRoot,
    configFile: layout.configFile,
    page: options.php === undefined ? environmentPage : switchPage,
    path: outside,
    snapshot: async (wish) => takeSnapshot(outside, wish),
    treeHash: async (wish) => hashSnapshot(takeSnapshot(outside, wish)),
    executions: async () => countExecutions(await machine.run(`cat ${sshLogFile}`)),
  };
}

function layoutOf(options: LabHostOptions, ports: LabPorts, pki: LabPki): Layout {
  const { layout = "product" } = options;
  return layout === "product" ? productLayout(options, ports, pki) : distributionLayout(layout, options, ports, pki);
}

function startScript(options: LabHostOptions, layout: Layout, files: ReadonlyMap<string, MachineFile>): string {
  const waits = ["/run/sshd.pid", ...(options.stopped === true ? [] : [layout.pidFile])];
  return [
    cronSetUp(files),
    options.systemd === true ? systemdSetUp : "",
    layout.setUp,
    variantSetUp(options),
    sshStart(options),
    phpStart(options.php),
    options.stopped === true
      ? ""
      : `{ ${variantStart(options, layout.start)}} || { cat ${layout.errorLog} >&2; exit 1; }\n`,
    ...waits.map((file) => `timeout ${startSeconds} sh -c "until [ -s ${file} ]; do sleep 0.01; done"\n`),
    options.stopped === true ? "" : awaitLastWord(layout),
    hidePrograms(options.without ?? []),
    options.shell === "busybox" ? "ln -sf /usr/bin/busybox /bin/sh\n" : "",
    options.cron === true ? cronStart : "",
  ].join("");
}

const initOf = ({ systemd }: LabHostOptions): string | undefined => (systemd === true ? systemdInit : undefined);

/**
 * Waits for the last log line of httpd's start. httpd writes its pid file before that line, so a tree that is hashed in
 * between would change by itself. Variants that log elsewhere are waited for 2 seconds.
 */
const awaitLastWord = ({ errorLog }: Layout): string =>
  `timeout 2 sh -c "until grep -qs AH00094 ${errorLog}; do sleep 0.01; done" || :\n`;

/** Removes programs and modules from this host only: the host's root is an overlay. */
function hidePrograms(names: readonly string[]): string {
  const programs = names.filter((name) => !name.startsWith("mod_"));
  const modules = names.filter((name) => name.startsWith("mod_"));
  const paths = [
    ...programs.flatMap((name) => ["/bin", "/sbin", "/usr/bin", "/usr/sbin"].map((folder) => `${folder}/${name}`)),
    ...modules.map((name) => `/usr/lib/apache2/modules/${name}.so`),
  ];
  return paths.length === 0 ? "" : `rm -f ${paths.join(" ")}\n`;
}
