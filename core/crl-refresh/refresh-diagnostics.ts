/**
 * What a plan reports about a host's own downloads of CRLs: whether they can run, whether they do run, and how they
 * end.
 */
import type { CrlSummary } from "../pki/summary.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { isoTime } from "./refresh-facts.ts";
import { findShortLived, longestGapMinutes } from "./refresh-interval.ts";
import type { CrlRefresh } from "./inputs.ts";
import type { CrlFacts, CrlInputs, RefreshFacts, SourceFacts } from "./refresh-model.ts";
import { crlNameOf, isLeftOver, isRefreshed, secondsLeft } from "./crl-policy.ts";

/**
 * The findings about CRL sources and about the timer that starts their downloads. Empty for a site without sources.
 * While the timer starts nothing, the failures of sources are not reported.
 */
export function diagnoseRefresh(desired: CrlInputs, facts: CrlFacts): Diagnostic[] {
  if (desired.crlSources.length === 0) return [];
  const stalled = findStalled(desired, facts);
  return [
    ...findScheduler(facts),
    ...findDropIns(facts),
    ...findExpiring(desired, facts),
    ...findShortLived(desired, facts),
    ...findSample(desired, facts),
    ...stalled,
    ...(stalled.length > 0 ? [] : findFailing(desired, facts)),
  ];
}

/** Reports a host on which nothing starts jobs. It is left undecided where the facts do not come from the live host. */
function findScheduler({ refresh, server }: CrlFacts): Diagnostic[] {
  if (refresh.scheduler !== "none") return [];
  const text = server.source === "files" ? `${onCopy}; on a host: ${noScheduler}` : noScheduler;
  const isUndecided = server.source !== "httpd";
  return [{ severity: "problem", place: "crlSources", text, ...(isUndecided ? { isUndecided } : {}) }];
}

/**
 * Warns of files by which somebody changes the units of the timer. The files are not ours, so they are neither removed
 * nor judged: an administrator may want other times.
 */
const findDropIns = ({ refresh }: CrlFacts): Diagnostic[] =>
  (refresh.timerDropIns ?? []).map((place) => ({
    severity: "warning",
    place,
    text: "this file alters for systemd when the CRLs are refreshed, or what is run then; delete it if that is not wanted (systemctl revert)",
  }));

const onCopy =
  "a copy of the files does not show what starts jobs; give --saved FILE, made by npx clientcert check --save FILE";
const noScheduler =
  "nothing starts jobs on this host (no systemd, no running cron), so CRLs would end without being renewed; " +
  "install and start cron (Debian and Ubuntu: apt-get install cron; RHEL: dnf install cronie), or give the CRLs under crlFiles";

/** Warns of CRLs that expire within `alarmHours`, or have expired, although sources should keep them current. */
function findExpiring(desired: CrlInputs, facts: CrlFacts): Diagnostic[] {
  const { alarmHours } = desired.crlRefresh;
  return facts.own.crls.flatMap((crl): Diagnostic[] => {
    const left = secondsLeft(facts, crl);
    if (left === undefined || left > alarmHours * 3600 || !isRefreshed(desired, crl)) return [];
    if (isLeftOver(facts, crl)) return findLeftOver(crl);
    const [ends, isThen] = left > 0 ? ["ends", "is then"] : ["has ended", "is"];
    const consequence = `everyone with a certificate of it ${isThen} refused`;
    const text = `the CRL of ${crlNameOf(crl)} ${ends} (${crl.nextUpdate}), and no newer one has come; ${consequence}; ${remedy(facts)}`;
    return [{ severity: "warning", place: "crlSources", text }];
  });
}

/** Reports what the host found about the sample certificate when it last had a new CRL. */
function findSample({ sample }: CrlInputs, { refresh }: CrlFacts): Diagnostic[] {
  if (sample === undefined || refresh.sample === undefined) return [];
  const text = `${JSON.stringify(sample.subject)} ${refresh.sample}`;
  return [{ severity: "warning", place: "sampleCertificate", text }];
}

/**
 * Warns of a left-over CRL for all certificates. The host removes it where the sample shows that users' certificates
 * name an address. A left-over CRL for one address is not reported, because nobody needs it.
 */
function findLeftOver({ distributionPoint, issuer, nextUpdate }: CrlSummary): Diagnostic[] {
  if (distributionPoint !== undefined) return [];
  const text = `the CRL of ${issuer} for all its certificates expires (${nextUpdate}), and that CA now issues one for each address; whoever's certificate names none of them is then refused; if nobody's does, give a user's certificate as sampleCertificate, and a refresh removes the old CRL`;
  return [{ severity: "warning", place: "crlSources", text }];
}

const remedy = ({ server }: CrlFacts): string =>
  `as root on the host, sh /var/lib/clientcert/${server.instance}/refresh --verbose says why`;

/** So many intervals without a refresh are not explained by a host that was off, or by a night of maintenance. */
const overdueIntervals = 3;

/**
 * Whether the time `lastSeconds` is longer ago than `overdueIntervals` times the longest time between two refreshes,
 * with its random delay. False where the host's time is not known.
 */
function isOverdue({ times, spreadMinutes }: CrlRefresh, { nowSeconds }: RefreshFacts, lastSeconds: number): boolean {
  const limitMinutes = overdueIntervals * (longestGapMinutes(times) + spreadMinutes);
  return nowSeconds !== undefined && nowSeconds - lastSeconds > limitMinutes * 60;
}

/**
 * Warns where the last run of the timer, good or bad, is too long ago. A host on which none has run yet is not
 * reported.
 */
function findStalled({ crlRefresh }: CrlInputs, facts: CrlFacts): Diagnostic[] {
  const { refresh, server } = facts;
  if (refresh.lastRun === undefined || !isOverdue(crlRefresh, refresh, refresh.lastRun.seconds)) return [];
  const timer =
    refresh.scheduler === "systemd"
      ? `systemctl status clientcert-${server.instance}.timer`
      : `whether cron runs, and its log about /etc/cron.d/clientcert-${server.instance}`;
  const text = `no refresh of the CRLs has run since ${isoTime(refresh.lastRun.seconds)}; look on the host: ${timer}`;
  return [{ severity: "warning", place: "crlRefresh", text }];
}

/** Warns of the sources whose downloads fail. Where no source is to blame, warns of how the last run ended. */
function findFailing(desired: CrlInputs, facts: CrlFacts): Diagnostic[] {
  const { refresh } = facts;
  const failing = desired.crlSources.flatMap(({ id }, index): Diagnostic[] => {
    const source = refresh.sources.find((one) => one.id === id);
    const text = source && describeFailure(source, desired, facts);
    return text === undefined ? [] : [{ severity: "warning", place: `crlSources[${index}]`, text }];
  });
  // A run that refuses users is reported even where the sources fail.
  return failing.length > 0 && refresh.lastRun?.result !== "refusing" ? failing : [...failing, ...findUnwellRun(facts)];
}

/**
 * Says why a source does not work: its last download failed, or it was last asked too long ago. Undefined where it
 * works.
 */
function describeFailure(source: SourceFacts, { crlRefresh }: CrlInputs, facts: CrlFacts): string | undefined {
  const { lastFailureSeconds, lastSuccessSeconds, reason, nextUpdate } = source;
  const until = nextUpdate === undefined ? "" : ` until ${nextUpdate}`;
  const last =
    lastSuccessSeconds === undefined ? "it never worked" : `it last worked on ${isoTime(lastSuccessSeconds)}`;
  if (lastFailureSeconds !== undefined)
    return `failed on ${isoTime(lastFailureSeconds)} (${reason ?? "no reason was kept"}); ${last}, and the installed CRL serves${until}`;
  if (lastSuccessSeconds === undefined || !isOverdue(crlRefresh, facts.refresh, lastSuccessSeconds)) return undefined;
  return `${last}, and was not asked since, though refreshes have run; ${remedy(facts)}`;
}

/**
 * Warns of a run that failed without the fault of a source, such as a reload that was put back. The results are words
 * of the host's program: with `refusing` httpd refused users already before, and all others left the earlier CRLs in
 * use.
 */
function findUnwellRun({ refresh: { lastRun } }: CrlFacts): Diagnostic[] {
  if (lastRun === undefined || !["failed", "refused", "reload", "refusing"].includes(lastRun.result)) return [];
  const { seconds, result, reason = "no reason was kept" } = lastRun;
  const end = result === "refusing" ? "" : "; the CRLs of before serve";
  const text = `the refresh of ${isoTime(seconds)} ended as "${result}": ${reason}${end}`;
  return [{ severity: "warning", place: "crlRefresh", text }];
}
