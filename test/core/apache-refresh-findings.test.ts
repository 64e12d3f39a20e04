import assert from "node:assert/strict";
import type { Desired, Facts, Plan } from "../../core/apache/model.ts";
import { plan } from "../../core/apache/plan/plan.ts";
import type { CrlSource } from "../../core/crl-refresh/inputs.ts";
import type { SourceFacts } from "../../core/crl-refresh/refresh-model.ts";
import {
  at,
  bare,
  certificate,
  crl,
  factsOf,
  good,
  issuing,
  now,
  refreshed,
  root,
  settled,
  source,
  withOwn,
  withRefresh,
  withState,
} from "./refreshed-host.ts";

describe("findings about CRL sources", () => {
  const told = ({ diagnostics }: Plan): string[] =>
    diagnostics.map(({ severity, place, text }) => `${severity} ${place}: ${text}`);
  const state = (rest: Partial<SourceFacts>): Partial<Facts["refresh"]> => ({ sources: [{ id: "11111111", ...rest }] });
  const ending = (nextUpdate: string): Facts => withOwn(good(), { crls: [crl(issuing, "7", { nextUpdate })] });
  const living = (thisUpdate: string, nextUpdate: string): Facts =>
    withOwn(good(), { crls: [crl(issuing, "7", { thisUpdate, nextUpdate })] });
  const chain = (...crlSources: readonly CrlSource[]): Desired => ({ ...refreshed, crlCheck: "chain", crlSources });
  const two = [source("11111111"), source("22222222")];
  const running = (facts: Facts): Facts => ({ ...facts, server: { ...facts.server, source: "httpd" } });
  const firstList = crl(issuing, "1", { isFirstList: true });

  const cases: readonly [sentence: string, desired: Desired, facts: Facts, expected: readonly RegExp[]][] = [
    ["are none on a host that is as wanted", refreshed, good(), []],
    ["are none before the first change", refreshed, factsOf(bare("systemd")), []],
    [
      "refuse a host where nothing starts jobs",
      refreshed,
      running(factsOf(bare("none"))),
      [/^problem crlSources: nothing starts jobs .*apt-get install cron/],
    ],
    ["ask for no cron where nothing is downloaded", { ...refreshed, crlSources: [] }, factsOf(bare("none")), []],

    [
      "refuse chain with fewer sources than CAs",
      chain(source("11111111")),
      good(),
      [/^problem crlCheck: only one source is left for the CRLs of CN=Issuing.* and CN=Root/],
    ],
    ["accept chain with a source for each CA", chain(...two), settled(chain(...two), [crl(issuing), crl(root)]), []],
    [
      "accept chain with a list for the CA that has no source",
      { ...chain(source("11111111")), crls: [crl(root, "1", { nextUpdate: undefined })], crlSha256: "c" },
      good(),
      [],
    ],
    [
      "count no first list twice: its source is for the same CA",
      { ...chain(source("11111111", { file: "first.crl" })), crls: [firstList], crlSha256: "c" },
      good(),
      [/^problem crlCheck: there is no CRL of CN=Root.*, and "chain" needs/],
    ],
    [
      "accept chain with the first list of one of two sources",
      { ...chain(source("11111111", { file: "first.crl" }), source("22222222")), crls: [firstList], crlSha256: "c" },
      settled(chain(...two), [crl(issuing), crl(root)]),
      [],
    ],
    [
      "refuse leaf with fewer sources than issuing CAs",
      {
        ...refreshed,
        ca: { ...refreshed.ca, certificates: [...refreshed.ca.certificates, certificate("CN=Second", root)] },
      },
      good(),
      [/^problem crlSources: only one source is left for the CRLs of CN=Issuing.* and CN=Second/],
    ],

    [
      "are none of a CRL that lives as long as the timer may wait",
      refreshed,
      living("2026-11-25T00:00:00Z", "2026-11-25T06:20:00Z"),
      [],
    ],
    [
      "warn of a CRL that expires before the timer asks again, with times that do",
      withRefresh({ alarmHours: 1 }),
      living("2026-11-25T00:00:00Z", "2026-11-25T06:19:00Z"),
      [
        /^warning crlRefresh: the CRL of CN=Issuing.* is valid for 6 h 19 min, and up to 6 h 20 min pass .*: \["00:30", "02:30", "04:30",/,
      ],
    ],
    [
      "warn of one that only a smaller delay reaches",
      withRefresh({ alarmHours: 1, times: ["00:00", "01:00"] }),
      living("2026-11-25T00:00:00Z", "2026-11-25T01:05:00Z"),
      [/^warning crlRefresh: .* is valid for 1 h 5 min, and up to 23 h 20 min pass .*"23:30"\] and spreadMinutes: 5$/],
    ],
    [
      "warn of one that no timer reaches",
      withRefresh({ alarmHours: 1 }),
      living("2026-11-25T00:00:00Z", "2026-11-25T00:40:00Z"),
      [/^warning crlRefresh: .* is valid for 40 min.*; no timer asks so often; ask the issuer/],
    ],
    [
      "warn of the first list that comes with the site file",
      { ...refreshed, crls: [{ ...firstList, nextUpdate: "2026-11-22T02:00:00Z" }], crlSha256: "c" },
      factsOf(bare("systemd")),
      [/^warning crlRefresh: the CRL of CN=Issuing.* is valid for 2 h, /],
    ],

    ["are none a minute before the alarm", refreshed, ending("2026-11-24T12:01:00Z"), []],
    [
      "warn of a CRL that ends within the alarm time",
      refreshed,
      ending("2026-11-24T12:00:00Z"),
      [
        /^warning crlSources: the CRL of CN=Issuing.* ends \(2026-11-24T12:00:00Z\), .*is then refused; .*refresh --verbose/,
      ],
    ],
    [
      "warn earlier where the alarm time is longer",
      withRefresh({ alarmHours: 48 }),
      ending("2026-11-25T11:00:00Z"),
      [/^warning crlSources: .* ends/],
    ],
    [
      "warn of a CRL that has ended",
      refreshed,
      ending("2026-11-23T11:00:00Z"),
      [/^warning crlSources: .* has ended .* is refused/],
    ],
    [
      "say nothing of renewing by hand what a source renews, and say it of what none does",
      { ...chain(source("11111111")), crls: [crl(root, "1")], crlSha256: "c" },
      withOwn(good(), { crls: [crl(issuing), crl(root, "1", { nextUpdate: "2026-11-23T13:00:00Z" })] }),
      [/^warning crlFiles: after 2026-11-23T13:00:00Z the CRL of CN=Root.* has expired/],
    ],

    [
      "are none where the list of a retired CA ends",
      refreshed,
      withOwn(good(), { crls: [crl(issuing), crl("CN=Retired", "1", { nextUpdate: "2026-11-23T13:00:00Z" })] }),
      [],
    ],

    [
      "warn of a source that fails, with its reason and dates",
      refreshed,
      withState(
        good(),
        state({
          lastFailureSeconds: at("23T06:30"),
          reason: "http://x/: status 22",
          lastSuccessSeconds: at("23T00:30"),
          nextUpdate: "2026-11-30T00:00:00Z",
        }),
      ),
      [
        /^warning crlSources\[0\]: failed on 2026-11-23T06:30:00Z \(http:\/\/x\/: status 22\); it last worked on 2026-11-23T00:30:00Z, .* until 2026-11-30T00:00:00Z$/,
      ],
    ],
    [
      "warn of a source that never worked",
      { ...refreshed, crlSources: [source("00000000"), source("11111111")] },
      withState(good(), state({ lastFailureSeconds: at("23T06:30") })),
      [/^warning crlSources\[1\]: failed on .* \(no reason was kept\); it never worked/],
    ],
    [
      "forget sources that are not wished any more",
      { ...refreshed, crlSources: [source("00000000")] },
      withState(good(), state({ lastFailureSeconds: 1 })),
      [],
    ],
    // Four times a day and 20 minutes of spread: three intervals are 19 hours.
    [
      "are none three intervals after a success",
      refreshed,
      withState(good(), state({ lastSuccessSeconds: now - 19 * 3600 })),
      [],
    ],
    [
      "warn of a source that is overdue",
      refreshed,
      withState(good(), state({ lastSuccessSeconds: now - 19 * 3600 - 1 })),
      [/^warning crlSources\[0\]: it last worked on 2026-11-22T16:59:59Z, and was not asked since/],
    ],
    [
      "count the longest interval between times",
      withRefresh({ times: ["01:00", "02:00"], spreadMinutes: 0 }),
      withState(good(), state({ lastSuccessSeconds: now - 69 * 3600 })),
      [],
    ],
    [
      "warn when no refresh runs any more, once for all sources",
      refreshed,
      withState(good(), {
        lastRun: { seconds: now - 20 * 3600, result: "updated" },
        ...state({ lastSuccessSeconds: 1, lastFailureSeconds: 2 }),
      }),
      [
        /^warning crlRefresh: no refresh of the CRLs has run since 2026-11-22T16:00:00Z; .*systemctl status clientcert-0123456789abcdef\.timer/,
      ],
    ],
    [
      "name the file of cron then",
      refreshed,
      withState(good("cron"), { lastRun: { seconds: now - 20 * 3600, result: "updated" } }),
      [/^warning crlRefresh: .*whether cron runs.*\/etc\/cron\.d\/clientcert-0123456789abcdef/],
    ],
    [
      "warn of a refresh that no source is to blame for",
      refreshed,
      withState(good(), { lastRun: { seconds: at("23T06:30"), result: "reload", reason: "httpd died" } }),
      [/^warning crlRefresh: the refresh of 2026-11-23T06:30:00Z ended as "reload": httpd died; /],
    ],
    [
      "are none after a good run",
      refreshed,
      withState(good(), { lastRun: { seconds: at("23T06:30"), result: "unchanged" } }),
      [],
    ],
  ];
  for (const [sentence, desired, facts, expected] of cases) {
    it(sentence, () => {
      const found = told(plan(desired, facts));
      assert.equal(found.length, expected.length, found.join("\n"));
      expected.forEach((pattern, index) => assert.match(found[index] ?? "", pattern));
    });
  }

  it("cannot be decided from a copy of the files where no scheduler was found", () => {
    const [unknown] = plan(refreshed, factsOf(bare("none"))).diagnostics;
    assert.equal(unknown?.isUndecided, true);
    assert.match(unknown.text, /^a copy of the files does not show what starts jobs; give --saved FILE/);
    const [known] = plan(refreshed, running(factsOf(bare("none")))).diagnostics;
    assert.equal(known?.isUndecided, undefined);
  });
});
