/** The CRLs of a host that downloads them itself: on the wire, by the timer's own command. */
import assert from "node:assert/strict";
import { request, startTraffic } from "../../lab/client.ts";
import { bytesOf } from "../faults/bytes.ts";
import { clientsOf, wantedTable } from "./clients.ts";
import { listName, sourced, startRefreshSession, stateDirectory, type RefreshSession } from "./refresh-session.ts";

const root = "/usr/local/ni/apache";
const shells = [undefined, "busybox"] as const;

for (const shell of shells) {
  describe(`a host that refreshes its CRLs, with ${shell ?? "the machine's own shell"}`, function () {
    this.timeout(120_000);
    let session: RefreshSession;
    let clean: string;

    before(async () => {
      session = await startRefreshSession({ virtualHosts: 2, ...(shell === undefined ? {} : { shell }) });
      clean = await bytesOf(session);
    });
    after(() => session.stop());

    const installed = (): Promise<string> => session.lab.run(`sha256sum <${root}/conf/clientcert/crl.pem`);
    const children = (): Promise<string> => session.lab.run(`pgrep -P "$(cat ${root}/logs/httpd.pid)" | sort`);

    it("is left alone by a first change when no source gives a CRL, and told why", async () => {
      session.publisher.fault(listName, "htmlPage");
      const judged = await session.judge(sourced(session.publisher));
      assert.equal(judged.result, "refused");
      const outcome = await session.apply(sourced(session.publisher));
      assert.equal(outcome.result, "refused");
      assert.match(outcome.reasons.join("\n"), /never delivered a CRL.*it is no CRL, but a web page or another file/);
      assert.equal(await bytesOf(session), clean);
      session.publisher.fault(listName, "ok");
    });

    it("is refused a time zone that it does not know", async () => {
      const crlRefresh = { times: ["00:30"], timeZone: "Asia/Nowhere", spreadMinutes: 0, alarmHours: 24 };
      const outcome = await session.judge(sourced(session.publisher, { crlRefresh }));
      assert.equal(outcome.result, "refused");
      assert.match(outcome.reasons.join("\n"), /the time zone Asia\/Nowhere is not known on this host/);
    });

    it("gets its first CRL with the directives that need it", async () => {
      const outcome = await session.apply(sourced(session.publisher));
      assert.deepEqual([outcome.result, outcome.reasons], ["applied", []]);
      assert.deepEqual(await clientsOf(session.lab), wantedTable);
      assert.equal((await session.plan(sourced(session.publisher))).change, undefined);
    });

    it("does not reload for a list that it has", async () => {
      const before = await children();
      assert.deepEqual(await session.timer(), { exitCode: 0, output: "" });
      assert.match((await session.refresh()).output, /^unchanged: the CRLs are up to date$/m);
      assert.equal(await children(), before);
    });

    it("judges a new list on a copy when asked for a dry run", async () => {
      await session.publishNew();
      const before = await bytesOf(session);
      const { exitCode, output } = await session.refresh("--dry-run");
      assert.equal(exitCode, 0);
      assert.match(output, /^good: httpd would run with the new CRL/m);
      assert.equal(await bytesOf(session), before);
    });

    for (const tlsVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      it(`refuses a revoked certificate after the timer's command, its resumed ${tlsVersion} session too`, async () => {
        const certificate = tlsVersion === "TLSv1.2" ? "good" : "noOrganization";
        const first = await request(session.lab, { certificate, tlsVersion });
        assert.equal(first.outcome, "200");
        assert.ok(first.session);
        const again = await request(session.lab, { certificate, tlsVersion, session: first.session });
        assert.deepEqual([again.outcome, again.isResumed], ["200", true]);
        await session.publishNew(session.pki.clients[certificate].serial);
        const traffic = startTraffic(session.lab);
        assert.deepEqual(await session.timer(), { exitCode: 0, output: "" });
        const { failures, requests } = await traffic.stop();
        assert.deepEqual([failures, requests > 5], [[], true]);
        const outcomes = [first.session, undefined].map((resumed) =>
          request(session.lab, { certificate, tlsVersion, ...(resumed && { session: resumed }) }),
        );
        assert.deepEqual(
          (await Promise.all(outcomes)).map(({ outcome }) => outcome),
          ["refused", "refused"],
        );
      });
    }

    it("has nothing to do for Pulumi after that", async () => {
      assert.equal((await session.plan(sourced(session.publisher))).change, undefined);
    });

    it("takes a list that the run before had downloaded and could not install", async () => {
      const before = await installed();
      await session.publishNew();
      await session.lab.run(
        `cp -p ${root}/conf/httpd.conf /run/whole && echo NoSuchDirective >>${root}/conf/httpd.conf`,
      );
      const failed = await session.refresh();
      await session.lab.run(`cp -p /run/whole ${root}/conf/httpd.conf`);
      assert.equal(failed.exitCode, 1, failed.output);
      assert.match(failed.output, /^failed: the installed CRLs stay$/m);
      assert.equal(await installed(), before);
      assert.equal((await session.timer()).exitCode, 0);
      assert.notEqual(await installed(), before);
    });

    it("puts back a crl.pem that somebody emptied", async () => {
      const before = await installed();
      await session.lab.run(`: >${root}/conf/clientcert/crl.pem`);
      assert.equal((await session.timer()).exitCode, 0);
      assert.equal(await installed(), before);
    });

    it("tells its state, and keeps it small", async () => {
      session.publisher.fault(listName, "notFound");
      const failed = await session.refresh();
      session.publisher.fault(listName, "ok");
      assert.equal(failed.exitCode, 1);
      assert.match(failed.output, /the requested URL returned error: 404/i);
      const { output } = await session.refresh("--status");
      assert.match(output, /^last run +20\d\d-\S+: failed .*\(exit status 1\)$/m);
      assert.match(output, /^ {2}CRL +of \S+, until \S+, number \d+, revoked certificates: \d+$/m);
      assert.match(output, /^source [0-9a-f]{8} http:\S+\/issuing\.crl$/m);
      assert.match(output, /^ {2}last failure +\S+: http.*404/m);
      const [source] = (await session.look()).refresh.sources;
      assert.match(source?.reason ?? "", /404/);
      assert.equal(await session.lab.run(`ls -d ${stateDirectory}/run.refresh-* 2>/dev/null || :`), "");
      assert.ok(Number(await session.lab.run(`stat -c %s ${stateDirectory}/refresh.record`)) < 2000);
    });

    it("says so when its settings are gone, and works again when they are back", async () => {
      const settings = `${root}/conf/clientcert/refresh.conf`;
      await session.lab.run(`mv ${settings} ${settings}.away`);
      const { exitCode, output } = await session.refresh();
      await session.lab.run(`mv ${settings}.away ${settings}`);
      assert.equal(exitCode, 1);
      assert.match(output, /refresh\.conf is missing; run pulumi up/);
      assert.equal((await session.refresh()).exitCode, 0);
    });

    it("says what its options are, and refuses others", async () => {
      assert.match((await session.refresh("--help")).output, /^Usage: /);
      const { exitCode, output } = await session.refresh("--force");
      assert.equal(exitCode, 64);
      assert.match(output, /^--force: there is no such option$/m);
    });

    it("is taken back to the bytes of before", async () => {
      assert.equal((await session.remove()).result, "applied");
      assert.equal(await bytesOf(session), clean);
      assert.equal(await session.lab.run("ls -A /etc/cron.d | grep clientcert || :"), "");
    });
  });
}
