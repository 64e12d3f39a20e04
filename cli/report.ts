/** The report on one observation of a host, as data and in words. No line of the customer's files is in either. */
import { findMarks } from "../core/apache/plan/adopt.ts";
import { confName, crlName } from "../core/own-files.ts";
import { type Diagnostic, isBlocking } from "../core/diagnostic.ts";
import type { Change, Desired, Facts, Plan, VirtualHostFacts } from "../core/apache/model.ts";
import { plan } from "../core/apache/plan/plan.ts";
import { type ApacheStatus, statusOf } from "../core/apache/status.ts";
import type { HostState } from "../core/host-status.ts";
import { programPath } from "../core/apache/facts/unattended.ts";
import { findPendingReload } from "../core/apache/facts/stopped.ts";
import { isExcluded } from "../core/apache/plan/excluded-hosts.ts";
import { shownDeep, shownLines } from "../core/shown.ts";
import { hostText } from "../core/host-text.ts";
import { readSiteFiles } from "../provider/site/pki-files.ts";
import { filePlaces, renderPlace } from "../provider/site/file-places.ts";
import { fileChangeTexts, fileStates, liveFiles, plannedFiles, shownPathOf } from "../provider/apache/files.ts";
import type { Inputs } from "../core/apache/inputs.ts";
import type { SiteHost } from "../core/site/schema.ts";
import { desiredOf, filesOf, parseInputs } from "../provider/apache/parse-inputs.ts";
import { HostError, placeOf } from "../provider/remote/host-error.ts";
import { hostInputs } from "../provider/site/load-site.ts";
import { type SiteHosts, placeInSite } from "./open-hosts.ts";
import { type Style, count } from "./output.ts";
import { type RevocationReport, describeRevocation, revocationLines } from "./report-revocation.ts";

/** The host that a report is about. */
interface ReportedHost {
  readonly host: string;
  readonly address: string;
  readonly sshPort: number;
}

export interface HostReport extends ReportedHost {
  readonly state: HostState;
  /** Why the report has nothing else. The text begins with the host's name and place. */
  readonly error?: string;
  readonly server?: ServerReport;
  /** What a change would do, one line for each step. */
  readonly changes: readonly string[];
  /** The findings that forbid a change come first. */
  readonly findings: readonly Diagnostic[];
}

export interface ServerReport {
  readonly version: string;
  readonly openssl: string;
  readonly running: boolean;
  readonly configFile: string;
  /** Where the values of the conditions came from. */
  readonly source: Facts["server"]["source"];
  readonly php: string | undefined;
  readonly tlsRule: string;
  readonly virtualHosts: readonly VirtualHostReport[];
  readonly owner: string | undefined;
  readonly generation: number;
  /** The first expiry date among the installed CA certificates, or among the planned ones where none is installed. */
  readonly caNotAfter: string | undefined;
  readonly crlNextUpdate: string | undefined;
  /** The report on the CRLs that the host downloads by itself. */
  readonly revocation: RevocationReport | undefined;
}

export interface VirtualHostReport {
  readonly serverName: string;
  readonly place: string;
  /** Whether the site file wants the virtual host to be covered. False when the site file excludes it. */
  readonly wanted: boolean;
  /** Whether our line stands in the virtual host, and the file that the line names exists. */
  readonly covered: boolean;
}

/**
 * The inputs for one host. The command line knows neither the organization nor the project of the stack. An owner whose
 * name ends with the right stack and host is therefore taken to be ours.
 */
export function inputsFor(
  { file, stack, site, pki }: SiteHosts,
  host: SiteHost,
  ownerThere: string | undefined,
): Inputs {
  const end = `/${stack}/${host.name}`;
  const owner = ownerThere?.endsWith(end) === true ? ownerThere : `organization/clientcert${end}`;
  return parseInputs({ ...hostInputs(file, site, host, pki), owner });
}

/** One observation of a host. */
export interface Seen {
  readonly facts: Facts;
  /** Findings that are added to those of the plan. */
  readonly diagnostics: readonly Diagnostic[];
  /** The lines of the site file. */
  readonly lines: ReadonlyMap<string, number>;
}

/** The report on a host that could be observed: its state, what a change would do, and the findings. */
export function reportPlan(inputs: Inputs, host: SiteHost, seen: Seen, now: number): HostReport {
  const { facts } = seen;
  const desired = desiredOf(inputs);
  const planned = plan(desired, facts);
  const findings = sortBySeverity([
    ...seen.diagnostics,
    ...planned.diagnostics,
    ...findPkiProblems(inputs, seen, planned, now),
  ]);
  const status = statusOf(desired, facts, { ...planned, diagnostics: findings });
  return shownDeep({
    ...hostFields(host),
    state: status.state,
    server: describeServer(status, now),
    // A change that depends on an unknown condition would be a guess.
    changes: status.state === "unknown" ? [] : describeChanges(desired, facts, planned),
    findings,
  });
}

/**
 * The report on a host for which there is an error instead of an observation. The error begins with the host's name and
 * place, and names the line of the site file that it is about.
 */
export function reportError(site: SiteHosts, host: SiteHost, error: unknown): HostReport {
  const text = error instanceof Error ? error.message : String(error);
  // Errors of the SSH layer already begin with the place. It is cut off, because the title has it.
  const place = `${placeOf({ address: host.address, port: host.connection.port })}: `;
  const reason = text.startsWith(place) ? text.slice(place.length) : text;
  const inSite = error instanceof HostError ? `${placeInSite(site, host, error.kind)}: ` : "";
  const name = hostFields(host);
  const message = shownLines(`${titleOf(name)}: ${inSite}${reason}`);
  return { ...name, state: "unknown", error: message, changes: [], findings: [] };
}

const hostFields = ({ name, address, connection }: SiteHost): ReportedHost => ({
  host: name,
  address,
  sshPort: connection.port,
});

/** Name and place of a host, as in `web1 (192.0.2.10:22)`. */
const titleOf = ({ host, address, sshPort }: ReportedHost): string =>
  `${host} (${placeOf({ address, port: sshPort })})`;

/**
 * What forbids to install the site's CA and CRL files on this host. Empty where the change writes none of them. A CA or
 * CRL that is already installed there may have expired. A CA or CRL that would be newly installed may not.
 */
function findPkiProblems(
  inputs: Inputs,
  { facts: { own }, lines }: Seen,
  { change }: Plan,
  now: number,
): readonly Diagnostic[] {
  // A file to write has no text in the plan where its content comes from the site's files.
  const needsSiteFiles = change?.write.some(({ text }) => text === undefined) === true;
  if (!needsSiteFiles) return [];
  const installedCa = own.ca.map(({ fingerprint }) => fingerprint);
  const files = filesOf(inputs);
  const { diagnostics } = readSiteFiles(inputs.siteFile, files, { now, installedCa, installedCrls: own.crls });
  const placeOf = filePlaces(inputs.siteFile, files, lines);
  return diagnostics
    .filter(isBlocking)
    .map((diagnostic) => ({ ...diagnostic, place: renderPlace(placeOf(diagnostic.place)) }));
}

const severityOrder = ["conflict", "problem", "warning", "note"] as const;
const sortBySeverity = (findings: readonly Diagnostic[]): Diagnostic[] =>
  [...findings].sort((a, b) => severityOrder.indexOf(a.severity) - severityOrder.indexOf(b.severity));

/** The part of the status that the report shows. Paths and names are bytes of the host and become text here. */
function describeServer(status: ApacheStatus, now: number): ServerReport {
  const { serverVersion: version, opensslVersion: openssl, isRunning: running, configFile } = status;
  const { source, php, tlsRule, virtualHosts, owner, generation, caNotAfter, crlNextUpdate } = status;
  return {
    version,
    openssl,
    running,
    configFile: hostText(configFile),
    source,
    php,
    tlsRule,
    virtualHosts: virtualHosts.map(({ serverName, file, line, isWanted, isCovered }) => ({
      serverName: hostText(serverName),
      place: hostText(`${file}:${line}`),
      wanted: isWanted,
      covered: isCovered,
    })),
    owner,
    generation,
    caNotAfter: caNotAfter.planned,
    crlNextUpdate: crlNextUpdate.planned,
    revocation: describeRevocation(status, now),
  };
}

/**
 * The steps of the planned change in words, without a line of the customer's. Empty where nothing is planned. Files are
 * named by path and lines by place. Of our configuration and of the refresh program, the differences themselves are
 * named, too.
 */
function describeChanges(desired: Desired, facts: Facts, planned: Plan): string[] {
  const { change } = planned;
  if (change === undefined) return [];
  const confPath = shownPathOf(facts, confName);
  const live = liveFiles(facts);
  const details = fileChangeTexts(live, plannedFiles(facts, planned));
  const confDetails = facts.own.conf === undefined ? [] : details.filter((text) => text.startsWith(confPath));
  const programDetails = details.filter((text) => text.startsWith(programPath(facts.server.instance)));
  return [
    ...fileStates(facts).map(([path, state]) => `mend ${path}, which ${state}`),
    ...(isCrlLost(facts, change) ? [`mend ${shownPathOf(facts, crlName)}, which is missing`] : []),
    ...(change.refresh ? ["download CRLs from their sources"] : []),
    ...change.write.map(
      ({ name }) => `${shownPathOf(facts, name) in live ? "rewrite" : "write"} ${shownPathOf(facts, name)}`,
    ),
    ...confDetails,
    ...programDetails,
    ...describeIncludes(desired, facts),
    ...facts.strayIncludes.map(
      ({ file, line }) => `remove our IncludeOptional at ${hostText(file)}:${line}, where it does not belong`,
    ),
    ...describeMarks(desired, facts),
    ...change.drop.map((name) => `remove ${shownPathOf(facts, name)}`),
    ...(findPendingReload(facts) === undefined ? [] : ["reload httpd, which does not run what its files say"]),
  ];
}

/** A line for each unmanaged directive that the change comments out, and for each line that it puts back. */
function describeMarks(desired: Desired, facts: Facts): string[] {
  const { out, back } = findMarks(desired, facts);
  return [
    ...out.map(({ directive, file, line }) => `comment out ${directive} at ${hostText(file)}:${line}`),
    ...back.map(({ file, line }) => `put back ${hostText(file)}:${line}`),
  ];
}

/** Whether the change downloads a CRL that was lost. On a host without our configuration, no CRL was there to lose. */
const isCrlLost = ({ own }: Facts, { refresh }: Change): boolean =>
  refresh && own.conf !== undefined && own.files[crlName] === undefined;

/**
 * What the change does to our include line in each virtual host: it is added, moved to the end of the section, or
 * removed from an excluded host.
 */
function describeIncludes(desired: Desired, { virtualHosts }: Facts): string[] {
  return virtualHosts.flatMap((host) => {
    const { file, line, include } = host;
    const place = hostText(`${file}:${include?.line ?? line}`);
    if (isExcluded(desired, host))
      return include === undefined ? [] : [`remove IncludeOptional at ${place} (${nameOf(host)})`];
    if (include === undefined) return [`add IncludeOptional to <VirtualHost> at ${place} (${nameOf(host)})`];
    return include.last ? [] : [`move IncludeOptional at ${place} to the end of its <VirtualHost> (${nameOf(host)})`];
  });
}

const nameOf = ({ serverName }: VirtualHostFacts): string => hostText(serverName) || "no ServerName";

/**
 * A block of lines for one host. The first line says what state the host is in. Where there was an error, its text
 * follows, without the host's name, which that first line has.
 */
export function renderReport(report: HostReport, style: Style): string {
  const { state, error, server, changes, findings } = report;
  const name = titleOf(report);
  const title = `${name}: ${paintState(state, style)}`;
  if (error !== undefined) return [title, ...indent(error.slice(`${name}: `.length))].join("\n");
  const findingLines = findings.map(
    (diagnostic) => `  ${paintSeverity(diagnostic, style)} ${diagnostic.place}: ${diagnostic.text}`,
  );
  return [
    title,
    ...(server === undefined ? [] : serverLines(server)),
    ...(changes.length === 0 ? [] : ["  would change:", ...shorten(changes).map((line) => `    ${line}`)]),
    ...findingLines,
  ].join("\n");
}

const indent = (text: string): string[] => text.split("\n").map((line) => `  ${line}`);

const stateWords: Readonly<Record<HostState, string>> = {
  "as wanted": "as wanted",
  differs: "differs from what is wanted",
  conflict: "cannot be changed as wanted",
  unknown: "could not tell",
};

function paintState(state: HostState, style: Style): string {
  const paint = state === "as wanted" ? style.green : state === "differs" ? style.yellow : style.red;
  return paint(stateWords[state]);
}

function paintSeverity({ severity }: Diagnostic, style: Style): string {
  if (severity === "note") return severity;
  return (severity === "warning" ? style.yellow : style.red)(severity);
}

/**
 * The lines about the server: versions and coverage, TLS, the dates of CAs and CRLs, and the downloads of CRLs. A copy
 * of the files alone knows no version, so it has no line about coverage either.
 */
function serverLines(server: ServerReport): string[] {
  const wanted = server.virtualHosts.filter((host) => host.wanted);
  const covered = wanted.filter((host) => host.covered).length;
  const excluded = server.virtualHosts.length - wanted.length;
  const hosts = `${covered} of ${count(wanted.length, "virtual host")} covered${excluded > 0 ? `, ${excluded} excluded` : ""}`;
  // A copy of the files does not show whether the server runs.
  const stopped = server.source === "httpd" && !server.running ? ", stopped" : "";
  const ends = [
    ...(server.caNotAfter === undefined ? [] : [`CA until ${server.caNotAfter}`]),
    ...(server.crlNextUpdate === undefined ? [] : [`CRL until ${server.crlNextUpdate}`]),
  ];
  const version = [server.version, server.openssl].filter((text) => text !== "").join(", ");
  return [
    ...(version === "" ? [] : [`  ${version}${stopped}; ${hosts}`]),
    `  ${server.tlsRule}`,
    ...(ends.length === 0 ? [] : [`  ${ends.join(", ")}`]),
    ...(server.revocation === undefined ? [] : revocationLines(server.revocation)),
  ];
}

const mostLines = 40;

/**
 * The first 40 lines, and a line that counts the others: a host with 500 virtual hosts would fill the screen. --json
 * has all of them.
 */
function shorten(lines: readonly string[]): readonly string[] {
  const more = lines.length - mostLines;
  // The line about one more line would take the same room as that line.
  return more <= 1 ? lines : [...lines.slice(0, mostLines), `and ${more} more (--json has them all)`];
}
