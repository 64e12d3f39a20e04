/**
 * httpd as systemd arranges it with PrivateTmp and ProtectSystem: the change is made outside of what httpd sees, and
 * counts inside.
 */
import assert from "node:assert/strict";
import { clientsOf, wantedTable } from "./clients.ts";
import { startSession, type Session } from "./session.ts";
import { assertUnchanged, liveState, type LiveState } from "./unchanged.ts";

describe("an httpd in a mount namespace of its own", function () {
  this.timeout(120_000);
  let session: Session;
  let state: LiveState;

  before(async () => {
    session = await startSession({ privateTmp: true, virtualHosts: 2 });
    state = await liveState(session, { times: false });
  });
  after(() => session.stop());

  it("cannot write its own configuration, and has another /tmp than the host", async () => {
    const [inside, outside] = await Promise.all([
      session.lab.exec(`${intoHttpd} touch /usr/local/ni/apache/conf/x`),
      session.lab.exec("touch /usr/local/ni/apache/conf/x && rm /usr/local/ni/apache/conf/x"),
    ]);
    assert.deepEqual([inside.status === 0, outside.status], [false, 0]);
    assert.match(inside.stderr, /Read-only file system/);
    const tmps = await session.lab.run(`stat -c %d /tmp; ${intoHttpd} stat -c %d /tmp`);
    assert.equal(new Set(tmps.trim().split("\n")).size, 2);
  });

  it("is changed, reloads and answers as promised", async () => {
    const pid = await session.lab.run(httpdParent);
    const outcome = await session.apply();
    assert.deepEqual([outcome.result, outcome.judge, outcome.reasons], ["applied", "shadow", []]);
    assert.equal(await session.lab.run(httpdParent), pid);
    assert.deepEqual(await clientsOf(session.lab), wantedTable);
  });

  it("owes no reload, and leaves nothing to do for a second run", async () => {
    const { change, diagnostics } = await session.plan();
    assert.deepEqual([change, diagnostics.filter(({ severity }) => severity !== "warning")], [undefined, []]);
    assert.equal((await session.look()).own.owed, undefined);
  });

  it("can be followed by another change", async () => {
    assert.equal((await session.apply({ organizations: ["OTHER CORPORATION"] })).result, "applied");
    const clients = await clientsOf(session.lab);
    assert.deepEqual([clients.good, clients.wrongOrganization], ["403", "200 SUCCESS"]);
  });

  it("is taken back to the bytes, modes and owners of before", async () => {
    const outcome = await session.remove();
    assert.deepEqual([outcome.result, outcome.reasons], ["applied", []]);
    await assertUnchanged(session, state, { times: false });
  });
});

const httpdParent = "cat /usr/local/ni/apache/logs/httpd.pid";
const intoHttpd = `nsenter --target $(${httpdParent}) --mount --`;
