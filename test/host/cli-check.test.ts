/** `clientcert check` as its users run it, against real hosts. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { siteText, type LabSiteHost } from "../../lab/site.ts";
import { emptyChange } from "../../core/apache/model.ts";
import { createHost } from "../../provider/apache/host.ts";
import { createPool } from "../../provider/remote/pool.ts";
import { startSession, type Session } from "./session.ts";

const program = path.join(import.meta.dirname, "../../cli/main.ts");

interface CliResult {
  readonly code: number;
  readonly output: string;
}

function clientcert(...words: string[]): Promise<CliResult> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ["--import", "tsx", program, ...words],
      { timeout: 60_000 },
      (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, output: stdout + stderr }),
    );
  });
}

interface Report {
  readonly state: string;
  readonly error?: string;
  readonly changes: readonly string[];
  readonly server?: { readonly virtualHosts: readonly { readonly wanted: boolean; readonly covered: boolean }[] };
}

function reportIn(json: string, index = 0): Report {
  const { hosts } = JSON.parse(json) as { hosts: readonly Report[] }; // our own answer
  const report = hosts[index];
  assert.ok(report !== undefined, json);
  return report;
}

const coverage = ({ server }: Report): string[] =>
  (server?.virtualHosts ?? []).map(({ wanted, covered }) => `${wanted} ${covered}`);

describe("clientcert check", function () {
  this.timeout(120_000);
  const marker = "planted-marker-of-the-customer";
  let folder = "";
  let site = "";
  let web1: Session;
  let web2: Session;
  let crlPem = "";

  /** The session's stack is called lab. */
  async function writeSite(hosts: readonly LabSiteHost[]): Promise<void> {
    await writeFile(site, siteText({ caFiles: ["ca.pem"], crlFiles: ["crl.pem"], hosts }));
  }
  const hosts = (): LabSiteHost[] => [
    { name: "web1", lab: web1.lab },
    { name: "web2", lab: web2.lab },
  ];
  const check = (...words: string[]): Promise<CliResult> => clientcert("check", "--site", site, ...words);

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "clientcert-check-"));
    site = path.join(folder, "lab.yaml");
    const line = (await clientcert("observe-program", "--sudoers", "ops")).output.trim();
    assert.match(line, /^ops ALL=\(root\) NOPASSWD: sha256:[0-9a-f]{64} \/usr\/local\/sbin\/clientcert-observe ""$/);
    const ops = { sudo: { rule: line.replace("ops ", "") } };
    [web1, web2] = await Promise.all([
      startSession({ virtualHosts: 2, ops, serverDirectives: `ServerAdmin ${marker}@lab.test` }),
      startSession(),
    ]);
    crlPem = await web1.lab.pki.crl();
    await writeFile(path.join(folder, "ca.pem"), web1.lab.pki.caBundle);
    await writeFile(path.join(folder, "crl.pem"), crlPem);
    await writeSite(hosts());
  });
  after(async () => {
    await Promise.all([web1.stop(), web2.stop()]);
    await rm(folder, { recursive: true });
  });

  it("ends with 7 on a host that is not set up, in one remote execution, and changes nothing", async () => {
    const hash = await web1.lab.treeHash();
    const executions = await web1.lab.executions();
    const { code, output } = await check("--host", "web1");
    assert.equal(code, 7, output);
    assert.match(output, /^web1 \(127\.0\.0\.1:\d+\): differs from what is wanted$/m);
    assert.match(output, /^ +write \/usr\/local\/ni\/apache\/conf\/clientcert\/clientcert\.conf$/m);
    assert.match(output, /^ +add IncludeOptional to <VirtualHost> at \S+httpd-ssl\.conf:\d+ \(b\.lab\.test\)$/m);
    assert.match(output, /Apache\/2\.4\..*, OpenSSL 3[^()]*; 0 of 2 virtual hosts covered$/m);
    assert.equal(await web1.lab.executions(), executions + 1);
    assert.equal(await web1.lab.treeHash(), hash);
  });

  it("tells in JSON which virtual hosts are wanted, and that none is covered yet", async () => {
    const { lab } = web1;
    await writeSite([{ name: "web1", lab, more: { excludeVirtualHosts: ["b.lab.test"] } }]);
    const { output } = await check("--json");
    assert.deepEqual(coverage(reportIn(output)), ["true false", "false false"]);
    await writeSite(hosts());
  });

  it("ends with 0 once the host is set up, whatever organization and project own it", async () => {
    assert.equal((await web1.apply({ crlPem })).result, "applied");
    assert.match((await check("--host", "web1")).output, /; 2 of 2 virtual hosts covered$/m);
    const { code, output } = await check("--host", "web1", "--json");
    assert.equal(code, 0, output);
    const report = reportIn(output);
    assert.deepEqual([report.state, report.changes, coverage(report)], ["as wanted", [], ["true true", "true true"]]);
  });

  it("keeps what only the running httpd knows in a file, without a line of the configuration", async () => {
    const file = path.join(folder, "saved.json");
    await check("--host", "web1", "--save", file);
    const saved = await readFile(file, "utf8");
    assert.match(await web1.lab.run(`cat ${web1.lab.configFile}`), new RegExp(marker));
    assert.ok(!saved.includes(marker));
    assert.match(saved, /"ssl_module": "shared"/);
    assert.match(saved, /"owner": "organization\/project\/lab\/web1"/);
  });

  it("works under a sudoers rule for the observation program alone, with which nothing can be changed", async () => {
    const target = "/usr/local/sbin/clientcert-observe";
    await writeFile(web1.lab.path(target), (await clientcert("observe-program")).output);
    await chmod(web1.lab.path(target), 0o755);
    const { lab } = web1;
    const told = await lab.run(`${target} --help; ${target} --all 2>&1 || echo "ended with $?"`);
    assert.match(told, /^Reads a request of clientcert [^]*\n--all: there is no such option\n[^]*\nended with 64\n$/);
    const sudo = { program: target };
    const login = { user: "ops", port: lab.ports.ssh, hostKey: lab.hostKey, login: { keyFile: lab.keyFile }, sudo };
    await writeSite([{ name: "web1", lab, more: { connection: login } }]);
    const well = await check();
    assert.equal(well.code, 0, well.output);
    await writeSite([{ name: "web1", lab, more: { connection: login, httpd: "/home/ops/httpd" } }]);
    const refused = await check();
    assert.equal(refused.code, 1, refused.output);
    assert.match(refused.output, /clientcert observe-program --site/);
    await web1.lab.run(`echo 'id >/etc/planted' >>${target}`);
    const tampered = await check();
    assert.equal(tampered.code, 1, tampered.output);
    assert.match(tampered.output, /sudo/);
    await writeSite(hosts());

    const host = createHost(createPool());
    const connection = { ...web1.connection, user: "ops", sudo: { how: "program", path: target } } as const;
    const transaction = {
      id: "x",
      owner: "o",
      takeOver: false,
      configFile: lab.configFile,
      change: emptyChange,
      contents: new Map(),
      probes: new Map(),
      remove: false,
      reloadPendingEdits: false,
    };
    try {
      await assert.rejects(
        host.judge({ connection, detection: {} }, transaction),
        /ops may only run \/usr\/local\/sbin\/clientcert-observe/,
      );
      await assert.rejects(host.apply({ connection, detection: {} }, transaction), /looks and changes nothing/);
    } finally {
      await host.close();
    }
  });

  it("never asks a program called httpd that somebody else than root runs", async () => {
    const { lab } = web1;
    await lab.run("cp /bin/sleep /home/ops/httpd && chown ops /home/ops/httpd");
    await lab.run(
      "setpriv --reuid 4242 --regid 4242 --clear-groups /home/ops/httpd 100 </dev/null >/dev/null 2>&1 & echo $! >/run/other-httpd",
    );
    try {
      const { code, output } = await check("--host", "web1");
      assert.equal(code, 0, output);
    } finally {
      await lab.run("kill $(cat /run/other-httpd)");
    }
  });

  it("ends with 7 where our file was tampered with, naming file and line", async () => {
    await web1.lab.run(
      "sed -i 's/^SSLVerifyClient optional/SSLVerifyClient none/' /usr/local/ni/apache/conf/clientcert/clientcert.conf",
    );
    const { code, output } = await check("--host", "web1");
    assert.equal(code, 7, output);
    assert.match(output, /clientcert\.conf:\d+: "SSLVerifyClient none" where "SSLVerifyClient optional" is wanted/);
  });

  it("ends with 7 at a conflict, naming the place", async () => {
    await web2.lab.run(
      "sed -i 's|^</VirtualHost>|SSLVerifyClient require\\n</VirtualHost>|' /usr/local/ni/apache/conf/extra/httpd-ssl.conf",
    );
    const { code, output } = await check("--host", "web2");
    assert.equal(code, 7, output);
    assert.match(output, /^ +conflict \S+httpd-ssl\.conf:\d+: SSLVerifyClient require in <VirtualHost>/m);
  });

  it("ends with 1 when one host differs and another cannot be reached", async () => {
    const [first = { name: "", lab: web1.lab }] = hosts();
    await writeSite([first, { name: "web2", lab: { ...web2.lab, ports: { ...web2.lab.ports, ssh: 1 } } }]);
    const { code, output } = await check();
    assert.equal(code, 1, output);
    assert.match(output, /^web1 .*: differs/m);
    assert.match(output, /^web2 \(127\.0\.0\.1:1\): could not tell\n {2}\S+:\d+: nothing listens on this port; start/m);
    assert.match(
      reportIn((await check("--json")).output, 1).error ?? "",
      /^web2 \(127\.0\.0\.1:1\): \S+lab\.yaml:\d+: nothing listens on this port; start sshd there or correct the port$/,
    );
    await writeSite(hosts());
  });

  it("ends with 1 at a wrong host key", async () => {
    await writeSite([{ name: "web1", lab: { ...web1.lab, hostKey: web2.lab.hostKey } }]);
    const { code, output } = await check();
    assert.equal(code, 1, output);
    const [line = ""] = /(?<=lab\.yaml:)\d+(?=: shows the host key)/.exec(output) ?? [];
    assert.match((await readFile(site, "utf8")).split("\n")[Number(line) - 1] ?? "", /hostKey: /, output);
    await writeSite(hosts());
  });

  it("ends with 2 and the nearest name for a host that the site does not have", async () => {
    const { code, output } = await check("--host", "wev1");
    assert.equal(code, 2);
    assert.match(output, /there is no host "wev1"; did you mean web1\?/);
  });
});
