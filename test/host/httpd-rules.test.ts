/** Rules of httpd that the reader and our file rely on, asked of the real httpd. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import { freePort } from "../../lab/ports.ts";
import { observeText } from "../core/apache-observation.ts";

const program = "/usr/sbin/apache2";
const modules = "/usr/lib/apache2/modules";

describe("the real httpd", function () {
  this.timeout(30_000);
  let root: string;
  let port: number;

  before(async function () {
    if (!existsSync(program)) this.skip();
    root = mkdtempSync(join(tmpdir(), "clientcert-rules-"));
    chmodSync(root, 0o755);
    writeFileSync(join(root, "index.txt"), "here\n");
    const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"];
    spawnSync("openssl", [...request, "-keyout", join(root, "k.pem"), "-out", join(root, "c.pem")]);
    port = await freePort();
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  /** Runs httpd on a configuration while `use` asks it. */
  async function serve<T>(text: string, use: () => Promise<T>): Promise<T> {
    const loaded = ["mpm_event", "authz_core", "ssl", "socache_shmcb"].map(
      (name) => `LoadModule ${name}_module ${modules}/mod_${name}.so\n`,
    );
    const basics = `ServerName localhost\nPidFile pid\nErrorLog err\nUser daemon\nGroup daemon\nDefaultRuntimeDir .\nDocumentRoot ${root}\n`;
    writeFileSync(join(root, "httpd.conf"), loaded.join("") + basics + text);
    const server = spawn(program, ["-d", root, "-f", join(root, "httpd.conf"), "-D", "FOREGROUND"], {
      stdio: "ignore",
    });
    try {
      for (let tries = 0; tries < 100 && !isUp(); tries++) await sleep(50);
      return await use();
    } finally {
      server.kill("SIGTERM");
      await once(server, "exit");
      rmSync(join(root, "err"), { force: true });
    }
  }

  const isUp = (): boolean =>
    existsSync(join(root, "err")) && readFileSync(join(root, "err"), "latin1").includes("AH00489");

  /** Status of a request over TLS, or `no TLS`. */
  const ask = (): Promise<number | "no TLS"> =>
    new Promise((resolve) => {
      const options = { port, host: "127.0.0.1", path: "/index.txt", agent: false, rejectUnauthorized: false };
      get(options, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      }).on("error", () => resolve("no TLS"));
    });

  const certificate = "SSLCertificateFile c.pem\nSSLCertificateKeyFile k.pem\n";
  // PORT is the port; the last two: whether httpd answers TLS, and whether the reader calls that unclear.
  const cases: readonly [text: string, isTls: boolean, isUnclear: boolean][] = [
    ["Listen PORT https\n<VirtualHost *:PORT>\nServerName a\nCERTIFICATE</VirtualHost>\n", true, true],
    ["Listen PORT https\nCERTIFICATE<VirtualHost *:PORT>\nServerName a\n</VirtualHost>\n", true, true],
    ["Listen PORT https\n<VirtualHost *:PORT>\nCERTIFICATE</VirtualHost>\n", false, true],
    ["Listen PORT https\n<VirtualHost 127.0.0.1:PORT>\nServerName a\nCERTIFICATE</VirtualHost>\n", false, true],
    ["Listen PORT https\nSSLEngine off\n<VirtualHost *:PORT>\nServerName a\nCERTIFICATE</VirtualHost>\n", false, false],
    ["Listen PORT\n<VirtualHost *:PORT>\nServerName a\nCERTIFICATE</VirtualHost>\n", false, false],
  ];
  for (const [template, isTls, isUnclear] of cases) {
    const said = `${isTls ? "answers" : "does not answer"} TLS, which ${isUnclear ? "is" : "is not"} unclear to the reader`;
    it(`${said}: ${template.trim().replaceAll("\n", "; ")}`, async () => {
      const text = template.replaceAll("PORT", String(port)).replace("CERTIFICATE", certificate);
      const { obstacles } = readFacts(observeText(text), { port });
      assert.equal(
        obstacles.some((obstacle) => obstacle.text.includes("SSLEngine on or off")),
        isUnclear,
      );
      assert.equal(await serve(text, ask), isTls ? 200 : "no TLS");
    });
  }
});
