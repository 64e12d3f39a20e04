import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { type LabSite, labSite } from "./lab-site.ts";
import type { Ended } from "../../lab/project.ts";

/** What `--expect-no-changes` ends with when there are changes. */
const changesFound = 7;

describe("The life of a host under the real engine", () => {
  let lab: LabSite;
  let original: string;
  const confFile = "/usr/local/ni/apache/conf/clientcert/clientcert.conf";
  const siteConf = "/usr/local/ni/apache/conf/extra/httpd-ssl.conf";

  const inside = (path: string): Promise<string> => readFile(lab.host.path(path), "latin1");

  function assertStatus({ status, output }: Ended, wanted: number): void {
    assert.equal(status, wanted, output);
  }

  async function tamper(): Promise<void> {
    const conf = await inside(confFile);
    await writeFile(
      lab.host.path(confFile),
      conf.replace("SSLVerifyClient optional", "SSLVerifyClient none"),
      "latin1",
    );
  }

  /** As the stack outputs say; the last lines of `up` sometimes lack them. */
  async function generation(): Promise<unknown> {
    const { output } = await lab.project.pulumi("stack", "output", "hosts", "--json");
    return (JSON.parse(output) as { web1: { generation: unknown } }).web1.generation; // as: asserted by the caller
  }

  /** Runs `pulumi …` and counts what it executed on the host. */
  async function counted(...args: string[]): Promise<Ended & { readonly executions: number }> {
    const start = await lab.host.executions();
    const ended = await lab.project.pulumi(...args);
    return { ...ended, executions: (await lab.host.executions()) - start };
  }

  before(async () => {
    lab = await labSite();
    original = await inside(siteConf);
  });
  after(() => lab.remove());

  it("previews: shows our file and the include line, lets httpd judge, touches nothing", async () => {
    const preview = await counted("preview");
    assertStatus(preview, 0);
    assert.match(preview.output, /SSLVerifyClient optional/);
    assert.match(preview.output, /IncludeOptional/);
    assert.match(preview.output, /judged well/);
    assert.equal(preview.executions, 2);
    assert.equal(await inside(siteConf), original);
  });

  it("goes up", async () => {
    const up = await counted("up", "--yes", "--skip-preview");
    assertStatus(up, 0);
    assert.equal(await generation(), 1);
    assert.match(await inside(siteConf), /IncludeOptional/);
    assert.ok(up.executions <= 3);
  });

  it("finds nothing to do the second time, with a refresh and without", async () => {
    const preview = await counted("preview", "--expect-no-changes");
    assertStatus(preview, 0);
    assert.equal(preview.executions, 1);
    const without = await counted("preview", "--expect-no-changes", "--refresh=false");
    assertStatus(without, 0);
    assert.equal(without.executions, 0);
    assertStatus(await counted("up", "--yes", "--skip-preview", "--expect-no-changes"), 0);
  });

  it("names file, line and directive after tampering, and ends with 7", async () => {
    await tamper();
    const preview = await lab.project.pulumi("preview", "--expect-no-changes");
    assertStatus(preview, changesFound);
    assert.match(
      preview.output,
      /clientcert\.conf:\d+: "SSLVerifyClient none" where "SSLVerifyClient optional" is wanted/,
    );
    const detailed = await lab.project.pulumi("refresh", "--preview-only", "--expect-no-changes", "--diff");
    assertStatus(detailed, changesFound);
    assert.match(detailed.output, /\+ SSLVerifyClient none/);
    assert.ok(!detailed.output.includes("~ facts"), detailed.output);
    const json = await lab.project.pulumi("preview", "--json");
    assert.match(json.output, /"files\[.*clientcert\.conf.*\]": \{/);
  });

  it("repairs", async () => {
    const up = await lab.project.pulumi("up", "--yes", "--skip-preview");
    assertStatus(up, 0);
    assert.equal(await generation(), 2);
    assertStatus(await lab.project.pulumi("preview", "--expect-no-changes"), 0);
  });

  it("imports the host as it is into a state that has lost it", async () => {
    const urn =
      "urn:pulumi:lab::clientcert::clientcert:index:Site$clientcert:index:ApacheHost$clientcert:apache:ClientAuth::web1";
    assertStatus(await lab.project.pulumi("state", "delete", urn, "--yes"), 0);
    const { address, ports, hostKey, keyFile } = lab.host;
    const query = new URLSearchParams({ hostKey: hostKey.trim(), keyFile, httpsPort: String(ports.https) });
    const id = `ssh://root@${address}:${ports.ssh}?${query}`;
    const imported = await lab.project.pulumi(
      "import",
      "clientcert:apache:ClientAuth",
      "imported",
      id,
      "--yes",
      "--generate-code=false",
    );
    assertStatus(imported, 0);
    assert.match(imported.output, /1 imported/);
    const old = "urn:pulumi:lab::clientcert::clientcert:apache:ClientAuth::imported";
    assertStatus(await lab.project.pulumi("state", "delete", old, "--force", "--yes"), 0);
    assertStatus(await lab.project.pulumi("up", "--yes", "--skip-preview"), 0);
    assertStatus(await lab.project.pulumi("preview", "--expect-no-changes"), 0);
  });

  it("calls an unreachable host an error, at refresh, preview and destroy", async () => {
    await lab.host.run("kill $(cat /run/sshd.pid)");
    for (const args of [["refresh", "--preview-only"], ["preview"], ["destroy", "--yes", "--skip-preview"]]) {
      const ended = await lab.project.pulumi(...args);
      assertStatus(ended, 1);
      assert.match(ended.output, /127\.0\.0\.1:\d+: /);
    }
    assertStatus(await lab.project.pulumi("preview", "--refresh=false", "--expect-no-changes"), 0);
  });

  it("destroys, and the bytes of before are back", async () => {
    await lab.host.run("/usr/sbin/sshd -E /var/log/sshd.log");
    assertStatus(await lab.project.pulumi("destroy", "--yes", "--skip-preview"), 0);
    assert.equal(await inside(siteConf), original);
    await assert.rejects(inside(confFile), { code: "ENOENT" });
  });
});
