/**
 * A server that runs and is not found by its name must never be taken for stopped: its files would be written, and
 * never loaded.
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { request } from "../../lab/client.ts";
import { HostError } from "../../provider/remote/host-error.ts";
import { startSession, type Session } from "../host/session.ts";
import { bytesOf, endHttpd } from "../faults/bytes.ts";

const root = "/usr/local/ni/apache";
const bin = `${root}/bin`;
/** The end of a run that came to nothing stays beside them. */
const live = [`${root}/conf`, "/var/lib/clientcert/*/journal"];

describe("an httpd that runs and is not found by its name", function () {
  this.timeout(120_000);
  let session: Session;
  let clean: string;

  before(async () => {
    session = await startSession({ virtualHosts: 2 });
    assert.equal((await session.apply()).result, "applied");
    clean = await bytesOf(session, ...live);
  });
  after(() => session.stop());

  /** Neither looked at as a stopped one nor changed, and its users are served. */
  async function isRefused(words: RegExp): Promise<void> {
    const transaction = { ...(await known), id: randomUUID() };
    for (const run of [session.look, () => session.host.apply(session.target, transaction)]) {
      const error: unknown = await run().then(String, (reason: unknown) => reason);
      assert.ok(error instanceof HostError, String(error));
      assert.equal(error.kind, "noHttpd", error.message);
      assert.match(error.message, words);
    }
    assert.equal(await bytesOf(session, ...live), clean);
    assert.equal((await request(session.lab, { certificate: "revoked" })).outcome, "refused");
  }
  /** A change that was planned while it was still found. */
  let known: ReturnType<Session["prepare"]>;
  beforeEach(() => (known = session.prepare({ organizations: ["XYZ"] })));

  /** As an upgrade that keeps the old program beside the new one. */
  const renamed = `cp -p ${bin}/httpd ${bin}/new && mv ${bin}/httpd ${bin}/webserver && mv ${bin}/new ${bin}/httpd`;
  const named = `mv ${bin}/webserver ${bin}/httpd`;

  it("because its program file was renamed, is told by its pid file", async () => {
    await session.lab.run(renamed);
    try {
      await isRefused(
        /process \d+ \(\S+\/webserver\) does, which is named by the pid file .*write "httpd: \S+\/webserver"/,
      );
    } finally {
      await session.lab.run(named);
    }
    assert.equal((await session.look()).server.running, true);
  });

  it("because its program file was renamed, is told by its port where its pid file is gone", async () => {
    await session.lab.run(`${renamed}; mv ${root}/logs/httpd.pid /run/kept.pid`);
    try {
      await isRefused(/process \d+ \(\S+\/webserver\) does, which listens on port \d+ and looks like httpd/);
    } finally {
      await session.lab.run(`${named}; mv /run/kept.pid ${root}/logs/httpd.pid`);
    }
  });

  it("because /proc hides it, is told by its pid file, and by its port where that is gone", async () => {
    const hide = `mkdir -p /run/empty; pgrep -x httpd >/run/pids; for pid in $(cat /run/pids); do mount --bind /run/empty /proc/$pid; done`;
    await session.lab.run(hide);
    try {
      await isRefused(/process \d+ is named by the pid file .*, and \/proc does not show which program it runs/);
      await session.lab.run(`mv ${root}/logs/httpd.pid /run/kept.pid`);
      await isRefused(/port \d+ of \S+ is in use, and \/proc does not show by which process/);
    } finally {
      await session.lab.run(
        `for pid in $(cat /run/pids); do umount /proc/$pid; done; mv /run/kept.pid ${root}/logs/httpd.pid`,
      );
    }
  });

  it("because no process can be looked at, is told", async () => {
    const stat = "p=$(command -v stat)";
    const broken = `#!/bin/sh\\ncase "$*" in */proc/[0-9]*/exe*) exit 1 ;; esac\\nexec /usr/local/stat.real "$@"\\n`;
    await session.lab.run(`${stat}; cp -p $p /usr/local/stat.real; rm $p; printf '${broken}' >$p; chmod 755 $p`);
    try {
      await isRefused(/the processes of this host cannot be listed/);
    } finally {
      await session.lab.run(`${stat}; rm $p; mv /usr/local/stat.real $p`);
    }
  });

  it("is named in the site file, and is found again", async () => {
    await session.lab.run(renamed);
    try {
      const target = { ...session.target, detection: { httpd: `${bin}/webserver` } };
      assert.equal((await session.host.observe(target)).server.isRunning, true);
    } finally {
      await session.lab.run(named);
    }
  });

  it("is none where another program has its port, and its pid file names somebody's process", async () => {
    await endHttpd(session);
    const { https } = session.lab.ports;
    const stranger = `setsid openssl s_server -nocert -accept 127.0.0.1:${https} >/dev/null 2>&1 </dev/null & echo $! >${root}/logs/httpd.pid`;
    await session.lab.run(
      `${stranger}; until grep -q ":$(printf %04X ${https}) .* 0A " /proc/net/tcp; do sleep 0.05; done`,
    );
    assert.equal((await session.look()).server.running, false);
    assert.equal((await session.apply({ organizations: ["XYZ"] })).result, "stopped");
  });
});
