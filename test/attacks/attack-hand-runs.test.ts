/**
 * What a run by hand or by the timer, which has no controller behind it, must stand: its own length, signals,
 * strangers.
 */
import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import { type RefreshSession, sourced, startRefreshSession, stateDirectory } from "../host/refresh-session.ts";
import { bytesOf } from "../faults/bytes.ts";

const root = "/usr/local/ni/apache";
const undo = `sh ${stateDirectory}/undo`;
const own = `${root}/conf/clientcert`;
const endHttpd = `pid=$(cat ${root}/logs/httpd.pid); kill $pid; while kill -0 $pid 2>/dev/null; do sleep 0.1; done`;

describe("a run that nobody but the host knows of", function () {
  this.timeout(120_000);
  let session: RefreshSession;
  let clean: string;

  before(async () => {
    session = await startRefreshSession({ virtualHosts: 2 });
    clean = await bytesOf(session);
  });
  beforeEach(async () => {
    if ((await session.plan(sourced(session.publisher))).change !== undefined)
      assert.equal((await session.apply(sourced(session.publisher))).result, "applied");
  });
  after(() => session.stop());

  const outcome = async (): Promise<string> => (await request(session.lab, { certificate: "revoked" })).outcome;

  it("is not ended as a look is: an undo may take longer", async () => {
    await session.lab.run(
      `sed -i -e 's/^request_observe_seconds=50$/request_observe_seconds=1/' -e 's/^find_unit() {$/&\\nsleep 2/' ${stateDirectory}/program`,
    );
    const { status, stdout } = await session.lab.exec(undo);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /^done: /m);
    assert.equal(await bytesOf(session), clean);
  });

  it("holds the lock by the process that does the work, whatever becomes of the shell that waits for it", async () => {
    await session.publishNew();
    const found = await session.lab.run(`exec 2>&1
      setsid ${undo} >/tmp/undo.out 2>&1 &
      for i in $(seq 400); do set -- ${stateDirectory}/run.undo-*/swapped; [ -s "$1" ] && break; sleep 0.02; done
      waits=$(pgrep -fo 'program undo$')
      kill -STOP $(pgrep -f 'program undo$' | grep -vx "$waits"); kill -KILL $waits
      sh ${stateDirectory}/refresh >/tmp/refresh.out & refresh=$!
      sleep 3; cat /tmp/refresh.out; kill -CONT $(pgrep -f 'program undo$')
      while pgrep -f 'program undo$' >/dev/null; do sleep 0.1; done; wait $refresh; echo "ends with $?"; cat /tmp/undo.out; rm /tmp/*.out`);
    assert.doesNotMatch(found, /was interrupted|updated:/);
    assert.match(found, /^done: /m);
    assert.equal(await outcome(), "200");
    assert.equal(await bytesOf(session), clean);
  });

  it("believes no header of an answer that looks like a word of its own", async () => {
    const probes = (await session.lab.run(`ls ${stateDirectory}/probes`)).trim().split("\n");
    const header = probes.map((probe) => `Header always add clientcert "probe ${probe} 44"\\n`).join("");
    const conf = `${root}/conf/extra/httpd-ssl.conf`;
    await session.lab.run(`cp -p ${conf} /tmp/conf; cp -p ${root}/conf/httpd.conf /tmp/httpd.conf
      grep -q '^LoadModule headers' ${root}/conf/httpd.conf || sed -i '1i LoadModule headers_module modules/mod_headers.so' ${root}/conf/httpd.conf
      sed -i 's|^</VirtualHost>|${header}&|' ${conf}; kill -USR1 $(cat ${root}/logs/httpd.pid); sleep 1`);
    assert.match(
      await session.lab.run(`curl -skI https://127.0.0.1:${session.lab.ports.https}/`),
      /^clientcert: probe/m,
    );
    await session.publishNew();
    const { exitCode, output } = await session.refresh();
    assert.equal(exitCode, 0, output);
    await session.lab
      .run(`cp -p /tmp/conf ${conf}; cp -p /tmp/httpd.conf ${root}/conf/httpd.conf; rm /tmp/conf /tmp/httpd.conf
      kill -USR1 $(cat ${root}/logs/httpd.pid); sleep 1`);
  });

  it("goes its way where its output is closed", async () => {
    await session.publishNew();
    const before = await session.lab.run(`sha256sum ${own}/crl.pem`);
    assert.equal(await session.lab.run(`sh ${stateDirectory}/refresh >&-; echo $?`), "0\n");
    assert.notEqual(await session.lab.run(`sha256sum ${own}/crl.pem`), before);
  });

  it("leaves the signals of an httpd alone that it has to start again", async () => {
    const ignored = `grep SigIgn /proc/$(cat ${root}/logs/httpd.pid)/status`;
    const before = await session.lab.run(ignored);
    await session.publishNew();
    await session.lab.run(`cp -p ${stateDirectory}/program /tmp/program
      sed -i 's/^  kill -USR1 "$parent"$/  kill -KILL $(pgrep -x httpd)/' ${stateDirectory}/program`);
    const { exitCode, output } = await session.refresh();
    assert.equal(exitCode, 3, output);
    assert.match(output, /httpd died at the reload/);
    assert.equal(await session.lab.run(ignored), before);
    await session.lab.run(`cp -p /tmp/program ${stateDirectory}/program; rm /tmp/program`);
  });

  it("advises no program of another user that listens in httpd's place and looks like it", async () => {
    await session.lab.run(endHttpd);
    const stranger = (
      await session.lab.run(`cat >/tmp/listen.py <<'END'
import ctypes, glob, socket, time
ctypes.CDLL(glob.glob("/usr/lib/*/libapr-1.so.0")[0])
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", ${session.lab.ports.https}))
s.listen()
time.sleep(60)
END
      setpriv --reuid=65534 --regid=65534 --clear-groups setsid python3 /tmp/listen.py >/dev/null 2>&1 & echo $!; sleep 1`)
    ).trim();
    await assert.rejects(session.look(), (error: Error) => {
      assert.match(error.message, /another user, which listens on port \d+ and looks like httpd; stop it/);
      assert.doesNotMatch(error.message, /write "httpd:/);
      return true;
    });
    await session.lab.run(`kill ${stranger}; rm /tmp/listen.py; ${root}/bin/apachectl start`);
  });
});
