/**
 * A host in memory: does with bytes what the real one does with files, and can be told to fail. Nothing of it is
 * judged.
 */
import { createHash } from "node:crypto";
import type { Change, FileEdit } from "../../core/apache/model.ts";
import type { ObservedFile, Observation } from "../../core/apache/observation.ts";
import type { Scheduler } from "../../core/crl-refresh/refresh-model.ts";
import { stateDirectory } from "../../core/own-files.ts";
import { renderCaller } from "../../core/apache/facts/unattended.ts";
import { readCrls } from "../../core/pki/crl.ts";
import { hostProgramSha256 } from "../../provider/apache/host-program.ts";
import type { RunOptions } from "../../core/server-kind.ts";
import type { Target } from "../../core/site/target.ts";
import type { Host, Outcome, Transaction } from "../../provider/apache/host-model.ts";

const serverRoot = "/usr/local/ni/apache";
export const configFile = `${serverRoot}/conf/httpd.conf`;
export const confFile = `${serverRoot}/conf/clientcert/clientcert.conf`;

/** One TLS virtual host, as the product has it, with a line that no state may ever hold. */
export const httpdConf = [
  `ServerRoot "${serverRoot}"`,
  "Listen 443",
  "LoadModule ssl_module modules/mod_ssl.so",
  "# customer-secret-line",
  "<VirtualHost *:443>",
  "    ServerName a.lab.test",
  `    DocumentRoot "${serverRoot}/htdocs"`,
  "    SSLEngine on",
  "</VirtualHost>",
  "",
].join("\n");

export interface ScriptedHost extends Host {
  /** Bytes as latin1, by absolute path. */
  readonly files: Map<string, string>;
  /** Files in our directory, by name. */
  readonly own: Map<string, string>;
  readonly journal: Map<string, string>;
  /** Files of schedulers, by absolute path. */
  readonly timers: Map<string, string>;
  scheduler: Scheduler;
  isTimerEnabled: boolean;
  /** What the sources deliver, PEM; undefined: they are down. */
  published: string | undefined;
  /** SHA-256 of the program that stays there; undefined: there is none. */
  program: string | undefined;
  /** The record of refreshes. */
  record: string;
  nowSeconds: number;
  /** What the timer does: downloads, and installs what it got. */
  refresh(): void;
  /** Calls so far, such as `observe`, `apply`. */
  readonly calls: string[];
  /** The next apply or judge ends so instead of well; an Error is thrown. */
  fail?: Partial<Outcome> | Error;
  /** Everything throws this, as when nobody answers. */
  unreachable?: Error;
  /** Runs before each step of an apply. */
  pause?: (options: RunOptions) => Promise<void>;
}

export function scriptedHost(conf = httpdConf): ScriptedHost {
  const host: ScriptedHost = {
    files: new Map([[configFile, conf]]),
    own: new Map(),
    journal: new Map(),
    timers: new Map(),
    scheduler: "systemd",
    isTimerEnabled: false,
    published: undefined,
    program: undefined,
    record: "",
    nowSeconds: Math.floor(Date.now() / 1000),
    refresh: () => download(host),
    calls: [],
    async observe(_target: Target) {
      enter(host, "observe");
      return observation(host);
    },
    async judge(_target, { change }) {
      enter(host, "judge");
      return outcome(host, "well", change);
    },
    async apply(_target, transaction, options = {}) {
      enter(host, "apply");
      options.onProgress?.("swap");
      await host.pause?.(options);
      if (host.fail instanceof Error) throw host.fail;
      if (host.fail?.result === "refused" || host.fail?.result === "rolledBack") return outcome(host, "applied");
      if (lacksCrl(host, transaction.change)) return { ...outcome(host, "refused"), reasons: [downText] };
      carryOut(host, transaction);
      return outcome(host, "applied", transaction.change);
    },
    close: async () => void host.calls.push("close"),
  };
  return host;
}

function enter(host: ScriptedHost, call: string): void {
  host.calls.push(call);
  if (host.unreachable !== undefined) throw host.unreachable;
}

function outcome(host: ScriptedHost, result: Outcome["result"], change?: Change): Outcome {
  const generation = Number(host.journal.get("generation") ?? 0);
  const seen = result === "well" ? undefined : observation(host);
  const reasons = change?.refresh === true && host.published === undefined ? [downText] : [];
  const failure = host.fail instanceof Error ? {} : (host.fail ?? {});
  return { result, judge: "shadow", reasons, generation, observation: seen, ...failure };
}

export const downText = "the CRL source is down";

const lacksCrl = ({ own, published }: ScriptedHost, { refresh, write }: Change): boolean =>
  refresh && published === undefined && !own.has("crl.pem") && !write.some(({ role }) => role === "crl");

function carryOut(host: ScriptedHost, { change, contents, owner, remove }: Transaction): void {
  writeOwn(host, change, contents);
  if (change.refresh) download(host);
  for (const edit of change.edits) editFile(host.files, edit);
  for (const name of change.drop) placeOf(host, name).delete(name);
  const generation = Number(host.journal.get("generation") ?? 0) + 1;
  host.journal.clear();
  host.program = remove ? undefined : hostProgramSha256();
  if (!remove) host.journal.set("owner", owner).set("generation", String(generation));
}

const placeOf = ({ own, timers }: ScriptedHost, name: string): Map<string, string> =>
  name.startsWith("/") ? timers : own;

function writeOwn(host: ScriptedHost, { write }: Change, contents: ReadonlyMap<string, Buffer>): void {
  for (const { name, role } of write) {
    const bytes = contents.get(name);
    if (bytes === undefined) throw new Error(`${name}: the transaction brings no bytes for it`);
    placeOf(host, name).set(name, bytes.toString("latin1"));
    if (role === "timer") host.isTimerEnabled = true;
  }
}

function download(host: ScriptedHost): void {
  const { own, published, nowSeconds, record } = host;
  const ids = [...(own.get("refresh.conf") ?? "").matchAll(/^source (\S+)/gm)].map(([, id = ""]) => id);
  if (published === undefined) {
    const kept = record.split("\n").filter((line) => !/^run|failure/.test(line));
    const failed = ids.map((id) => `source ${id} failure ${nowSeconds} no answer`);
    host.record = [`run ${nowSeconds} 1 failed`, ...kept, ...failed, ""].join("\n");
    return;
  }
  own.set("crl.pem", published);
  const [crl] = readCrls(Buffer.from(published)).crls;
  const { thisUpdate = "", nextUpdate, number, entries } = crl?.summary ?? {};
  const dates = [thisUpdate, nextUpdate ?? ""].map((date) => Date.parse(date) / 1000 || "-").join(" ");
  host.record = [
    `run ${nowSeconds} 0 updated`,
    ...ids.flatMap((id) => [
      `source ${id} success ${nowSeconds} http://crl.example/issuing.crl`,
      `source ${id} crl ${dates} ${number ?? "-"} ${entries ?? "-"} key`,
    ]),
    "",
  ].join("\n");
}

function editFile(files: Map<string, string>, { path, sha256, splices }: FileEdit): void {
  const before = files.get(path) ?? "";
  if (hash(before) !== sha256) throw new Error(`${path}: has changed since it was looked at`);
  const after = [...splices]
    .reverse()
    .reduce((text, { offset, remove, insert }) => text.slice(0, offset) + insert + text.slice(offset + remove), before);
  files.set(path, after);
}

function observation(host: ScriptedHost): Observation {
  return {
    server: {
      nowSeconds: host.nowSeconds,
      version: "Apache/2.4.71 (Unix)",
      openssl: "OpenSSL 3.0.17",
      serverRoot,
      configFile,
      defines: [],
      isRunning: true,
      loadedSeconds: 1_700_000_000,
      instance,
    },
    dump: undefined,
    files: observed(host.files),
    own: observed(host.own),
    journal: new Map(host.journal),
    php: [{ source: "module", path: `${serverRoot}/modules/libphp.so`, version: "8.3.12" }],
    namedFiles: [],
    crontabs: new Map(),
    scheduler: host.scheduler,
    isTimerEnabled: host.isTimerEnabled,
    timers: observed(host.timers),
    unattended: unattended(host),
    refreshRecord: host.record,
  };
}

/** With the program comes what calls it. */
function unattended({ own, program }: ScriptedHost): Observation["unattended"] {
  if (program === undefined) return new Map();
  const callers = own.has("refresh.conf") ? (["undo", "refresh"] as const) : (["undo"] as const);
  const files = [["program", program], ...callers.map((name) => [name, hash(renderCaller(instance, name))])] as const;
  return new Map(
    files.map(([name = "", sha256]) => [
      `${stateDirectory(instance)}/${name}`,
      { userId: 0, mode: "700", sizeBytes: 1, sha256 },
    ]),
  );
}

function observed(files: ReadonlyMap<string, string>): ReadonlyMap<string, ObservedFile> {
  const times = { modifiedSeconds: 1_600_000_000, changedSeconds: 1_600_000_000 };
  return new Map(
    [...files].map(([path, bytes]) => [
      path,
      { resolvedPath: path, bytes, sizeBytes: bytes.length, sha256: hash(bytes), ...times },
    ]),
  );
}

const instance = createHash("sha256").update(configFile).digest("hex").slice(0, 16);
const hash = (latin1: string): string => createHash("sha256").update(latin1, "latin1").digest("hex");
