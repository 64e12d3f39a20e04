/**
 * Makes the observation of a host from a copy of its files. What only a running httpd knows comes from a saved
 * observation, or stays unknown.
 */
import { createHash } from "node:crypto";
import { ownDirectory } from "../core/apache/model.ts";
import type { NamedFile, ObservedFile, Observation, ServerObservation } from "../core/apache/observation.ts";
import { absolutePath } from "../core/apache/config/paths.ts";
import {
  certificatesAlone,
  mostCertificateBytes,
  namedContents,
  type NamedContents,
} from "../core/apache/named-files.ts";
import type { Effective } from "../core/apache/config/resolve-model.ts";
import type { HttpdOutput } from "./httpd-output.ts";
import type { SavedHost } from "./saved.ts";
import type { Tree } from "./tree.ts";
import { followIncludes } from "./tree-includes.ts";

export interface TreeWanted {
  /**
   * The main configuration file.
   *
   * @default - the saved one, then that of `httpd -V`, then the first existing file of the {@link usualConfigs}
   */
  readonly config: string | undefined;
  /** The `-D` names. The saved names come first. */
  readonly defines: readonly string[] | undefined;
  readonly saved: SavedHost | undefined;
  /** The output of `httpd -V` and `httpd -M`. */
  readonly output?: HttpdOutput;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The main files of the product, of Debian and of Red Hat. */
const usualConfigs = [
  "/usr/local/ni/apache/conf/httpd.conf",
  "/etc/apache2/apache2.conf",
  "/etc/httpd/conf/httpd.conf",
] as const;

/**
 * The observation that the copy gives, in the form in which a host gives one. Undefined when there is no main
 * configuration file. Throws an error where the ServerRoot is not known.
 */
export function observeTree(tree: Tree, wanted: TreeWanted): Observation | undefined {
  const { saved, output } = wanted;
  const mainFile = mainFiles(wanted).find((path) => tree.read(path) !== undefined);
  const main = mainFile === undefined ? undefined : tree.read(mainFile);
  if (mainFile === undefined || main === undefined) return undefined;
  const builtIn = saved?.serverRoot ?? output?.version?.serverRoot ?? builtInRoots[mainFile];
  const server = serverOf(main.resolvedPath, wanted);
  const base = {
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
  const start = { tree, observation: { ...base, server }, mainFile, builtIn, modules: output?.modules };
  const { files, serverRoot, effective, copy } = followIncludes(start, new Set(contentsByDirective.keys()));
  const read = { files, own: readOwnFiles(tree, serverRoot), namedFiles: findNamedFiles(tree, serverRoot, effective) };
  return { ...base, ...read, copy, server: { ...server, serverRoot } };
}

/**
 * The paths where the main configuration file may be: the one that was given or saved, else the usual ones. The first
 * file that exists counts.
 */
export function mainFiles({
  config,
  saved,
  output,
}: Pick<TreeWanted, "config" | "saved" | "output">): readonly string[] {
  const given = config ?? saved?.configFile ?? output?.version?.configFile;
  return given === undefined ? usualConfigs : [given];
}

/** The built-in directories of hosts whose configuration has no ServerRoot, because the program was built with one. */
const builtInRoots: Readonly<Record<string, string>> = { "/etc/apache2/apache2.conf": "/etc/apache2" };

/**
 * What is known of the server. Its ServerRoot is empty, because the files that name it are not read yet. A text that
 * nobody has given is empty, too.
 */
function serverOf(configFile: string, wanted: TreeWanted): ServerObservation {
  const { saved, output, defines, now } = wanted;
  return {
    nowSeconds: Math.floor(now / 1000),
    version: saved?.version ?? output?.version?.version ?? "",
    openssl: saved?.openssl ?? "",
    serverRoot: "",
    configFile,
    defines: [...(saved?.defines ?? []), ...(defines ?? [])],
    hasAllDefines: saved !== undefined || defines !== undefined,
    isRunning: false,
    loadedSeconds: undefined,
    // The host's own program names its state directory in the same way.
    instance: createHash("sha256").update(configFile, "latin1").digest("hex").slice(0, 16),
  };
}

/** The files in our directory, by name. */
function readOwnFiles(tree: Tree, serverRoot: string): Map<string, ObservedFile> {
  const directory = absolutePath(serverRoot, `conf/${ownDirectory}`);
  return new Map(
    tree.list(directory).flatMap((name): [string, ObservedFile][] => {
      const file = tree.read(`${directory}/${name}`);
      return file === undefined ? [] : [[name, file]];
    }),
  );
}

/**
 * The owner and the generation. Those of the copy's own journal count before the saved ones; a copy may lack the
 * journal, which only root can read. Without either there is no key.
 */
function readJournal(tree: Tree, instance: string, saved: SavedHost | undefined): Map<string, string> {
  const kept = new Map(saved === undefined ? [] : [["generation", String(saved.generation)]]);
  if (saved?.owner !== undefined) kept.set("owner", saved.owner);
  const journal = tree.read(`/var/lib/clientcert/${instance}/journal`);
  for (const [, key = "", value = ""] of (journal?.bytes ?? "").matchAll(/^(owner|generation) (.+)$/gm))
    kept.set(key, value);
  return kept;
}

/** The paths where the host's own program looks for timers. */
const timerPaths = (instance: string): string[] => [
  `/etc/cron.d/clientcert-${instance}`,
  ...["service", "timer"].map((kind) => `/etc/systemd/system/clientcert-${instance}.${kind}`),
];

type Refresh = Pick<Observation, "scheduler" | "isTimerEnabled" | "timers" | "refreshRecord">;

/**
 * What the copy shows of the refresh of CRLs. Files do not show what runs: a timer file that exists counts as an
 * enabled timer, and its kind shows the scheduler. Without a timer file, the saved scheduler counts.
 */
function readRefresh(tree: Tree, instance: string, saved: SavedHost | undefined): Refresh {
  const timers = new Map(readPaths(tree, timerPaths(instance)));
  const isUnit = (path: string): boolean => path.startsWith("/etc/systemd/");
  const schedulerOfTimers = timers.size === 0 ? undefined : [...timers.keys()].some(isUnit) ? "systemd" : "cron";
  const record = tree.read(`/var/lib/clientcert/${instance}/refresh.record`);
  return {
    scheduler: schedulerOfTimers ?? saved?.scheduler ?? "none",
    isTimerEnabled: timers.size > 0,
    timers,
    refreshRecord: record?.bytes ?? "",
  };
}

/** The regular files at these paths. A path without one is left out. */
const readPaths = (tree: Tree, paths: readonly string[]): [string, ObservedFile][] =>
  paths.flatMap((path): [string, ObservedFile][] => {
    const file = tree.read(path);
    return file === undefined ? [] : [[path, file]];
  });

/** What is read of the files that a directive names, by the directive's name in lower case. */
const contentsByDirective: ReadonlyMap<string, NamedContents> = new Map(
  Object.entries(namedContents).map(([directive, contents]) => [directive.toLowerCase(), contents]),
);

/** Finds the files that the directives name and the copy has. The result never contains the bytes of a key. */
function findNamedFiles(tree: Tree, serverRoot: string, effective: readonly Effective[]): NamedFile[] {
  return effective.flatMap(({ name, arguments: [argument] }) => {
    const contents = contentsByDirective.get(name);
    const path = absolutePath(serverRoot, argument ?? "");
    const file = contents === undefined || argument === undefined ? undefined : tree.read(path);
    if (contents === undefined || file === undefined) return [];
    const { modifiedSeconds, changedSeconds } = file;
    return [{ path, modifiedSeconds, changedSeconds, ...readContents(contents, file) }];
  });
}

/**
 * The bytes of a named file that the plan may see: certificates and CRLs, but never a key. Without bytes where only the
 * file's dates matter, or where it is larger than certificates are.
 */
function readContents(contents: NamedContents, { bytes, sizeBytes }: ObservedFile): Pick<NamedFile, "bytes"> {
  if (contents === "nothing" || sizeBytes > mostCertificateBytes) return {};
  return { bytes: contents === "server-certificates" ? certificatesAlone(bytes) : bytes };
}

const cronFiles = ["/etc/crontab"];
const cronDirectories = [
  ...["d", "hourly", "daily", "weekly", "monthly"].map((name) => `/etc/cron.${name}`),
  "/var/spool/cron",
  "/var/spool/cron/crontabs",
];

/**
 * The crontabs of the system, the scripts that cron runs every hour, day, week and month, and the crontabs of users.
 */
function readCrontabs(tree: Tree): Map<string, ObservedFile> {
  const listed = cronDirectories.flatMap((folder) => tree.list(folder).map((name) => `${folder}/${name}`));
  return new Map(readPaths(tree, [...cronFiles, ...listed]));
}
