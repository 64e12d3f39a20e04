/** A run that is killed while the smaller judge has its throw-away httpd running. */
import assert from "node:assert/strict";
import { startSession, type Session } from "../host/session.ts";
import { faultyProgram } from "../faults/program.ts";

const httpdOfJudge = "[m]inimal/httpd.conf";

describe("a smaller judge that is killed with its httpd running", function () {
  this.timeout(90_000);
  let session: Session;
  let program = faultyProgram({});

  before(async () => void (session = await startSession({ without: ["unshare"] }, {}, () => program)));
  after(() => session.stop());

  it("leaves no second server in the way of the next look, and none running", async () => {
    const kill = 'wait_for_minimal() { until [ -s "$work/minimal/pid" ]; do sleep 0.05; done; kill -KILL $$; }';
    program = faultyProgram({ more: `extend_deadline() { deadline_seconds=6; }\n${kill}` });
    await assert.rejects(session.apply(), /as if it had been killed/);
    program = faultyProgram({});
    assert.equal((await session.lab.exec(`pgrep -f '${httpdOfJudge}'`)).status, 0, "the judge's httpd still runs");
    assert.equal((await session.look()).server.running, true);
    await session.lab.run(`timeout 30 sh -c "while pgrep -f '${httpdOfJudge}'; do sleep 0.2; done"`);
    const outcome = await session.apply();
    assert.deepEqual([outcome.result, outcome.judge], ["applied", "minimal"]);
    assert.equal((await session.lab.exec(`pgrep -f '${httpdOfJudge}'`)).status, 1);
  });
});
