/** A server that would not start on its own files, though `httpd -t` says OK: any reload ends the site. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "../../lab/client.ts";
import type { LabHostOptions } from "../../lab/options.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { sourced, startRefreshSession } from "../host/refresh-session.ts";
import { startSession, type Session } from "../host/session.ts";
import { unchanged } from "../host/unchanged.ts";
import { deadlyRows, type DeadlyRow } from "./deadly-table.ts";
import { faultyProgram } from "../faults/program.ts";
import { replaceOnce } from "../faults/program.ts";

const root = "/usr/local/ni/apache";
const start = `${root}/bin/apachectl start; timeout 10 sh -c 'until [ -s ${root}/logs/httpd.pid ]; do sleep 0.05; done'`;
const detection = { config: `${root}/conf/httpd.conf` };
const parentOf = (session: Session): Promise<string> => session.lab.run(`cat ${root}/logs/httpd.pid`);
const isAlive = `kill -0 $(cat ${root}/logs/httpd.pid) 2>/dev/null && grep -q '^State:.[SR]' /proc/$(cat ${root}/logs/httpd.pid)/status`;
const test = `set -a; . ${root}/bin/envvars; ${root}/bin/httpd -d ${root} -f conf/httpd.conf -t 2>&1`;

async function onHost(
  options: LabHostOptions,
  use: (session: Session) => Promise<void>,
  program = hostScript,
): Promise<void> {
  const session = await startSession(options, detection, program);
  try {
    await use(session);
  } finally {
    await session.stop();
  }
}

const onMarred = ({ server, virtualHost, prepare = ":", mar }: DeadlyRow, use: (session: Session) => Promise<void>) =>
  onHost(
    {
      stopped: true,
      ...(server === undefined ? {} : { serverDirectives: server }),
      ...(virtualHost === undefined ? {} : { virtualHostDirectives: virtualHost }),
    },
    async (session) => {
      await session.lab.run("cat >/srv/crl.pem", await session.lab.pki.crl());
      await session.lab.run(`${prepare}; ${start}`);
      await untilServing(session);
      await session.lab.run(mar);
      assert.match(await session.lab.run(test), /Syntax OK/);
      await use(session);
    },
  );

/** The pid file comes before the first answer. */
async function untilServing({ lab }: Session): Promise<void> {
  for (let tries = 0; tries < 100 && (await request(lab)).outcome !== "200"; tries++)
    await new Promise((resolve) => setTimeout(resolve, 50));
}

/** That a reload is deadly is seen on the live server itself. */
async function dieOfReload(session: Session): Promise<void> {
  await session.lab.run(`kill -USR1 $(cat ${root}/logs/httpd.pid)`);
  await session.lab.run(`timeout 15 sh -c 'while ${isAlive}; do sleep 0.05; done'`);
}

/** In which a refresh writes down how it ended. */
const exceptState = { exclude: ["/var/lib/clientcert"] };
const pipedLog = deadlyRows.find(({ code }) => code === "AH00104");

describe("a server whose next reload would end it", function () {
  this.timeout(90_000);

  it("has a row here for each code that counts on a host", () => {
    const text = readFileSync(new URL("../../host/posix/apache/deadly.sh", import.meta.url), "utf8");
    const listed = [...text.matchAll(/^(AH\d+) (?:program|file|content) /gm)].map(([, code]) => code);
    assert.deepEqual([...new Set(deadlyRows.map(({ code }) => code))].sort(), listed.sort());
  });

  for (const row of deadlyRows) {
    it(`is not reloaded, and says why: ${row.code}`, () =>
      onMarred(row, async (session) => {
        const parent = await parentOf(session);
        const outcome = await unchanged(session, () => session.apply({ reloadPendingEdits: true }));
        const reasons = outcome.reasons.join("\n");
        assert.deepEqual([outcome.result, outcome.judge], ["refused", "shadow"], reasons);
        assert.match(reasons, /would not start on the files that are installed now, so a reload would end the site: /);
        assert.match(reasons, row.says);
        assert.match(reasons, new RegExp(`${row.code}\\); mend this first, or write "reloadUnstartable: true"`));
        assert.equal(await parentOf(session), parent);
        assert.equal((await request(session.lab)).outcome, "200");
        await dieOfReload(session);
      }));
  }
});

describe("a server whose next reload would end it, all the same", function () {
  this.timeout(90_000);
  assert(pipedLog !== undefined);

  it("is reloaded where the site file says so", () =>
    onMarred(pipedLog, async (session) => {
      const outcome = await session.apply({}, { reloadUnstartable: true });
      assert.equal(outcome.result, "rolledBack");
      assert.match(outcome.reasons.join("\n"), /AH00104\); going on, as reloadUnstartable says/);
    }));

  it("is changed once it is mended", () =>
    onMarred(pipedLog, async (session) => {
      assert.equal((await session.judge()).result, "refused");
      await session.lab.run("chmod 755 /opt/program");
      assert.equal((await session.apply()).result, "applied");
    }));

  it("is written to where it is stopped: nothing ends there", () =>
    onMarred(pipedLog, async (session) => {
      await session.lab.run(`${root}/bin/apachectl stop; while [ -e ${root}/logs/httpd.pid ]; do sleep 0.05; done`);
      assert.equal((await session.apply()).result, "stopped");
    }));

  it("is changed where the change is what mends it", () =>
    onHost({}, async (session) => {
      await session.apply();
      await session.lab.run(`echo garbage >${root}/conf/clientcert/crl.pem`);
      const outcome = await session.apply({ reloadPendingEdits: true });
      assert.equal(outcome.result, "applied", outcome.reasons.join("\n"));
      assert.equal((await request(session.lab, { certificate: "good" })).outcome, "200");
    }));

  it("keeps its CRL at a refresh, which raises the alarm", async () => {
    const session = await startRefreshSession({
      stopped: true,
      virtualHostDirectives: 'CustomLog "|/opt/program" common',
    });
    try {
      await session.lab.run(`cp /bin/cat /opt/program; ${start}`);
      await untilServing(session);
      assert.equal((await session.apply(sourced(session.publisher))).result, "applied");
      await session.lab.run("rm /opt/program");
      await session.publishNew(session.pki.clients.good.serial);
      const parent = await parentOf(session);
      const byHand = await unchanged(session, () => session.refresh(), exceptState);
      assert.equal(byHand.exitCode, 3);
      assert.match(byHand.output, /cannot be started \(\/opt\/program, AH00104\); mend this first$/m);
      assert.match(byHand.output, /httpd was not reloaded; the installed CRLs stay/);
      assert.deepEqual(await unchanged(session, () => session.timer(), exceptState), { exitCode: 3, output: "" });
      assert.match((await session.refresh("--status")).output, /refused: .*a reload would end .*\(exit status 3\)/);
      assert.equal(await parentOf(session), parent);
      assert.equal((await request(session.lab, { certificate: "good" })).outcome, "200");
      await dieOfReload(session);
    } finally {
      await session.stop();
    }
  });
});

describe("the shadow", function () {
  this.timeout(90_000);

  it("keeps nobody from a reload by what it leaves out itself (a stand-in for NFS)", () => {
    const program = () => replaceOnce(hostScript(), "nfs* | cifs", "ramfs | nfs* | cifs");
    const logged = { stopped: true, virtualHostDirectives: 'CustomLog "|/opt/link/program" common' };
    return onHost(
      logged,
      async (session) => {
        const mount = "mkdir /opt/remote; mount -t ramfs ramfs /opt/remote; ln -s remote /opt/link";
        await session.lab.run(`${mount}; cp /bin/cat /opt/remote/program; ${start}`);
        await untilServing(session);
        const outcome = await session.apply();
        assert.deepEqual([outcome.result, outcome.judge], ["applied", "minimal"], outcome.reasons.join("\n"));
      },
      program,
    );
  });

  it("speaks however long the program is", () => {
    const program = () => faultyProgram({ more: `: ${"x".repeat(200_000)}` });
    return onHost({}, async (session) => assert.equal((await session.judge()).judge, "shadow"), program);
  });
});
