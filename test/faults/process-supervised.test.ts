/** An httpd in the foreground, as runit, supervisord and their like run it, that dies at our reload. */
import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import { startSession, type Session } from "../host/session.ts";
import { bytesOf, endHttpd } from "./bytes.ts";
import { faultyProgram } from "./program.ts";

const root = "/usr/local/ni/apache";
const inForeground = `${root}/bin/httpd -d ${root} -f conf/httpd.conf -D FOREGROUND -D LAB_DEFINE`;
const garbageCrl = Buffer.from("-----BEGIN X509 CRL-----\nnot a list\n-----END X509 CRL-----\n");

describe("an httpd in the foreground that dies at the reload", function () {
  this.timeout(90_000);
  let session: Session;
  const patience = 'list_answers_before() { deadline_seconds=6; ask_live "$work/answers.before"; }';
  let program: string;
  let clean: string;

  before(async () => {
    session = await startSession({}, {}, () => program);
    clean = await bytesOf(session);
  });
  beforeEach(() => void (program = faultyProgram({ unjudged: true, more: patience })));
  afterEach(() => endHttpd(session));
  after(() => session.stop());

  const run = async (command: string): Promise<void> => {
    await endHttpd(session);
    await session.lab.run(
      `rm -f ${root}/logs/httpd.pid; setsid sh -c '${command}' </dev/null >/dev/null 2>&1 & until [ -s ${root}/logs/httpd.pid ]; do sleep 0.05; done`,
    );
  };
  const die = async () => {
    const transaction = await session.prepare();
    const contents = new Map([...transaction.contents, ["crl.pem", garbageCrl]]);
    const outcome = await session.host.apply(session.target, { ...transaction, contents });
    assert.equal(outcome.result, "rolledBack");
    assert.match(outcome.reasons.join("\n"), /httpd died at the reload/);
    assert.doesNotMatch(outcome.reasons.join("\n"), /NOT/);
    assert.equal(await bytesOf(session), clean);
    assert.equal((await request(session.lab)).outcome, "200");
    return outcome;
  };
  const parent = (): Promise<string> =>
    session.lab.run(
      `pid=$(cat ${root}/logs/httpd.pid); echo "$(ps -o ppid= -p $pid) $(tr '\\0' ' ' </proc/$pid/cmdline)"`,
    );

  it("is left to its supervisor, which starts it anew", async () => {
    await run(`echo $$ >/run/supervisor; while [ -f /run/supervisor ]; do ${inForeground}; sleep 2; done`);
    const outcome = await die();
    const supervisor = (await session.lab.run("cat /run/supervisor; rm /run/supervisor")).trim();
    assert.equal((await parent()).trim(), `${supervisor} ${inForeground}`);
    assert.doesNotMatch(outcome.reasons.join("\n"), /supervisor/);
  });

  it("is brought back to the bytes of before also when its supervisor was quicker than we", async () => {
    await run(`echo $$ >/run/supervisor; while [ -f /run/supervisor ]; do ${inForeground}; done`);
    const reload = `kill() { [ "$1" = -USR1 ] && [ ! -f /run/ended ] || { command kill "$@"; return; }
      command kill "$2"; : >/run/ended; until started=$(cat ${root}/logs/httpd.pid) && [ "$started" != "$2" ] && read_process "$started"; do sleep 0.05; done; }`;
    program = faultyProgram({ unjudged: true, more: `${patience}\n${reload}` });
    assert.equal((await session.apply()).result, "rolledBack");
    await session.lab.run("rm /run/supervisor");
    assert.equal((await request(session.lab, { certificate: "revoked" })).outcome, "200");
    assert.equal(await bytesOf(session), clean);
  });

  it("is started, detached, where nobody else does, and that is told", async () => {
    await run(`exec ${inForeground}`);
    const outcome = await die();
    assert.match(outcome.reasons.join("\n"), /no supervisor started it again, so it was started without one/);
    assert.equal(
      (await parent()).trim().replace(/^\d+ /, ""),
      inForeground.replace("-D FOREGROUND ", "") + " -k start",
    );
  });
});
