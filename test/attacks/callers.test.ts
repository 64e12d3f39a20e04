/**
 * What a person or a timer calls on a host, where the program behind it is damaged: it must not end as if all were
 * well.
 */
import assert from "node:assert/strict";
import { renderCaller } from "../../core/apache/facts/unattended.ts";
import { request } from "../../lab/client.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { type RefreshSession, sourced, startRefreshSession } from "../host/refresh-session.ts";

const state = "cd /var/lib/clientcert/*[0-9a-f] &&";
const words =
  /^\/var\/lib\/clientcert\/[0-9a-f]{16}\/program: is missing, empty or cut off, so nothing was done; pulumi up writes it again\n$/;

describe("refresh and undo of a host", function () {
  this.timeout(120_000);
  let session: RefreshSession;
  let files: string;
  const filesNow = (): Promise<string> =>
    session.lab.run(
      "find /usr/local/ni/apache/conf /etc/cron.d -type f -exec sha256sum {} +; cat /var/lib/clientcert/*/journal",
    );

  before(async () => {
    session = await startRefreshSession();
    assert.equal((await session.apply(sourced(session.publisher))).result, "applied");
    await session.lab.run(`${state} cp -p program /srv/program`);
    files = await filesNow();
  });
  afterEach(() => session.lab.run(`${state} cp -p /srv/program program`));
  after(() => session.stop());

  /** The command of cron's line, as cron runs it. */
  const timer = "sh -c \"$(sed -n 's/.* root //p' /etc/cron.d/clientcert-*)\"";
  const callers: readonly [string, string][] = [
    ["refresh", `${state} sh refresh`],
    ["the timer", timer],
    ["undo", `${state} sh undo`],
  ];
  const last = hostScript().length;
  const damages: readonly [string, string][] = [
    ["is empty", ": >program"],
    ["is missing", "rm program"],
    ...[1, 100, last >> 2, last >> 1, last - 10, last - 5].map((bytes): [string, string] => [
      `was cut off after ${bytes} bytes`,
      `truncate -s ${bytes} program`,
    ]),
  ];
  for (const [what, command] of callers)
    for (const [name, damage] of damages)
      it(`${what} does nothing, and says so, where the program ${name}`, async () => {
        await session.lab.run(`${state} ${damage}`);
        const answer = await session.lab.run(`(${command}) 2>&1; echo "exit $?"`);
        const [, output = "", exit] = /^([^]*)exit (\d+)\n$/.exec(answer) ?? [];
        assert.match(output, words);
        assert.equal(exit, "1");
        assert.equal(await filesNow(), files);
      });

  it("run the program where it is whole", async () => {
    assert.equal((await session.timer()).exitCode, 0);
    assert.match((await session.refresh("--status")).output, /last run .*: unchanged/);
    assert.match((await session.refresh("--no-such")).output, /^--no-such: there is no such option\n/);
  });

  it("are no shell's to run where they were cut off themselves, in dash and in ash", async () => {
    for (const name of ["refresh", "undo"] as const) {
      const { length } = renderCaller("0123456789abcdef", name);
      const ended = await session.lab.run(
        `${state} for shell in sh 'busybox ash'; do n=16; while [ $n -lt ${length - 2} ]; do head -c $n ${name} >/srv/cut
        $shell /srv/cut >/dev/null 2>&1 && echo "$shell $n"; n=$((n + 7)); done; done; :`,
      );
      assert.equal(ended, "", name);
    }
    assert.equal(await filesNow(), files);
    assert.equal((await request(session.lab, { certificate: "good" })).outcome, "200");
  });
});
