/** Collects all diagnostics of a plan, including those that forbid it. */
import { isJobOfExcluded } from "./adopt.ts";
import { findText, hostText } from "../../host-text.ts";
import { diagnosePhp } from "../php-tls-rule.ts";
import { filesNamedIn, ownPath } from "../facts/own-conf.ts";
import { diagnoseUnmanaged } from "./unmanaged-diagnostics.ts";
import type { Diagnostic } from "../../diagnostic.ts";
import type { Change, Desired, Facts } from "../model.ts";
import { diagnoseRefresh } from "../../crl-refresh/refresh-diagnostics.ts";
import { diagnoseRevocation, diagnoseSessionTickets } from "./revocation-diagnostics.ts";
import { findPendingReload, findStopped } from "../facts/stopped.ts";
import { findWeakCas } from "./strength-diagnostics.ts";
import { isExcluded, nameMatcher } from "./excluded-hosts.ts";

/** All diagnostics of a plan. `change` is undefined where nothing is to be done. */
export function diagnose(desired: Desired, facts: Facts, change: Change | undefined): Diagnostic[] {
  const diagnostics = [
    ...facts.obstacles,
    ...findStopped(desired, facts),
    ...findOtherOwner(desired, facts),
    ...findOwedReload(facts),
    ...findExclusions(desired, facts),
    ...findOvertaken(desired, facts),
    ...findOtherPorts(desired, facts),
    ...diagnoseUnmanaged(desired, facts),
    ...findCrlJobs(desired, facts),
    ...findUnwritableRoots(desired, facts),
    ...findWeakCas(desired, facts),
    ...diagnoseRevocation(desired, facts),
    ...diagnoseRefresh(desired, facts),
    ...diagnoseSessionTickets(desired, facts),
    ...diagnosePhp(desired, facts),
    ...findOldObserver(facts),
    ...(change === undefined || change.isAside === true ? [] : diagnosePendingEdits(desired, facts)),
  ];
  return diagnostics.map((diagnostic) => ({ ...diagnostic, place: hostText(diagnostic.place) }));
}

/** Reports a server whose owner is another stack, unless `takeOver` allows to take it. */
function findOtherOwner(desired: Desired, { own, server }: Facts): Diagnostic[] {
  if (own.owner === undefined || own.owner === desired.owner || desired.takeOver) return [];
  const text = `this server belongs to ${own.owner}; remove it there, or, as after pulumi stack rename, write takeOver: true once; where another server of this machine is meant, name it with config:`;
  return [{ severity: "problem", place: server.configFile, text }];
}

/** Warns of files that are written and that the running server does not use yet. */
function findOwedReload(facts: Facts): Diagnostic[] {
  const owed = findPendingReload(facts);
  if (owed === undefined) return [];
  const text = `the files are written, and the running server does not use them yet: ${owed}; the next change reloads it`;
  return [{ severity: "warning", place: facts.server.configFile, text }];
}

/**
 * Warns about a host that is observed by a program installed there, when that program is of an earlier version: such a
 * program does not say what runs there unattended.
 */
const findOldObserver = ({ own, server, unattended }: Facts): Diagnostic[] =>
  own.owner === undefined || server.source !== "httpd" || unattended !== undefined
    ? []
    : [{ severity: "warning", place: server.configFile, text: oldObserver }];

const oldObserver =
  "the observation program of this host is of an earlier version, and does not show what runs there unattended; make and install it again: npx clientcert observe-program --site SITE --host HOST";

/**
 * Reports the names that no virtual host has, and warns of each virtual host that is excluded. Where all of them are
 * excluded, one problem replaces the warnings.
 */
function findExclusions(desired: Desired, facts: Facts): Diagnostic[] {
  // A blocker already says why there is no virtual host.
  if (facts.virtualHosts.length === 0) return [];
  const hasHost = nameMatcher(facts.virtualHosts);
  const unknown = desired.excludeVirtualHosts.flatMap((name, index): Diagnostic[] => {
    if (hasHost(name)) return [];
    const names = facts.virtualHosts
      .slice(0, 5)
      .map(({ serverName }) => hostText(serverName))
      .join(", ");
    const text = `no TLS virtual host of port ${desired.port} has this ServerName; there are: ${names}`;
    return [{ severity: "problem", place: `excludeVirtualHosts[${index}]`, text }];
  });
  const excluded = facts.virtualHosts.filter((host) => isExcluded(desired, host));
  const consequence =
    "is left alone as excludeVirtualHosts says; clients without SNI, and those that reuse a connection of another virtual host, get 421 Misdirected Request";
  const warnings = excluded.map((host): Diagnostic => ({
    severity: "warning",
    place: `${host.file}:${host.line}`,
    text: `${hostText(host.serverName)} ${consequence}`,
  }));
  if (excluded.length === 0 || excluded.length < facts.virtualHosts.length) return [...unknown, ...warnings];
  const text = "every TLS virtual host of the port is listed; leave at least one to be covered";
  return [...unknown, { severity: "problem", place: "excludeVirtualHosts", text }];
}

/** Warns about lines that somebody wrote behind ours: they win over it, as ours wins over what stands before it. */
const findOvertaken = (desired: Desired, { virtualHosts }: Facts): Diagnostic[] =>
  virtualHosts.flatMap((host): Diagnostic[] => {
    if (host.include === undefined || host.include.last || isExcluded(desired, host)) return [];
    const text =
      "lines stand behind clientcert's in this virtual host, and win over it until the next `pulumi up` moves it to the end";
    return [{ severity: "warning", place: `${host.file}:${host.include.line}`, text }];
  });

/** Warns about virtual hosts of several ports: our line is in force on every port that its virtual host answers. */
const findOtherPorts = (desired: Desired, { virtualHosts }: Facts): Diagnostic[] =>
  virtualHosts.flatMap((host): Diagnostic[] => {
    const { file, line, serverName, otherPorts = [] } = host;
    if (otherPorts.length === 0 || isExcluded(desired, host)) return [];
    const ports = `port${otherPorts.length > 1 ? "s" : ""} ${otherPorts.join(", ")}`;
    const text = `${hostText(serverName)} also answers ${ports}, where the same certificates are asked for and believed from now on; give other ports a virtual host of their own if they must stay as they are`;
    return [{ severity: "warning", place: `${file}:${line}`, text }];
  });

/**
 * Reports the cron jobs that download a CRL. A job like the one in the vendor's manual empties the file while it
 * downloads the new CRL, and a failed download leaves the file empty.
 */
function findCrlJobs(desired: Desired, facts: Facts): Diagnostic[] {
  const what = "this job fetches a CRL into a file that httpd reads";
  const why = `${what}, and a failed download stops httpd at its next start`;
  return facts.crlJobs.map((job) => {
    const place = `${job.file}:${job.line}`;
    if (isJobOfExcluded(desired, facts, job)) {
      const text = `${why}; it is left alone for a virtual host that excludeVirtualHosts lists`;
      return { severity: "warning", place, text };
    }
    if (job.offset === undefined) {
      const text = `${why}; nobody but you can edit this script or variable: remove it there`;
      return { severity: desired.adopt ? "warning" : "conflict", place, text };
    }
    return desired.adopt
      ? { severity: "note", place, text: `${what}; it is commented out, and put back at removal` }
      : { severity: "conflict", place, text: `${why}; remove it, or set adopt: true to have it commented out` };
  });
}

/**
 * Warns about document roots that our file cannot name: our file is UTF-8 and httpd compares paths byte by byte, so a
 * path that is not UTF-8 cannot stand in it.
 */
function findUnwritableRoots(desired: Desired, facts: Facts): Diagnostic[] {
  return facts.virtualHosts
    .filter(
      (host) =>
        !isExcluded(desired, host) && host.documentRoot !== undefined && findText(host.documentRoot) === undefined,
    )
    .map(({ file, line }) => ({
      severity: "warning",
      place: `${file}:${line}`,
      text: "the path of its DocumentRoot is not UTF-8, so SSLRenegBufferSize is not raised for it and uploads above 128 KB may fail with 413; rename the directory",
    }));
}

// Only the error log shows that somebody else reloaded httpd, and only in httpd's default format.
const reloadYourself =
  "reload httpd yourself first (restart it where its error log is no file, or has a format of its own), or";

/**
 * The path of the first file that our configuration names and that is missing; undefined where none is. httpd keeps
 * running without such a file, and dies at the next reload.
 */
function missingOwnFile(facts: Facts): string | undefined {
  const name = filesNamedIn(facts.own.conf).find((candidate) => facts.own.files[candidate] === undefined);
  return name === undefined ? undefined : hostText(ownPath(facts, name));
}

/**
 * The files in which our line is missing from a covered virtual host; none where our configuration is not installed.
 * The live server still asks for certificates there until it reads these files.
 */
const findFilesWithoutLine = (desired: Desired, { own, virtualHosts }: Facts): ReadonlySet<string> =>
  new Set(
    own.conf === undefined
      ? []
      : virtualHosts.filter((host) => host.include === undefined && !isExcluded(desired, host)).map(({ file }) => file),
  );

/**
 * Reports the edits that httpd has not read yet, which the reload of this change would put into effect. Each remedy
 * warns of a reload by hand where that would do harm.
 */
function diagnosePendingEdits(desired: Desired, facts: Facts): Diagnostic[] {
  const missing = missingOwnFile(facts);
  const withoutLine = findFilesWithoutLine(desired, facts);
  const remedyFor = (file: string): string => {
    if (missing !== undefined) return `${missing} is missing, so httpd would not survive a reload by hand:`;
    return withoutLine.has(file)
      ? "our line is missing in it, so a reload by hand would let everybody in without a certificate:"
      : reloadYourself;
  };
  return facts.pendingEdits.map(({ file, modifiedSeconds }) => {
    const changed = `changed at ${new Date(modifiedSeconds * 1000).toISOString()}, after httpd last read it`;
    const remedy = `${remedyFor(file)} set reloadPendingEdits: true`;
    return desired.reloadPendingEdits
      ? { severity: "warning", place: file, text: `${changed}; it goes live with this change` }
      : { severity: "problem", place: file, text: `${changed}; it would go live with this change: ${remedy}` };
  });
}
