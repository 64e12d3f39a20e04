import assert from "node:assert/strict";
import { access, readFile } from "node:fs/promises";
import { type Publisher, startPublisher } from "../../lab/publisher.ts";
import { siteText } from "../../lab/site.ts";
import { type LabSite, labSite } from "./lab-site.ts";
import type { Ended } from "../../lab/project.ts";

/** What `--expect-no-changes` ends with when there are changes. */
const changesFound = 7;

describe("CRLs that a host downloads by itself, under the real engine", () => {
  let lab: LabSite;
  let publisher: Publisher;
  let treeBefore: string;
  const crlFile = "/usr/local/ni/apache/conf/clientcert/crl.pem";

  /** What is configured there; logs and the outcome of the last run may come and stay. */
  const files = (): Promise<string> =>
    lab.host.treeHash({ roots: ["/etc", "/usr/local/ni/apache/conf"], times: false });
  const inside = (path: string): Promise<string> => readFile(lab.host.path(path), "latin1");
  const pulumi = (...args: string[]): Promise<Ended> => lab.project.pulumi(...args);
  const preview = (): Promise<Ended> => pulumi("preview", "--expect-no-changes");
  const up = (): Promise<Ended> => pulumi("up", "--yes", "--skip-preview");

  function assertStatus({ status, output }: Ended, wanted: number): void {
    assert.equal(status, wanted, output);
  }

  /** As the stack outputs say. */
  async function outputs(): Promise<Record<string, unknown>> {
    const { output } = await pulumi("stack", "output", "hosts", "--json");
    return (JSON.parse(output) as { web1: Record<string, unknown> }).web1; // as: asserted by the caller
  }

  async function timer(): Promise<string> {
    const { path } = (await outputs())["timer"] as { path: string };
    return path;
  }

  before(async () => {
    lab = await labSite({ cron: true });
    treeBefore = await files();
    publisher = await startPublisher(lab.host.pki);
    const hosts = [{ name: "web1", lab: lab.host, more: { phpVersion: "8.3" } }];
    const clientAuth = { crlSources: [{ urls: [publisher.url("issuing.crl")] }] };
    await lab.project.write("lab.yaml", siteText({ caFiles: ["ca.pem"], clientAuth, hosts }));
  });
  after(async () => {
    await lab.remove();
    await publisher.stop();
  });

  it("refuses to go up without a CRL, says what each address answered, and leaves the host as it was", async () => {
    const ended = await up();
    assertStatus(ended, 1);
    assert.match(ended.output, /issuing\.crl: .*404/);
    assert.equal(await files(), treeBefore);
  });

  it("goes up with the first download, and a second run finds nothing to do", async () => {
    publisher.publish("issuing.crl", await lab.host.pki.crl({ number: 2 }));
    assertStatus(await up(), 0);
    assert.match(await inside(await timer()), /refresh --timer$/m);
    assertStatus(await preview(), 0);
    const [source] = (await outputs())["crlSources"] as readonly Record<string, unknown>[];
    assert.equal(source?.["number"], "2");
  });

  it("finds nothing to do after the host has renewed its CRL, and knows of it", async () => {
    const before = await inside(crlFile);
    publisher.publish("issuing.crl", await lab.host.pki.crl({ number: 3 }));
    const caller = (await inside(await timer())).match(/(\S+\/refresh) --timer$/m)?.[1];
    await lab.host.run(`/bin/sh ${caller ?? "none"}`);
    assert.notEqual(await inside(crlFile), before);
    assertStatus(await preview(), 0);
    assertStatus(await pulumi("refresh", "--preview-only", "--expect-no-changes"), 0);
    assertStatus(await pulumi("up", "--yes", "--skip-preview", "--expect-no-changes"), 0);
    const [source] = (await outputs())["crlSources"] as readonly Record<string, unknown>[];
    assert.equal(source?.["number"], "3");
  });

  it("ends with 7 and names the timer when somebody has taken it away", async () => {
    const path = await timer();
    await lab.host.run(`rm ${path}`);
    const found = await preview();
    assertStatus(found, changesFound);
    assert.ok(found.output.includes(`${path}: is missing`), found.output);
  });

  it("mends it although the source is down, keeps the installed CRL, and says so", async () => {
    const before = await inside(crlFile);
    publisher.fault("issuing.crl", "notFound");
    const ended = await up();
    assertStatus(ended, 0);
    assert.match(ended.output, /the installed CRL stays \(.*404/);
    assert.equal(await inside(crlFile), before);
    const failing = await preview();
    assertStatus(failing, 0);
    assert.match(failing.output, /warning: crlSources\[0\]: failed on .*404/);
  });

  it("leaves neither timer nor program behind", async () => {
    const path = await timer();
    assertStatus(await pulumi("destroy", "--yes", "--skip-preview"), 0);
    await assert.rejects(access(lab.host.path(path)), { code: "ENOENT" });
    await assert.rejects(access(lab.host.path("/var/lib/clientcert")), { code: "ENOENT" });
    assert.equal(await files(), treeBefore);
  });
});
