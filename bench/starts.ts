/** What needs no host: how long a start takes, and the reader on small and large configurations. */
import { spawn } from "node:child_process";
import path from "node:path";
import { applySplices } from "../core/apache/edit.ts";
import type { Observation } from "../core/apache/observation.ts";
import { readFacts } from "../core/apache/facts.ts";
import { plan } from "../core/apache/plan.ts";
import { observeText, wanted } from "../test/core/apache-observation.ts";

/** Both return seconds of wall time. */
export interface Comparison {
  readonly name: string;
  readonly sample: () => Promise<number>;
  readonly baseline: () => Promise<number>;
  /** Peak of a sample, in MiB. */
  readonly memoryMib?: () => Promise<number>;
  /** Gives back what the first sample set up. */
  readonly stop?: () => Promise<void>;
}

const build = path.join(path.dirname(import.meta.dirname), "build");
const nothing = (): Promise<number> => timeProcess(process.execPath, ["-e", "0"]);

export const starts: readonly Comparison[] = [
  {
    name: "plugin, start to port; ratio to an empty node",
    sample: () => timeFirstLine(path.join(build, "provider/pulumi-resource-clientcert")),
    baseline: nothing,
  },
  {
    name: "clientcert --help; ratio to an empty node",
    sample: () => timeProcess(path.join(build, "cli/clientcert"), ["--help"]),
    baseline: nothing,
  },
];

/** Read, planned and edited; the floor cuts the text into lines once. */
export const readers: readonly Comparison[] = [10_000, 1_000_000, 10_000_000].map((bytes) => {
  const observation = observeText(configuration(bytes));
  return {
    name: `reader, ${bytes < 1_000_000 ? `${bytes / 1000} KB` : `${bytes / 1_000_000} MB`}: parse, plan, edit; ratio to cutting into lines`,
    sample: async () => time(() => readAndEdit(observation)),
    baseline: async () => time(() => textOf(observation).split("\n").length),
  };
});

function timeProcess(program: string, args: readonly string[]): Promise<number> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: "ignore" });
    child.once("error", reject);
    child.once("exit", () => resolve((performance.now() - begun) / 1000));
  });
}

/** Until the program prints something; then it is ended. */
function timeFirstLine(program: string): Promise<number> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(program, [], { stdio: ["ignore", "pipe", "ignore"] });
    child.once("error", reject);
    child.stdout.once("data", () => {
      const seconds = (performance.now() - begun) / 1000;
      child.once("exit", () => resolve(seconds));
      child.kill("SIGKILL");
    });
  });
}

function time(work: () => unknown): number {
  const begun = performance.now();
  work();
  return (performance.now() - begun) / 1000;
}

/** About `bytes` bytes, mostly virtual hosts with comments and directives; every tenth answers TLS on 443. */
function configuration(bytes: number): string {
  const head = "Listen 443\nServerName localhost\n";
  const count = Math.max(1, Math.round((bytes - head.length) / virtualHost(1).length));
  return head + Array.from({ length: count }, (_, index) => virtualHost(index)).join("");
}

function virtualHost(number: number): string {
  const isTls = number % 10 === 0;
  const filler = Array.from({ length: 20 }, (_, line) => `    # note ${line}\n    Header set X-Note-${line} "text"\n`);
  return `<VirtualHost *:${isTls ? 443 : 80}>
    ServerName host${number}.example
    DocumentRoot "/srv/www/${number % 7}"
${isTls ? "    SSLEngine on\n" : ""}${filler.join("")}</VirtualHost>
`;
}

const textOf = ({ files, server }: Observation): string => files.get(server.configFile)?.bytes ?? "";

function readAndEdit(observation: Observation): number {
  const { change } = plan(wanted, readFacts(observation, { port: 443 }));
  const [edit] = change?.edits ?? [];
  if (edit === undefined) throw new Error("bench: the reader found no virtual host to edit");
  return applySplices(textOf(observation), edit.splices).length;
}
