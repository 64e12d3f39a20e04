/** Small copies of a host's files, and what clientcert plan says of them. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { styleFor } from "../../cli/output.ts";
import { type PlanOptions, plan } from "../../cli/plan.ts";

export const main = "etc/httpd/conf/httpd.conf";
const start = 'ServerRoot "/etc/httpd"\nLoadModule x_module x.so\n';
export const hostOn = (port: number): string =>
  `<VirtualHost *:${port}>\nServerName a.example\nSSLEngine on\n</VirtualHost>\n`;
export const tls = hostOn(443);
export const around = (condition: string): string => `<${condition}>\n${tls}</${condition.split(" ")[0]}>\n`;

export const versionOf = (version: string, root = "/etc/httpd", file = "conf/httpd.conf"): string =>
  `Server version: Apache/${version} (Unix)\nServer built:   Nov 12 2026\nServer compiled with....\n -D APR_HAS_MMAP\n -D HTTPD_ROOT="${root}"\n -D SERVER_CONFIG_FILE="${file}"\n`;
export const modulesOf = (...lines: readonly string[]): string =>
  `Loaded Modules:\n core_module (static)\n${lines.map((line) => ` ${line}\n`).join("")}`;

export interface Given {
  readonly version?: string;
  readonly modules?: string;
  readonly defines?: string;
}

let folder = "";

/** In a describe: a folder for copies, gone at its end. */
export function useCopies(): void {
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "clientcert-copy-"));
  });
  after(() => rmSync(folder, { recursive: true }));
}

export function makeTree(files: Readonly<Record<string, string>>): string {
  const tree = mkdtempSync(join(folder, "tree-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  return tree;
}

export function keep(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function siteWith(defines: string | undefined): string {
  if (defines === undefined) return "stacks/example.yaml";
  const text = readFileSync("stacks/example.yaml", "utf8").replace(/example\//g, `${process.cwd()}/stacks/example/`);
  const site = join(folder, "site.yaml");
  writeFileSync(site, text.replace(/^( +)- name: web1$/m, `$1- name: web1\n$1  defines: [${defines}]`));
  return site;
}

export function run(tree: string, given: Given = {}, more: Partial<PlanOptions> = {}) {
  const httpdVersion = keep("version.txt", given.version);
  const httpdModules = keep("modules.txt", given.modules);
  const circumstances = { now: Date.UTC(2026, 11, 1), style: styleFor({}, {}), isTerminal: false };
  const base = { site: siteWith(given.defines), host: "web1", saved: undefined, write: false, json: false, tree };
  return plan({ ...base, httpdVersion, httpdModules, ...circumstances, ...more });
}

export const diffOf = (tree: string, given: Given = {}): string => run(tree, given).bytes?.toString("latin1") ?? "";

/** Exit code, and what stands in the way: `file:line text`, or the error. */
export function look(tree: string, given: Given = {}) {
  const { output, code } = run(tree, given, { json: true });
  // as: the form of --json, which other tests hold.
  const { host, truth } = JSON.parse(output) as {
    truth: string;
    host: { error?: string; findings: { severity: string; place: string; text: string }[] };
  };
  const found = host.findings.filter(({ severity }) => /problem|conflict/.test(severity));
  return { code, truth, told: host.error ?? found.map(({ place, text }) => `${place} ${text}`).join("\n") };
}

export const serverFiles = (text: string): Record<string, string> => ({ [main]: start + text });

/** Whether the virtual host of port 443 counts; of two certain answers one. */
export function isCovered({ code, told }: { code: number; told: string }): boolean {
  assert.equal(code, 7, told);
  if (told === "") return true;
  assert.match(told, /^\S+ no <VirtualHost> with SSLEngine on answers port 443; port 8443 has one: give that port, /);
  return false;
}
