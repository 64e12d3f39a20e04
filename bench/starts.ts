/** What needs no host: how long a start takes, and the reader on small and large configurations. */
import { spawn } from "node:child_process";
import type * as Edit from "../core/apache/config/splices.ts";
import type * as ReadFacts from "../core/apache/facts/read-facts.ts";
import type { Observation } from "../core/apache/observation.ts";
import type * as MakePlan from "../core/apache/plan/plan.ts";
import type * as Observations from "../test/core/apache-observation.ts";
import { loadFrom, programOf, type Build } from "./build.ts";

/** `sample` and `baseline` return seconds of wall time. */
export interface Comparison {
  readonly name: string;
  readonly sample: () => Promise<number>;
  readonly baseline: () => Promise<number>;
  /** Peak of a sample, in MiB. */
  readonly memoryMib?: () => Promise<number>;
  /** Gives back what the first sample set up. */
  readonly stop?: () => Promise<void>;
}

const nothing = (): Promise<number> => timeProcess(process.execPath, ["-e", "0"]);

/** How long the two programs take to start. */
export const startsOf = (build: Build): readonly Comparison[] => [
  {
    name: "plugin, start to port; ratio to an empty node",
    sample: () => timeFirstLine(programOf(build, "provider/pulumi-resource-clientcert")),
    baseline: nothing,
  },
  {
    name: "clientcert --help; ratio to an empty node",
    sample: () => timeProcess(programOf(build, "cli/clientcert"), ["--help"]),
    baseline: nothing,
  },
];

/** Read, planned and edited; the floor cuts the text into lines once. */
export const readersOf = (build: Build): readonly Comparison[] =>
  [10_000, 1_000_000, 10_000_000].map((bytes) => {
    const text = configuration(bytes);
    return {
      name: `reader, ${bytes < 1_000_000 ? `${bytes / 1000} KB` : `${bytes / 1_000_000} MB`}: parse, plan, edit; ratio to cutting into lines`,
      sample: async () => {
        const reader = await readerOf(build);
        const observation = reader.observeText(text);
        return time(() => readAndEdit(reader, observation));
      },
      baseline: async () => time(() => text.split("\n").length),
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

/** What of a build reads, plans and edits. */
type Reader = Pick<
  typeof Edit & typeof ReadFacts & typeof MakePlan & typeof Observations,
  "applySplices" | "readFacts" | "plan" | "observeText" | "wanted"
>;

/** Observations and wishes are the build's own, too: both grow with what it knows. */
const readerOf = (build: Build): Promise<Reader> =>
  loadFrom<Reader>(build, [
    ...["core/apache/config/splices.ts", "core/apache/facts/read-facts.ts", "core/apache/plan/plan.ts"],
    "test/core/apache-observation.ts",
  ]);

function readAndEdit({ plan, wanted, readFacts, applySplices }: Reader, observation: Observation): number {
  const { change } = plan(wanted, readFacts(observation, { port: 443 }));
  const [edit] = change?.edits ?? [];
  if (edit === undefined) throw new Error("bench: the reader found no virtual host to edit");
  return applySplices(observation.files.get(edit.path)?.bytes ?? "", edit.splices).length;
}
