/**
 * Turns an observation into the facts that the plan needs. No byte of the customer's configuration goes beyond this
 * point.
 */
import { findPhp } from "../php-tls-rule.ts";
import { hostText } from "../../host-text.ts";
import { readCertificates } from "../../pki/certificate.ts";
import { readCrls } from "../../pki/crl.ts";
import { readSparseCrls } from "../../pki/sparse-crl.ts";
import { parseDump, type Dump } from "../config/dump.ts";
import { confName, crlName } from "../../own-files.ts";
import { ownerIn } from "./own-conf.ts";
import { findCrlJobs } from "./cron-jobs.ts";
import { findMissingIssuers } from "./server-chains.ts";
import { findUnmanaged } from "./unmanaged.ts";
import { isLookedAt, unmanagedNames } from "./unmanaged-kinds.ts";
import { findUnreadable, readHasRun } from "./stopped.ts";
import { findOtherHosts, type OtherHosts } from "./other-hosts.ts";
import { restore } from "./restored.ts";
import type { UnmanagedDirective } from "./unmanaged-model.ts";
import type { CertificateSummary, CrlSummary } from "../../pki/summary.ts";
import type { AdoptedLine, Facts, OwnFacts, StrayInclude } from "../model.ts";
import { findUnmanagedFiles, findBlockers } from "./blockers.ts";
import type { NamedFile, ObservedFile, Observation } from "../observation.ts";
import { findAdoptedLines, findIncludeLines } from "./own-lines.ts";
import type { Node } from "../config/parse.ts";
import { ownPrefix } from "../config/paths.ts";
import { findPendingEdits } from "./pending-edits.ts";
import { readRefresh } from "../../crl-refresh/refresh-facts.ts";
import type { Resolved, Source } from "../config/resolve-model.ts";
import { resolve } from "../config/resolve.ts";
import { readUnattended } from "./unattended.ts";
import {
  findTlsVirtualHosts,
  indexConfiguration,
  virtualHostNames,
  type ConfigurationIndex,
  type Context,
  type TlsVirtualHost,
} from "./virtual-hosts.ts";

/** What the reader of facts needs beside the observation. */
export interface ReadOptions {
  /** The port whose TLS virtual hosts are covered. */
  readonly port: number;
}

/** Reads the facts. Blockers are among the facts; odd input never makes this function throw. */
export function readFacts(observation: Observation, options: ReadOptions): Facts {
  const dump = dumpOf(observation);
  const resolved = resolve(sourceOf(observation, dump), isWanted);
  const { serverRoot, version } = observation.server;
  const resolvedPath = (file: string): string => observation.files.get(file)?.resolvedPath ?? file;
  const { copy } = observation;
  const context = { resolved, dump, serverRoot, version, resolvedPath, port: options.port, copy };
  const overview = indexConfiguration(context);
  const hosts = findTlsVirtualHosts(context, overview);
  const adopted = findAdopted(observation);
  const strayIncludes = findStrays(observation, resolved, hosts);
  const covered = new Set(hosts.map(({ facts }) => `${facts.file}:${facts.line}`));
  const others = findOtherHosts(context, overview, covered);
  const foreign = readForeign(observation, context, { overview, hosts, others, adopted, dump });
  const ownCrl = ownPrefix(serverRoot) + crlName;
  const crlJobs = findCrlJobs({ observation, resolved, foreign, adopted, ownCrl });
  const unattended = readUnattended(observation);
  const edited = [...hosts.map((host) => host.facts), ...foreign, ...adopted, ...strayIncludes, ...crlJobs];
  return {
    server: serverFacts(observation),
    virtualHosts: hosts.map((host) => host.facts),
    others: others.asked,
    foreign,
    adopted,
    strayIncludes,
    own: readOwn(observation),
    refresh: readRefresh(observation),
    ...(unattended === undefined ? {} : { unattended }),
    php: findPhp(observation.php),
    // A configuration that httpd does not accept must not be reloaded, so there is nothing to advise.
    pendingEdits: dump?.rejected === undefined ? findPendingEdits(observation, hosts) : [],
    crlJobs,
    files: hashesOf(observation, new Set(edited.map(({ file }) => file))),
    obstacles: [
      ...findBlockers({ ...context, hosts }),
      ...(isDirectoryOurs(observation) ? [] : findUnmanagedFiles(observation)),
    ],
  };
}

/** What {@link readForeign} needs beside the observation, as {@link readFacts} has found it. */
interface ForeignParts {
  readonly overview: ConfigurationIndex;
  readonly hosts: readonly TlsVirtualHost[];
  readonly others: OtherHosts;
  readonly adopted: readonly AdoptedLine[];
  readonly dump: Dump | undefined;
}

/** Reads the unmanaged directives, in the configuration as it would be without the marks of an adoption. */
function readForeign(observation: Observation, context: Context, parts: ForeignParts): UnmanagedDirective[] {
  const { overview, hosts, others, adopted, dump } = parts;
  const restored = restore(observation, adopted);
  const { hasMark } = restored;
  // Without a mark, nothing was restored, and the configuration need not be resolved again.
  const hasNoMarks = restored.observation === observation;
  const resolved = hasNoMarks
    ? context.resolved
    : resolve({ ...sourceOf(restored.observation, dump), hasMark }, isWanted);
  const named = new Map(observation.namedFiles.map((file) => [file.path, file]));
  const certificatesOf = rememberedByPath((path) => certificatesIn(named.get(path)?.bytes));
  const crlIssuersOf = rememberedByPath((path) => crlIssuersIn(named.get(path)));
  const missingIssuers = findMissingIssuers(context, overview, hosts, certificatesOf);
  return findUnmanaged({
    ...context,
    ...restored,
    resolved,
    hosts,
    others,
    certificatesOf,
    crlIssuersOf,
    missingIssuers,
  });
}

/** The issuers of the CRLs in a file; undefined when its bytes are not known. */
const crlIssuersIn = (file: NamedFile | undefined): readonly string[] | undefined =>
  file?.bytes === undefined
    ? undefined
    : crlsIn({ bytes: file.bytes, sizeBytes: file.sizeBytes ?? file.bytes.length }).map(({ issuer }) => issuer);

/**
 * Wraps `read` so that it reads each file once: hundreds of virtual hosts may name the same bundle of hundreds of
 * certificates.
 */
function rememberedByPath<T>(read: (path: string) => T): (path: string) => T {
  const results = new Map<string, T>();
  return (path) => {
    if (!results.has(path)) results.set(path, read(path));
    return results.get(path) as T; // as: it has just been set
  };
}

/**
 * What httpd reports now. A saved observation and a copy have no dump: for them only the modules are known, because the
 * rest follows from the files. Undefined where not even these are.
 */
function dumpOf({ dump, saved, copy }: Observation): Dump | undefined {
  if (dump !== undefined) return parseDump(dump, (word) => dumpedWords.has(word));
  const modules = saved?.modules ?? copy?.modules;
  return modules && { ...parseDump(""), modules };
}

const virtualHostNameSet: ReadonlySet<string> = new Set(virtualHostNames);

/** Whether the resolver must return the directives of this name, with these arguments where they are known. */
const isWanted = (name: string, words?: readonly string[]): boolean =>
  virtualHostNameSet.has(name) || isLookedAt(name, words);

/** First words of lines of the dump: our reader must find the same directives of these names as httpd. */
const dumpedWords = new Set([...unmanagedNames, "sslengine", "servername", "documentroot", "listen", "<virtualhost"]);

/** What the resolver of the configuration starts from. */
export function sourceOf(observation: Observation, dump: Dump | undefined = dumpOf(observation)): Source {
  const { server, files, copy } = observation;
  const named = new Set(observation.namedFiles.map((file) => file.path));
  // The files have the names that httpd uses, and `configFile` is a path without symlinks.
  const main = [...files].find(([, file]) => file.resolvedPath === server.configFile)?.[0];
  const own = ownPrefix(server.serverRoot);
  return {
    files: new Map([...files].map(([path, file]) => [path, file.bytes])),
    mainFile: dump?.mainFile ?? main ?? server.configFile,
    serverRoot: dump?.serverRoot ?? server.serverRoot,
    version: server.version,
    defines: server.defines,
    // A live httpd prints them all, and its command line shows them.
    hasAllDefines: observation.dump !== undefined || server.isRunning || server.hasAllDefines === true,
    dump,
    existing: (path) => files.has(path) || named.has(path) || copy?.has(path),
    skips: (path) => path.startsWith(own),
  };
}

/** The facts about the server. A value that is not known, and the starter of a server that runs, have no key at all. */
function serverFacts(observation: Observation): Facts["server"] {
  const { version, openssl, securityLevel, serverRoot, configFile, instance, isRunning, starter } = observation.server;
  const source = observation.dump !== undefined ? "httpd" : observation.saved === undefined ? "files" : "saved";
  const level = securityLevel === undefined ? {} : { securityLevel };
  const started = isRunning || starter === undefined ? {} : { starter };
  return { version, openssl, ...level, serverRoot, configFile, instance, running: isRunning, ...started, source };
}

/** Finds the lines with our mark, in httpd's configuration and in crontabs. A file in both counts as configuration. */
function findAdopted(observation: Observation): AdoptedLine[] {
  const { files: loaded, crontabs } = observation;
  const configuration = new Map([...loaded.values()].map((file) => [file.resolvedPath, file.bytes]));
  const jobs = new Map([...crontabs.values()].map((file) => [file.resolvedPath, file.bytes]));
  return [
    ...[...configuration].flatMap(([path, bytes]) => findAdoptedLines(path, bytes)),
    ...[...jobs].flatMap(([path, bytes]) => (configuration.has(path) ? [] : findAdoptedLines(path, bytes, true))),
  ];
}

/**
 * Our lines in the files that were read, except the one that counts in each of `hosts`. The virtual host around such a
 * line may no longer answer TLS, or someone has copied the line.
 */
function findStrays(observation: Observation, resolved: Resolved, hosts: readonly TlsVirtualHost[]): StrayInclude[] {
  const placed = new Set(hosts.map(({ facts }) => `${facts.file}:${facts.include?.offset}`));
  const strays = new Map<string, StrayInclude>();
  for (const [name, tree] of resolved.trees) {
    const file = observation.files.get(name)?.resolvedPath ?? name;
    for (const node of findIncludeLines(tree)) {
      const key = `${file}:${node.start}`;
      if (!placed.has(key)) strays.set(key, strayAt(file, node));
    }
  }
  return [...strays.values()];
}

const strayAt = (file: string, node: Node): StrayInclude => ({
  file,
  line: node.line,
  offset: node.start,
  length: node.end - node.start,
});

/**
 * Whether the directory with our name is ours, or has no files. The journal of the host proves it, or, where the
 * journal was lost, the owner that our configuration names. Nothing is touched in a directory that is not ours.
 */
function isDirectoryOurs({ own, journal }: Observation): boolean {
  return own.size === 0 || journal.size > 0 || ownerIn(own.get(confName)?.bytes) !== undefined;
}

/**
 * Reads what is installed in our directory, and what the journal says about our changes. A directory that is not ours
 * counts as empty.
 */
function readOwn(observation: Observation): OwnFacts {
  const { journal } = observation;
  const own: Observation["own"] = isDirectoryOurs(observation) ? observation.own : new Map();
  const bytes = own.get(confName)?.bytes;
  const conf = textOf(bytes);
  // Its name holds a hash. Until a change has ended there may be two, and clientcert.conf names the one in use.
  const caFile = [...own.keys()].find((name) => name.startsWith("ca-") && conf?.includes(name));
  return {
    conf,
    files: Object.fromEntries([...own].map(([name, file]) => [name, file.sha256])),
    crls: crlsIn(own.get(crlName)),
    caFile,
    ca: certificatesIn(own.get(caFile ?? "")?.bytes) ?? [],
    owner: textOf(journal.get("owner")),
    generation: Number(journal.get("generation") ?? 0),
    owed: textOf(journal.get("owed")),
    ...readHasRun(journal),
    ...findUnreadable(own, conf),
  };
}

/** Decodes bytes of the host for output. */
const textOf = (bytes: string | undefined): string | undefined => (bytes === undefined ? undefined : hostText(bytes));

/**
 * The certificates in a file. Undefined when its bytes are not known, or when some of them are not certificates: such a
 * file cannot be compared.
 */
function certificatesIn(bytes: string | undefined): readonly CertificateSummary[] | undefined {
  if (bytes === undefined) return undefined;
  const { certificates, diagnostics } = readCertificates(Buffer.from(bytes, "latin1"));
  return diagnostics.some(({ severity }) => severity === "problem")
    ? undefined
    : certificates.map(({ summary }) => summary);
}

/**
 * The CRLs in a file, as far as they can be read; none where it is missing. The middle of a large CRL was not sent, so
 * such a CRL is read from its ends.
 */
function crlsIn(file: Pick<ObservedFile, "bytes" | "sizeBytes"> | undefined): readonly CrlSummary[] {
  if (file === undefined) return [];
  const { bytes, sizeBytes } = file;
  if (bytes.length < sizeBytes) return readSparseCrls(bytes, sizeBytes);
  return readCrls(Buffer.from(bytes, "latin1")).crls.map(({ summary }) => summary);
}

/** The hashes of the files that a change may edit, by resolved path. */
function hashesOf(observation: Observation, edited: ReadonlySet<string>): Record<string, string> {
  const hashes: Record<string, string> = {};
  for (const file of [...observation.files.values(), ...observation.crontabs.values()])
    if (edited.has(file.resolvedPath)) hashes[file.resolvedPath] = file.sha256;
  return hashes;
}
