/**
 * Finds blockers: places where our reader and httpd might understand the configuration differently. A blocker forbids
 * any change of the host, whatever the inputs are.
 */
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

/** What the search for blockers needs. */
interface Surroundings {
  /** The version of httpd; empty when it is not known. */
  readonly version: string;
  readonly resolved: Resolved;
  readonly dump: Dump | undefined;
  readonly serverRoot: string;
  readonly port: number;
  readonly hosts: readonly TlsVirtualHost[];
  readonly resolvedPath: (file: string) => string;
  /** The copy of the host's files that was read instead of a live host; undefined on a live host. */
  readonly copy?: CopyObservation | undefined;
}

/**
 * Finds the blockers, and a warning where the main server answers TLS itself. Where httpd rejects the configuration, or
 * where a part of it was not read, only what is certain is reported.
 */
export function findBlockers(context: Surroundings): Diagnostic[] {
  const rejected = findRejection(context);
  if (rejected !== undefined) return [rejected];
  if (isPattern(context.serverRoot)) return [{ severity: "problem", place: context.serverRoot, text: patternText }];
  const unread = [
    ...(context.copy?.unread ?? []),
    ...context.resolved.problems.map((problem) => describeUnread(context, problem)),
  ];
  const undecided = [...findUndecided(context), ...findUnknownValues(context)];
  const basic = [...unread, ...findUnmanagedIncludes(context), ...undecided];
  // What was not read is missing everywhere else, so the other checks would only mislead.
  if (unread.length > 0) return basic;
  const unclear = findUnclearEngines(context);
  // Where it is not clear which virtual hosts answer TLS, it is not known either that there is none.
  const missing = unclear.length > 0 || undecided.length > 0 ? [] : findMissingHosts(context);
  return [...basic, ...findDisagreements(context), ...findMainServer(context), ...unclear, ...missing];
}

/**
 * httpd matches every relative Include by its whole path. So, below such a server root, httpd does not find the files,
 * or finds other ones.
 */
const patternText =
  "the path of this server root has *, ? or [], which httpd takes for a pattern in each Include, so that our line would read nothing, or another server's file; rename the directory";

/** The blocker for a part that was not read; where a variable is the reason, it says how to give the value. */
function describeUnread(context: Surroundings, { file, line, text, unknown }: Problem): Diagnostic {
  if (unknown === undefined) return blocker(context, file, line, text);
  const remedyContext = { ...context, undetermined: context.resolved.undetermined };
  const message = `${text} whose value only the running httpd knows; ${remedyForVariable(unknown, remedyContext)}`;
  return { ...blocker(context, file, line, message), isUndecided: true };
}

/**
 * The blocker for a configuration that httpd rejects. httpd prints nothing else about it, so every other blocker would
 * only follow from this one.
 */
function findRejection(context: Surroundings): Diagnostic | undefined {
  const { rejected } = context.dump ?? {};
  if (rejected === undefined) return undefined;
  return blocker(context, rejected.file, rejected.line, rejectionText(context, rejected));
}

/** The text of {@link findRejection}. Line 0 stands for a file that httpd cannot open. */
function rejectionText(context: Surroundings, { file, line }: NonNullable<Dump["rejected"]>): string {
  if (line === 0)
    return "httpd cannot open this configuration file; give the right one as config:, or leave it out to have it found";
  const rejection = "httpd does not accept this line, and would not start any more";
  return file.startsWith(ownPrefix(context.serverRoot))
    ? `${rejection}; the file is ours and was altered: delete it, httpd does without, and let the next \`pulumi up\` write it anew`
    : `${rejection}; mend it first, httpd -t says what is wrong`;
}

/** Makes a blocker at a line of a file, which is given by the name that httpd uses. */
function blocker(context: Surroundings, file: string, line: number, text: string): Diagnostic {
  return { severity: "problem", place: placeOf(context.resolvedPath(file), line), text };
}

/** The place of a line; line 0 stands for the file as a whole. */
const placeOf = (file: string, line: number): string => (line > 0 ? `${file}:${line}` : file);

/**
 * Makes a blocker of each Include that reads our clientcert.conf, or requires a file in our directory, and is not our
 * line. It would make our directives effective where no plan wants them, or keep httpd from starting.
 */
function findUnmanagedIncludes(context: Surroundings): Diagnostic[] {
  const ownConf = `${ownPrefix(context.serverRoot)}clientcert.conf`;
  return context.resolved.effective
    .filter(({ name, arguments: [pattern = ""] }) => {
      if (!isInclude(name)) return false;
      const absolute = absolutePath(context.serverRoot, pattern);
      return includesPath(absolute, ownConf) || (name === "include" && needsFileBeside(absolute, ownConf));
    })
    .filter((directive) => !isOwnLine(context, directive))
    .map(({ file, node }) =>
      blocker(context, file, node.line, `this Include takes conf/${ownDirectory}/, our directory; narrow or delete it`),
    );
}

/**
 * Whether an Include of this pattern, such as `conf/*\/vhost.conf`, has a wildcard that matches our directory, so that
 * it requires a file in or below it: httpd does not start while a directory that the wildcard matches has no such file.
 */
function needsFileBeside(pattern: string, ownFile: string): boolean {
  if (!hasWildcard(pattern)) return false;
  const directories = pattern.split("/").slice(0, -1);
  const own = ownFile.split("/").slice(0, -1);
  return directories.length >= own.length && includesPath(directories.slice(0, own.length).join("/"), own.join("/"));
}

function isOwnLine(context: Surroundings, { file, node }: Effective): boolean {
  const tree = context.resolved.trees.get(file);
  return tree !== undefined && isIncludeLine(tree, node);
}

/**
 * The blocker for a directory that has our name and is not ours: it may have existed before us, with files that have
 * the very names of ours. The names may be in any encoding, so only ASCII is shown.
 */
export function findUnmanagedFiles({ own, server }: Observation): Diagnostic[] {
  const place = absolutePath(server.serverRoot, `conf/${ownDirectory}`);
  const names = [...own.keys()].sort().map((name) => name.replace(/[^\x20-\x7e]/g, "?"));
  const listed = `${names.slice(0, 5).join(", ")}${names.length > 5 ? ", …" : ""}`;
  const text = `this directory must be ours alone, and holds files of somebody else (${listed}); move them, and what names them, to another directory`;
  return [{ severity: "problem", place, text }];
}

/** Directives, in lower case, that must not stay below an undecided condition, nor be missed. */
const decisive = new Set([...unmanagedNames, "sslengine"]);

/** One blocker for each undecided condition around a {@link decisive} directive or a TLS virtual host of the port. */
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

/** What a person must do about an undecided condition, on a live host or for a copy of its files. */
function undecidedText(context: Surroundings, section: Section): string {
  if (context.dump !== undefined && context.copy === undefined)
    return "httpd does not tell whether this condition is true; move what stands in this section out of it, or load mod_info, which tells more";
  const remedy = remedyForCondition(section, { ...context, undetermined: context.resolved.undetermined });
  return `the files alone do not tell whether this condition is true; ${remedy}`;
}

/**
 * Finds values that decide which virtual hosts answer TLS, and on which port, where only httpd knows the value and its
 * dump does not show it.
 */
function findUnknownValues(context: Surroundings): Diagnostic[] {
  const printed = new Set(context.dump?.virtualHosts.map(({ file, line }) => `${file}:${line}`));
  const isUnknown = ({ name, arguments: [text = ""], file, node }: Effective): boolean => {
    if (!text.includes("${") || (name !== "virtualhost" && name !== "sslengine")) return false;
    if (name === "sslengine") return true;
    if (printed.has(`${file}:${node.lastLine}`)) return false;
    // Port 0 stands for every port, and for a port that is not known.
    return readWords(text).some((word) => word.includes("${") && [0, context.port].includes(readAddress(word).port));
  };
  const remedyContext = { ...context, undetermined: context.resolved.undetermined };
  return context.resolved.effective.filter(isUnknown).map(({ file, node, arguments: [unknown = ""] }) => {
    const text = `a variable stands here whose value only httpd knows; ${remedyForVariable(unknown, remedyContext)}`;
    return { ...blocker(context, file, node.line, text), isUndecided: true };
  });
}

/**
 * Compares what our reader finds with what httpd lists. A directive that only one of the two finds is a blocker,
 * because the reader cannot be trusted with such a configuration. Our own files are left out: the reader skips them.
 */
function findDisagreements(context: Surroundings): Diagnostic[] {
  const { dump, resolved } = context;
  if (dump === undefined) return [];
  const read = new Set(resolved.effective.map(({ file, node }) => `${file}:${node.lastLine}`));
  const virtualHosts = dump.virtualHosts.map(({ file, line }) => `${file}:${line}`);
  const missed = [...new Set([...virtualHosts, ...dump.directives.keys()])]
    .filter((place) => !read.has(place) && !place.startsWith(ownPrefix(context.serverRoot)))
    .map((place): Diagnostic => ({ severity: "problem", place, text: missedText }));
  const listed = dump.effective;
  // Without mod_info, httpd lists no directives.
  if (listed === undefined) return missed;
  const unlisted = resolved.effective
    .filter(({ name, file, node }) => isCompared(name) && listed.get(file)?.has(node.lastLine) !== true)
    .map(({ file, node }) => blocker(context, file, node.line, unlistedText));
  return [...missed, ...unlisted];
}

const missedText = "httpd finds a directive here that the reader does not, so nothing is edited; please report it";
const unlistedText = "the reader finds a directive here that httpd does not, so nothing is edited; please report it";

/** Whether a directive of this name must be found by both, the reader and httpd. */
const isCompared = (name: string): boolean => decisive.has(name) || name === "virtualhost";

/**
 * Finds virtual hosts that name the port and have a certificate but no SSLEngine. Such a virtual host takes the
 * protocol of a Listen, which is https for port 443. Which Listen that is depends on addresses and even on ServerName
 * (seen with 2.4.71). Nobody should rely on that, and we do not. Where no Listen of the port is for https, there are
 * none.
 */
function findUnclearEngines({ resolved, port, resolvedPath }: Surroundings): Diagnostic[] {
  const isHttps = resolved.effective.some(({ name, arguments: words }) => name === "listen" && isHttpsOn(port, words));
  if (!isHttps) return [];
  const engines = levelsOf(resolved, "sslengine");
  const certificates = levelsOf(resolved, "sslcertificatefile");
  // A directive at server level, which has no section, applies to every virtual host.
  const appliesTo = (levels: ReadonlySet<Section | undefined>, section: Section): boolean =>
    levels.has(section) || levels.has(undefined);
  return resolved.effective.flatMap(({ opens }) => {
    if (opens?.name !== "virtualhost" || appliesTo(engines, opens) || !appliesTo(certificates, opens)) return [];
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

/** The sections in which a directive stands; undefined stands for server level. */
const levelsOf = (resolved: Resolved, wanted: string): ReadonlySet<Section | undefined> =>
  new Set(resolved.effective.filter(({ name }) => name === wanted).map(({ section }) => section));

/**
 * Warns where the main server answers TLS on the port, on an address for which there is no virtual host. We cannot
 * cover the main server, because our line in it would apply to all virtual hosts. Where no virtual host answers TLS on
 * the port, {@link findMissingHosts} reports that instead.
 */
function findMainServer({ resolved, hosts, port, resolvedPath }: Surroundings): Diagnostic[] {
  const engine = resolved.effective.filter(({ name, section }) => name === "sslengine" && section === undefined).at(-1);
  if (engine === undefined || !isTlsOn(engine.arguments[0]) || hosts.length === 0) return [];
  const unanswered = unansweredListen(resolved, port);
  if (unanswered === undefined) return [];
  const text = `the main server answers TLS on port ${port} where no <VirtualHost> does (Listen ${unanswered.address}), and asks for no certificate there; write a <VirtualHost> for it, or SSLEngine off here`;
  return [{ severity: "warning", place: placeOf(resolvedPath(engine.file), engine.node.line), text }];
}

/** The blocker where no virtual host answers TLS on the port. It names the ports on which one does. */
function findMissingHosts(context: Surroundings): Diagnostic[] {
  if (context.hosts.length > 0) return [];
  const ports = findTlsPorts(context.resolved);
  const listed = `port${ports.length > 1 ? "s" : ""} ${ports.join(", ")} ${ports.length > 1 ? "have" : "has"} one`;
  const remedy =
    ports.length > 0
      ? `${listed}: give that port, or set HTTPS up in a virtual host of this one first`
      : "set HTTPS up in a virtual host first, or give the port";
  const engine = context.resolved.effective.find(({ name, section }) => name === "sslengine" && section === undefined);
  // The first tree is that of the main file.
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
