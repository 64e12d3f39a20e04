/**
 * Files that cannot be replaced, disks that cannot be written, and other people's edits: all of it found before the
 * swap, or put back.
 */
import assert from "node:assert/strict";
import type { Outcome } from "../../provider/apache/host-model.ts";
import { startSession, type Session } from "../host/session.ts";
import { unchanged } from "../host/unchanged.ts";
import { skipBecause } from "../skip.ts";

const conf = "/usr/local/ni/apache/conf";
const tlsFile = `${conf}/extra/httpd-ssl.conf`;

/** What the change ended with: its result and reasons, or the error. */
async function endOf(change: Promise<Outcome>): Promise<string> {
  return change.then(
    ({ result, reasons }) => [result, ...reasons].join("\n"),
    (error: Error) => `error: ${error.message}`,
  );
}

describe("a change of a host whose files or disks forbid it", function () {
  this.timeout(60_000);
  let session: Session;

  before(async () => {
    session = await startSession();
  });
  after(() => session.stop());

  /** Applies after `prepare` has been done to the host, and undoes that. */
  async function applyWhile(prepare: string, undo: string): Promise<string> {
    const transaction = await session.prepare();
    await session.lab.run(prepare);
    try {
      return await unchanged(session, () => endOf(session.host.apply(session.target, transaction)));
    } finally {
      await session.lab.run(undo);
    }
  }

  /** `conf` as a file system of its own, as large as `size`. */
  const ownFileSystem = (size: string) =>
    `cp -a ${conf} /srv/conf && mount -t tmpfs -o mode=755,size=${size} tmpfs ${conf} && cp -a /srv/conf/. ${conf}/ && rm -r /srv/conf`;
  const fill = (directory: string) => `dd if=/dev/zero of=${directory}/fill 2>/dev/null || :`;

  it("is refused for a hard link", async () => {
    const end = await applyWhile(`ln ${tlsFile} /usr/local/ni/other-name`, "rm /usr/local/ni/other-name");
    assert.match(end, /^refused\n.*httpd-ssl\.conf: has more than one hard link/);
  });

  it("is refused for an immutable file", async function () {
    const probe = await session.lab.exec(`chattr +i ${tlsFile} && chattr -i ${tlsFile}`);
    if (probe.status !== 0) skipBecause(this, "the file system of this machine has no immutable attribute");
    const end = await applyWhile(`chattr +i ${tlsFile}`, `chattr -i ${tlsFile}`);
    assert.match(end, /^refused\n.*httpd-ssl\.conf: has the immutable/);
  });

  it("goes live on a file system that keeps no such attributes", async function () {
    await session.lab.run(
      `cp -a ${conf} /srv/conf && mount -t ramfs -o mode=755 ramfs ${conf} && cp -a /srv/conf/. ${conf}/`,
    );
    try {
      const attributes = await session.lab.exec(`lsattr -d ${tlsFile} 2>/dev/null`);
      if (attributes.stdout !== "") skipBecause(this, "ramfs keeps attributes on this kernel");
      assert.equal(await endOf(session.apply()), "applied");
      assert.equal(await endOf(session.remove()), "applied");
    } finally {
      await session.lab.run(`umount ${conf} && rm -r /srv/conf`);
    }
  });

  it("is refused for a file that is a mount point", async () => {
    const end = await applyWhile(
      `cp -a ${tlsFile} /srv/bound && mount --bind /srv/bound ${tlsFile}`,
      `umount ${tlsFile} && rm /srv/bound`,
    );
    assert.match(end, /^refused\n.*httpd-ssl\.conf: is a mount point/);
  });

  // On the same device, and yet no rename leads there: mv would copy, with the live file missing or short meanwhile.
  it("is refused for a file in a directory that is mounted at a second place", async () => {
    const end = await applyWhile(`mount --bind ${conf}/extra ${conf}/extra`, `umount ${conf}/extra`);
    assert.match(end, /^refused\n.*httpd-ssl\.conf: is mounted from elsewhere/);
  });

  it("is refused where our own directory is a link", async () => {
    const end = await applyWhile(`ln -s /srv ${conf}/clientcert`, `rm ${conf}/clientcert`);
    assert.match(end, /^refused\n.*clientcert: is a link/);
  });

  it("is refused for a file that was edited after it had been looked at", async () => {
    const end = await applyWhile(
      `cp -a ${tlsFile} /srv/kept && echo '# edited' >>${tlsFile}`,
      `mv /srv/kept ${tlsFile}`,
    );
    assert.match(end, /^refused\n.*httpd-ssl\.conf: changed since it was looked at/);
  });

  it("ends without a trace on a full disk below conf", async () => {
    const end = await applyWhile(`${ownFileSystem("400k")} && ${fill(conf)}`, `umount ${conf}`);
    assert.match(end, /no room for the new files in .*clientcert, or it is read-only; nothing was changed/);
  });

  it("ends without a trace where conf is read-only", async () => {
    const end = await applyWhile(`${ownFileSystem("400k")} && mount -o remount,ro ${conf}`, `umount ${conf}`);
    assert.match(end, /no room for the new files in .*clientcert, or it is read-only; nothing was changed/);
  });

  for (const size of ["8k", "1M"]) {
    it(`ends without a trace where /var/lib has room for ${size} only`, async () => {
      const state = "/var/lib/clientcert";
      const end = await applyWhile(
        `mkdir ${state} && mount -t tmpfs -o mode=700,size=${size} tmpfs ${state}`,
        `umount ${state} && rmdir ${state}`,
      );
      assert.match(end, /^error: .*\/var\/lib\/clientcert\/.* has less than 8 MiB of room/);
    });
  }

  it("ends without a trace where /var/lib is read-only", async () => {
    const state = "/var/lib/clientcert";
    const end = await applyWhile(
      `mkdir ${state} && mount -t tmpfs -o ro tmpfs ${state}`,
      `umount ${state} && rmdir ${state}`,
    );
    assert.match(end, /^error: .*cannot write \/var\/lib\/clientcert/);
  });

  it("keeps what an editor saved in the very moment of the swap", async () => {
    const editor = `#!/bin/sh
case $* in *edit.1*${tlsFile}*) [ -e /run/saved ] || { cp -a ${tlsFile} /srv/saved && echo '# saved in the last moment' >>/srv/saved && /bin/mv /srv/saved ${tlsFile} && : >/run/saved; } ;; esac
exec /bin/mv "$@"
`;
    await session.lab.run("cat >/usr/local/bin/mv && chmod 755 /usr/local/bin/mv", editor);
    const before = await session.lab.run(`cat ${tlsFile}`);
    const end = await endOf(session.apply());
    await session.lab.run("rm /usr/local/bin/mv /run/saved");
    assert.match(end, /^refused\n.*httpd-ssl\.conf: changed in the moment of the swap/);
    assert.equal(await session.lab.run(`cat ${tlsFile}`), `${before}# saved in the last moment\n`);
    assert.equal((await session.lab.exec(`ls ${conf}/clientcert`)).status, 2);
    await session.lab.run(`cat >${tlsFile}`, before);
  });

  it("works when nothing forbids it any more", async () => {
    assert.match(await endOf(session.apply({ reloadPendingEdits: true })), /^applied$/);
  });
});
