/** What a local user of the host, or the surroundings of the login, could do to a run. */
import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import { startSession, type Session } from "../host/session.ts";
import { bytesOf } from "../faults/bytes.ts";
import { faultyProgram } from "../faults/program.ts";

describe("a run among hostile neighbours", function () {
  this.timeout(60_000);
  let session: Session;
  let program = faultyProgram({});

  before(async () => void (session = await startSession({}, {}, () => program)));
  afterEach(async () => {
    program = faultyProgram({});
    const { own } = await session.look();
    if (own.owner !== undefined) await session.remove();
  });
  after(() => session.stop());

  it("writes through no directory and no link that another user has put where it works", async () => {
    const { lab } = session;
    await lab.run("echo kept >/etc/victim");
    await lab.run(`setpriv --reuid=65534 --regid=65534 --clear-groups perl -e '
      chdir "/dev/shm"; for $n (1 .. 20000) { mkdir "clientcert.$n"; symlink "/etc/victim", "clientcert.$n/answers.$_" for 0 .. 3 }'`);
    const outcome = await session.apply();
    assert.equal(await lab.run("cat /etc/victim"), "kept\n");
    assert.equal(outcome.result, "applied");
    assert.equal((await lab.run("ls -A /dev/shm | wc -l")).trim(), "20000", "what others have is theirs");
    await lab.run("find /dev/shm -mindepth 1 -delete");
  });

  it("is not hidden from by more processes than fit on one command line (a stand-in for stat)", async () => {
    const stat = 'stat() { case "$*" in *"/exe /proc/"*) return 126 ;; esac; command stat "$@"; }';
    program = faultyProgram({ more: stat });
    assert.equal((await session.look()).server.running, true);
  });

  it("does not take a look that got no answer for a good one", async () => {
    const clean = await bytesOf(session);
    program = faultyProgram({ more: 'ask_live() { :; } >"$1"' });
    const outcome = await session.apply();
    assert.equal(outcome.result, "rolledBack");
    assert.equal(await bytesOf(session), clean);
  });

  it("does not take a judge who asked nothing for a content one", async () => {
    program = faultyProgram({ more: "ask_all() { :; }" });
    const outcome = await session.apply();
    assert.notEqual(outcome.result, "applied");
    assert.equal((await request(session.lab, { certificate: "revoked" })).outcome, "200");
  });

  it("is led astray by no variable of the login's environment", async () => {
    // Once, as the login does it; the processes of the run inherit it.
    const words = "QUOTING_STYLE=literal POSIXLY_CORRECT=1 undo_quiet=yes script=: reload_signalled=1 asks_probes=yes";
    program = `[ -n "\${login:-}" ] || { login=done ${words}; export login ${words.replace(/=\S+/g, "")}; }\n${faultyProgram({})}`;
    const outcome = await session.apply();
    assert.equal(outcome.result, "applied", outcome.reasons.join("\n"));
    assert.equal(outcome.judge, "shadow");
    assert.notEqual(outcome.observation, undefined);
    assert.equal(outcome.observation?.server.isRunning, true);
  });

  it("undone by hand takes nothing that somebody else has put beside our files", async () => {
    const own = "/usr/local/ni/apache/conf/clientcert";
    await session.apply();
    await session.lab.run(`echo kept >${own}/README.local; sh /var/lib/clientcert/*/undo`);
    assert.equal(await session.lab.run(`ls ${own}; cat ${own}/*; rm -r ${own}`), "README.local\nkept\n");
  });
});
