/** `clientcert check` of a host whose server does not run. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { check } from "../../cli/check.ts";
import { styleFor } from "../../cli/output.ts";
import { request } from "../../lab/client.ts";
import type { LabHostOptions } from "../../lab/options.ts";
import { siteText } from "../../lab/site.ts";
import { systemdProgram } from "../../lab/systemd.ts";
import { startSession, type Session } from "../host/session.ts";
import { skipBecause } from "../skip.ts";
import { endHttpd } from "../faults/bytes.ts";

const root = "/usr/local/ni/apache";
const crlFile = `${root}/conf/clientcert/crl.pem`;

/** A session and the site file of its host. */
async function onHost(options: LabHostOptions, run: (session: Session, told: Told) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), "clientcert-stopped-"));
  // Until a change of ours stands in it, nobody knows a server that does not run.
  const detection = options.stopped === true ? { httpd: `${root}/bin/httpd`, config: `${root}/conf/httpd.conf` } : {};
  const session = await startSession(options, detection);
  const crlPem = await session.lab.pki.crl();
  const told: Told = async (more = {}) => {
    const site = path.join(folder, "lab.yaml");
    const hosts = [{ name: "web1", lab: session.lab, more: { ...detection, ...more } }];
    await writeFile(site, siteText({ caFiles: ["ca.pem"], crlFiles: ["crl.pem"], hosts }));
    const rest = { hosts: [], json: false, save: undefined, parallel: undefined, onProgress: () => undefined };
    const { code, output } = await check({ site, now: Date.now(), style: styleFor({}, {}), ...rest });
    return `${code} ${output}`;
  };
  try {
    await writeFile(path.join(folder, "ca.pem"), session.lab.pki.caBundle);
    await writeFile(path.join(folder, "crl.pem"), crlPem);
    await run(session, told);
  } finally {
    await session.stop();
    await rm(folder, { recursive: true });
  }
}

/** Exit code and output of `clientcert check`. */
type Told = (more?: Readonly<Record<string, unknown>>) => Promise<string>;

describe("a server that does not run", function () {
  this.timeout(120_000);

  it("ends a check with 7 and one line where it ran at the last change, unless it may be stopped", () =>
    onHost({}, async (session, told) => {
      const crlPem = await session.lab.pki.crl();
      assert.equal((await session.apply({ crlPem })).result, "applied");
      assert.match(await told(), /^0 .*as wanted/);
      await endHttpd(session);
      const alarm = await told();
      assert.match(alarm, /^7 .*differs from what is wanted\n/);
      assert.equal(alarm.match(/^ {2}problem /gm)?.length, 1, alarm);
      assert.match(alarm, /problem \S+httpd\.conf: httpd does not run, .* it ran when it was changed last; start it/);
      assert.match(await told({ mayBeStopped: true }), /^0 .*as wanted/);
      // An older build did not write it down.
      await session.lab.run("sed -i '/^ran-as/d' /var/lib/clientcert/*/journal");
      assert.match(await told(), /^7 .*\n[^]*it ran when it was changed last/);
    }));

  it("is told which file of ours keeps it from starting; a change mends that, and the alarm stays until it runs", () =>
    onHost({}, async (session, told) => {
      const crlPem = await session.lab.pki.crl();
      await session.apply({ crlPem });
      await session.lab.run(`sed -i 's/^M/-/' ${crlFile}`);
      await endHttpd(session);
      assert.notEqual((await session.lab.exec(`${root}/bin/apachectl start`)).status, 0);
      assert.match(
        await told(),
        /^7 .*\n[^]*crl\.pem cannot be read, which keeps it from starting: pulumi up mends that/,
      );
      assert.equal((await session.apply({ crlPem })).result, "stopped");
      assert.match(await told(), /^7 .*\n[^]*it ran when it was changed last; start it/);
      await session.lab.run(`${root}/bin/apachectl start`);
      assert.equal((await request(session.lab, { certificate: "revoked" })).outcome, "refused");
      assert.match(await told(), /^0 .*as wanted/);
    }));

  it("is no alarm where it was set up stopped, until something starts it with the machine", () =>
    onHost({ stopped: true }, async (session, told) => {
      const crlPem = await session.lab.pki.crl();
      assert.equal((await session.apply({ crlPem })).result, "stopped");
      assert.match(await told(), /^0 .*as wanted/);
      const script = `#!/bin/sh\nHTTPD=${root}/bin/apachectl\n$HTTPD "$1"\n`;
      const stranger = `#!/bin/sh\n/usr/local/other/bin/apachectl "$1"\n`;
      await session.lab.run("mkdir -p /etc/rc2.d; rm -f /etc/rc?.d/*; cat >/etc/rc2.d/S20other", stranger);
      assert.match(await told(), /^0 .*as wanted/);
      await session.lab.run("cat >/etc/rc2.d/S80httpd", script);
      assert.match(await told(), /^7 .*\n[^]*\/etc\/rc2\.d\/S80httpd starts it with the machine/);
    }));

  it("is an alarm where a unit of systemd is enabled that starts it, and none where that is of another server", async function () {
    if (!existsSync(systemdProgram)) skipBecause(this, "systemd is not installed");
    await onHost({ systemd: true, stopped: true }, async (session, told) => {
      const crlPem = await session.lab.pki.crl();
      assert.equal((await session.apply({ crlPem })).result, "stopped");
      const unit = (folder: string) =>
        `[Service]\nExecStart=${root}/bin/httpd -d ${folder} -f conf/httpd.conf -D FOREGROUND\n[Install]\nWantedBy=multi-user.target\n`;
      await session.lab.run(
        "cat >/etc/systemd/system/other.service && systemctl enable other",
        unit("/usr/local/other"),
      );
      await session.lab.run("cat >/etc/systemd/system/httpd.service", unit(root));
      assert.match(await told(), /^0 .*as wanted/);
      await session.lab.run("systemctl enable httpd");
      assert.match(await told(), /^7 .*\n[^]*multi-user\.target\.wants\/httpd\.service starts it with the machine/);
    });
  });
});
