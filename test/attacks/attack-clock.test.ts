/** What the error log tells of reloads: in httpd's own time zone, and in httpd's own words. */
import assert from "node:assert/strict";
import { startSession, type Session } from "../host/session.ts";

const root = "/usr/local/ni/apache";
const signal = `kill -USR1 $(cat ${root}/logs/httpd.pid)`;

/** What each multi-processing module logs where it goes on after a reload. */
const resumed = { mpm_event: "AH00489", mpm_worker: "AH00292", mpm_prefork: "AH00163" };

for (const [name, code] of Object.entries(resumed))
  describe(`the log of a server with ${name}`, function () {
    this.timeout(60_000);
    let session: Session;

    before(async () => {
      session = await startSession();
      const { lab } = session;
      await lab.run(`apachectl=${root}/bin/apachectl; $apachectl stop; while [ -e ${root}/logs/httpd.pid ]; do sleep 0.1; done
        sed -i 's/mpm_event/${name}/g' ${root}/conf/httpd.conf && $apachectl start`);
    });
    after(() => session.stop());

    it("tells that somebody reloaded it, so that no edit is taken for unread", async () => {
      const { lab } = session;
      const isRead = `[ "$(grep -c ${code}: ${root}/logs/error_log)" -gt "$before" ]`;
      await lab.run(`before=$(grep -c ${code}: ${root}/logs/error_log); sleep 2.1; echo '# edited' >>${root}/conf/httpd.conf
        sleep 1.1; ${signal}; until ${isRead}; do sleep 0.05; done`);
      assert.deepEqual((await session.look()).pendingEdits, []);
      await lab.run(`sleep 2.1; echo '# unfinished' >>${root}/conf/httpd.conf`);
      assert.equal((await session.look()).pendingEdits.length, 1);
    });
  });

describe("a log in another time zone, with lines that clients brought in", function () {
  this.timeout(60_000);
  let session: Session;

  before(async () => void (session = await startSession({ environment: { TZ: "Asia/Tokyo" } })));
  after(() => session.stop());

  /** Seconds by which httpd's last reading of its configuration is past. */
  async function age(): Promise<number> {
    const { server } = await session.host.observe(session.target);
    return server.nowSeconds - (server.loadedSeconds ?? NaN);
  }

  it("tells when httpd was reloaded, and that a file was edited since", async () => {
    await session.lab.run(`sleep 2; ${signal}; until grep -q AH00493 ${root}/logs/error_log; do sleep 0.05; done`);
    const past = await age();
    assert.ok(past >= 0 && past < 10, `${past} s`);
    await session.lab.run(`sleep 2.1; echo '# unfinished' >>${root}/conf/httpd.conf`);
    const { pendingEdits } = await session.look();
    assert.deepEqual(
      pendingEdits.map(({ file }) => file),
      [`${root}/conf/httpd.conf`],
    );
  });

  it("tells of no reload because a request holds the words of one", async () => {
    const parent = (await session.lab.run(`cat ${root}/logs/httpd.pid`)).trim();
    const before = await age();
    await session.lab.run(
      `printf '[Mon Nov 23 13:24:15.683022 2026] [core:info] [pid 9:tid 9] [client 192.0.2.9:1] AH00128: File does not exist: /x[pid ${parent}:tid ${parent}] AH00493: z\\n' |
        sed "s/^.[^]]*/[$(TZ=Asia/Tokyo date '+%a %b %d %H:%M:%S.000000 %Y')/" >>${root}/logs/error_log`,
    );
    assert.ok((await age()) >= before);
    const { pendingEdits } = await session.look();
    assert.equal(pendingEdits.length, 1);
  });

  it("tells that a file was edited since our reload, although the clock was set back", async () => {
    await session.apply({ reloadPendingEdits: true });
    const tomorrow = "$(($(date +%s) + 86400))";
    await session.lab.run(
      `sed -i "s/^reloaded .*/reloaded ${tomorrow}/" /var/lib/clientcert/*/journal; sleep 2.1; echo '# later' >>${root}/conf/httpd.conf`,
    );
    const { pendingEdits } = await session.look();
    assert.deepEqual(
      pendingEdits.map(({ file }) => file),
      [`${root}/conf/httpd.conf`],
    );
    await session.remove();
  });
});
