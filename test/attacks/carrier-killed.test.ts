/** What a run leaves that is killed outright, or by a signal, is put back by the timer and by itself. */
import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { sourced, startRefreshSession, stateDirectory, type RefreshSession } from "../host/refresh-session.ts";
import type { Wish } from "../host/session.ts";
import { bytesOf } from "../faults/bytes.ts";
import { conf } from "../faults/kill.ts";
import { faultyProgram } from "../faults/program.ts";

const killed = /as if it had been killed/;

describe("what a run leaves half-way", function () {
  this.timeout(120_000);
  let session: RefreshSession;
  let program = faultyProgram({ unjudged: true });
  let applied: string;

  before(async () => {
    session = await startRefreshSession({}, () => program);
    assert.equal((await session.apply(sourced(session.publisher))).result, "applied");
    applied = await bytesOf(session, conf);
  });
  beforeEach(() => void (program = faultyProgram({ unjudged: true })));
  afterEach(async () => {
    assert.equal(await bytesOf(session, conf), applied);
    assert.equal(await wire(), "200,200,refused");
    assert.equal((await session.look()).own.owed, undefined);
  });
  after(() => session.stop());

  const other = (): Wish => sourced(session.publisher, { organizations: ["ANOTHER CORPORATION"] });
  const dying = (more: string): string => faultyProgram({ unjudged: true, more });
  const wire = async (): Promise<string> => {
    const asked = [{}, { certificate: "good" }, { certificate: "revoked" }] as const;
    return (await Promise.all(asked.map((wish) => request(session.lab, wish)))).map(({ outcome }) => outcome).join();
  };

  it("when it is killed at its reload, is put back by the timer, although nothing new is to be had", async () => {
    program = dying("wait_for_reload() { kill -KILL $$; }");
    await assert.rejects(session.apply(other()), killed);
    assert.notEqual(await bytesOf(session, conf), applied);
    const { exitCode, output } = await session.timer();
    assert.deepEqual([exitCode, output], [0, ""]);
  });

  it("when it is killed in a removal that has deleted the sources, is put back by the timer", async () => {
    program = dying("forget_timers() { kill -KILL $$; }");
    await assert.rejects(session.remove(), killed);
    assert.equal((await session.lab.exec(`ls ${conf}/clientcert/refresh.conf`)).stdout, "");
    const { exitCode, output } = await session.timer();
    assert.deepEqual([exitCode, output], [0, ""]);
  });

  it("when it is killed between putting back and the reload, is known to the next look, and reloaded by the next run", async () => {
    program = dying("check_health() { return 1; }\nrestore_live() { kill -KILL $$; }");
    await assert.rejects(session.apply(other()), killed);
    assert.equal(await bytesOf(session, conf), applied);
    assert.match((await session.look()).own.owed ?? "", /was interrupted/);
    const { exitCode, output } = await session.refresh();
    assert.equal(exitCode, 0, output);
    assert.match(output, /was interrupted; its changes were put back first/);
  });

  it("when a change is ended by a signal, and by more of them, is put back by itself", async () => {
    program = dying(
      "check_health() { for i in 1 2 3; do (sleep 0.$i; kill -TERM $$) & done; kill -TERM $$; sleep 2; }",
    );
    const { result, reasons } = await session.apply(other());
    assert.equal(result, "rolledBack");
    assert.match(reasons.join("\n"), /the run ended early, by a signal, .*; its change is put back/);
  });

  it("when a refresh is ended by a signal, is put back by itself, and is an alarm", async () => {
    const file = (await session.lab.run(`echo ${stateDirectory}/program`)).trim();
    await session.lab.run(`cat >${file}`, dying("check_health() { kill -TERM $$; sleep 1; }"));
    await session.publishNew(session.pki.clients.good.serial);
    const { exitCode, output } = await session.refresh();
    await session.lab.run(`cat >${file}`, hostScript());
    assert.equal(exitCode, 3, output);
    assert.match(
      output,
      /the run ended early, by a signal, .*; its change is put back\n(.*\n)*reload: the new CRL was put back/,
    );
  });

  it("when a refresh is ended before its change, is nothing, and a failure", async () => {
    const file = (await session.lab.run(`echo ${stateDirectory}/program`)).trim();
    await session.lab.run(`cat >${file}`, dying('find_unit() { : "$never_set"; }'));
    await session.publishNew();
    const { exitCode, output } = await session.refresh();
    await session.lab.run(`cat >${file}`, hostScript());
    assert.equal(exitCode, 1, output);
    assert.match(output, /the run ended early, .*; nothing was changed; run again\nfailed: /);
  });
});
