import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { startLabHost } from "../../lab/host.ts";
import { crlToDer, crlToPem } from "../../lab/pki-crl.ts";
import { createPki, type LabPki } from "../../lab/pki.ts";
import { faults, type Fault } from "../../lab/publisher-faults.ts";
import { startPublisher, type Publisher } from "../../lab/publisher.ts";

const name = "issuing.crl";
const day = 86_400_000;

interface Answer {
  /** Exit status of curl: what it thinks of the answer. */
  readonly curl: number;
  readonly http: string;
  readonly body: Buffer;
}

interface Program {
  readonly status: number;
  readonly stdout: string;
  readonly output: string;
}

function run(program: string, args: readonly string[]): Promise<Program> {
  return new Promise((resolve) => {
    execFile(program, args, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code), stdout, output: stdout + stderr }),
    );
  });
}

describe("a publisher of CRLs", function () {
  this.timeout(60_000);
  let pki: LabPki;
  let publisher: Publisher;
  let folder: string;
  let good: Buffer<ArrayBuffer>;

  before(async () => {
    pki = await createPki();
    publisher = await startPublisher(pki);
    folder = mkdtempSync(path.join(tmpdir(), "clientcert-publisher-"));
    writeFileSync(path.join(folder, "ca.pem"), pki.caBundle);
    good = crlToDer(await pki.crl({ number: 7 }));
    publisher.publish(name, good);
  });
  after(async () => {
    await publisher.stop();
    rmSync(folder, { recursive: true });
  });

  async function get(fault: Fault | "ok", ...options: string[]): Promise<Answer> {
    publisher.fault(name, fault);
    const file = path.join(folder, "body");
    writeFileSync(file, "");
    const args = ["-q", "-sS", "--max-time", "20", "-o", file, "-w", "%{http_code}", ...options, publisher.url(name)];
    const { status, stdout } = await run("curl", args);
    return { curl: status, http: stdout, body: readFileSync(file) };
  }

  /** What OpenSSL says of a body: its signature, and its fields. */
  async function openssl(body: Buffer, form = "DER"): Promise<string> {
    const file = path.join(folder, "crl");
    writeFileSync(file, body);
    const args = ["crl", "-inform", form, "-in", file, "-CAfile", path.join(folder, "ca.pem"), "-noout", "-text"];
    return (await run("openssl", args)).output;
  }

  const dateOf = (text: string, label: string): number =>
    Date.parse(new RegExp(`${label}: (.*)`).exec(text)?.[1] ?? "");

  /** What is seen of each fault. A fault without a row here would not be tested: the types say so. */
  const seen: Readonly<Record<Fault, () => Promise<void>>> = {
    notFound: async () => assert.equal((await get("notFound")).http, "404"),
    async htmlPage() {
      const { http, body } = await get("htmlPage");
      assert.equal(http, "200");
      assert.match(body.toString(), /^<!DOCTYPE html>/);
    },
    async slow() {
      const { curl, body } = await get("slow", "--max-time", "3");
      assert.equal(curl, 28);
      assert.ok(body.length > 1 && body.length < 10, String(body.length));
      assert.deepEqual(body, good.subarray(0, body.length));
    },
    async endless() {
      publisher.fault(name, "endless");
      const { body } = await fetch(publisher.url(name));
      let received = 0;
      for await (const chunk of body ?? []) {
        const bytes = chunk as Uint8Array; // as: a body is in bytes
        if (received === 0) assert.deepEqual(Buffer.from(bytes.subarray(0, good.length)), good);
        received += bytes.length;
        if (received > 50_000_000) break;
      }
      assert.ok(received > 50_000_000);
    },
    async truncated() {
      const { curl, http, body } = await get("truncated");
      assert.deepEqual([curl, http, body], [18, "200", good.subarray(0, good.length >> 1)]);
    },
    async cutShort() {
      const { curl, http, body } = await get("cutShort");
      assert.deepEqual([curl, http, body], [0, "200", good.subarray(0, good.length >> 1)]);
    },
    async tampered() {
      const { body } = await get("tampered");
      const text = await openssl(body);
      assert.match(text, /verify failure/);
      assert.match(text, /CRL Number:\s+7\s/);
    },
    async otherKey() {
      const text = await openssl((await get("otherKey")).body);
      assert.match(text, /Issuer: .*Lab Issuing CA/);
      assert.doesNotMatch(text, /verify OK|Serial Number/);
    },
    async older() {
      const text = await openssl((await get("older")).body);
      assert.match(text, /verify OK/);
      assert.match(text, /CRL Number:\s+0\s/);
      assert.ok(dateOf(text, "Last Update") < Date.now() - 9 * day && dateOf(text, "Next Update") > Date.now());
    },
    async future() {
      const text = await openssl((await get("future")).body);
      assert.match(text, /verify OK/);
      assert.ok(dateOf(text, "Last Update") > Date.now());
    },
    async expired() {
      const text = await openssl((await get("expired")).body);
      assert.match(text, /verify OK/);
      assert.ok(dateOf(text, "Next Update") < Date.now());
      assert.ok(dateOf(text, "Last Update") > dateOf(await openssl(good), "Last Update"), "only its end is wrong");
    },
    async gzipEncoded() {
      const { http, body } = await get("gzipEncoded");
      assert.deepEqual([http, gunzipSync(body)], ["200", good]);
      assert.deepEqual((await get("gzipEncoded", "--compressed")).body, good);
    },
    async gzip() {
      assert.deepEqual(gunzipSync((await get("gzip")).body), good);
      assert.notDeepEqual((await get("gzip", "--compressed")).body, good);
    },
    async redirectHttps() {
      assert.equal((await get("redirectHttps")).http, "302");
      assert.equal((await get("redirectHttps", "--location")).curl, 60);
      assert.deepEqual((await get("redirectHttps", "--location", "--insecure")).body, good);
    },
    async reset() {
      const { curl, http } = await get("reset");
      assert.deepEqual([curl, http], [56, "200"]);
    },
    async empty() {
      const { curl, http, body } = await get("empty");
      assert.deepEqual([curl, http, body.length], [0, "200", 0]);
    },
    pem: async () => assert.equal((await get("pem")).body.toString(), crlToPem(good)),
    pemWithCertificate: async () =>
      assert.equal((await get("pemWithCertificate")).body.toString(), pki.foreign + crlToPem(good)),
    async pemWithAuthority() {
      const { body } = await get("pemWithAuthority");
      assert.ok(body.toString().startsWith(crlToPem(good) + pki.foreign));
      const rest = body.subarray((crlToPem(good) + pki.foreign).length);
      writeFileSync(path.join(folder, "foreign.pem"), pki.foreign);
      writeFileSync(path.join(folder, "rest.pem"), rest);
      const args = ["crl", "-noout", "-CAfile", path.join(folder, "foreign.pem"), "-in", path.join(folder, "rest.pem")];
      assert.match((await run("openssl", args)).output, /verify OK/);
    },
    async otherCertificate() {
      const text = await openssl((await get("otherCertificate")).body);
      assert.match(text, /verify OK/);
      assert.match(text, /DirName:.*Lab Root CA\s+serial:01\s/);
    },
    async partition() {
      const text = await openssl((await get("partition")).body);
      assert.match(text, /verify OK/);
      assert.ok(text.includes(`URI:${publisher.url(name)}\n`));
    },
    async certificateArmour() {
      const lines = (await get("certificateArmour")).body.toString().split("\r\n");
      assert.equal(lines[0], "-----BEGIN CERTIFICATE-----");
      assert.deepEqual(Buffer.from(lines.slice(1, -2).join(""), "base64"), good);
    },
    async numberBack() {
      const text = await openssl((await get("numberBack")).body);
      assert.match(text, /verify OK/);
      assert.match(text, /CRL Number:\s+0\s/);
      assert.ok(dateOf(text, "Last Update") > dateOf(await openssl(good), "Last Update"));
    },
    async secondsAhead() {
      const text = await openssl((await get("secondsAhead")).body);
      assert.match(text, /CRL Number:\s+7\s/);
      assert.ok(dateOf(text, "Last Update") > Date.now() && dateOf(text, "Last Update") < Date.now() + 5000);
    },
    async delta() {
      const text = await openssl((await get("delta")).body);
      assert.match(text, /verify OK/);
      assert.match(text, /Delta CRL Indicator: critical\s+1\s/);
    },
    async indirect() {
      const text = await openssl((await get("indirect")).body);
      assert.match(text, /verify OK/);
      assert.match(text, /Issuing Distribution Point: critical[^]*Indirect CRL/);
    },
  };

  it("publishes a CRL in DER, and what is published later in its place", async () => {
    const answer = await get("ok");
    assert.deepEqual([answer.curl, answer.http, answer.body], [0, "200", good]);
    assert.match(await openssl(answer.body), /verify OK/);
    const next = await pki.revoke(pki.clients.good.serial);
    publisher.publish(name, next);
    assert.deepEqual((await get("ok")).body, crlToDer(next));
    publisher.publish(name, good);
  });

  it("publishes in PEM when told so, and cuts that short", async () => {
    publisher.publish(name, good, "PEM");
    assert.equal((await get("ok")).body.toString(), crlToPem(good));
    assert.match((await get("cutShort")).body.toString(), /^-----BEGIN X509 CRL-----\n[^-]*$/);
    publisher.publish(name, good);
  });

  for (const fault of faults) it(`answers with the fault ${fault}`, () => seen[fault]());

  it("has counted what it was asked for", async () => {
    const before = publisher.requests.length;
    await get("notFound");
    await get("ok");
    await run("curl", ["-q", "-s", publisher.url("other.crl")]);
    assert.deepEqual(publisher.requests.slice(before), [
      { name, answer: "notFound" },
      { name, answer: "ok" },
      { name: "other.crl", answer: "unknown" },
    ]);
  });

  it("is reached from a lab host, whose cron runs the jobs of the host and no other", async () => {
    publisher.fault(name, "ok");
    const host = await startLabHost({ cron: true, stopped: true });
    try {
      assert.equal(await host.run("cat /etc/crontab /etc/cron.d/* 2>/dev/null || :"), "");
      const job = `* * * * * root curl -q -sS -o /run/fetched ${publisher.url(name)} && echo $$ >/run/done\n`;
      await host.run("cat >/etc/cron.d/fetch", job);
      await host.run("timeout 90 sh -c 'until [ -s /run/done ]; do sleep 0.2; done'");
      assert.deepEqual(readFileSync(host.path("/run/fetched")), good);
      assert.equal((await host.run("ps -e -o comm=")).match(/^cron$/gm)?.length, 1);
    } finally {
      await host.stop();
    }
  }).timeout(120_000);

  it("stops while it still sends", async () => {
    const other = await startPublisher(pki);
    other.publish(name, good);
    other.fault(name, "endless");
    const download = run("curl", ["-q", "-s", "-o", "/dev/null", other.url(name)]);
    while (other.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await other.stop();
    assert.notEqual((await download).status, 0);
    assert.equal((await run("curl", ["-q", "-s", other.url(name)])).status, 7);
  });
});
