/** What the error log tells of reloads: in httpd's own time zone, and in httpd's own words. */
import assert from "node:assert/strict";
import { startSession, type Session } from "../host/session.ts";

const root = "/usr/local/ni/apache";
const signal = `kill -USR1 $(cat ${root}/logs/httpd.pid)`;

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
