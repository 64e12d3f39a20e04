import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { handshakeTable, request, startTraffic } from "../../lab/client.ts";
import { startLabHost, type LabHost } from "../../lab/host.ts";
import { clientNames } from "../../lab/pki.ts";
import { changedPaths } from "../../lab/snapshot.ts";

const run = promisify(execFile);
const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith("clientcert-lab-"));
const isAlive = (pid: number) => existsSync(`/proc/${pid}`);

function ssh(host: LabHost, command: string, user = "root") {
  const trust = [
    "-o",
    "StrictHostKeyChecking=no",
    "-o",
    "UserKnownHostsFile=/dev/null",
    "-o",
    "LogLevel=ERROR",
    "-o",
    "BatchMode=yes",
  ];
  return run("ssh", ["-p", String(host.ports.ssh), "-i", host.keyFile, ...trust, `${user}@127.0.0.1`, command]);
}

async function withHosts<T>(hosts: readonly LabHost[], use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } finally {
    await Promise.all(hosts.map((host) => host.stop()));
  }
}

describe("a lab host", function () {
  this.timeout(60_000);

  it("is a machine of its own beside others", async () => {
    const hosts = await Promise.all([startLabHost(), startLabHost(), startLabHost()]);
    await withHosts(hosts, async () => {
      for (const [index, host] of hosts.entries()) {
        await host.run(`echo '# ${index}' >/etc/cron.d/mark; echo ${index} >/usr/local/ni/mark`);
        assert.match(await host.run("cat /proc/1/cmdline"), new RegExp(host.directory));
      }
      for (const [index, host] of hosts.entries()) {
        assert.equal(await host.run("cat /etc/cron.d/mark /usr/local/ni/mark"), `# ${index}\n${index}\n`);
        assert.equal((await host.run("ps -e -o comm=")).match(/^sshd$/gm)?.length, 1);
      }
      assert.ok(!existsSync("/usr/local/ni") && !existsSync("/etc/cron.d/mark"));
    });
  });

  it("lets root in by key and counts executions", async () => {
    const host = await startLabHost();
    await withHosts([host], async () => {
      // Nothing of this machine's home: its .bashrc would run at each login.
      assert.equal((await ssh(host, "id -u; hostname; ls -A /root")).stdout, "0\nlab\n");
      await ssh(host, "true");
      assert.equal(await host.executions(), 2);
    });
  });

  it("gives ops sudo in the asked way", async () => {
    const hosts = await Promise.all(
      (["passwordless", "password", "requiretty"] as const).map((sudo) =>
        startLabHost({ ops: { sudo }, stopped: true }),
      ),
    );
    await withHosts(hosts, async () => {
      const answers = await Promise.all(hosts.map((host) => ssh(host, "sudo -n id -u 2>&1 || :", "ops")));
      const [passwordless, password, requiretty] = answers.map(({ stdout }) => stdout);
      assert.equal(passwordless, "0\n");
      assert.match(password ?? "", /password is required/);
      assert.match(requiretty ?? "", /must have a tty/);
    });
  });

  it("answers every client alike before any set-up", async () => {
    const host = await startLabHost({ virtualHosts: 2 });
    await withHosts([host], async () => {
      const rows = await handshakeTable(host);
      assert.equal(rows.length, clientNames.length + 1);
      for (const row of rows) assert.deepEqual([row.outcome, row.verify], ["200", "NONE"], row.client);
      for (const servername of ["b.lab.test", null]) assert.equal((await request(host, { servername })).outcome, "200");
      const upload = await request(host, { path: "/cgi-bin/env.cgi", bodyBytes: 40_000_000, tlsVersion: "TLSv1.2" });
      assert.match(upload.body, /protocol=TLSv1\.2 body=40000000$/m);
    });
  });

  it("serves the same pages in the layouts of Debian and Red Hat", async () => {
    const hosts = await Promise.all(
      (["debian", "redhat"] as const).map((layout) => startLabHost({ layout, virtualHosts: 2 })),
    );
    await withHosts(hosts, async () => {
      for (const host of hosts) {
        assert.match(
          (await request(host, { servername: "b.lab.test", path: "/cgi-bin/env.cgi" })).body,
          /^verify=NONE/,
        );
        assert.match(await host.run(`test -f ${host.configFile} && ls ${host.serverRoot}`), /conf|sites-enabled/);
      }
    });
  });

  it("that was set up by hand as the manual says lets the revoked client in", async () => {
    const host = await startLabHost({ manual: "cron.d" });
    await withHosts([host], async () => {
      const outcomes = Object.fromEntries(
        (await handshakeTable(host)).map((row) => [row.client, `${row.outcome} ${row.verify ?? ""}`.trim()]),
      );
      const expected = {
        none: "200 NONE",
        good: "200 SUCCESS",
        revoked: "200 SUCCESS",
        wrongOrganization: "403",
        noOrganization: "200 SUCCESS",
        foreign: "refused",
      };
      for (const [client, outcome] of Object.entries(expected)) assert.equal(outcomes[client], outcome, client);
      assert.match(await host.run("cat /etc/cron.d/ni-crl"), /wget/);
    });
  });

  it("has a tree hash that a request leaves alone but for the logs, and one byte changes", async () => {
    const host = await startLabHost();
    await withHosts([host], async () => {
      // httpd writes its last line about its start after its pid file, and that of a request after its answer.
      const requestAndLog = async (lines: number): Promise<void> => {
        await request(host);
        const logs = `${host.serverRoot}/logs/access_log ${host.serverRoot}/logs/ssl_request_log`;
        await host.run(
          `for log in ${logs}; do timeout 10 sh -c 'until [ "$(wc -l <"$1")" -ge ${lines} ]; do sleep 0.02; done' sh $log; done`,
        );
      };
      await requestAndLog(1);
      const before = await host.snapshot();
      await requestAndLog(2);
      assert.deepEqual(
        changedPaths(before, await host.snapshot()).map((name) => name.replace(/.*\//, "")),
        ["access_log", "ssl_request_log"],
      );
      const hash = await host.treeHash({ roots: ["/etc"] });
      assert.equal(await host.treeHash({ roots: ["/etc"] }), hash);
      await host.run("chmod 600 /etc/hosts");
      assert.notEqual(await host.treeHash({ roots: ["/etc"] }), hash);
    });
  });

  it("reports what failed while it was restarted", async () => {
    const host = await startLabHost();
    await withHosts([host], async () => {
      const traffic = startTraffic(host);
      await host.run("kill $(cat /usr/local/ni/apache/logs/httpd.pid); sleep 0.5");
      const { requests, failures } = await traffic.stop();
      assert.ok(failures.length > 0 && failures.length <= requests);
    });
  });

  it("leaves nothing behind after stop", async () => {
    const before = leftovers();
    const host = await startLabHost();
    await host.stop();
    assert.equal(isAlive(host.pid), false);
    assert.deepEqual(
      leftovers().filter((name) => !before.includes(name)),
      [],
    );
    assert.doesNotMatch(readFileSync("/proc/self/mountinfo", "latin1"), new RegExp(host.directory));
  });

  it("ends with the process that started it, even by KILL", async () => {
    const code = `import("${new URL("../../lab/host.ts", import.meta.url).href}").then(async (lab) => { const h = await lab.startLabHost(); console.log(h.pid, h.directory); setInterval(() => {}, 1000); })`;
    const child = spawn(process.execPath, ["--import", "tsx", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
    const line = await new Promise<string>((resolve) =>
      child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString("latin1"))),
    );
    const [pid = "", directory = ""] = line.trim().split(" ");
    assert.ok(isAlive(Number(pid)));
    child.kill("SIGKILL");
    for (let attempt = 0; attempt < 400 && existsSync(directory); attempt += 1)
      await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual([isAlive(Number(pid)), existsSync(directory)], [false, false]);
  });
});
