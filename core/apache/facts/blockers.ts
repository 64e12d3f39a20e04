/** What keeps us from touching a host whatever is wanted: where the reader and httpd might not mean the same. */
import type { Dump } from "../config/dump.ts";
import type { CopyObservation, Observation } from "../observation.ts";
import { unmanagedNames } from "./unmanaged-kinds.ts";
import type { Diagnostic } from "../../diagnostic.ts";
import { ownDirectory } from "../model.ts";
import { isIncludeLine } from "./own-lines.ts";
import { absolutePath, hasWildcard, includesPath, isInclude, isPattern, ownPrefix } from "../config/paths.ts";
import { remedyForCondition, remedyForVariable } from "../config/remedies.ts";
import type { Effective, Problem, Resolved } from "../config/resolve-model.ts";
import type { Section } from "../config/sections.ts";
import {
  findTlsPorts,
  isTlsOn,
  readAddress,
  readListenLine,
  unansweredListen,
  type TlsVirtualHost,
} from "./virtual-hosts.ts";
import { readWords } from "../config/arguments.ts";

interface Surroundings {
  /** Of httpd; empty when it is not known. */
  readonly version: string;
  readonly resolved: Resolved;
  readonly dump: Dump | undefined;
  readonly serverRoot: string;
  readonly port: number;
  readonly hosts: readonly TlsVirtualHost[];
  readonly resolvedPath: (file: string) => string;
  /** Undefined on a live host. */
  readonly copy?: CopyObservation | undefined;
}

/** Problems whatever is wanted, and what may be meant otherwise (warnings). */
export function findBlockers(context: Surroundings): Diagnostic[] {
  const rejected = findRejection(context);
  if (rejected !== undefined) return [rejected];
  if (isPattern(context.serverRoot)) return [{ severity: "problem", place: context.serverRoot, text: patternText }];
  const unread = [
    ...(context.copy?.unread ?? []),
    ...context.resolved.problems.map((problem) => unreadAt(context, problem)),
  ];
  const undecided = [...findUndecided(context), ...findUnknownValues(context)];
  const found = [...unread, ...findUnmanagedIncludes(context), ...undecided];
  // What was not read is missing everywhere else: whatever is said of that would only mislead.
  if (unread.length > 0) return found;
  const unclear = findUnclearEngines(context);
  const missing = unclear.length > 0 || undecided.length > 0 ? unclear : findMissingHosts(context);
  return [...found, ...findDisagreements(context), ...findMainServer(context), ...missing];
}

/**
 * httpd looks for every relative Include by its whole path, and so does not find what stands under such a name, or
 * finds more.
 */
const patternText =
  "the path of this server root has *, ? or [], which httpd takes for a pattern in each Include, so that our line would read nothing, or another server's file; rename the directory";

function unreadAt(context: Surroundings, { file, line, text, unknown }: Problem): Diagnostic {
  if (unknown === undefined) return blocker(context, file, line, text);
  const known = { ...context, undetermined: context.resolved.undetermined };
  const told = `${text} whose value only the running httpd knows; ${remedyForVariable(unknown, known)}`;
  return { ...blocker(context, file, line, told), isUndecided: true };
}

/**
 * A configuration that httpd rejects: httpd prints nothing else of it, so every other blocker would only follow from
 * that.
 */
function findRejection(context: Surroundings): Diagnostic | undefined {
  const { rejected } = context.dump ?? {};
  if (rejected === undefined) return undefined;
  return blocker(context, rejected.file, rejected.line, rejectionText(context, rejected));
}

function rejectionText(context: Surroundings, { file, line }: NonNullable<Dump["rejected"]>): string {
  if (line === 0)
    return "httpd cannot open this configuration file; give the right one as config:, or leave it out to have it found";
  const found = "httpd does not accept this line, and would not start any more";
  return file.startsWith(ownPrefix(context.serverRoot))
    ? `${found}; the file is ours and was altered: delete it, httpd does without, and let the next \`pulumi up\` write it anew`
    : `${found}; mend it first, httpd -t says what is wrong`;
}

function blocker(context: Surroundings, file: string, line: number, text: string): Diagnostic {
  return { severity: "problem", place: placeOf(context.resolvedPath(file), line), text };
}

const placeOf = (file: string, line: number): string => (line > 0 ? `${file}:${line}` : file);

/** An Include that takes our files at another place than ours would make them effective where nobody planned it. */
function findUnmanagedIncludes(context: Surroundings): Diagnostic[] {
  const own = `${ownPrefix(context.serverRoot)}clientcert.conf`;
  return context.resolved.effective
    .filter(({ name, arguments: [pattern = ""] }) => {
      if (!isInclude(name)) return false;
      const absolute = absolutePath(context.serverRoot, pattern);
      return includesPath(absolute, own) || (name === "include" && asksOf(absolute, own));
    })
    .filter((directive) => !isOurs(context, directive))
    .map(({ file, node }) =>
      blocker(context, file, node.line, `this Include takes conf/${ownDirectory}/, our directory; narrow or delete it`),
    );
}

/**
 * Whether an Include such as `conf/*\/vhost.conf` wants a file of each directory: where ours has none, httpd does not
 * start.
 */
function asksOf(pattern: string, ownFile: string): boolean {
  if (!hasWildcard(pattern)) return false;
  const directories = pattern.split("/").slice(0, -1);
  const own = ownFile.split("/").slice(0, -1);
  return directories.length >= own.length && includesPath(directories.slice(0, own.length).join("/"), own.join("/"));
}

function isOurs(context: Surroundings, { file, node }: Effective): boolean {
  const tree = context.resolved.trees.get(file);
  return tree !== undefined && isIncludeLine(tree, node);
}

/** A directory that was there before us may have files of the very names of ours. */
export function findUnmanagedFiles({ own, server }: Observation): Diagnostic[] {
  const place = absolutePath(server.serverRoot, `conf/${ownDirectory}`);
  const names = [...own.keys()].sort().map((name) => name.replace(/[^\x20-\x7e]/g, "?"));
  const listed = `${names.slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""}`;
  const text = `this directory must be ours alone, and holds files of somebody else (${listed}); move them, and what names them, to another directory`;
  return [{ severity: "problem", place, text }];
}

const decisive = new Set([...unmanagedNames, "sslengine"]);

/** One finding for each condition that holds back something we need to know. */
function findUndecided(context: Surroundings): Diagnostic[] {
  const hosts = new Set(context.hosts.map(({ section }) => section.node));
  const conditions = new Map(
    context.resolved.effective
      .filter((directive) => decisive.has(directive.name) || hosts.has(directive.node))
      .flatMap(({ undecided }) => (undecided === undefined ? [] : [[undecided.node, undecided] as const])),
  );
  return [...conditions.values()].map((section) => ({
    ...blocker(context, section.file, section.node.line, undecidedText(context, section)),
    isUndecided: true,
  }));
}

function undecidedText(context: Surroundings, section: Section): string {
  if (context.dump !== undefined && context.copy === undefined)
    return "httpd does not tell whether this condition is true; move what stands in this section out of it, or load mod_info, which tells more";
  const remedy = remedyForCondition(section, { ...context, undetermined: context.resolved.undetermined });
  return `the files alone do not tell whether this condition is true; ${remedy}`;
}

/**
 * Words that decide which virtual hosts answer TLS, and on which port, where only httpd knows them and has not said so.
 */
function findUnknownValues(context: Surroundings): Diagnostic[] {
  const said = new Set(context.dump?.virtualHosts.map(({ file, line }) => `${file}:${line}`));
  const isOpen = ({ name, arguments: [text = ""], file, node }: Effective): boolean => {
    if (!text.includes("${") || (name !== "virtualhost" && name !== "sslengine")) return false;
    if (name === "sslengine") return true;
    if (said.has(`${file}:${node.lastLine}`)) return false;
    return readWords(text).some((word) => word.includes("${") && [0, context.port].includes(readAddress(word).port));
  };
  const known = { ...context, undetermined: context.resolved.undetermined };
  return context.resolved.effective.filter(isOpen).map(({ file, node, arguments: [unknown = ""] }) => {
    const text = `a variable stands here whose value only httpd knows; ${remedyForVariable(unknown, known)}`;
    return { ...blocker(context, file, node.line, text), isUndecided: true };
  });
}

/** httpd is the judge: what it lists and the reader does not find, or the other way round, must not be edited. */
function findDisagreements(context: Surroundings): Diagnostic[] {
  const { dump, resolved } = context;
  if (dump === undefined) return [];
  const found = new Set(resolved.effective.map(({ file, node }) => `${file}:${node.lastLine}`));
  const virtualHosts = dump.virtualHosts.map(({ file, line }) => `${file}:${line}`);
  const missed = [...new Set([...virtualHosts, ...dump.directives.keys()])]
    .filter((place) => !found.has(place) && !place.startsWith(ownPrefix(context.serverRoot)))
    .map((place): Diagnostic => ({ severity: "problem", place, text: missedText }));
  const listed = dump.effective;
  if (listed === undefined) return missed;
  const unlisted = resolved.effective
    .filter(({ name, file, node }) => isListed(name) && listed.get(file)?.has(node.lastLine) !== true)
    .map(({ file, node }) => blocker(context, file, node.line, unlistedText));
  return [...missed, ...unlisted];
}

const missedText = "httpd finds a directive here that the reader does not, so nothing is edited; please report it";
const unlistedText = "the reader finds a directive here that httpd does not, so nothing is edited; please report it";

const isListed = (name: string): boolean => decisive.has(name) || name === "virtualhost";

/**
 * Without SSLEngine a virtual host that has a certificate takes the protocol of a Listen, which is https for port 443.
 * Which Listen that is depends on addresses and even on ServerName (seen with 2.4.71), so nobody should rely on it, nor
 * do we.
 */
function findUnclearEngines({ resolved, port, resolvedPath }: Surroundings): Diagnostic[] {
  const isHttps = resolved.effective.some(({ name, arguments: words }) => name === "listen" && isHttpsOn(port, words));
  if (!isHttps) return [];
  const engines = levelsOf(resolved, "sslengine");
  const certificates = levelsOf(resolved, "sslcertificatefile");
  const has = (found: ReadonlySet<Section | undefined>, section: Section): boolean =>
    found.has(section) || found.has(undefined);
  return resolved.effective.flatMap(({ opens }) => {
    if (opens?.name !== "virtualhost" || has(engines, opens) || !has(certificates, opens)) return [];
    if (!readWords(opens.arguments).some((word) => readAddress(word).port === port)) return [];
    const text =
      "has a certificate and no SSLEngine, so whether it answers TLS is left to httpd; write SSLEngine on or off in it";
    return [{ severity: "problem", place: placeOf(resolvedPath(opens.file), opens.node.line), text }];
  });
}

function isHttpsOn(port: number, words: readonly string[]): boolean {
  const listen = readListenLine(words);
  return listen.isHttps && listen.port === port;
}

/** Where a directive stands: sections, undefined for server level. */
const levelsOf = (resolved: Resolved, wanted: string): ReadonlySet<Section | undefined> =>
  new Set(resolved.effective.filter(({ name }) => name === wanted).map(({ section }) => section));

/** Where no virtual host answers, the main server does: a line of ours in it would be one for all virtual hosts. */
function findMainServer({ resolved, hosts, port, resolvedPath }: Surroundings): Diagnostic[] {
  const engine = resolved.effective.filter(({ name, section }) => name === "sslengine" && section === undefined).at(-1);
  if (engine === undefined || !isTlsOn(engine.arguments[0]) || hosts.length === 0) return [];
  const open = unansweredListen(resolved, port);
  if (open === undefined) return [];
  const text = `the main server answers TLS on port ${port} where no <VirtualHost> does (Listen ${open.address}), and asks for no certificate there; write a <VirtualHost> for it, or SSLEngine off here`;
  return [{ severity: "warning", place: placeOf(resolvedPath(engine.file), engine.node.line), text }];
}

function findMissingHosts(context: Surroundings): Diagnostic[] {
  if (context.hosts.length > 0) return [];
  const others = findTlsPorts(context.resolved);
  const listed = `port${others.length > 1 ? "s" : ""} ${others.join(", ")} ${others.length > 1 ? "have" : "has"} one`;
  const remedy =
    others.length > 0
      ? `${listed}: give that port, or set HTTPS up in a virtual host of this one first`
      : "set HTTPS up in a virtual host first, or give the port";
  const engine = context.resolved.effective.find(({ name, section }) => name === "sslengine" && section === undefined);
  const place =
    engine === undefined
      ? context.resolvedPath([...context.resolved.trees.keys()][0] ?? "")
      : placeOf(context.resolvedPath(engine.file), engine.node.line);
  return [
    {
      severity: "problem",
      place,
      text: `no <VirtualHost> with SSLEngine on answers port ${context.port}; ${remedy}`,
    },
  ];
}
