/** What the timer of a host must do, whichever scheduler runs it. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { request } from "../../lab/client.ts";
import type { LabHostOptions } from "../../lab/options.ts";
import { skipBecause } from "../skip.ts";
import { listName, sourceOf, sourced, startRefreshSession, type RefreshSession } from "./refresh-session.ts";
import type { Wish } from "./session.ts";

export interface Manager {
  readonly scheduler: "cron" | "systemd";
  readonly host: LabHostOptions;
  /** Skipped without it. */
  readonly program: string;
  /** Patterns of the files that make the timer. */
  readonly files: readonly string[];
  /** What they say, for a time in a time zone. */
  readonly text: RegExp;
  /** Shell command by which somebody makes it stop. */
  readonly takeAway: string;
}

/** A running host with this scheduler, for further tests. */
export interface Timed {
  readonly session: RefreshSession;
  /** One source, at times that do not come while tests run. */
  readonly wish: Wish;
}

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

/** `more` adds tests of one scheduler, before the removal. */
export function testTimer(manager: Manager, more: (timed: () => Timed) => void = () => undefined): void {
  const { scheduler, host, program, files, text, takeAway } = manager;
  describe(`the timer of a host with ${scheduler}`, function () {
    this.timeout(200_000);
    let session: RefreshSession;
    const sources = () => [sourceOf([session.publisher.url(listName)])];
    const timed = (): Timed => ({ session, wish: sourced(session.publisher, { crlSources: sources() }) });
    const isRefused = async (): Promise<boolean> =>
      (await request(session.lab, { certificate: "good" })).outcome === "refused";

    before(async function () {
      if (!existsSync(program)) skipBecause(this, `${program} is not installed`);
      session = await startRefreshSession(host);
    });
    after(() => session?.stop());

    it("brings a revocation at its minute, in its time zone", async () => {
      const timeZone = "Asia/Tokyo";
      // Not a minute that may begin before the change is made.
      const minutes = new Date().getSeconds() < 35 ? 1 : 2;
      const crlRefresh = { times: [timeIn(timeZone, minutes)], timeZone, spreadMinutes: 0, alarmHours: 24 };
      const outcome = await session.apply(sourced(session.publisher, { crlSources: sources(), crlRefresh }));
      assert.equal(outcome.result, "applied");
      const { refresh } = await session.look();
      assert.deepEqual([refresh.scheduler, refresh.isTimerEnabled], [scheduler, true]);
      assert.match(await session.lab.run(`cat ${files.join(" ")}`), text);
      await session.publishNew(session.pki.clients.good.serial);
      // In another minute cron's line does nothing.
      if (scheduler === "cron") assert.deepEqual(await session.timer(), { exitCode: 0, output: "" });
      assert.equal(await isRefused(), false);
      assert.equal(await until(isRefused, 3 * minuteMilliseconds), true);
      assert.equal((await session.look()).refresh.lastRun?.result, "updated");
    });

    it("is drift when somebody has taken it away, and comes back with the next change", async () => {
      const { wish } = timed();
      await session.apply(wish);
      assert.equal((await session.plan(wish)).change, undefined);
      await session.lab.run(takeAway);
      assert.notEqual((await session.plan(wish)).change, undefined);
      assert.equal((await session.apply(wish)).result, "applied");
      assert.equal((await session.plan(wish)).change, undefined);
      assert.equal((await session.look()).refresh.isTimerEnabled, true);
    });

    more(timed);

    it("goes with the removal", async () => {
      assert.equal((await session.remove()).result, "applied");
      assert.equal(await session.lab.run(findLeft), "");
    });
  });
}

/** Shell command that prints what is left of a timer. */
export const findLeft =
  "find /etc/cron.d /etc/systemd /var/lib -name '*clientcert*'; [ ! -d /run/systemd/system ] || systemctl list-units --all --plain --no-legend 'clientcert*'";
