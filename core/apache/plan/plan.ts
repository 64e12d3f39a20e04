/**
 * Plans what must change on a host, and finds what stands in the way. The plan is pure: it depends on inputs and facts
 * alone.
 */
import { createHash } from "node:crypto";
import { findText, hostText } from "../../host-text.ts";
import { caName, confName, crlName, readmeName, refreshName, sampleName } from "../../own-files.ts";
import { isRefreshDue, hasNewerCrl, hasRevocation } from "../../crl-refresh/crl-policy.ts";
import { ownPath } from "../facts/own-conf.ts";
import { renderConf } from "./clientcert-conf.ts";
import { diagnose } from "./diagnostics.ts";
import { isSingle } from "../facts/unmanaged-kinds.ts";
import { type Diagnostic, isBlocking } from "../../diagnostic.ts";
import {
  emptyChange,
  includeLine,
  type Change,
  type Desired,
  type Facts,
  type FileEdit,
  type OwnFile,
  type Plan,
  type Splice,
  type VirtualHostFacts,
} from "../model.ts";
import { sortSplices } from "../config/splices.ts";
import { findAdoptableJobs, findMarks, type Marks } from "./adopt.ts";
import { adoptedMark } from "../facts/own-lines.ts";
import { renderReadme } from "./readme.ts";
import { renderRefresh, renderTimers, timerPaths, type TimerFile } from "../../crl-refresh/refresh-files.ts";
import { isProgramStale, programPath } from "../facts/unattended.ts";
import { findPendingReload } from "../facts/stopped.ts";
import { askedAddress } from "../facts/virtual-hosts.ts";
import { isExcluded } from "./excluded-hosts.ts";

/** The name of a virtual host in {@link Plan.files}. */
export const includeKey = (host: VirtualHostFacts): string => hostText(`${host.file}:${host.line} ${host.serverName}`);

/**
 * Makes the plan. Its change is undefined when the host is as wanted. Its diagnostics may forbid the change; `restore`
 * is what may be done in spite of conflicts.
 */
export function plan(desired: Desired, facts: Facts): Plan {
  const covered = facts.virtualHosts.filter((host) => !isExcluded(desired, host));
  const conf = renderConf(desired, facts, documentRootsOf(covered));
  const write = planWrites(desired, facts, conf);
  const drop = planDrops(desired, facts);
  const marks = findMarks(desired, facts);
  const edits = planEdits(desired, facts, marks);
  const isReloadOrRefreshDue = findPendingReload(facts) !== undefined || isRefreshDue(desired, facts);
  const changesFiles = write.some((file) => !isTimerRewritten(file, facts)) || drop.length + edits.length > 0;
  const concernsServer = changesFiles || isReloadOrRefreshDue;
  const isNeeded = concernsServer || write.length > 0 || isProgramStale(desired, facts);
  // Only timers or the host's program change, of which httpd reads nothing. A host without a recorded owner always gets
  // a whole change.
  const isAside = isNeeded && !concernsServer && facts.own.owner !== undefined;
  const refresh = desired.crlSources.length > 0 && !isAside;
  const needsBaseline = affectsUnmanaged(desired, facts, marks);
  const checks = { healthCheck: askedHosts(covered), others: othersOf(desired, facts), needsBaseline };
  const change = isNeeded ? { write, drop, refresh, edits, ...checks, ...(isAside && { isAside }) } : undefined;
  const diagnostics = diagnose(desired, facts, change);
  return {
    diagnostics,
    files: {
      [hostText(ownPath(facts, confName))]: conf,
      ...plannedProgram(desired, facts),
      ...Object.fromEntries(covered.map((host) => [includeKey(host), `${includeLine}\n`])),
    },
    change,
    restore: planRestore(facts, diagnostics, marks, { ...emptyChange, ...checks }),
  };
}

/**
 * Whether only the text, owner or mode of an enabled timer changes. In that case nothing has to run now, because the
 * timer starts soon enough.
 */
const isTimerRewritten = ({ role, name }: OwnFile, { refresh }: Facts): boolean =>
  role === "timer" && refresh.timers[name] !== undefined && refresh.isTimerEnabled;

/** The host's program, which each change writes. It is shown by its hash; nothing is shown where none was observed. */
function plannedProgram({ program }: Desired, { unattended, server }: Facts): Plan["files"] {
  const sha256 = program ?? unattended?.program;
  return unattended === undefined || sha256 === undefined ? {} : { [programPath(server.instance)]: hashText(sha256) };
}

/** The text that stands for one of our files where its hash is enough. */
export const hashText = (hash: string): string => `SHA-256 ${hash}\n`;

/**
 * Plans to bring back lines that should never have gone, without the rest of the change. This is done when conflicts
 * forbid the change and no blocking problem does. `checks` is a change that has only the checks.
 */
function planRestore(
  facts: Facts,
  diagnostics: readonly Diagnostic[],
  { back }: Marks,
  checks: Change,
): Change | undefined {
  const blocking = diagnostics.filter(isBlocking);
  if (blocking.length === 0 || blocking.some(({ severity }) => severity === "problem")) return undefined;
  return back.length === 0 ? undefined : { ...checks, edits: toEdits(facts, back.map(deleteSpan)) };
}

/** The virtual hosts of other ports and the excluded ones: their clients must not notice the change. */
const othersOf = (desired: Desired, facts: Facts): Change["others"] => [
  ...facts.others,
  ...askedHosts(facts.virtualHosts.filter((host) => isExcluded(desired, host))),
];

/**
 * Whether the change takes out or brings back an unmanaged line, or may begin to win over one: it covers a further
 * virtual host, and there is a directive that ours can replace.
 */
function affectsUnmanaged(desired: Desired, facts: Facts, { out, back }: Marks): boolean {
  const isCovering = facts.virtualHosts.some((host) => host.include === undefined && !isExcluded(desired, host));
  const hasOverruledLine = facts.foreign.some(({ kind, level }) => isSingle(kind, level));
  return out.length + back.length > 0 || (isCovering && hasOverruledLine);
}

/** Whether no diagnostic forbids the plan. */
export const isFeasible = ({ diagnostics }: Plan): boolean => !diagnostics.some(isBlocking);

/**
 * Plans to remove everything of ours: our lines and marks first, then the timers, then clientcert.conf, then the files
 * that it names. Undefined where there is nothing of ours.
 */
export function planRemoval(facts: Facts): Change | undefined {
  const lines = [...facts.virtualHosts.flatMap(removeInclude), ...facts.strayIncludes.map(deleteSpan)];
  const included = new Set(lines.map(({ file }) => file));
  // While our line stands in a virtual host, it counts there. So lines that were adopted in other files come back
  // before our line goes.
  const elsewhere = facts.adopted.filter(({ file }) => !included.has(file)).map(deleteSpan);
  const edits = toEdits(facts, [
    ...elsewhere,
    ...lines,
    ...facts.adopted.filter(({ file }) => included.has(file)).map(deleteSpan),
  ]);
  const names = Object.keys(facts.own.files).filter(isOwnName);
  // clientcert.conf comes first, then the files that it names.
  const own = names.sort((a, b) => Number(b === confName) - Number(a === confName) || (a < b ? -1 : 1));
  const drop = [...installedTimers(facts), ...own];
  if (edits.length === 0 && drop.length === 0) return undefined;
  return { ...emptyChange, drop, edits, healthCheck: askedHosts(facts.virtualHosts), others: facts.others };
}

/**
 * The distinct document roots, each of which gets a `<Directory>`. A path that is not UTF-8 cannot stand in our file,
 * so it is left out.
 */
function documentRootsOf(covered: readonly VirtualHostFacts[]): string[] {
  const roots = covered.flatMap(({ documentRoot }) =>
    documentRoot === undefined ? [] : (findText(documentRoot) ?? []),
  );
  return [...new Set(roots)].sort();
}

const sha256 = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex");

/**
 * The files of ours that are missing or differ. A file comes before the file that names it: the server must be able to
 * start after each single write. The CRLs are written only where the site has a newer one than the host.
 */
function planWrites(desired: Desired, facts: Facts, conf: string): OwnFile[] {
  const ca: OwnFile = { role: "ca", name: caName(desired), sha256: desired.ca.sha256, text: undefined };
  const crl: OwnFile = { role: "crl", name: crlName, sha256: desired.crlSha256, text: undefined };
  const crls = desired.crls.length > 0 && hasNewerCrl(desired, facts) ? [crl] : [];
  const isThere = (file: OwnFile): boolean => facts.own.files[file.name] === file.sha256;
  const missing = (...files: readonly OwnFile[]): OwnFile[] => files.filter((file) => !isThere(file));
  return [
    ...missing(ca, ...settingsOf(desired)),
    ...crls,
    ...missing(withText("conf", confName, conf), withText("readme", readmeName, renderReadme(desired, facts))),
    ...planTimers(desired, facts),
  ];
}

/** One of our files whose text the plan makes. */
const withText = (role: OwnFile["role"], name: string, text: string): OwnFile => ({
  role,
  name,
  sha256: sha256(text),
  text,
});

/** The files that the host's program reads at each download. */
function settingsOf(desired: Desired): OwnFile[] {
  const { crlSources, sample } = desired;
  if (crlSources.length === 0) return [];
  const settings = withText("refresh", refreshName, renderRefresh(desired));
  return sample === undefined
    ? [settings]
    : [{ role: "sample", name: sampleName, sha256: sample.sha256, text: undefined }, settings];
}

/**
 * The timers to write: those that are missing or altered, or whose owner or mode is wrong. A systemd timer that is
 * disabled is written again, which enables it. A cron job needs only its file.
 */
function planTimers(desired: Desired, facts: Facts): OwnFile[] {
  const { isTimerEnabled, timers } = facts.refresh;
  return timersOf(desired, facts)
    .map(({ path, text }) => withText("timer", path, text))
    .filter(
      ({ name, sha256: hash }) =>
        timers[name] !== hash ||
        facts.unattended?.wrong[name] !== undefined ||
        (!isTimerEnabled && name.endsWith(".timer")),
    );
}

/** The timers that the host should have. */
const timersOf = (desired: Desired, facts: Facts): readonly TimerFile[] =>
  desired.crlSources.length === 0 ? [] : renderTimers(desired, facts);

/** The installed files that start our program, for any scheduler. */
const installedTimers = (facts: Facts): string[] =>
  timerPaths(facts).filter((path) => facts.refresh.timers[path] !== undefined);

/** Whether a file in our directory has a name that a plan gives. */
const isOwnName = (name: string): boolean =>
  [confName, crlName, readmeName, refreshName, sampleName].includes(name) || /^ca-[0-9a-f]{8}\.pem$/.test(name);

/** The files of ours that nothing needs any more. Timers come first, because what they start needs the other files. */
function planDrops(desired: Desired, facts: Facts): string[] {
  const settings = settingsOf(desired).map(({ name }) => name);
  const needed = [caName(desired), confName, readmeName, ...(hasRevocation(desired) ? [crlName] : []), ...settings];
  const names = Object.keys(facts.own.files).filter((name) => isOwnName(name) && !needed.includes(name));
  const timers = timersOf(desired, facts).map(({ path }) => path);
  // A cron that is not running at the moment is a problem, but not a reason to remove its file.
  const isSchedulerUnknown = desired.crlSources.length > 0 && facts.refresh.scheduler === "none";
  return [
    ...(isSchedulerUnknown ? [] : installedTimers(facts).filter((path) => !timers.includes(path))),
    ...names.sort(),
  ];
}

/** A splice in a file. */
interface FileSplice {
  readonly file: string;
  readonly splice: Splice;
}

/** The edits of files that are not ours: our lines, and the marks of lines that are commented out or come back. */
function planEdits(desired: Desired, facts: Facts, { out, back }: Marks): FileEdit[] {
  const hosts = facts.virtualHosts.flatMap((host) =>
    isExcluded(desired, host) ? removeInclude(host) : addInclude(host),
  );
  const adopted = [...out, ...(desired.adopt ? findAdoptableJobs(desired, facts) : [])];
  const marks = adopted.flatMap(({ file, lineOffsets }) =>
    lineOffsets.map((offset) => ({ file, splice: { offset, remove: 0, insert: adoptedMark } })),
  );
  return toEdits(facts, [...hosts, ...facts.strayIncludes.map(deleteSpan), ...marks, ...back.map(deleteSpan)]);
}

/** Puts our line last before the close tag. A line of ours that stands elsewhere in the virtual host moves there. */
function addInclude(host: VirtualHostFacts): FileSplice[] {
  if (host.include?.last === true) return [];
  const { offset, eol } = host.insertAt;
  return [...removeInclude(host), { file: host.file, splice: { offset, remove: 0, insert: includeLine + eol } }];
}

const removeInclude = (host: VirtualHostFacts): FileSplice[] =>
  host.include === undefined ? [] : [deleteSpan({ file: host.file, ...host.include })];

/** Deletes a line of ours or a mark. */
const deleteSpan = ({ file, offset, length }: { file: string; offset: number; length: number }): FileSplice => ({
  file,
  splice: { offset, remove: length, insert: "" },
});

/**
 * Makes an edit of each file from its splices. The files keep the order of their first splices, in which they are
 * edited.
 */
function toEdits(facts: Facts, placed: readonly FileSplice[]): FileEdit[] {
  const files = new Map<string, Splice[]>();
  for (const { file, splice } of placed) {
    const splices = files.get(file);
    if (splices === undefined) files.set(file, [splice]);
    else splices.push(splice);
  }
  return [...files].map(([path, splices]) => ({
    path,
    sha256: facts.files[path] ?? "",
    splices: sortSplices(splices),
  }));
}

/** Every address of the virtual hosts, for the checks of a change. */
function askedHosts(hosts: readonly VirtualHostFacts[]): Change["healthCheck"] {
  return hosts.flatMap(({ addresses, serverName }) =>
    addresses.map(({ address, port }) => ({ address: askedAddress(address), port, serverName })),
  );
}
