/** A server that pipes its log to a program, as with rotatelogs: that program is a child of httpd, too. */
import assert from "node:assert/strict";
import { startSession, type Session } from "../host/session.ts";
import { faultyProgram } from "../faults/program.ts";

describe("a server that pipes its log to a program", function () {
  this.timeout(60_000);
  let session: Session;
  let program = faultyProgram({});

  before(async () => {
    session = await startSession({ serverDirectives: 'ErrorLog "|/bin/cat"' }, {}, () => program);
  });
  after(() => session.stop());

  const configuration = (): Promise<string> =>
    session.lab.run("find /usr/local/ni/apache/conf -type f -exec sha256sum {} + | sort");

  it("is not taken for reloaded because that program was started anew", async () => {
    const clean = await configuration();
    // The reload never comes to pass, and what the log goes to ends in this very moment.
    const reload =
      'kill() { [ $1 = -USR1 ] || { command kill "$@"; return; }; for log in $(pgrep -P "$2" -x cat); do command kill $log; done; }';
    const patience = 'list_answers_before() { deadline_seconds=3; ask_live "$work/answers.before"; }';
    program = faultyProgram({ unjudged: true, more: `${reload}\n${patience}` });
    const outcome = await session.apply();
    assert.equal(outcome.result, "rolledBack");
    assert.match(outcome.reasons.join("\n"), /reload on the bytes of before could not be seen/);
    assert.equal(await configuration(), clean);
  });

  it("is judged, reloaded and looked at as any other", async () => {
    program = faultyProgram({});
    const outcome = await session.apply();
    assert.deepEqual([outcome.result, outcome.judge], ["applied", "shadow"], outcome.reasons.join("\n"));
    assert.equal((await session.remove()).result, "applied");
  });
});
