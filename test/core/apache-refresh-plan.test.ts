import assert from "node:assert/strict";
import type { Desired, Facts, Plan } from "../../core/apache/model.ts";
import { isFeasible, plan, planRemoval } from "../../core/apache/plan/plan.ts";
import {
  bare,
  crl,
  cronFile,
  factsOf,
  good,
  issuing,
  refreshed,
  root,
  sample,
  service,
  settled,
  source,
  timerUnit,
  without,
  withOwn,
  withRefresh,
  withState,
} from "./refreshed-host.ts";
import { observeText } from "./apache-observation.ts";

describe("a plan with CRL sources", () => {
  const rolesOf = ({ change }: Plan): string[] => change?.write.map(({ role }) => role) ?? [];

  it("writes what is named before what names it, and the timer last", () => {
    const desired = { ...refreshed, sample, crls: [crl(issuing)], crlSha256: "c" };
    const found = plan(desired, factsOf(bare("systemd")));
    assert.deepEqual(rolesOf(found), ["ca", "sample", "refresh", "crl", "conf", "readme", "timer", "timer"]);
    assert.deepEqual(
      found.change?.write.slice(-2).map(({ name }) => name),
      [service, timerUnit],
    );
    assert.equal(found.change?.refresh, true);
  });

  it("names crl.pem, and leaves its making to the host, where no list came with the site", () => {
    const found = plan(refreshed, factsOf(bare("cron")));
    assert.deepEqual(rolesOf(found), ["ca", "refresh", "conf", "readme", "timer"]);
    assert.match(Object.values(found.files).join(""), /SSLCARevocationFile .*crl\.pem"\nSSLCARevocationCheck leaf\n/);
    assert.equal(found.change?.refresh, true);
    assert.equal(isFeasible(found), true);
  });

  it("tells the administrator how to refresh by hand", () => {
    const readmeOf = (desired: Desired): string =>
      plan(desired, factsOf(bare("cron"))).change?.write.find(({ role }) => role === "readme")?.text ?? "";
    assert.match(readmeOf(refreshed), /at 00:30, 06:30, 12:30, 18:30\.\n[^]*\/refresh --status\n/);
    assert.doesNotMatch(readmeOf(refreshed), /sample/);
    assert.match(readmeOf({ ...refreshed, sample }), /sample\.pem/);
    assert.doesNotMatch(readmeOf({ ...refreshed, crlSources: [] }), /refresh/);
  });

  const settings = ["refresh.conf", "sample.pem"];
  const lists = { ...refreshed, crlSources: [], crls: [crl(issuing)], crlSha256: "c" };
  /** `write` and `drop` by name; undefined: as wanted. */
  const cases: readonly [
    sentence: string,
    desired: Desired,
    facts: Facts,
    expected: { readonly write?: readonly string[]; readonly drop?: readonly string[] } | undefined,
  ][] = [
    ["is nothing on a host that is as wanted (systemd)", refreshed, good(), undefined],
    ["is nothing on a host that is as wanted (cron)", refreshed, good("cron"), undefined],
    [
      "is nothing where lists that nothing renews have ended, or lack a CA",
      lists,
      settled(lists, [crl(root, "1", { nextUpdate: "2026-11-01T00:00:00Z" }), crl(issuing)]),
      undefined,
    ],
    [
      "is nothing where no CRL is wished for",
      { ...refreshed, crlSources: [] },
      without(settled({ ...refreshed, crlSources: [] }, []), "crl.pem"),
      undefined,
    ],
    [
      "is nothing where the timer has renewed the CRL",
      refreshed,
      withOwn(good(), { crls: [crl(issuing, "9", { sha256: "another", nextUpdate: "2026-12-30T00:00:00Z" })] }),
      undefined,
    ],
    [
      "is nothing where the first list of the site is older by now",
      { ...refreshed, crls: [crl(issuing, "3", { isFirstList: true })], crlSha256: "c" },
      settled({ ...refreshed, crls: [crl(issuing, "3", { isFirstList: true })], crlSha256: "c" }, [crl(issuing, "9")]),
      undefined,
    ],
    [
      "is nothing where names differ in case and blanks only",
      refreshed,
      withOwn(good(), { crls: [crl("cn=ISSUING,  O=ABC, C=JP")] }),
      undefined,
    ],
    ["is a refresh where crl.pem is missing", refreshed, without(good(), "crl.pem"), { write: [] }],
    [
      "is a refresh where crl.pem has no list of the CA",
      refreshed,
      withOwn(good(), { crls: [crl(root)] }),
      { write: [] },
    ],
    [
      "is a refresh where an installed CRL has ended",
      refreshed,
      withOwn(good(), { crls: [crl(issuing, "7", { nextUpdate: "2026-11-23T12:00:00Z" })] }),
      { write: [] },
    ],
    [
      "is nothing where it ends in a minute",
      refreshed,
      withOwn(good(), { crls: [crl(issuing, "7", { nextUpdate: "2026-11-23T12:01:00Z" })] }),
      undefined,
    ],
    [
      "is nothing where only a list that no source renews has ended",
      { ...refreshed, crlCheck: "chain", crls: [crl(root, "1")], crlSha256: "c" },
      settled({ ...refreshed, crlCheck: "chain", crls: [crl(root, "1")], crlSha256: "c" }, [
        crl(issuing),
        crl(root, "1", { nextUpdate: "2026-11-01T00:00:00Z" }),
      ]),
      undefined,
    ],
    [
      "is nothing where the list of a retired CA has ended",
      refreshed,
      withOwn(good(), { crls: [crl(issuing), crl("CN=Retired", "1", { nextUpdate: "2026-11-01T00:00:00Z" })] }),
      undefined,
    ],
    [
      "is a refresh where chain lacks the list of the root",
      { ...refreshed, crlCheck: "chain", crlSources: [source("11111111"), source("22222222")] },
      settled({ ...refreshed, crlCheck: "chain", crlSources: [source("11111111"), source("22222222")] }, [
        crl(issuing),
      ]),
      { write: [] },
    ],
    ["writes a disabled timer again", refreshed, withState(good(), { isTimerEnabled: false }), { write: [timerUnit] }],
    [
      "does not ask whether cron's file is enabled",
      refreshed,
      withState(good("cron"), { isTimerEnabled: false }),
      undefined,
    ],
    ["writes a missing timer", refreshed, without(good(), timerUnit), { write: [timerUnit] }],
    ["writes a missing service", refreshed, without(good(), service), { write: [service] }],
    [
      "writes an altered file of cron, and nothing that httpd reads",
      refreshed,
      withState(good("cron"), { timers: { [cronFile]: "0".repeat(64) } }),
      { write: [cronFile] },
    ],
    ["writes missing settings", refreshed, without(good(), "refresh.conf"), { write: ["refresh.conf"] }],
    [
      "writes settings, note and timer for other times",
      withRefresh({ times: ["03:00"] }),
      good("cron"),
      { write: ["refresh.conf", "README", cronFile] },
    ],
    [
      "writes the settings for another check",
      { ...refreshed, crlCheck: "chain", crls: [crl(root)], crlSha256: "c" },
      settled({ ...refreshed, crls: [crl(root)], crlSha256: "c" }, [crl(issuing), crl(root)]),
      { write: ["refresh.conf", "clientcert.conf"] },
    ],
    [
      "writes another sample",
      { ...refreshed, sample: { ...sample, sha256: "6".repeat(64) } },
      settled({ ...refreshed, sample }, [crl(issuing)]),
      { write: ["sample.pem"] },
    ],
    [
      "drops a sample that is not given any more",
      refreshed,
      settled({ ...refreshed, sample }, [crl(issuing)]),
      { write: ["refresh.conf", "README"], drop: ["sample.pem"] },
    ],
    [
      "moves the timer from cron to systemd",
      refreshed,
      withState(good("cron"), { scheduler: "systemd" }),
      { write: [service, timerUnit], drop: [cronFile] },
    ],
    [
      "moves the timer from systemd to cron",
      refreshed,
      withState(good(), { scheduler: "cron" }),
      { write: [cronFile], drop: [timerUnit, service] },
    ],
    [
      "keeps the file of a cron that does not run now",
      refreshed,
      withState(good("cron"), { scheduler: "none" }),
      undefined,
    ],
    [
      "takes all of it away with the last source, timers first",
      { ...refreshed, crlSources: [] },
      settled({ ...refreshed, sample }, [crl(issuing)]),
      { write: ["clientcert.conf", "README"], drop: [timerUnit, service, "crl.pem", ...settings] },
    ],
    [
      "keeps crl.pem, newer than the site's, where lists take the place of sources",
      lists,
      settled({ ...refreshed, sample }, [crl(issuing, "9")], "cron"),
      { write: ["README"], drop: [cronFile, ...settings] },
    ],
    [
      "leaves timers of others alone",
      { ...refreshed, crlSources: [] },
      withState(factsOf(bare("cron")), { timers: { "/etc/cron.d/clientcert-other": "x" } }),
      { write: ["ca-aaaaaaaa.pem", "clientcert.conf", "README"] },
    ],
  ];
  for (const [sentence, desired, facts, expected] of cases) {
    it(sentence, () => {
      const { change } = plan(desired, facts);
      const found = change && { write: change.write.map(({ name }) => name), drop: change.drop };
      assert.deepEqual(found, expected && { drop: [], ...expected });
      if (change === undefined) return;
      assert.equal(change.isAside === true, sentence.endsWith("nothing that httpd reads"));
      assert.equal(change.refresh, desired.crlSources.length > 0 && change.isAside !== true);
    });
  }

  it("accepts a check of revocation that is the same as ours", () => {
    const { foreign } = factsOf(
      observeText(
        "LoadModule ssl_module x.so\n<VirtualHost *:443>\nServerName a.example\nSSLEngine on\nSSLCARevocationFile x\nSSLCARevocationCheck leaf\n</VirtualHost>\n",
      ),
    );
    const facts = { ...good(), foreign };
    assert.equal(isFeasible(plan(refreshed, facts)), true);
    assert.equal(isFeasible(plan({ ...refreshed, crlSources: [] }, facts)), false);
  });

  it("installs a list of the site that is newer, whatever another one is", () => {
    const desired = { ...refreshed, crls: [crl(issuing, "8"), crl(root, "3")], crlSha256: "c" };
    const found = plan(desired, withOwn(good(), { crls: [crl(issuing, "7"), crl(root, "4")] }));
    assert.deepEqual([rolesOf(found), isFeasible(found)], [["crl"], true]);
  });

  it("is taken away by a removal, timers first", () => {
    const facts = settled({ ...refreshed, sample }, [crl(issuing)]);
    const drop = [timerUnit, service, "clientcert.conf", "README", "ca-aaaaaaaa.pem", "crl.pem", ...settings];
    assert.deepEqual(planRemoval(facts)?.drop, drop);
    assert.equal(planRemoval(facts)?.refresh, false);
    assert.deepEqual(planRemoval(withState(factsOf(bare("cron")), { timers: { [cronFile]: "x" } }))?.drop, [cronFile]);
  });
});
