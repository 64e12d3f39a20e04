/** The host's program under busybox ash, the shell of small distributions and of many an appliance. */
import assert from "node:assert/strict";
import { bytesOf } from "../faults/bytes.ts";
import { faultyProgram, forgetSteps } from "../faults/program.ts";
import { HostError } from "../../provider/remote/host-error.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { clientsOf, wantedTable } from "./clients.ts";
import { startSession, type Session } from "./session.ts";
import { assertUnchanged, liveState, unchanged, type LiveState } from "./unchanged.ts";

describe("a host whose shell is busybox", function () {
  this.timeout(120_000);
  let session: Session;
  let state: LiveState;
  let bytes: string;
  let program = hostScript();

  before(async () => {
    session = await startSession({ shell: "busybox", manual: "cron.d", virtualHosts: 2 }, {}, () => program);
    state = await liveState(session, { times: false });
    bytes = await bytesOf(session);
  });
  after(() => session.stop());

  it("has busybox for /bin/sh, and GNU's other programs", async () => {
    assert.equal(await session.lab.run("readlink -f /bin/sh"), "/usr/bin/busybox\n");
    assert.match(await session.lab.run("head --version"), /GNU coreutils/);
  });

  it("is looked at, which finds what was set up by hand", async () => {
    const conflicts = (await session.plan()).diagnostics.filter(({ severity }) => severity === "conflict");
    assert.notEqual(conflicts.length, 0);
  });

  it("is judged by the shadow, which leaves everything as it was", async () => {
    const outcome = await unchanged(session, () => session.judge({ adopt: true }));
    assert.deepEqual([outcome.result, outcome.judge, outcome.reasons], ["well", "shadow", []]);
  });

  it("is refused a candidate on which httpd does not start", async () => {
    const crlPem = "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n";
    const transaction = await session.prepare({ adopt: true });
    const contents = new Map(transaction.contents).set("crl.pem", Buffer.from(crlPem));
    const outcome = await unchanged(session, () => session.host.judge(session.target, { ...transaction, contents }));
    assert.deepEqual([outcome.result, outcome.judge], ["refused", "shadow"]);
    assert.match(outcome.reasons.join("\n"), /httpd does not start on the candidate/);
  });

  it("is put back by the next run when one is killed in the swap", async () => {
    program = faultyProgram({
      at: `[ ! -f "\${work:-}/swapped" ] || [ "$(wc -l <"$work/swapped")" -lt 4 ] || kill -KILL -$$`,
    });
    await assert.rejects(session.apply({ adopt: true }), HostError);
    program = hostScript();
    await session.lab.run(forgetSteps);
    assert.match((await session.look()).own.owed ?? "", /^run \S+ was interrupted; /);
    const outcome = await session.apply({ adopt: true });
    assert.deepEqual([outcome.result, outcome.judge], ["applied", "shadow"]);
  });

  it("gives each client what the manual wants, and a second run nothing to do", async () => {
    assert.deepEqual(await clientsOf(session.lab), wantedTable);
    assert.equal((await session.plan({ adopt: true })).change, undefined);
  });

  it("is taken back to the byte by a removal", async () => {
    const outcome = await session.remove();
    assert.deepEqual([outcome.result, outcome.reasons], ["applied", []]);
    await assertUnchanged(session, state, { times: false });
    assert.equal(await bytesOf(session), bytes);
  });

  it("is taken back to the byte by the administrator's `undo`", async () => {
    assert.equal((await session.apply({ adopt: true })).result, "applied");
    assert.match(await session.lab.run("/var/lib/clientcert/*/undo"), /^done: /m);
    await assertUnchanged(session, state, { times: false });
    assert.equal(await bytesOf(session), bytes);
  });
});
