import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import { HostError } from "../../provider/remote/host-error.ts";
import type { Detection } from "../../core/apache/inputs.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { startSession, type Session } from "../host/session.ts";
import { bytesOf, endHttpd } from "./bytes.ts";
import { faultyProgram } from "./program.ts";

const root = "/usr/local/ni/apache";
const detection = { httpd: `${root}/bin/httpd`, config: `${root}/conf/httpd.conf`, defines: ["LAB_DEFINE"] };
/** httpd's own check only looks whether the file is empty. */
const garbageCrl = Buffer.from("-----BEGIN X509 CRL-----\nnot a list\n-----END X509 CRL-----\n");

const parentOf = ({ lab }: Session): Promise<string> => lab.run(`cat ${root}/logs/httpd.pid`);
/** Command line and environment of the live parent. */
const surroundingsOf = async ({ lab }: Session): Promise<string> =>
  lab.run(
    `cd /proc/$(cat ${root}/logs/httpd.pid) && tr '\\0' '\\n' <cmdline | grep -vx -e -k -e start && tr '\\0' '\\n' <environ | grep LAB_`,
  );

describe("a live server that fails a change", function () {
  this.timeout(60_000);
  let session: Session;
  let program = faultyProgram({ unjudged: true });
  let clean: string;

  before(async () => {
    session = await startSession(
      { defines: ["LAB_DEFINE"], environment: { LAB_WORD: "one two" } },
      detection,
      () => program,
    );
    clean = await bytesOf(session);
  });
  afterEach(() => void (program = faultyProgram({ unjudged: true })));
  after(() => session.stop());

  it("dies at the reload, gets its files back and is started the way it had been started, which is told", async () => {
    const [surroundings, parent] = [await surroundingsOf(session), await parentOf(session)];
    const transaction = await session.prepare();
    const contents = new Map([...transaction.contents, ["crl.pem", garbageCrl]]);
    const outcome = await session.host.apply(session.target, { ...transaction, contents });
    assert.equal(outcome.result, "rolledBack");
    assert.match(outcome.reasons.join("\n"), /httpd died at the reload; .* it was started again/);
    assert.notEqual(await parentOf(session), parent);
    assert.equal(outcome.observation?.server.isRunning, true);
    assert.equal(await surroundingsOf(session), surroundings);
    assert.equal(await bytesOf(session), clean);
    assert.equal((await request(session.lab)).outcome, "200");
  });

  it("is not signalled when the pid file names another process, which lives on", async () => {
    const parent = await parentOf(session);
    const stranger = (await session.lab.run("setsid sleep 300 >/dev/null 2>&1 & echo $!")).trim();
    await session.lab.run(`echo ${stranger} >${root}/logs/httpd.pid`);
    const outcome = await session.apply();
    assert.equal(outcome.result, "rolledBack");
    assert.match(outcome.reasons.join("\n"), /pid file .* does not name the httpd .* not signalled/);
    await session.lab.run(`kill ${stranger}`); // fails when it does not live any more
    await session.lab.run(`printf %s '${parent}' >${root}/logs/httpd.pid`);
    assert.equal(await bytesOf(session), clean);
    assert.equal((await request(session.lab)).outcome, "200");
  });

  it("is not signalled when the pid file is missing", async () => {
    await session.lab.run(`mv ${root}/logs/httpd.pid /run/kept`);
    const outcome = await session.apply();
    await session.lab.run(`mv /run/kept ${root}/logs/httpd.pid`);
    assert.equal(outcome.result, "rolledBack");
    assert.match(outcome.reasons.join("\n"), /not signalled/);
    assert.equal(await bytesOf(session), clean);
    assert.equal((await request(session.lab)).outcome, "200");
  });

  it("answers otherwise than the judge promised, and gets its files back", async () => {
    program = faultyProgram({ unjudged: true, more: "health_differs() { echo a.lab.test answers 500; }" });
    const outcome = await session.apply();
    assert.equal(outcome.result, "rolledBack");
    assert.match(outcome.reasons.join("\n"), /does not answer as the judge promised: a\.lab\.test answers 500/);
    assert.equal(await bytesOf(session), clean);
    assert.equal((await request(session.lab, { certificate: "revoked" })).outcome, "200");
  });

  it("answers otherwise than promised at a removal, and keeps its files", async () => {
    program = hostScript();
    assert.equal((await session.apply()).result, "applied");
    const htdocs = `${root}/htdocs`;
    program = faultyProgram({ more: `wait_for_reload() { sleep 1; chmod 0 ${htdocs}; }` });
    const outcome = await session.remove();
    await session.lab.run(`chmod 755 ${htdocs}`);
    assert.match(outcome.reasons.join("\n"), /does not answer as the judge promised: .* answers 403/);
    assert.equal(outcome.result, "rolledBack");
    program = hostScript();
    assert.equal((await session.remove()).result, "applied");
    assert.equal(await bytesOf(session), clean);
  });

  it("answers nobody any more, and gets its files back while its users still wait", async () => {
    // As a hung server does to whoever asks it, with a shorter deadline.
    const patience = 'list_answers_before() { deadline_seconds=2; : >"$work/answers.before"; }';
    const hung = 'ask_live() { sleep 1; echo hung >"$1"; }\nhealth_differs() { echo hung; }';
    program = faultyProgram({ unjudged: true, more: `${patience}\n${hung}` });
    const transaction = await session.prepare();
    const started = Date.now();
    const outcome = await session.host.apply(session.target, transaction);
    assert.equal(outcome.result, "rolledBack");
    assert.ok(Date.now() - started < 20_000);
    assert.equal(await bytesOf(session), clean);
  });

  for (const [what, meanwhile] of Object.entries({
    "was started anew by somebody": `kill "$parent"; while read_process "$parent"; do sleep 0.05; done; ${root}/bin/apachectl start`,
    "was reloaded by somebody": `signalled_by_somebody=$(now_ticks); kill -USR1 "$parent"; until has_new_child "$signalled_by_somebody"; do sleep 0.05; done`,
  })) {
    it(`${what} in the middle of a removal that is then put back: owes a reload, and gets it with the next change`, async () => {
      program = hostScript();
      assert.equal((await session.apply()).result, "applied");
      await new Promise((resolve) => setTimeout(resolve, 1100)); // other children than those of our reload
      program = faultyProgram({ unjudged: true, more: `reload() { ${meanwhile}; return 1; }` });
      assert.equal((await session.remove()).result, "rolledBack");
      program = hostScript();
      assert.match((await session.look()).own.owed ?? "", /a change was put back, and httpd may have/);
      assert.equal((await session.apply()).result, "applied");
      assert.equal((await session.look()).own.owed, undefined);
      assert.equal((await request(session.lab, { certificate: "revoked" })).outcome, "refused");
      assert.equal((await session.remove()).result, "applied");
      assert.equal(await bytesOf(session), clean);
    });
  }

  it("stays stopped when the operator stopped it; the change waits for its start, and the look says so", async () => {
    await endHttpd(session);
    await session.lab.run(`rm -f ${root}/logs/httpd.pid`);
    program = hostScript();
    const outcome = await session.apply();
    assert.deepEqual([outcome.result, outcome.judge], ["stopped", "shadow"]);
    assert.match(outcome.reasons.join("\n"), /httpd is stopped, and stays so/);
    assert.equal(outcome.observation?.server.configFile, `${root}/conf/httpd.conf`);
    assert.equal((await session.lab.exec("pgrep -x httpd")).status, 1);
    assert.match((await session.look()).own.owed ?? "", /stopped when this was written/);
    await session.lab.run(`${root}/bin/apachectl start`);
    assert.equal((await session.look()).own.owed, undefined);
    assert.equal((await request(session.lab, { certificate: "revoked" })).outcome, "refused");
    assert.equal((await session.remove()).result, "applied");
    assert.equal(await bytesOf(session), clean);
  });
});

describe("several httpd servers on one host", function () {
  this.timeout(60_000);
  let session: Session;
  const detected: { -readonly [key in keyof Detection]: Detection[key] } = {};

  before(async () => {
    session = await startSession({ secondInstance: true }, detected);
  });
  afterEach(() => ["config", "pidFile", "httpd"].forEach((name) => Reflect.deleteProperty(detected, name)));
  after(() => session.stop());
  const otherParent = () =>
    session.lab.run("cat /usr/local/other/logs/httpd.pid; grep -c AH00493 /usr/local/other/logs/error_log || :");

  it("are listed when none is named", async () => {
    const error = await session.look().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof HostError);
    assert.equal(error.kind, "severalHttpds");
    for (const config of [`${root}/conf/httpd.conf`, "/usr/local/other/conf/httpd.conf"])
      assert.ok(error.message.includes(config), error.message);
  });

  it("are told apart by configuration or pid file, and the other one is left alone", async () => {
    const other = await otherParent();
    for (const one of [{ config: `${root}/conf/httpd.conf` }, { pidFile: `${root}/logs/httpd.pid` }]) {
      Reflect.deleteProperty(detected, "config");
      Object.assign(detected, one);
      assert.equal((await session.apply()).result, "applied", JSON.stringify(one));
      assert.equal((await request(session.lab, { certificate: "revoked" })).outcome, "refused");
      assert.equal((await session.remove()).result, "applied");
    }
    assert.equal(await otherParent(), other);
  });

  it("are no stopped server when the pid file that is named is nobody's", async () => {
    for (const config of [{ config: `${root}/conf/httpd.conf` }, {}]) {
      Reflect.deleteProperty(detected, "config");
      Object.assign(detected, { ...config, pidFile: "/run/nobody.pid" });
      await assert.rejects(
        session.look(),
        /^HostError: .*: \/run\/nobody\.pid: names no httpd that runs here, and these do/,
      );
    }
  });

  it("are not waited for when a pipe that nobody writes to lies in place of the pid file", async () => {
    await session.lab.run("mkfifo /run/pipe.pid");
    Object.assign(detected, { config: `${root}/conf/httpd.conf`, pidFile: "/run/pipe.pid" });
    await assert.rejects(session.look(), /names no httpd that runs here/);
  });

  it("are nothing to one that is stopped, whatever its pid file says", async () => {
    detected.config = `${root}/conf/httpd.conf`;
    await session.lab.run(
      `kill $(cat ${root}/logs/httpd.pid) && while [ -f ${root}/logs/httpd.pid ]; do sleep 0.05; done`,
    );
    await session.lab.run(`cp /usr/local/other/logs/httpd.pid ${root}/logs/httpd.pid`);
    assert.equal((await session.apply()).result, "stopped");
    assert.equal((await session.lab.exec("grep -c AH00493 /usr/local/other/logs/error_log")).stdout, "0\n");
    await session.lab.run(`rm ${root}/logs/httpd.pid && ${root}/bin/apachectl start`);
    assert.equal((await session.remove()).result, "applied");
  });

  it("are not counted when they run in a container", async () => {
    const container = `unshare --pid --fork --mount --mount-proc sh -c 'rm -f /usr/local/other/logs/httpd.pid; exec /usr/sbin/apache2 -d /usr/local/other -f conf/httpd.conf -D FOREGROUND'`;
    await session.lab.run(
      `kill $(cat /usr/local/other/logs/httpd.pid) && while pgrep -x apache2; do sleep 0.05; done >/dev/null`,
    );
    await session.lab.run(
      `(setsid ${container} >/dev/null 2>&1 &) && until pgrep -x apache2 >/dev/null; do sleep 0.05; done`,
    );
    const facts = await session.look();
    assert.equal(facts.server.configFile, `${root}/conf/httpd.conf`);
  });
});

describe("a look at a host where somebody asks or signals httpd just now", function () {
  this.timeout(60_000);

  it("takes no program that is gone in a moment for a second server", async () => {
    const session = await startSession();
    try {
      await session.lab.run("mkdir /run/passing && cp /bin/sleep /run/passing/httpd");
      await session.lab.run("setsid /run/passing/httpd 1.5 >/dev/null 2>&1 &");
      const { server } = await session.host.observe(session.target);
      assert.deepEqual([server.isRunning, server.configFile], [true, `${root}/conf/httpd.conf`]);
    } finally {
      await session.stop();
    }
  });
});

describe("an httpd that writes the errors of its start into a log of their own (-E)", function () {
  this.timeout(60_000);

  it("finds nothing of ours in it after a look and a judgement", async () => {
    const session = await startSession();
    try {
      await endHttpd(session);
      const log = `${root}/logs/startup_log`;
      await session.lab.run(`${root}/bin/httpd -d ${root} -f conf/httpd.conf -E ${log} -k start`);
      const before = await session.lab.run(`cat ${log}`);
      assert.equal((await session.judge()).result, "well");
      assert.equal(await session.lab.run(`cat ${log}`), before);
    } finally {
      await session.stop();
    }
  });
});
