/** Hosts that download their CRLs by themselves, as facts, for the tests of the plan. */
import assert from "node:assert/strict";
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import type { CertificateSummary, CrlSummary } from "../../core/pki/summary.ts";
import type { Desired, Facts } from "../../core/apache/model.ts";
import type { Observation } from "../../core/apache/observation.ts";
import { plan } from "../../core/apache/plan/plan.ts";
import type { CrlRefresh, CrlSource } from "../../core/crl-refresh/inputs.ts";
import type { Scheduler } from "../../core/crl-refresh/refresh-model.ts";
import { afterChange, observedFile, observeText, wanted } from "./apache-observation.ts";

export const at = (time: string): number => Date.parse(`2026-11-${time}:00Z`) / 1000;
export const now = at("23T12:00");
export const issuing = "CN=Issuing, O=ABC, C=JP";
export const root = "CN=Root, O=ABC, C=JP";

export const certificate = (subject: string, issuer: string): CertificateSummary => ({
  ...{ fingerprint: `of ${subject}`, subject, issuer },
  ...{ notBefore: "2020-01-01T00:00:00Z", notAfter: "2040-01-01T00:00:00Z" },
});
export const crl = (issuer: string, number = "7", rest: Partial<CrlSummary> = {}): CrlSummary => ({
  ...{ sha256: `${issuer}${number}`, issuer, number, entries: 1 },
  ...{ thisUpdate: "2026-11-22T00:00:00Z", nextUpdate: "2026-11-30T00:00:00Z", ...rest },
});
export const source = (id: string, rest: Partial<CrlSource> = {}): CrlSource => ({
  ...{ id, urls: [`http://${id}.example/ca.crl`], ...rest },
});
export const sample = { sha256: "5".repeat(64), subject: "CN=user", file: "user.pem" };

/** One issuing CA below its root, one source. */
export const refreshed: Desired = {
  ...wanted,
  ca: { sha256: "a".repeat(64), certificates: [certificate(issuing, root), certificate(root, root)] },
  crlSources: [source("11111111")],
};
export const withRefresh = (refresh: Partial<CrlRefresh>): Desired => ({
  ...refreshed,
  crlRefresh: { ...refreshed.crlRefresh, ...refresh },
});

export const bare = (scheduler: Scheduler): Observation =>
  observeText("LoadModule ssl_module x.so\n<VirtualHost *:443>\nServerName a.example\nSSLEngine on\n</VirtualHost>\n", {
    scheduler,
    server: { nowSeconds: now },
  });
export const factsOf = (observation: Observation): Facts => readFacts(observation, { port: 443 });

/** A host as the plan of `desired` leaves it, with the CRLs that its program has made crl.pem of. */
export function settled(desired: Desired, crls: readonly CrlSummary[], scheduler: Scheduler = "systemd"): Facts {
  const observation = bare(scheduler);
  const { change } = plan(desired, factsOf(observation));
  const applied = afterChange(observation, change ?? assert.fail());
  const own = new Map(applied.own).set("crl.pem", observedFile("crl.pem", "made on the host"));
  const facts = factsOf({ ...applied, own, journal: new Map([["owner", wanted.owner]]) });
  return { ...facts, own: { ...facts.own, crls } };
}
export const good = (scheduler?: Scheduler): Facts => settled(refreshed, [crl(issuing)], scheduler);
export const withOwn = (facts: Facts, own: Partial<Facts["own"]>): Facts => ({
  ...facts,
  own: { ...facts.own, ...own },
});
export const withState = (facts: Facts, refresh: Partial<Facts["refresh"]>): Facts => ({
  ...facts,
  refresh: { ...facts.refresh, ...refresh },
});
/** Without a file of our directory, or a timer. */
export const without = (facts: Facts, ...names: readonly string[]): Facts => {
  const left = <T>(files: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(files).filter(([name]) => !names.includes(name)));
  return withState(withOwn(facts, { files: left(facts.own.files) }), { timers: left(facts.refresh.timers) });
};

export const timerUnit = "/etc/systemd/system/clientcert-0123456789abcdef.timer";
export const service = "/etc/systemd/system/clientcert-0123456789abcdef.service";
export const cronFile = "/etc/cron.d/clientcert-0123456789abcdef";
