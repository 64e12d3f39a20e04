import assert from "node:assert/strict";
import fc from "fast-check";
import type { Desired } from "../../core/apache/model.ts";
import { shown } from "../../core/shown.ts";
import { renderRefresh, renderTimers } from "../../core/crl-refresh/refresh-files.ts";
import { readRecord } from "../../core/crl-refresh/refresh-facts.ts";
import type { CrlRefresh } from "../../core/crl-refresh/inputs.ts";
import type { Scheduler } from "../../core/crl-refresh/refresh-model.ts";
import {
  bare,
  cronFile,
  factsOf,
  good,
  now,
  refreshed,
  sample,
  service,
  source,
  timerUnit,
  withRefresh,
} from "./refreshed-host.ts";

describe("refresh.conf", () => {
  it("says what the program of the host must know, and only what is wished", () => {
    const both = [source("11111111"), source("22222222", { urls: ["ldap://b/cn=i", "http://c/"], file: "first.crl" })];
    const desired: Desired = { ...refreshed, crlCheck: "chain", crlSources: both };
    assert.deepEqual(renderRefresh(desired).split("\n").slice(1), [
      "check chain",
      "ca ca-aaaaaaaa.pem",
      "alarm-hours 24",
      "spread-minutes 20",
      "times 00:30 06:30 12:30 18:30",
      "source 11111111 -",
      "url http://11111111.example/ca.crl",
      "source 22222222 file",
      "url ldap://b/cn=i",
      "url http://c/",
      "",
    ]);
  });

  it("names a time zone, a proxy and a sample where they are given", () => {
    const desired = { ...withRefresh({ timeZone: "Asia/Tokyo", proxyFile: "/etc/my proxy" }), sample };
    const lines = renderRefresh(desired).split("\n");
    for (const line of ["time-zone Asia/Tokyo", "proxy-file /etc/my proxy", "sample sample.pem"])
      assert.ok(lines.includes(line), line);
  });
});

describe("a timer", () => {
  const timerText = (refresh: Partial<CrlRefresh>, scheduler: Scheduler, path: string): string =>
    renderTimers(withRefresh(refresh), factsOf(bare(scheduler))).find((file) => file.path === path)?.text ??
    assert.fail();
  const command = "/bin/sh /var/lib/clientcert/0123456789abcdef/refresh --timer";

  it("of systemd calls the program at each time, with its zone and delay", () => {
    const text = timerText(
      { times: ["02:05", "14:05"], timeZone: "Asia/Tokyo", spreadMinutes: 7 },
      "systemd",
      timerUnit,
    );
    for (const line of [
      "OnCalendar=*-*-* 02:05:00 Asia/Tokyo",
      "OnCalendar=*-*-* 14:05:00 Asia/Tokyo",
      "RandomizedDelaySec=7min",
      "AccuracySec=1min",
      "Persistent=true",
      "WantedBy=timers.target",
    ])
      assert.ok(text.includes(`\n${line}\n`), line);
    assert.ok(timerText({ times: ["02:05"] }, "systemd", timerUnit).includes("\nOnCalendar=*-*-* 02:05:00\n"));
  });

  it("of systemd has a service that leaves an httpd alone which it started", () => {
    const text = timerText({}, "systemd", service);
    for (const line of [`ExecStart=${command}`, "Type=oneshot", "KillMode=process"])
      assert.ok(text.includes(`\n${line}\n`));
  });

  const schedules: readonly [times: readonly string[], timeZone: string | undefined, lines: readonly string[]][] = [
    [["06:30"], undefined, ["30 6"]],
    [["00:30", "06:30", "12:30", "18:30"], undefined, ["30 0,6,12,18"]],
    [["09:05", "10:00", "21:05"], undefined, ["5 9,21", "0 10"]],
    [["06:30"], "Asia/Tokyo", ["0,15,30,45 *"]],
    [["06:05", "18:20"], "Asia/Tokyo", ["5,20,35,50 *"]],
    [["06:00", "07:01"], "UTC", ["0,1,15,16,30,31,45,46 *"]],
  ];
  for (const [times, timeZone, lines] of schedules) {
    it(`of cron calls the program at ${times.join(" and ")} ${timeZone ?? "of the host"}`, () => {
      const text = timerText({ times, ...(timeZone !== undefined && { timeZone }) }, "cron", cronFile);
      assert.deepEqual(text.split("\n").slice(2), [
        "SHELL=/bin/sh",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        ...lines.map((when) => `${when} * * * root ${command}`),
        "",
      ]);
      assert.doesNotMatch(text, /%/);
    });
  }

  it("of cron comes by at a time of any zone, whatever the host's own is", () => {
    const minuteIn = (zone: string, date: Date): number =>
      Number(new Intl.DateTimeFormat("en", { timeZone: zone, minute: "numeric" }).format(date));
    const zone = fc.constantFrom("UTC", "Asia/Tokyo", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns");
    fc.assert(
      fc.property(zone, zone, fc.nat(59), fc.nat(400), (wished, host, minute, day) => {
        const text = timerText(
          { times: [`03:${String(minute).padStart(2, "0")}`], timeZone: wished },
          "cron",
          cronFile,
        );
        const minutes = (/^([\d,]+) \* /m.exec(text)?.[1] ?? "").split(",").map(Number);
        const date = new Date((now + day * 86400) * 1000);
        const matching = Array.from({ length: 60 }, (_, i) => new Date(date.getTime() + i * 60_000));
        const found = matching.find((one) => minuteIn(wished, one) === minute) ?? assert.fail();
        assert.ok(minutes.includes(minuteIn(host, found)));
      }),
    );
  });
});

describe("the record of refreshes", () => {
  const lines = [
    "run 1795435200 1 failed",
    "source 11111111 success 1795400000 http://a.example/i.crl",
    "source 11111111 crl 1795300000 1796000000 340282366920938463463374607431768211456 12 1a2b3c4d-AB12",
    "source 11111111 raw 0123",
    "source 22222222 failure 1795435200 http://b.example/: the download failed: status 22",
    "source 22222222 crl 1795300000 - - 0 1a2b3c4d",
  ];

  it("tells the last run, and of each source how it went and what it has", () => {
    assert.deepEqual(readRecord(`${lines.join("\n")}\n`), {
      lastRun: { seconds: 1795435200, result: "failed" },
      sources: [
        {
          id: "11111111",
          lastSuccessSeconds: 1795400000,
          url: "http://a.example/i.crl",
          thisUpdate: "2026-11-21T22:26:40Z",
          nextUpdate: "2026-11-30T00:53:20Z",
          number: "340282366920938463463374607431768211456",
          entries: 12,
        },
        {
          id: "22222222",
          lastFailureSeconds: 1795435200,
          reason: "http://b.example/: the download failed: status 22",
          thisUpdate: "2026-11-21T22:26:40Z",
          entries: 0,
        },
      ],
    });
  });

  it("has the reason of a run that did not go well", () => {
    assert.deepEqual(readRecord("run 5 3 reload httpd died").lastRun, {
      seconds: 5,
      result: "reload",
      reason: "httpd died",
    });
  });

  it("says nothing where there is none, or where a line is not ours", () => {
    const odd = [
      "run x 1 failed",
      "run 1",
      "run 9".padEnd(24, "9") + " 0 unchanged",
      "source 11111111 crl 999999999999 999999999999 x y",
      "source ../../x success 1 u",
      "source 11111111 success soon u",
      "other 1 2 3",
    ];
    assert.deepEqual(readRecord(""), { lastRun: undefined, sources: [] });
    assert.deepEqual(readRecord(odd.join("\n")), { lastRun: undefined, sources: [{ id: "11111111" }] });
  });

  it("tells no password of a proxy, which an earlier version let into it", () => {
    const words = "the download failed: Unsupported proxy syntax in 'http//ops:marker@proxy:3128' http://ops:marker@b/";
    const { lastRun, sources } = readRecord(`run 5 1 failed ${words}\nsource 11111111 failure 5 ${words}\n`);
    for (const reason of [lastRun?.reason, sources[0]?.reason])
      assert.equal(reason, "the download failed: Unsupported proxy syntax in …@proxy:3128' http://…@b/");
  });

  it("cannot steer a terminal, and never throws however it is damaged", () => {
    const text = lines.join("\n");
    const damage = fc.record({
      from: fc.nat(text.length),
      to: fc.nat(20),
      insert: fc.string({ unit: "binary", maxLength: 30 }),
    });
    fc.assert(
      fc.property(damage, ({ from, to, insert }) => {
        const found = readRecord(text.slice(0, from) + insert + text.slice(from + to));
        const texts = [found.lastRun?.result, ...found.sources.flatMap((one) => [one.id, one.url, one.reason])];
        for (const one of texts) assert.equal(shown(one ?? ""), one ?? "");
      }),
      { numRuns: 500 },
    );
  });

  it("gives the time of the look only where something is refreshed", () => {
    assert.equal(factsOf(bare("cron")).refresh.nowSeconds, undefined);
    assert.equal(good().refresh.nowSeconds, now);
  });
});
