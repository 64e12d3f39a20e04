/** The timers: a real cron that runs the job, and systemd's own reader for the units, where systemd is not pid 1. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
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

describe("the timer of a host with cron", function () {
  this.timeout(200_000);
  let session: RefreshSession;
  const isRefused = async (): Promise<boolean> =>
    (await request(session.lab, { certificate: "good" })).outcome === "refused";

  before(async () => {
    session = await startRefreshSession();
  });
  after(() => session.stop());

  it("brings a revocation at its minute, in its time zone, and does nothing in another minute", async () => {
    const timeZone = "Asia/Tokyo";
    const sources = [sourceOf([session.publisher.url(listName)])];
    // Not a minute that may begin before the change is made.
    const minutes = new Date().getSeconds() < 35 ? 1 : 2;
    const crlRefresh = { times: [timeIn(timeZone, minutes)], timeZone, spreadMinutes: 0, alarmHours: 24 };
    const outcome = await session.apply(sourced(session.publisher, { crlSources: sources, crlRefresh }));
    assert.equal(outcome.result, "applied");
    assert.equal((await session.look()).refresh.isTimerEnabled, true);
    assert.match(
      await session.lab.run("cat /etc/cron.d/clientcert-*"),
      /^\d[\d,]* \* \* \* \* root \/bin\/sh .*--timer$/m,
    );
    await session.publishNew(session.pki.clients.good.serial);
    assert.deepEqual(await session.timer(), { exitCode: 0, output: "" });
    assert.equal(await isRefused(), false);
    assert.equal(await until(isRefused, 3 * minuteMilliseconds), true);
    assert.equal((await session.look()).refresh.lastRun?.result, "updated");
  });
});

describe("the timer of a host with systemd (read by its own programs; not run, as systemd is not pid 1 here)", function () {
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
