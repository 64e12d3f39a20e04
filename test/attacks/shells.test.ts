/**
 * Hosts whose /bin/sh is another one than dash, bash or busybox: mksh does, yash and posh are refused before anything
 * is done.
 */
import assert from "node:assert/strict";
import { bytesOf } from "../faults/bytes.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { skipBecause } from "../skip.ts";
import { clientsOf, wantedTable } from "../host/clients.ts";
import { startSession, type Session } from "../host/session.ts";
import { assertUnchanged, liveState, unchanged } from "../host/unchanged.ts";
import { replaceOnce } from "../faults/program.ts";

/** More than a program takes as one argument, and every line of it comes back in httpd's own words. */
const manyDirectives = Array.from({ length: 3000 }, (_, number) => `SetEnv LAB_${number} ${"x".repeat(40)}`).join("\n");

async function useShell(context: Mocha.Context, session: Session, shell: string): Promise<void> {
  const { status } = await session.lab.exec(`path=$(command -v ${shell}) && ln -sf "$path" /bin/sh`);
  if (status !== 0) skipBecause(context, `${shell} is not installed here; see scripts/packages.mjs`);
}

describe("a host whose shell is mksh", function () {
  this.timeout(120_000);
  let session: Session;
  let program = hostScript();

  before(async function () {
    const options = { manual: "cron.d", virtualHosts: 2, serverDirectives: manyDirectives } as const;
    session = await startSession(options, {}, () => program);
    await useShell(this, session, "mksh");
  });
  after(() => session.stop());

  it("is looked at, also where its configuration is larger than an argument may be", async () => {
    assert.ok((await session.look()).server.configFile.endsWith("/httpd.conf"));
    const { dump } = await session.host.observe(session.target);
    assert.ok((dump ?? "").length > 131_072);
    const conflicts = (await session.plan()).diagnostics.filter(({ severity }) => severity === "conflict");
    assert.notEqual(conflicts.length, 0);
  });

  it("is judged by the shadow, set up, and taken back to the byte", async () => {
    const state = await liveState(session, { times: false });
    const bytes = await bytesOf(session);
    const judged = await unchanged(session, () => session.judge({ adopt: true }));
    assert.deepEqual([judged.result, judged.judge, judged.reasons], ["well", "shadow", []]);
    const applied = await session.apply({ adopt: true });
    assert.deepEqual([applied.result, applied.judge], ["applied", "shadow"]);
    assert.deepEqual(await clientsOf(session.lab), wantedTable);
    assert.equal((await session.plan({ adopt: true })).change, undefined);
    assert.equal((await session.remove()).result, "applied");
    await assertUnchanged(session, state, { times: false });
    assert.equal(await bytesOf(session), bytes);
  });

  it("ends a look that waits for ever, with all that it started", async () => {
    const hanging = 'observe_php() { : "$( (sleep 1000; :) | (sleep 1001; cat) )"; }\n';
    program = replaceOnce(hostScript(), "request_observe_seconds=50", "request_observe_seconds=3");
    program = replaceOnce(program, "limit_seconds=$request_value ;; esac ;;", ": ;; esac ;;");
    program = replaceOnce(program, 'main "$@"\n', `${hanging}main "$@"\n`);
    await assert.rejects(session.look(), { kind: "timeout", message: /took longer than 3 seconds/ });
    assert.equal(await session.lab.run("pgrep -x sleep || :"), "");
  });
});

for (const shell of ["yash", "posh"]) {
  describe(`a host whose shell is ${shell}`, function () {
    this.timeout(60_000);
    let session: Session;

    before(async function () {
      session = await startSession({ virtualHosts: 2, ops: { sudo: "passwordless" } });
      await useShell(this, session, shell);
    });
    after(() => session.stop());

    const words = new RegExp(`: /bin/sh there is ${shell}, in which our program does not run; make it dash, bash, `);

    it("is refused before anything is sent, as root and through sudo", async () => {
      await unchanged(session, async () => {
        await assert.rejects(session.look(), { kind: "answer", message: words });
        const connection = { ...session.connection, user: "ops", sudo: { how: "passwordless" } } as const;
        await assert.rejects(session.host.observe({ ...session.target, connection }), { message: words });
      });
    });

    it("is told of by a program that is run from a file there", async () => {
      const run = "cat >/run/refresh; timeout 20 /bin/sh /run/refresh refresh --status </dev/null";
      const { status, stderr } = await session.lab.exec(run, hostScript());
      assert.equal(status, 1);
      assert.match(
        stderr,
        new RegExp(`^/bin/sh here is ${shell}, in which this program does not run; make it dash, `, "m"),
      );
    });
  });
}
