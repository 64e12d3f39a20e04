/** A real systemd that runs the job, and its own reader for the units. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { renderTimers } from "../../core/crl-refresh/refresh-files.ts";
import { systemdProgram } from "../../lab/systemd.ts";
import { skipBecause } from "../skip.ts";
import { listName } from "../host/refresh-session.ts";
import { findLeft, testTimer } from "../host/refresh-timers.ts";

const units = "/etc/systemd/system";

testTimer(
  {
    scheduler: "systemd",
    host: { cron: false, systemd: true },
    program: systemdProgram,
    files: ["timer", "service"].map((kind) => `${units}/clientcert-*.${kind}`),
    text: /^OnCalendar=.* Asia\/Tokyo$[^]*^ExecStart=\/bin\/sh .*--timer$/m,
    takeAway: `cd ${units} && systemctl disable --quiet --now clientcert-*.timer`,
  },
  (timed) => {
    it("is not what runs when somebody has altered it with systemctl edit, and the plan says so", async () => {
      const { session, wish } = timed();
      const edit = "mkdir $unit.d && printf '[Timer]\\nOnCalendar=2099-01-01\\n' >$unit.d/override.conf";
      await session.lab.run(
        `cd ${units} && for unit in clientcert-*.timer; do ${edit}; done && systemctl daemon-reload`,
      );
      const found = (await session.plan(wish)).diagnostics.find(({ place }) =>
        /\.timer\.d\/override\.conf$/.test(place),
      );
      assert.equal(found?.severity, "warning");
      await session.lab.run(`rm -r ${units}/clientcert-*.timer.d && systemctl daemon-reload`);
    });

    for (const [what, before] of Object.entries({
      "a failed run, which systemd remembers": "systemctl start clientcert-*.service",
      "somebody has deleted its file": "rm clientcert-*.timer",
    })) {
      it(`goes with the removal, after ${what}, and comes back`, async () => {
        const { session, wish } = timed();
        session.publisher.publish(listName, "no list");
        await session.lab.exec(`cd ${units} && ${before}`);
        assert.equal((await session.remove()).result, "applied");
        assert.equal(await session.lab.run(findLeft), "");
        session.publisher.publish(listName, await session.pki.crl());
        assert.equal((await session.apply(wish)).result, "applied");
      });
    }
  },
);

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
      const rendered = renderTimers(
        { crlRefresh } as never,
        {
          refresh: { scheduler: "systemd" },
          server: { instance: "0123456789abcdef" },
        } as never,
      );
      assert.equal(rendered.length, 2);
      const files = rendered.map(({ path: file, text }) => {
        const copy = path.join(directory, path.basename(file));
        writeFileSync(copy, text);
        return copy;
      });
      const verified = spawnSync("systemd-analyze", ["verify", ...files], { encoding: "utf8" });
      assert.deepEqual([verified.status, verified.stderr], [0, ""]);
      const times = rendered.flatMap(({ text }) =>
        [...text.matchAll(/^OnCalendar=(.*)$/gm)].map((match) => match[1] ?? ""),
      );
      assert.equal(times.length, 2);
      for (const time of times) {
        assert.match(execFileSync("systemd-analyze", ["calendar", time], { encoding: "utf8" }), /Next elapse: \S/);
      }
    });
  }
});
