/** The observation of a host from a copy of its files: what only a running httpd knows comes from a saved observation, or stays unknown. */
import { createHash } from "node:crypto";
import { type Finding, ownDirectory } from "../core/apache/model.ts";
import type { NamedFile, ObservedFile, Observation, ServerObservation } from "../core/apache/observation.ts";
import { sourceOf } from "../core/apache/facts.ts";
import { absolutePath } from "../core/apache/paths.ts";
import { type Effective, resolve } from "../core/apache/resolve.ts";
import type { SavedHost } from "./saved.ts";
import type { Tree } from "./tree.ts";

export interface TreeWanted {
  /** Main configuration file. @default - the saved one, or else the first that is there of the {@link usualConfigs} */
  readonly config: string | undefined;
  /** `-D` names; the saved ones come first. */
  readonly defines: readonly string[] | undefined;
  readonly saved: SavedHost | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Of the product, Debian and Red Hat. */
export const usualConfigs = [
  "/usr/local/ni/apache/conf/httpd.conf",
  "/etc/apache2/apache2.conf",
  "/etc/httpd/conf/httpd.conf",
] as const;

export interface ObservedTree {
  readonly observation: Observation;
  /** What the copy lacks. */
  readonly findings: readonly Finding[];
}

/** Undefined when there is no main configuration file. */
export function observeTree(tree: Tree, wanted: TreeWanted): ObservedTree | undefined {
  const { config, saved } = wanted;
  const mainFile = config ?? saved?.configFile ?? usualConfigs.find((path) => tree.read(path) !== undefined);
  const main = mainFile === undefined ? undefined : tree.read(mainFile);
  if (mainFile === undefined || main === undefined) return undefined;
  const server = serverOf(main.resolvedPath, saved?.serverRoot ?? builtInRoot(mainFile), wanted);
  const known = {
    server,
    dump: undefined,
    ...(saved && { saved: { modules: new Map(Object.entries(saved.modules)) } }),
    files: new Map([[mainFile, main]]),
    own: new Map<string, ObservedFile>(),
    journal: readJournal(tree, server.instance, saved),
    php: saved?.php ?? [],
    namedFiles: [],
    crontabs: readCrontabs(tree),
    ...readRefresh(tree, server.instance, saved),
  };
  const { files, serverRoot, effective } = followIncludes(tree, known);
  const namedFiles = findNamedFiles(tree, serverRoot, effective);
  const found = { files, own: readOwn(tree, serverRoot), namedFiles };
  return {
    observation: { ...known, ...found, server: { ...server, serverRoot } },
    findings: findMissing(tree, serverRoot, effective),
  };
}

/** Directories of hosts where the configuration has no ServerRoot because the program was built with one. */
const builtInRoots: Readonly<Record<string, string>> = { "/etc/apache2/apache2.conf": "/etc/apache2" };

const builtInRoot = (mainFile: string): string =>
  builtInRoots[mainFile] ?? absolutePath("/", mainFile.replace(/\/(conf\/)?[^/]*$/, ""));

interface Followed {
  readonly files: ReadonlyMap<string, ObservedFile>;
  readonly serverRoot: string;
  readonly effective: readonly Effective[];
}

/** Reads what is included until there is no new file: which Includes count depends on what was read before. */
function followIncludes(tree: Tree, known: Observation): Followed {
  const files = new Map(known.files);
  let { serverRoot } = known.server;
  const expanded = new Map<string, readonly string[]>();
  for (;;) {
    const source = sourceOf({ ...known, files, server: { ...known.server, serverRoot } });
    const { effective } = resolve(source, (name) => followed.has(name));
    serverRoot = effective.filter(({ name }) => name === "serverroot").at(-1)?.arguments[0] ?? serverRoot;
    const found = new Set(effective.flatMap((directive) => includedBy(tree, serverRoot, directive, expanded)));
    const fresh = [...found].flatMap((path): [string, ObservedFile][] => {
      const file = files.has(path) ? undefined : tree.read(path);
      return file === undefined ? [] : [[path, file]];
    });
    if (fresh.length === 0) return { files, serverRoot, effective };
    for (const [path, file] of fresh) files.set(path, file);
  }
}

/** `expanded` remembers what each pattern takes. */
function includedBy(
  tree: Tree,
  serverRoot: string,
  { name, arguments: [pattern = ""] }: Effective,
  expanded: Map<string, readonly string[]>,
): readonly string[] {
  if ((name !== "include" && name !== "includeoptional") || pattern.includes("${")) return [];
  const path = absolutePath(serverRoot, pattern);
  const files = expanded.get(path) ?? tree.expand(path);
  expanded.set(path, files);
  return files;
}

/** A live httpd has every file of its Includes, or it would not have started; what is missing may hold virtual hosts. */
function findMissing(tree: Tree, serverRoot: string, effective: readonly Effective[]): Finding[] {
  const missing = effective.flatMap(({ name, file, node, undecided, arguments: [pattern = ""] }) => {
    // An IfFile mostly asks for the very file.
    if (name !== "include" || undecided?.name === "iffile" || pattern.includes("${")) return [];
    const path = absolutePath(serverRoot, pattern);
    if (tree.resolve(path) !== undefined || tree.expand(path).length > 0) return [];
    return [[`${file}:${node.line}`, `the copy has no ${path}, which is included here; copy it, too`] as const];
  });
  // Once, however often the including file is read.
  return [...new Map(missing)].map(([place, text]) => ({ severity: "problem", place, text, isUndecided: true }));
}

function serverOf(configFile: string, serverRoot: string, wanted: TreeWanted): ServerObservation {
  const { saved, defines, now } = wanted;
  return {
    nowSeconds: Math.floor(now / 1000),
    version: saved?.version ?? "",
    openssl: saved?.openssl ?? "",
    serverRoot,
    configFile,
    defines: [...(saved?.defines ?? []), ...(defines ?? [])],
    hasAllDefines: saved !== undefined || defines !== undefined,
    isRunning: false,
    loadedSeconds: undefined,
    instance: createHash("sha256").update(configFile, "latin1").digest("hex").slice(0, 16),
  };
}

function readOwn(tree: Tree, serverRoot: string): Map<string, ObservedFile> {
  const directory = absolutePath(serverRoot, `conf/${ownDirectory}`);
  return new Map(
    tree.list(directory).flatMap((name): [string, ObservedFile][] => {
      const file = tree.read(`${directory}/${name}`);
      return file === undefined ? [] : [[name, file]];
    }),
  );
}

/** The copy's own, where it has one; it is only readable by root, so a copy may lack it. */
function readJournal(tree: Tree, instance: string, saved: SavedHost | undefined): Map<string, string> {
  const kept = new Map(saved === undefined ? [] : [["generation", String(saved.generation)]]);
  if (saved?.owner !== undefined) kept.set("owner", saved.owner);
  const journal = tree.read(`/var/lib/clientcert/${instance}/journal`);
  for (const [, key = "", value = ""] of (journal?.bytes ?? "").matchAll(/^(owner|generation) (.+)$/gm))
    kept.set(key, value);
  return kept;
}

/** As the host's own program looks for them. */
const timerPaths = (instance: string): string[] => [
  `/etc/cron.d/clientcert-${instance}`,
  ...["service", "timer"].map((kind) => `/etc/systemd/system/clientcert-${instance}.${kind}`),
];

type Refresh = Pick<Observation, "scheduler" | "isTimerEnabled" | "timers" | "refreshRecord">;

/** Files do not tell what runs: a timer that is there counts as enabled, and its kind tells the scheduler. */
function readRefresh(tree: Tree, instance: string, saved: SavedHost | undefined): Refresh {
  const timers = new Map(readPaths(tree, timerPaths(instance)));
  const isUnit = (path: string): boolean => path.startsWith("/etc/systemd/");
  const found = timers.size === 0 ? undefined : [...timers.keys()].some(isUnit) ? "systemd" : "cron";
  const record = tree.read(`/var/lib/clientcert/${instance}/refresh.record`);
  return {
    scheduler: found ?? saved?.scheduler ?? "none",
    isTimerEnabled: timers.size > 0,
    timers,
    refreshRecord: record?.bytes ?? "",
  };
}

const readPaths = (tree: Tree, paths: readonly string[]): [string, ObservedFile][] =>
  paths.flatMap((path): [string, ObservedFile][] => {
    const file = tree.read(path);
    return file === undefined ? [] : [[path, file]];
  });

const caNames = ["SSLCACertificateFile", "SSLCADNRequestFile", "SSLCARevocationFile"];
const otherNames = [
  "SSLCertificateFile",
  "SSLCertificateKeyFile",
  "SSLCertificateChainFile",
  "SSLSessionTicketKeyFile",
  "SSLProxyCACertificateFile",
];
const namedBy: ReadonlyMap<string, string> = new Map(
  [...caNames, ...otherNames].map((name) => [name.toLowerCase(), name]),
);
const followed = new Set(["include", "includeoptional", "serverroot", ...namedBy.keys()]);
const mostCertificateBytes = 1_048_576;

/** Never the bytes of a key. */
function findNamedFiles(tree: Tree, serverRoot: string, effective: readonly Effective[]): NamedFile[] {
  return effective.flatMap(({ name, arguments: [argument] }) => {
    const directive = namedBy.get(name);
    const path = absolutePath(serverRoot, argument ?? "");
    const file = directive === undefined || argument === undefined ? undefined : tree.read(path);
    if (directive === undefined || file === undefined) return [];
    const { modifiedSeconds, changedSeconds, bytes, sizeBytes } = file;
    const isShown = caNames.includes(directive) && sizeBytes <= mostCertificateBytes;
    return [{ path, modifiedSeconds, changedSeconds, ...(isShown && { bytes }) }];
  });
}

const cronFiles = ["/etc/crontab"];
const cronDirectories = [
  ...["d", "hourly", "daily", "weekly", "monthly"].map((name) => `/etc/cron.${name}`),
  "/var/spool/cron",
  "/var/spool/cron/crontabs",
];

function readCrontabs(tree: Tree): Map<string, ObservedFile> {
  const listed = cronDirectories.flatMap((folder) => tree.list(folder).map((name) => `${folder}/${name}`));
  return new Map(readPaths(tree, [...cronFiles, ...listed]));
}
