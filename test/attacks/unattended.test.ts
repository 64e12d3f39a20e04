/**
 * What runs on a host as root without anybody looking on: the look tells whatever is wrong with it, and one change
 * mends it.
 */
import assert from "node:assert/strict";
import { readUnattended } from "../../core/apache/facts/unattended.ts";
import { parseResponse } from "../../provider/remote/response.ts";
import { observationProgram } from "../../provider/apache/observation-program.ts";
import { readObservation } from "../../provider/apache/observation-reader.ts";
import { observeRequest } from "../../provider/apache/request.ts";
import { fileChangeTexts, liveFiles, plannedFiles } from "../../provider/apache/files.ts";
import { hostProgramSha256 } from "../../provider/apache/host-program.ts";
import { type RefreshSession, sourced, startRefreshSession } from "../host/refresh-session.ts";
import { type Session, type Wish, startSession } from "../host/session.ts";

const program = hostProgramSha256();
const otherVersion = "the program that refreshes and undoes on this host is of another version";
const state = "cd /var/lib/clientcert/*[0-9a-f] &&";

/** Command on the host, and what the look then tells. */
type Row = readonly [name: string, command: string, told: RegExp];

const everywhere: readonly Row[] = [
  ["an older program", `${state} sed -i 2d program`, new RegExp(`/program: ${otherVersion}$`)],
  ["an empty program", `${state} : >program`, /\/program: is empty$/],
  ["a program that was cut off", `${state} truncate -s 50000 program`, new RegExp(`/program: ${otherVersion}$`)],
  ["no program", `${state} rm program`, /\/program: is missing$/],
  ["a program that is a link", `${state} mv program /srv/p && ln -s /srv/p program`, /\/program: has mode 777 instead/],
  ["a program that is a link to a directory", `${state} rm program && ln -s /srv program`, /\/program: is missing$/],
  ["no undo", `${state} rm undo`, /\/program: \S+\/undo is missing$/],
  ["an undo of another text", `${state} echo : >undo`, /\/program: \S+\/undo is of another version$/],
  ["a program for everybody to write", `${state} chmod 777 program`, /\/program: has mode 777 instead of 700$/],
  ["a program of somebody else's", `${state} chown 65534 program`, /\/program: belongs to user 65534, not to root$/],
  ["an undo for everybody to write", `${state} chmod a+w undo`, /\/undo has mode 722 instead of 700$/],
  [
    "a directory for everybody to write",
    `${state} chmod 777 .`,
    /\/[0-9a-f]{16} can be written to by others than root/,
  ],
  [
    "one above it",
    `${state} chmod 777 ..`,
    /\/var\/lib\/clientcert can be written to by others than root \(mode 777\)$/,
  ],
];

const textsOf = async (session: Session, wish: Wish): Promise<readonly string[]> => {
  const facts = await session.look();
  return fileChangeTexts(liveFiles(facts), plannedFiles(facts, await session.plan(wish)));
};

/** Of httpd's children: another one shows that it was reloaded. */
const children = (session: Session): Promise<string> =>
  session.lab.run("pgrep -P $(cat /usr/local/ni/apache/logs/httpd.pid) | sort");

async function expectMended(session: Session, wish: Wish, [name, command, told]: Row): Promise<void> {
  const { generation } = (await session.look()).own;
  await session.lab.run(command);
  const texts = await textsOf(session, wish);
  assert.equal(texts.length, 1, `${name}: ${texts.join("\n")}`);
  assert.match(texts[0] ?? "", told, name);
  const before = await children(session);
  const { result, observation } = await session.apply(wish);
  assert.equal(result, "applied", name);
  assert.notEqual(observation, undefined, name);
  assert.equal(await children(session), before, `${name}: httpd was reloaded`);
  assert.deepEqual((await session.plan(wish)).change, undefined, `${name}: the second run`);
  assert.equal((await session.look()).own.generation, generation + 1, name);
}

describe("what runs unattended on a host", function () {
  this.timeout(180_000);

  describe("without sources of CRLs", () => {
    let session: Session;
    const wish = { program };

    before(async () => {
      session = await startSession({ virtualHosts: 2 });
      assert.equal((await session.apply(wish)).result, "applied");
    });
    after(() => session.stop());

    it("is as wanted after a change", async () => {
      assert.equal((await session.plan(wish)).change, undefined);
      const facts = await session.look();
      assert.deepEqual(facts.unattended, { program, wrong: {} });
    });

    for (const row of everywhere)
      it(`is mended by the next change, without a reload: ${row[0]}`, () => expectMended(session, wish, row));

    it("has no refresh: one that is there goes", () =>
      expectMended(session, wish, ["refresh", `${state} cp -p undo refresh`, /\/refresh is not wanted any more$/]));

    it("is seen by the observation program as well, for hosts whose sudo allows nothing else", async () => {
      await session.lab.run(`${state} chmod 722 undo`);
      await session.lab.run("cat >/srv/observe", observationProgram({}));
      const { mark, data } = observeRequest({}, 60);
      const answer = await session.lab.run("sh /srv/observe", data.toString("latin1"));
      const observation = readObservation(parseResponse(Buffer.from(answer, "latin1"), mark));
      assert.ok(observation !== undefined);
      const facts = await session.look();
      assert.deepEqual(readUnattended(observation), facts.unattended);
      assert.deepEqual(Object.values(facts.unattended?.wrong ?? {}), ["has mode 722 instead of 700"]);
      assert.equal((await session.apply(wish)).result, "applied");
    });

    it("is written whole where the state of the host was lost", async () => {
      await session.lab.run("rm -r /var/lib/clientcert");
      assert.match((await textsOf(session, wish)).join("\n"), /\/program: is missing$/);
      assert.equal((await session.apply(wish)).result, "applied");
      assert.equal((await session.plan(wish)).change, undefined);
      assert.match(await session.lab.run("sh /var/lib/clientcert/*/undo"), /client-certificate authentication is out/);
      const left = await session.lab.run(
        "grep -rl clientcert /usr/local/ni/apache/conf || :; ls /var/lib/clientcert 2>&1 || :",
      );
      assert.match(left, /^ls: cannot access .*\n$/);
      assert.equal((await session.apply(wish)).result, "applied");
    });

    it("leaves what others have edited and not loaded as it is", async () => {
      await session.lab.run("sleep 1.1; echo '# edited' >>/usr/local/ni/apache/conf/extra/httpd-ssl.conf");
      await session.lab.run(`${state} : >program`);
      const { change, diagnostics } = await session.plan(wish);
      assert.equal(change?.isAside, true);
      assert.deepEqual(
        diagnostics.filter(({ severity }) => severity === "problem"),
        [],
      );
      assert.equal((await session.apply(wish)).result, "applied");
      assert.equal((await session.look()).pendingEdits.length, 1, "it is still to be loaded");
    });
  });

  describe("with sources of CRLs", () => {
    let session: RefreshSession;
    let wish: Wish;
    const cron = "/etc/cron.d/clientcert-*";

    before(async () => {
      session = await startRefreshSession();
      wish = sourced(session.publisher, { program });
      assert.equal((await session.apply(wish)).result, "applied");
    });
    after(() => session.stop());

    const rows: readonly Row[] = [
      ["no refresh", `${state} rm refresh`, /\/program: \S+\/refresh is missing$/],
      ["a timer for everybody to write", `chmod 666 ${cron}`, /^\/etc\/cron\.d\/\S+: has mode 666 instead of 644$/],
      [
        "a timer of somebody else's",
        `chown 65534 ${cron}`,
        /^\/etc\/cron\.d\/\S+: belongs to user 65534, not to root$/,
      ],
      [
        "a timer of another text",
        `sed -i s,/refresh,/program\\ refresh, ${cron}`,
        /^\/etc\/cron\.d\/\S+: is not as wanted$/,
      ],
    ];
    for (const row of rows)
      it(`is mended by the next change, without a reload: ${row[0]}`, () => expectMended(session, wish, row));

    it("goes on refreshing after such a change", async () => {
      await session.publishNew();
      assert.equal((await session.timer()).exitCode, 0);
      assert.match((await session.refresh("--status")).output, /last run .*: updated/);
      assert.equal((await session.plan(wish)).change, undefined);
    });
  });
});
