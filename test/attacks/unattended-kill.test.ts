/** The change that only brings the program and the timer, which httpd must not notice, killed at each of its steps. */
import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { type RefreshSession, sourced, startRefreshSession } from "../host/refresh-session.ts";
import type { Wish } from "../host/session.ts";
import { bytesOf } from "../faults/bytes.ts";
import { conf, kill } from "../faults/kill.ts";
import { distinctSteps, faultyProgram, forgetSteps, readSteps } from "../faults/program.ts";

const cron = "/etc/cron.d/clientcert-*";

/** Writes down at each step which files stand where a timer and a hand look for them, and what the next run goes by. */
const noteUnattended = `{
    find /etc/cron.d /var/lib/clientcert -maxdepth 2 -printf '%p %i\\n'
    cat /var/lib/clientcert/*/run.*/swapped /var/lib/clientcert/*/journal
  } 2>/dev/null | sha256sum >>/run/fault/states`;

describe("a change that httpd reads nothing of", function () {
  this.timeout(300_000);
  let session: RefreshSession;
  let program = hostScript();
  let wish: Wish;
  const use = (text: string): void => void (program = text);
  const damageTimer = (): Promise<string> => session.lab.run(`sed -i 's,/refresh --timer,/x --timer,' ${cron}`);
  const changeBoth = async () => {
    await damageTimer();
    return session.apply(wish);
  };
  const timer = (): Promise<string> => session.lab.run(`cat ${cron}; stat -c '%u %a' ${cron}`);

  before(async () => {
    session = await startRefreshSession({ virtualHosts: 2 }, () => program);
    // No program has this hash: there is always something to bring.
    wish = sourced(session.publisher, { program: "0".repeat(64) });
    assert.equal((await session.apply(wish)).result, "applied");
  });
  after(() => session.stop());

  it("leaves whole files at every step, and the next run ends it", async () => {
    const [bytes, text] = [await bytesOf(session, conf), await timer()];
    assert.equal((await session.plan(wish)).change?.isAside, true);
    await session.lab.run(forgetSteps);
    use(faultyProgram({ at: noteUnattended }));
    await changeBoth();
    const steps = distinctSteps(await session.lab.run(readSteps));
    assert.ok(steps.length >= 16, `${steps.length} steps`);
    for (const step of steps) {
      await kill(session, use, step, changeBoth);
      const callers = await session.lab.run(
        "cd /var/lib/clientcert/*[0-9a-f] && for f in program refresh undo; do tail -n 1 $f; stat -c '%u %a' $f; done",
      );
      assert.equal(callers, 'main "$@"\n0 700\n}\n0 700\n}\n0 700\n', `step ${step}`);
      assert.equal((await session.apply(wish)).result, "applied", `step ${step}`);
      assert.equal(await timer(), text, `step ${step}`);
      assert.equal(await bytesOf(session, conf), bytes, `step ${step}`);
      assert.equal((await session.look()).own.owed, undefined, `step ${step}`);
    }
  });

  it("is put back where there is no room for it, and httpd has not noticed", async () => {
    const children = "pgrep -P $(cat /usr/local/ni/apache/logs/httpd.pid) | sort";
    const before = await session.lab.run(children);
    use(faultyProgram({ more: "install_unattended() { return 1; }" }));
    await damageTimer();
    const damaged = await timer();
    const { result, reasons } = await session.apply(wish);
    assert.equal(result, "rolledBack");
    assert.match(reasons.join("\n"), /there is no room in /);
    assert.equal(await timer(), damaged);
    assert.equal(await session.lab.run(children), before);
    assert.equal((await session.look()).own.owed, undefined);
    assert.equal((await request(session.lab)).outcome, "200");
  });
});
