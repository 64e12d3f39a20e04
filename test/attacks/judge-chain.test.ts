/** A judge that is killed leaves nothing: whichever process of its chain ends, the others end with it. */
import assert from "node:assert/strict";
import { transactionRequest } from "../../provider/apache/request.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { startSession, type Session } from "../host/session.ts";
import { assertUnchanged, liveState, type LiveState } from "../host/unchanged.ts";

/** How `ps` shows the links of the chain, the first one outermost. */
const chain = {
  // With what waits for it, and what would end it if it took too long.
  "the run itself": "^sh /srv/program",
  unshare: "^unshare .*--kill-child=KILL",
  "the deadline": "^timeout -k 1 ",
  "the shadow's shell": "^/bin/sh /proc/self/fd/9/program shadow_inside_view",
  "the httpd that starts": "^/usr/local/ni/apache/bin/httpd .*-k start$",
} as const;

describe("a judge that hangs in the shadow", function () {
  this.timeout(60_000);
  let session: Session;
  let state: LiveState;
  let data: Buffer;

  before(async () => {
    session = await startSession({ passphraseKey: true });
    await session.lab.run("cat >/srv/program", hostScript());
    await session.lab.run("cat >/srv/request", "");
    state = await liveState(session, { exclude: ["/srv/request"] });
    ({ data } = transactionRequest("judge", {}, await session.prepare(), 900));
  });
  after(() => session.stop());

  for (const [name, pattern] of Object.entries(chain)) {
    it(`leaves nothing when it is killed: ${name}`, async () => {
      await session.lab.run(
        "cat >/srv/request",
        Buffer.from(data.toString("latin1").replace(/^deadline \d+$/m, "deadline 4"), "latin1"),
      );
      const running = session.lab.exec("sh /srv/program </srv/request; :");
      // The passphrase program is the last to begin: then the whole chain stands.
      await session.lab.run("timeout 20 sh -c 'until pgrep -f \"^sleep 1000000\" >/dev/null; do sleep 0.02; done'");
      const killed = await session.lab.run(
        `pids=$(pgrep -f '${pattern}') && echo "$pids" && kill -KILL $(echo "$pids"${name === "the run itself" ? "" : " | head -n 1"})`,
      );
      assert.match(killed, /^\d+$/m);
      await running;
      await session.lab.run(
        "timeout 20 sh -c 'while pgrep -f \"^sleep 1000000|[s]hadow_inside_view|[s]hadow_outside_view|^sleep 5$\" >/dev/null; do sleep 0.05; done'",
      );
      // Nobody is left to take away the private directory of a run that was killed itself: the next one does.
      if (name === "the run itself") {
        assert.match(await session.lab.run("ls /run"), /^clientcert\./m);
        const outdated = Buffer.from(data.toString("latin1").replace(/^edit \S+/m, `edit ${"0".repeat(64)}`), "latin1");
        assert.match(await session.lab.run("sh /srv/program", outdated), / result refused none /);
      }
      await assertUnchanged(session, state, { exclude: ["/srv/request"] });
    });
  }
});
