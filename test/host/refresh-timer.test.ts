/** The timers: a real cron and a real systemd that run the job, and systemd's own reader for the units. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { renderTimers } from "../../core/apache/refresh.ts";
import { skipBecause } from "../skip.ts";
import { request } from "../../lab/client.ts";
import { listName, sourceOf, sourced, startRefreshSession, type RefreshSession } from "./refresh-session.ts";

const minuteMilliseconds = 60_000;

/** `HH:MM` in that zone, so many minutes from now. */
function timeIn(timeZone: string, minutes: number): string {
  const at = new Date(Date.now() + minutes * minuteMilliseconds);
  return at.toLocaleTimeString("en-GB", { timeZone, hour: "2-digit", minute: "2-digit" });
}

async function until(isTrue: () => Promise<boolean>, limitMilliseconds: number): Promise<boolean> {
  for (const end = Date.now() + limitMilliseconds; Date.now() < end;) {
    if (await isTrue()) return true;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return false;
}

const managers = {
  cron: { host: { cron: true }, program: "/usr/sbin/cron", files: ["/etc/cron.d/clientcert-*"] },
  systemd: {
    host: { cron: false, systemd: true },
    program: "/lib/systemd/systemd",
    files: ["timer", "service"].map((kind) => `/etc/systemd/system/clientcert-*.${kind}`),
  },
} as const;

for (const [scheduler, { host, program, files }] of Object.entries(managers)) {
  describe(`the timer of a host with ${scheduler}`, function () {
    this.timeout(200_000);
    let session: RefreshSession;
    const sources = () => [sourceOf([session.publisher.url(listName)])];
    const isRefused = async (): Promise<boolean> =>
      (await request(session.lab, { certificate: "good" })).outcome === "refused";

    before(async function () {
      if (!existsSync(program)) skipBecause(this, `${program} is not installed`);
      session = await startRefreshSession(host);
    });
    after(() => session?.stop());

    it("brings a revocation at its minute, in its time zone, and does nothing in another minute", async () => {
      const timeZone = "Asia/Tokyo";
      // Not a minute that may begin before the change is made.
      const minutes = new Date().getSeconds() < 35 ? 1 : 2;
      const crlRefresh = { times: [timeIn(timeZone, minutes)], timeZone, spreadMinutes: 0, alarmHours: 24 };
      const outcome = await session.apply(sourced(session.publisher, { crlSources: sources(), crlRefresh }));
      assert.equal(outcome.result, "applied");
      const { refresh } = await session.look();
      assert.deepEqual([refresh.scheduler, refresh.isTimerEnabled], [scheduler, true]);
      const timer = await session.lab.run(`cat ${files.join(" ")}`);
      assert.match(timer, /^(\d[\d,]* \* \* \* \* root |ExecStart=)\/bin\/sh .*--timer$/m);
      await session.publishNew(session.pki.clients.good.serial);
      if (scheduler === "cron") assert.deepEqual(await session.timer(), { exitCode: 0, output: "" });
      assert.equal(await isRefused(), false);
      assert.equal(await until(isRefused, 3 * minuteMilliseconds), true);
      assert.equal((await session.look()).refresh.lastRun?.result, "updated");
    });

    if (scheduler === "systemd") {
      it("is not what runs when somebody has altered it with systemctl edit, and the plan says so", async () => {
        const file = "OnCalendar=2099-01-01";
        await session.lab.run(
          `cd /etc/systemd/system && for unit in clientcert-*.timer; do mkdir $unit.d && printf '[Timer]\\n${file}\\n' >$unit.d/override.conf; done && systemctl daemon-reload`,
        );
        const { findings } = await session.plan(sourced(session.publisher, { crlSources: sources() }));
        const [found] = findings.filter(({ place }) => place.endsWith(".timer.d/override.conf"));
        assert.equal(found?.severity, "warning");
        await session.lab.run("rm -r /etc/systemd/system/clientcert-*.timer.d && systemctl daemon-reload");
      });
    }

    it("is drift when somebody has taken it away, and comes back with the next change", async () => {
      const wish = sourced(session.publisher, { crlSources: sources() });
      await session.apply(wish);
      assert.equal((await session.plan(wish)).change, undefined);
      const takeAway = `cd /etc/systemd/system && systemctl disable --quiet --now clientcert-*.timer`;
      await session.lab.run(scheduler === "systemd" ? takeAway : `rm ${files.join(" ")}`);
      assert.notEqual((await session.plan(wish)).change, undefined);
      assert.equal((await session.apply(wish)).result, "applied");
      assert.equal((await session.plan(wish)).change, undefined);
      assert.equal((await session.look()).refresh.isTimerEnabled, true);
    });

    const removals: Readonly<Record<string, string>> = {
      "": "",
      ...(scheduler === "systemd"
        ? {
            ", a failed run and what systemd remembers of it, too": "systemctl start clientcert-*.service",
            ", although somebody has deleted its file": "rm clientcert-*.timer",
          }
        : {}),
    };
    for (const [what, before] of Object.entries(removals)) {
      it(`goes with the removal${what}`, async () => {
        await session.apply(sourced(session.publisher, { crlSources: sources() })).catch(() => undefined);
        session.publisher.publish(listName, "no list");
        await session.lab.exec(`cd /etc/systemd/system && ${before || ":"}`);
        assert.equal((await session.remove()).result, "applied");
        const left = await session.lab.run("find /etc/cron.d /etc/systemd /var/lib -name '*clientcert*'");
        assert.equal(left, "");
        if (scheduler === "systemd") {
          assert.equal(await session.lab.run("systemctl list-units --all --plain --no-legend 'clientcert*'"), "");
        }
        session.publisher.publish(listName, await session.pki.crl());
      });
    }
  });
}

describe("the units of the timer, read by systemd's own programs", function () {
  let directory: string;

  before(function () {
    if (spawnSync("systemd-analyze", ["--version"]).status !== 0) skipBecause(this, "systemd-analyze is not installed");
    directory = mkdtempSync(path.join(tmpdir(), "clientcert-units-"));
  });
  after(() => directory && rmSync(directory, { recursive: true, force: true }));

  for (const timeZone of [undefined, "Asia/Tokyo"]) {
    it(`is right in the eyes of systemd-analyze, ${timeZone ?? "without a time zone"}`, () => {
      const crlRefresh = { times: ["00:30", "12:05"], timeZone, spreadMinutes: 20, alarmHours: 24 };
      // as: the texts depend on nothing else
      const units = renderTimers(
        { crlRefresh } as never,
        {
          refresh: { scheduler: "systemd" },
          server: { instance: "0123456789abcdef" },
        } as never,
      );
      assert.equal(units.length, 2);
      const files = units.map(({ path: file, text }) => {
        const copy = path.join(directory, path.basename(file));
        writeFileSync(copy, text);
        return copy;
      });
      const verified = spawnSync("systemd-analyze", ["verify", ...files], { encoding: "utf8" });
      assert.deepEqual([verified.status, verified.stderr], [0, ""]);
      const times = units.flatMap(({ text }) =>
        [...text.matchAll(/^OnCalendar=(.*)$/gm)].map((match) => match[1] ?? ""),
      );
      assert.equal(times.length, 2);
      for (const time of times) {
        assert.match(execFileSync("systemd-analyze", ["calendar", time], { encoding: "utf8" }), /Next elapse: \S/);
      }
    });
  }
});
