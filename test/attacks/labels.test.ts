/**
 * Labels of SELinux. They are real attributes of real files, but no kernel here enforces them: that the kernel has
 * SELinux is imitated.
 */
import assert from "node:assert/strict";
import { faultyProgram } from "../faults/program.ts";
import { sourced, startRefreshSession, type RefreshSession } from "../host/refresh-session.ts";

const root = "/usr/local/ni/apache";
const own = `${root}/conf/clientcert`;
const tls = `${root}/conf/extra/httpd-ssl.conf`;
const label = (type: string): string => `system_u:object_r:${type}:s0`;

describe("labels of SELinux (a kernel that does not enforce them, said to have it)", function () {
  this.timeout(120_000);
  let session: RefreshSession;
  /** Shell text that redefines functions of the program. */
  let more = "";

  before(async () => {
    session = await startRefreshSession({}, () => faultyProgram({ more }));
    await session.lab.run(`mount -t tmpfs tmpfs /sys/fs && mkdir /sys/fs/selinux
      chcon ${label("httpd_config_t")} ${root}/conf && chcon ${label("admin_home_t")} ${tls}
      chcon ${label("system_cron_spool_t")} /etc/cron.d`);
  });
  after(() => session.stop());

  const wish = () => sourced(session.publisher);
  const labelsOf = async (paths: string): Promise<Record<string, string>> => {
    const lines = (await session.lab.run(`stat -c '%n %C' -- ${paths} 2>/dev/null || :`)).trim().split("\n");
    return Object.fromEntries(lines.map((line) => line.split(" ") as [string, string])); // no path here has a blank
  };
  const everything = `${own} ${own}/* ${tls} /etc/cron.d/clientcert-*`;

  it("of new files are those of their directories, of a new directory that of conf/, and of edited files their own", async () => {
    assert.equal((await session.apply(wish())).result, "applied");
    const { [tls]: edited, ...made } = await labelsOf(everything);
    assert.equal(edited, label("admin_home_t"));
    for (const [path, found] of Object.entries(made))
      assert.equal(found, label(path.startsWith("/etc/cron.d/") ? "system_cron_spool_t" : "httpd_config_t"), path);
    assert.ok(Object.keys(made).length >= 7, "directory, CA, CRL, settings, configuration, README, timer");
  });

  it("of a replaced file is that which the directory has by now, after a change and after a refresh of the timer", async () => {
    await session.lab.run(`chcon ${label("httpd_sys_content_t")} ${own}`);
    await session.publishNew();
    assert.equal((await session.timer()).exitCode, 0);
    assert.equal((await session.apply({ ...wish(), organizations: ["OTHER"] })).result, "applied");
    const found = await labelsOf(`${own}/*`);
    const wanted = (name: string): string =>
      label(["crl.pem", "clientcert.conf"].includes(name) ? "httpd_sys_content_t" : "httpd_config_t");
    for (const [path, one] of Object.entries(found)) assert.equal(one, wanted(path.slice(own.length + 1)), path);
  });

  it("are those of before where a change is put back", async () => {
    await session.lab.run(`chcon ${label("httpd_config_t")} ${own} && sed -i /clientcert/d ${tls}
      chcon ${label("admin_home_t")} ${tls} && chcon ${label("etc_t")} ${own}/clientcert.conf`);
    const before = await labelsOf(everything);
    more = "check_health() { return 1; }";
    assert.equal((await session.apply({ ...wish(), reloadPendingEdits: true })).result, "rolledBack");
    more = "";
    assert.deepEqual(await labelsOf(everything), before);
  });

  it("cost a host without SELinux no process (a stand-in for chcon would tell)", async () => {
    await session.lab.run(`umount /sys/fs && printf '#!/bin/sh\\n: >/run/chcon-ran\\n' >/usr/local/bin/chcon
      chmod 755 /usr/local/bin/chcon`);
    assert.equal((await session.apply({ ...wish(), reloadPendingEdits: true })).result, "applied");
    assert.equal(await session.lab.run("ls /run/chcon-ran 2>/dev/null || echo none"), "none\n");
  });
});
