import assert from "node:assert/strict";
import { describeRevocation, revocationLines } from "../../cli/report-revocation.ts";
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import { statusOf } from "../../core/apache/status.ts";
import type { Inputs } from "../../core/apache/inputs.ts";
import { desiredOf, parseInputs } from "../../provider/apache/parse-inputs.ts";
import { type Parts, observeText, observedFile } from "./apache-observation.ts";

const now = Date.parse("2026-11-23T03:00:00Z");
const seconds = (time: string): number => Date.parse(time) / 1000;
const timer = "/etc/systemd/system/clientcert-0123456789abcdef.timer";

const wishes = (more: Partial<Inputs> = {}): Inputs =>
  parseInputs({
    owner: "organization/clientcert/harbour/web1",
    connection: { address: "web1", user: "root", hostKey: "ssh-ed25519 AAAA" },
    ...{ siteFile: "stacks/harbour.yaml", ca: { sha256: "a", certificates: [] } },
    crlSources: [
      { id: "11111111", urls: ["http://crl.lab.test/a.crl", "http://crl2.lab.test/a.crl"] },
      { id: "22222222", urls: ["ldap://ldap.lab.test/cn=b"] },
    ],
    crlRefresh: { times: ["06:30", "12:30"], timeZone: "Asia/Tokyo", spreadMinutes: 1, alarmHours: 24 },
    ...more,
  });

const running: Parts = {
  scheduler: "systemd",
  isTimerEnabled: true,
  timers: new Map([timer, timer.replace(".timer", ".service")].map((path) => [path, observedFile(path, "")])),
  refreshRecord: [
    `run ${seconds("2026-11-22T21:31:00Z")} 1 failed`,
    `source 11111111 success ${seconds("2026-11-22T21:31:00Z")} http://crl2.lab.test/a.crl`,
    `source 11111111 crl ${seconds("2026-11-22T00:00:00Z")} ${seconds("2026-11-29T00:00:00Z")} 42 1 key`,
    `source 22222222 failure ${seconds("2026-11-22T21:31:01Z")} no answer`,
    "",
  ].join("\n"),
};

const noPlan = { diagnostics: [], change: undefined };

const describeHost = (parts: Parts, more: Partial<Inputs> = {}) =>
  describeRevocation(statusOf(desiredOf(wishes(more)), readFacts(observeText("", parts), { port: 443 }), noPlan), now);

describe("what check tells of CRL sources", () => {
  it("is one line for each, with the last failure, and when the next refresh is", () => {
    const found = describeHost(running);
    assert.ok(found);
    assert.deepEqual(revocationLines(found), [
      "  CRL of http://crl2.lab.test/a.crl: downloaded 2026-11-22T21:31:00Z, number 42, 1 revoked certificate, until 2026-11-29T00:00:00Z",
      "  CRL of ldap://ldap.lab.test/cn=b: not downloaded yet",
      "    failed 2026-11-22T21:31:01Z: no answer",
      "  CRLs refreshed at 06:30, 12:30 (Asia/Tokyo) and up to 1 minute later by systemd, next 2026-11-23T03:30:00Z; last 2026-11-22T21:31:00Z: failed",
    ]);
    assert.equal(found.timer.path, timer);
  });

  it("says that nothing is refreshed before the first change, when the timer is gone, and while it is disabled", () => {
    const gone = "  CRLs are not refreshed: the timer is gone, or it is not enabled";
    for (const [parts, words] of [
      [{ ...running, timers: new Map() }, gone],
      [{ ...running, isTimerEnabled: false }, gone],
      [{}, "  CRLs are not refreshed yet: `pulumi up` installs the timer"],
    ] as const) {
      const found = describeHost(parts);
      assert.ok(found);
      assert.equal(revocationLines(found).at(-1), words);
      assert.deepEqual([found.timer.isEnabled, found.nextRefresh], [false, undefined]);
    }
  });

  it("names the first of several addresses before any has answered", () => {
    const [line] = revocationLines(describeHost({}) ?? assert.fail());
    assert.equal(line, "  CRL of http://crl.lab.test/a.crl (and 1 more): not downloaded yet");
  });

  it("is nothing where nothing is to be downloaded", () => {
    assert.equal(describeHost(running, { crlSources: [] }), undefined);
  });
});
