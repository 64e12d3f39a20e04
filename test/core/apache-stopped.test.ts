import assert from "node:assert/strict";
import type { Desired } from "../../core/apache/model.ts";
import { isBlocking } from "../../core/diagnostic.ts";
import { plan } from "../../core/apache/plan/plan.ts";
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import { findPendingReload } from "../../core/apache/facts/stopped.ts";
import { apache } from "../../provider/apache.ts";
import { diffPlan } from "../../provider/resource/diff.ts";
import { type Parts, observedFile, observeText, wanted } from "./apache-observation.ts";

const text = `Listen 443
LoadModule ssl_module modules/mod_ssl.so
<VirtualHost *:443>
SSLEngine on
ServerName a.example
</VirtualHost>
`;
const stoppedText = "httpd was stopped when this was written";
const place = "/etc/httpd/httpd.conf";

/** A host whose httpd was asked, and is stopped. */
function stopped(parts: Parts = {}, desired: Partial<Desired> = {}) {
  const server = { isRunning: false, ...parts.server };
  const facts = readFacts(observeText(text, { dump: "", ...parts, server }), { port: 443 });
  const planned = plan({ ...wanted, ...desired }, facts);
  return { facts, planned, alarms: planned.diagnostics.filter(({ isAlarm }) => isAlarm === true) };
}

const journal = (entries: Readonly<Record<string, string>>): Parts => ({ journal: new Map(Object.entries(entries)) });
const ran = journal({ owner: wanted.owner, generation: "3", "ran-as": "/usr/sbin/httpd\t-D\tTLS" });

describe("a server that does not run", () => {
  const cases: readonly [what: string, parts: Parts, why: RegExp | undefined][] = [
    ["ran at the last change", ran, /it ran when it was changed last; start it/],
    ["ran at the last change of an older build", journal({ generation: "3" }), /it ran when it was changed last/],
    ["was stopped at its only change", journal({ generation: "1", owed: stoppedText }), undefined],
    ["ran once, and was stopped at the last change", journal({ "ran-as": "x", owed: stoppedText }), /it ran when/],
    ["is not set up", {}, undefined],
    [
      "is enabled",
      { server: { starter: "/etc/rc2.d/S20httpd" } },
      /\/etc\/rc2\.d\/S20httpd starts it with the machine/,
    ],
    ["is only a copy of its files", { ...ran, dump: undefined }, undefined],
    ["runs after all", { ...ran, server: { isRunning: true } }, undefined],
  ];
  for (const [what, parts, why] of cases) {
    it(`is ${why === undefined ? "no" : "an"} alarm where it ${what}`, () => {
      const { alarms, planned } = stopped(parts);
      assert.equal(alarms.length, why === undefined ? 0 : 1);
      if (why === undefined) return;
      assert.match(alarms[0]?.text ?? "", why);
      assert.equal(alarms[0]?.place, place);
      // A change may be what lets it start.
      assert.ok(!planned.diagnostics.some(isBlocking));
      assert.deepEqual(stopped(parts, { mayBeStopped: true }).alarms, []);
    });
  }

  it("owes no reload for having been stopped at the last change; for another reason it does", () => {
    const owedBy = (owed: string, isRunning = false) =>
      findPendingReload(stopped({ ...journal({ generation: "1", owed }), server: { isRunning } }).facts);
    assert.equal(owedBy(stoppedText), undefined);
    assert.equal(owedBy(stoppedText, true), stoppedText);
    assert.equal(owedBy("a change was put back"), "a change was put back");
  });
});

describe("a file of ours that keeps httpd from starting", () => {
  const directory = "/etc/httpd/conf/clientcert";
  const conf = `SSLCACertificateFile "${directory}/ca-aaaaaaaa.pem"\nSSLCARevocationFile "${directory}/crl.pem"\n`;
  const garbage = "-----BEGIN X509 CRL-----\nnot a list\n-----END X509 CRL-----\n";
  const own = (files: Readonly<Record<string, string>>): Parts => ({
    ...ran,
    own: new Map(
      Object.entries({ "clientcert.conf": conf, ...files }).map(([name, bytes]) => [
        name,
        observedFile(`${directory}/${name}`, bytes),
      ]),
    ),
  });

  for (const [what, files, words] of [
    ["is garbage", { "ca-aaaaaaaa.pem": garbage, "crl.pem": garbage }, /crl\.pem cannot be read, which keeps it/],
    ["is empty", { "ca-aaaaaaaa.pem": "", "crl.pem": "" }, /ca-aaaaaaaa\.pem cannot be read and \S+crl\.pem cannot/],
    ["is missing", { "crl.pem": garbage }, /ca-aaaaaaaa\.pem is missing and/],
  ] as const) {
    it(`is named where it ${what}`, () => assert.match(stopped(own(files)).alarms[0]?.text ?? "", words));
  }
});

describe("a preview of a host whose server does not run", () => {
  const { facts, planned } = stopped({ ...ran });
  const shown = (old: Readonly<Record<string, unknown>>) =>
    diffPlan(apache, { inputs: {}, oldInputs: {}, oldOutputs: old } as never, {
      facts,
      plan: { ...planned, change: undefined },
    }).detailedDiff["stopped"];

  it("shows a difference, whether the last look knew of it or not", () => {
    assert.equal(shown({}), "add");
    assert.equal(shown({ stopped: "httpd does not run" }), "delete");
  });
});
