/** A host in memory: does with bytes what the real one does with files, and can be told to fail. Nothing of it is judged. */
import { createHash } from "node:crypto";
import type { Change, FileEdit } from "../../core/apache/model.ts";
import type { ObservedFile, Observation } from "../../core/apache/observation.ts";
import type { Host, Outcome, RunOptions, Target, Transaction } from "../../provider/host/model.ts";

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
    calls: [],
    async observe(_target: Target) {
      enter(host, "observe");
      return observation(host);
    },
    async judge(_target, _transaction) {
      enter(host, "judge");
      return outcome(host, "well");
    },
    async apply(_target, transaction, options = {}) {
      enter(host, "apply");
      options.onProgress?.("swap");
      await host.pause?.(options);
      if (host.fail instanceof Error) throw host.fail;
      if (host.fail?.result === "refused" || host.fail?.result === "rolledBack") return outcome(host, "applied");
      carryOut(host, transaction);
      return outcome(host, "applied");
    },
    close: async () => void host.calls.push("close"),
  };
  return host;
}

function enter(host: ScriptedHost, call: string): void {
  host.calls.push(call);
  if (host.unreachable !== undefined) throw host.unreachable;
}

function outcome(host: ScriptedHost, result: Outcome["result"]): Outcome {
  const generation = Number(host.journal.get("generation") ?? 0);
  const seen = result === "well" ? undefined : observation(host);
  const failure = host.fail instanceof Error ? {} : (host.fail ?? {});
  return { result, judge: "shadow", reasons: [], generation, observation: seen, ...failure };
}

function carryOut(host: ScriptedHost, { change, contents, owner, remove }: Transaction): void {
  writeOwn(host, change, contents);
  for (const edit of change.edits) editFile(host.files, edit);
  for (const name of change.drop) host.own.delete(name);
  const generation = Number(host.journal.get("generation") ?? 0) + 1;
  host.journal.clear();
  if (!remove) host.journal.set("owner", owner).set("generation", String(generation));
}

function writeOwn(host: ScriptedHost, { write }: Change, contents: ReadonlyMap<string, Buffer>): void {
  for (const { name } of write) {
    const bytes = contents.get(name);
    if (bytes === undefined) throw new Error(`${name}: the transaction brings no bytes for it`);
    host.own.set(name, bytes.toString("latin1"));
  }
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
  const parent = { pid: 4711, startedSeconds: 1_700_000_000 };
  return {
    server: {
      nowSeconds: 1_800_000_000,
      program: `${serverRoot}/bin/httpd`,
      version: "Apache/2.4.71 (Unix)",
      openssl: "OpenSSL 3.0.17",
      serverRoot,
      configFile,
      defines: [],
      parent,
      loadedSeconds: parent.startedSeconds,
      instance: hash(configFile).slice(0, 16),
      capabilities: ["openssl"],
    },
    dump: undefined,
    files: observed(host.files),
    own: observed(host.own),
    journal: new Map(host.journal),
    php: [{ source: "module", path: `${serverRoot}/modules/libphp.so`, version: "8.3.12" }],
    namedFiles: [],
    crontabs: new Map(),
    scheduler: "none",
    isTimerEnabled: false,
    timers: new Map(),
    refreshRecord: "",
  };
}

function observed(files: ReadonlyMap<string, string>): ReadonlyMap<string, ObservedFile> {
  const times = { modifiedSeconds: 1_600_000_000, changedSeconds: 1_600_000_000 };
  return new Map(
    [...files].map(([path, bytes]) => [
      path,
      { resolvedPath: path, bytes, sizeBytes: bytes.length, sha256: hash(bytes), mode: "644", owner: "root", ...times },
    ]),
  );
}

const hash = (latin1: string): string => createHash("sha256").update(latin1, "latin1").digest("hex");
