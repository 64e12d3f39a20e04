import assert from "node:assert/strict";
import type { CrlSummary } from "../../core/pki/summary.ts";
import type { Desired, Facts, Plan } from "../../core/apache/model.ts";
import { isFeasible, plan } from "../../core/apache/plan/plan.ts";
import { findLacking, isRefreshDue } from "../../core/crl-refresh/crl-policy.ts";
import {
  crl,
  good,
  issuing,
  refreshed,
  root,
  sample,
  settled,
  source,
  withOwn,
  withState,
  now,
} from "./refreshed-host.ts";

const [a, b] = ["http://crl.example/1.crl", "http://crl.example/2.crl"];
const part = (distributionPoint: string, number = "7", rest: Partial<CrlSummary> = {}): CrlSummary =>
  crl(issuing, number, { distributionPoint, sha256: `${distributionPoint}${number}`, ...rest });

/** A site without sources. */
const site = (...crls: readonly CrlSummary[]): Desired => ({ ...refreshed, crlSources: [], crls, crlSha256: "c" });
const hostWith = (...crls: readonly CrlSummary[]): Facts => settled(site(crl(issuing)), crls);
const isWritten = ({ change }: Plan): boolean => change?.write.some(({ role }) => role === "crl") ?? false;
/** Without what is said of every CRL that nothing renews. */
const told = ({ diagnostics }: Plan): string[] =>
  diagnostics
    .filter(({ text }) => !/^after .* has expired/.test(text))
    .map(({ severity, place, text }) => `${severity} ${place}: ${text}`);

describe("parts of one CA's CRL in a plan", () => {
  const cases: readonly [
    what: string,
    installed: readonly CrlSummary[],
    crls: readonly CrlSummary[],
    written: boolean,
  ][] = [
    ["are as wanted where each is installed", [part(a), part(b)], [part(a), part(b)], false],
    ["are written where one is newer", [part(a), part(b)], [part(a), part(b, "8")], true],
    ["are written where one is not there yet", [part(a)], [part(a), part(b)], true],
    ["are compared with their own part only", [part(a, "9"), part(b, "3")], [part(a, "9"), part(b, "4")], true],
    ["are written where the installed one is for all", [crl(issuing, "9")], [part(a, "9")], true],
    [
      "of users and of CAs are two",
      [crl(issuing, "9", { scope: "users" })],
      [crl(issuing, "9", { scope: "authorities" })],
      true,
    ],
  ];
  for (const [what, installed, crls, written] of cases)
    it(what, () => assert.equal(isWritten(plan(site(...crls), hostWith(...installed))), written));

  it("are warned of where the CA begins with them, with what shows whom that locks out", () => {
    const begun = plan(site(part(a), part(b)), hostWith(crl(issuing)));
    assert.equal(told(begun).length, 2);
    assert.match(
      told(begun)[0] ?? "",
      /^warning crlFiles: the CRL of CN=Issuing.* for http:\/\/crl\.example\/1\.crl .*sampleCertificate/,
    );
    assert.ok(isFeasible(begun));
    const first = { ...refreshed, sample, crls: [part(a, "8", { isFirstList: true })], crlSha256: "c" };
    assert.match(
      told(plan(first, good())).join("\n"),
      /^warning crlSources: .* for all: .*the sample certificate shows it/,
    );
    assert.deepEqual(told(plan(site(part(a), crl(issuing, "8")), hostWith(crl(issuing)))), []);
    assert.deepEqual(told(plan(site(part(a, "8")), hostWith(part(a)))), []);
    assert.deepEqual(told(plan(site(part(a)), hostWith())), []);
  });

  it("are refreshed, except what a CA has left of the other kind", () => {
    const ended = { nextUpdate: new Date(now * 1000 - 1000).toISOString() };
    const isDue = (...crls: readonly CrlSummary[]): boolean =>
      isRefreshDue(refreshed, withState(withOwn(good(), { crls }), { nowSeconds: now }));
    const old = { thisUpdate: "2026-11-01T00:00:00Z", ...ended };
    assert.equal(isDue(part(a), part(b, "7", ended)), true);
    assert.equal(isDue(part(a), crl(issuing, "7", old)), false);
    assert.equal(isDue(crl(issuing), part(a, "7", old)), false);
    assert.equal(isDue(crl(issuing, "7", ended), part(a, "7", old)), true);
    const left = (...crls: readonly CrlSummary[]): string =>
      told(plan(refreshed, withState(withOwn(good(), { crls }), { nowSeconds: now }))).join("\n");
    assert.match(
      left(part(a), crl(issuing, "7", old)),
      /^warning crlSources: .* for all its certificates expires .*sampleC/,
    );
    assert.doesNotMatch(left(crl(issuing), part(a, "7", old)), /1\.crl/);
  });
});

describe("CAs that lack a CRL", () => {
  const users = crl(issuing, "1", { scope: "users" });
  const authorities = crl(root, "1", { scope: "authorities" });
  const cases: readonly [
    what: string,
    crlCheck: "leaf" | "chain",
    crls: readonly CrlSummary[],
    lacking: readonly string[],
  ][] = [
    ["are none with the issuing CA's for users", "leaf", [users], []],
    ["are none with a root's for CAs beside it", "chain", [users, authorities], []],
    ["are an issuing CA with one for CAs only", "leaf", [crl(issuing, "1", { scope: "authorities" })], [issuing]],
    ["are a root with one for users only", "chain", [users, crl(root, "1", { scope: "users" })], [root]],
    ["are those without any", "chain", [users], [root]],
  ];
  for (const [what, crlCheck, crls, lacking] of cases)
    it(`${crlCheck}: ${what}`, () => assert.deepEqual(findLacking({ ...refreshed, crlCheck }, crls), lacking));

  it("are looked for when a source may deliver one CRL only", () => {
    const crls = [{ ...users, isFirstList: true }];
    const desired: Desired = {
      ...refreshed,
      crlCheck: "chain",
      crlSources: [source("11111111", { file: "first.crl" })],
      crls,
    };
    assert.match(told(plan(desired, good())).join("\n"), /^problem crlCheck: there is no CRL of CN=Root/);
  });
});

describe("a CRL of the site that is older than the installed one", () => {
  const later = { thisUpdate: "2026-11-23T00:00:00Z" };
  const anew = crl(issuing, "1", later);

  it("is not installed, and the way out is named", () => {
    const found = plan(site(anew), hostWith(crl(issuing, "100")));
    assert.equal(isWritten(found), false);
    assert.match(
      told(found).join("\n"),
      /^warning crlFiles: .*number 1\) is older .*acceptOlderCrls: \[CN=Issuing.*1\]$/,
    );
    const beside = plan(site(anew, crl(root, "8")), hostWith(crl(issuing, "100"), crl(root, "7")));
    assert.match(told(beside).join("\n"), /^problem crlFiles: .*acceptOlderCrls: \[/);
  });

  it("is installed once where the site file names it, and never again", () => {
    const desired = { ...site(anew), acceptOlderCrls: [anew.sha256] };
    assert.equal(isWritten(plan(desired, hostWith(crl(issuing, "100")))), true);
    assert.equal(isWritten(plan(desired, hostWith(anew))), false);
    const large = { ...anew, sha256: "" };
    assert.equal(isWritten(plan(desired, hostWith(large))), false);
    assert.deepEqual(told(plan(desired, hostWith(large))), []);
  });

  it("is not brought back once a later one has replaced it, and no way is named that leads nowhere", () => {
    const desired = { ...site(anew), acceptOlderCrls: [anew.sha256] };
    const found = plan(desired, hostWith(crl(issuing, "2", { thisUpdate: "2026-11-24T00:00:00Z" })));
    assert.equal(isWritten(found), false);
    assert.match(told(found).join(), /older than the one on the host, which stays; download the current CRL/);
    assert.doesNotMatch(told(found).join(), /acceptOlderCrls/);
  });

  it("is left to the host where a source renews it", () => {
    const desired = {
      ...refreshed,
      acceptOlderCrls: [anew.sha256],
      crls: [{ ...anew, isFirstList: true }],
      crlSha256: "c",
    };
    assert.equal(isWritten(plan(desired, withOwn(good(), { crls: [crl(issuing, "100")] }))), false);
  });
});
