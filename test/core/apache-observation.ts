/**
 * Observations made of fixture trees and of text, for the tests of core/apache: as a copy of a host's files gives them.
 */
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import fc from "fast-check";
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import type { Change, Desired, Facts, FileEdit, OwnFile, Plan } from "../../core/apache/model.ts";
import { plan } from "../../core/apache/plan/plan.ts";
import { defaultCrlRefresh } from "../../core/crl-refresh/inputs.ts";
import type { ObservedFile, Observation, ServerObservation } from "../../core/apache/observation.ts";
import { applySplices } from "../../core/apache/config/splices.ts";

export const fixtures = join(import.meta.dirname, "../fixtures/apache");

export const sha256 = (bytes: string): string => createHash("sha256").update(bytes, "latin1").digest("hex");

export function observedFile(resolvedPath: string, bytes: string, changedSeconds = 1000): ObservedFile {
  return {
    resolvedPath,
    bytes,
    sizeBytes: bytes.length,
    sha256: sha256(bytes),
    modifiedSeconds: changedSeconds,
    changedSeconds,
  };
}

/** Every file of a fixture tree by its path on the host; symlinks are followed below the tree. */
export function readTree(name: string): Map<string, ObservedFile> {
  const root = join(fixtures, name);
  const files = new Map<string, ObservedFile>();
  for (const entry of readdirSync(root, { recursive: true, encoding: "utf8" })) {
    const path = join(root, entry);
    if (!statSync(path).isFile()) continue;
    const resolved = `/${relative(root, realpathSync(path))}`;
    files.set(`/${entry}`, observedFile(resolved, readFileSync(path, "latin1")));
  }
  return files;
}

const server: ServerObservation = {
  nowSeconds: 3000,
  version: "Apache/2.4.71 (Unix)",
  openssl: "OpenSSL 3.0.22",
  serverRoot: "/usr/local/ni/apache",
  configFile: "/usr/local/ni/apache/conf/httpd.conf",
  defines: [],
  isRunning: true,
  loadedSeconds: 2000,
  instance: "0123456789abcdef",
};

export type Parts = Partial<Omit<Observation, "server">> & { readonly server?: Partial<ServerObservation> };

export function observe(files: ReadonlyMap<string, ObservedFile>, parts: Parts = {}): Observation {
  return {
    dump: undefined,
    own: new Map(),
    journal: new Map(),
    php: [],
    namedFiles: [],
    crontabs: new Map(),
    scheduler: "none",
    isTimerEnabled: false,
    timers: new Map(),
    refreshRecord: "",
    ...parts,
    files,
    server: { ...server, ...parts.server },
  };
}

/** One main file, `/etc/httpd/httpd.conf`, below the server root `/etc/httpd`. */
export function observeText(text: string, parts: Parts = {}): Observation {
  const configFile = "/etc/httpd/httpd.conf";
  const place = { serverRoot: "/etc/httpd", configFile };
  return observe(new Map([[configFile, observedFile(configFile, text)]]), {
    ...parts,
    server: { ...place, ...parts.server },
  });
}

/** The host after a change, as apply carries it out; CA and CRL bytes are `contents` by name. */
export function afterChange(before: Observation, change: Change, contents: Record<string, string> = {}): Observation {
  const files = new Map([...before.files].map(([name, file]) => [name, edited(file, change.edits)]));
  const own = new Map(before.own);
  const timers = new Map(before.timers);
  const placeOf = (name: string): Map<string, ObservedFile> => (name.startsWith("/") ? timers : own);
  for (const name of change.drop) placeOf(name).delete(name);
  for (const file of change.write) placeOf(file.name).set(file.name, written(file, contents));
  return { ...before, files, own, timers, isTimerEnabled: timers.size > 0 };
}

function edited(file: ObservedFile, edits: readonly FileEdit[]): ObservedFile {
  const edit = edits.find(({ path }) => path === file.resolvedPath);
  if (edit === undefined) return file;
  if (edit.sha256 !== file.sha256) throw new Error(`${file.resolvedPath}: the edit was made for other bytes`);
  return observedFile(file.resolvedPath, applySplices(file.bytes, edit.splices), file.changedSeconds);
}

function written(file: OwnFile, contents: Record<string, string>): ObservedFile {
  const text = file.text === undefined ? contents[file.name] : Buffer.from(file.text, "utf8").toString("latin1");
  if (text === undefined) return { ...observedFile(file.name, ""), sha256: file.sha256 };
  return observedFile(file.name, text);
}

/** Wishes that most tests start from. */
export const wanted: Desired = {
  owner: "organization/clientcert/harbour/web1",
  takeOver: false,
  port: 443,
  ca: { sha256: "a".repeat(64), certificates: [] },
  crls: [],
  crlSha256: "",
  crlCheck: "leaf",
  crlSources: [],
  crlRefresh: defaultCrlRefresh,
  acceptOlderCrls: [],
  sample: undefined,
  acknowledgeSessionTicketKeys: false,
  organizations: ["ABC CORPORATION"],
  organizationalUnits: [],
  countries: ["JP"],
  issuers: [],
  verifyDepth: 4,
  adopt: false,
  excludeVirtualHosts: [],
  reloadPendingEdits: false,
  mayBeStopped: false,
  phpVersion: "8.3.1",
};

/** Pieces that mean something to httpd, in any order: far more likely to find a mistake than random bytes. */
export const anyConfiguration = fc
  .array(
    fc.oneof(
      fc.constantFrom("\n", "\r\n", "\\\n", "\\\r\n", "\\", "\\\\\n", "#", "# \x95\x5c", "\0", " ", "\t", "\f"),
      fc.constantFrom("<VirtualHost *:443>", "</VirtualHost>", "<", ">", "</", "<IfModule ssl_module>", "</IfModule>"),
      fc.constantFrom(
        "SSLEngine on",
        "ServerName a.example",
        '"',
        "'",
        "${X}",
        "Include *.conf",
        "\xa0",
        "\x81\x40",
        "\xef\xbb\xbf",
      ),
      fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 8 }),
    ),
    { maxLength: 60 },
  )
  .map((pieces) => pieces.join(""));

/** A TLS virtual host. */
export const host = (inside = "", name = "a.example", address = "*:443"): string =>
  `<VirtualHost ${address}>\nServerName ${name}\nDocumentRoot /srv/${name}\nSSLEngine on\n${inside}</VirtualHost>\n`;
/** A server with mod_ssl and this configuration. */
export const serverOf = (text: string, parts: Parts = {}): Observation =>
  observeText(`LoadModule ssl_module x.so\n${text}`, parts);
export const factsOf = (observation: Observation): Facts => readFacts(observation, { port: 443 });
/** The plan for it, with wishes other than `wanted`. */
export const planOf = (text: string, desired: Partial<Desired> = {}, parts: Parts = {}): Plan =>
  plan({ ...wanted, ...desired }, factsOf(serverOf(text, parts)));
