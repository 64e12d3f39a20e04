/** An httpd in a unit of a real systemd: changed, and dying at our reload. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { request } from "../../lab/client.ts";
import { systemdProgram } from "../../lab/systemd.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { sourced, startRefreshSession } from "../host/refresh-session.ts";
import { startSession, type Session } from "../host/session.ts";
import { skipBecause } from "../skip.ts";
import { bytesOf, endHttpd } from "./bytes.ts";
import { faultyProgram } from "./program.ts";

const root = "/usr/local/ni/apache";
const requireSystemd = (test: Mocha.Context): void => {
  if (!existsSync(systemdProgram)) skipBecause(test, "systemd is not installed");
};
const garbageCrl = Buffer.from("-----BEGIN X509 CRL-----\nnot a list\n-----END X509 CRL-----\n");
const foreground = `ExecStart=${root}/bin/httpd -d ${root} -f conf/httpd.conf -D FOREGROUND`;

/** Lines of `[Service]`, after what distributions ship. */
const units: Readonly<Record<string, readonly string[]>> = {
  "as Debian's, forking, with a /tmp of its own": [
    "Type=forking",
    `PIDFile=${root}/logs/httpd.pid`,
    `ExecStart=${root}/bin/apachectl start`,
    "KillMode=mixed",
    "PrivateTmp=true",
    "Restart=on-abort",
  ],
  "as Red Hat's, in the foreground, with a /tmp of its own": [
    "Type=simple",
    foreground,
    "KillMode=mixed",
    "PrivateTmp=true",
  ],
  "that systemd restarts at once, until it gives up": ["Type=simple", foreground, "Restart=always", "RestartSec=10ms"],
};

for (const [kind, lines] of Object.entries(units)) {
  describe(`an httpd in a unit ${kind}`, function () {
    this.timeout(90_000);
    let session: Session;
    let program = hostScript();
    let clean: string;
    const mainProcess = (): Promise<string> => session.lab.run("systemctl show --property=MainPID --value httpd");

    before(async function () {
      requireSystemd(this);
      session = await startSession({ systemd: true }, {}, () => program);
      await endHttpd(session);
      const unit = ["[Service]", ...lines, ""].join("\n");
      await session.lab.run(`rm -f ${root}/logs/httpd.pid; cat >/etc/systemd/system/httpd.service`, unit);
      await session.lab.run(
        `systemctl daemon-reload && systemctl start httpd && until [ -s ${root}/logs/httpd.pid ]; do sleep 0.05; done`,
      );
      const roots = await session.lab.run(
        "for pid in 1 $(cat /usr/local/ni/apache/logs/httpd.pid); do readlink /proc/$pid/ns/mnt; done | uniq | wc -l",
      );
      assert.equal(Number(roots), lines.includes("PrivateTmp=true") ? 2 : 1);
      clean = await bytesOf(session);
    });
    after(() => session?.stop());

    it("is changed, reloaded within its unit, and comes back out to the byte", async () => {
      const parent = await mainProcess();
      const outcome = await session.apply();
      assert.deepEqual([outcome.result, outcome.judge], ["applied", "shadow"]);
      assert.equal((await request(session.lab, { certificate: "revoked" })).outcome, "refused");
      assert.equal((await session.remove()).result, "applied");
      assert.equal(await bytesOf(session), clean);
      assert.equal(await mainProcess(), parent);
    });

    it("dies at the reload, gets its files back and runs in its unit again", async () => {
      program = faultyProgram({ unjudged: true });
      const parent = await mainProcess();
      const transaction = await session.prepare();
      const contents = new Map([...transaction.contents, ["crl.pem", garbageCrl]]);
      const outcome = await session.host.apply(session.target, { ...transaction, contents });
      assert.equal(outcome.result, "rolledBack");
      assert.match(outcome.reasons.join("\n"), /httpd died at the reload; .* it was started again/);
      assert.doesNotMatch(outcome.reasons.join("\n"), /NOT|supervisor/);
      assert.equal(await bytesOf(session), clean);
      assert.equal((await request(session.lab)).outcome, "200");
      assert.notEqual(await mainProcess(), parent);
      assert.equal(await session.lab.run("systemctl is-active httpd"), "active\n");
      assert.equal(await session.lab.run(`cat ${root}/logs/httpd.pid`), await mainProcess());
    });
  });
}

describe("an httpd that a job of systemd has started", function () {
  this.timeout(90_000);

  it("is started again without the job, when it dies at the reload", async function () {
    requireSystemd(this);
    const session = await startSession({ systemd: true }, {}, () => faultyProgram({ unjudged: true }));
    try {
      await endHttpd(session);
      const start = `ExecStart=/bin/sh -c "echo ran >>/run/jobs; ${root}/bin/apachectl start"`;
      const unit = ["[Service]", "Type=oneshot", "KillMode=process", start, ""].join("\n");
      await session.lab.run("cat >/etc/systemd/system/job.service", unit);
      await session.lab.run("systemctl daemon-reload && systemctl start job");
      const transaction = await session.prepare();
      const contents = new Map([...transaction.contents, ["crl.pem", garbageCrl]]);
      const outcome = await session.host.apply(session.target, { ...transaction, contents });
      assert.equal(outcome.result, "rolledBack");
      assert.equal((await request(session.lab)).outcome, "200");
      assert.equal(await session.lab.run("cat /run/jobs"), "ran\n");
    } finally {
      await session.stop();
    }
  });
});

describe("a refresh that systemd's timer starts, at whose reload httpd dies", function () {
  this.timeout(90_000);

  before(function () {
    requireSystemd(this);
  });

  it("leaves the httpd alive that it had to start again outside of any unit", async () => {
    const deadly = `kill() { if [ "$1" = -USR1 ] && [ "$mode" = refresh ]; then command kill -TERM "$2"; else command kill "$@"; fi; }`;
    const session = await startRefreshSession({ cron: false, systemd: true }, () => faultyProgram({ more: deadly }));
    try {
      assert.equal((await session.apply(sourced(session.publisher))).result, "applied");
      // At the second death httpd is a process of our own service, which must not be started from within itself.
      for (const death of [1, 2]) {
        const parent = await session.lab.run(`cat ${root}/logs/httpd.pid`);
        await session.publishNew();
        const start = "cd /etc/systemd/system && timeout 40 systemctl start clientcert-*.service";
        assert.equal((await session.lab.exec(start)).status, 1, `death ${death}`);
        assert.notEqual(await session.lab.run(`cat ${root}/logs/httpd.pid`), parent);
        assert.equal((await session.look()).refresh.lastRun?.result, "reload");
        assert.equal((await request(session.lab)).outcome, "200");
      }
    } finally {
      await session.stop();
    }
  });
});
