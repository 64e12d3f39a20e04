import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { type Publisher, startPublisher } from "../../lab/publisher.ts";
import { siteText } from "../../lab/site.ts";
import { labPassword } from "../../lab/ssh.ts";
import { type LabSite, labSite } from "./lab-site.ts";

/** Stands wherever the customer's own words stand: in a comment, in arguments, in the environment of httpd. */
const customerMarker = "customer-marker-4711";
/** The password of a proxy: its address is malformed in a way that curl quotes. */
const proxyMarker = "proxy-marker-4711";
const proxyFile = "/etc/clientcert-proxy";
const passwordVariable = "CLIENTCERT_TEST_SUDO_PASSWORD";
const volatile = {
  exclude: ["/usr/local/ni/apache/logs", "/run", "/tmp", "/var/lib/sudo", "/var/lib/dpkg", "/var/lib/apt"],
};

describe("What must not leave the host or the process, under the real engine", () => {
  let lab: LabSite;
  let publisher: Publisher;
  let secrets: readonly string[];
  const printed: string[] = [];

  /** Runs `pulumi …`, keeps what it printed, and returns how it ended. */
  async function pulumi(...args: readonly string[]): Promise<number | null> {
    const { status, output } = await lab.project.pulumi(...args);
    printed.push(output);
    return status;
  }

  before(async () => {
    const options = {
      cron: true,
      ops: { sudo: "password" },
      environment: { SECRET_OF_APPLICATION: customerMarker },
      virtualHostDirectives: `# ${customerMarker}\nHeader set X-Marker "${customerMarker}"\nSetEnv DATABASE_PASSWORD ${customerMarker}`,
    } as const;
    lab = await labSite(options, { [passwordVariable]: labPassword });
    await lab.writeSite({ connection: { user: "ops", sudo: { passwordEnvironment: passwordVariable } } });
    const keyLine = (await readFile(lab.host.keyFile, "utf8")).split("\n")[2] ?? "";
    assert.ok(keyLine.length > 40, "the second line of the key's body is the marker");
    secrets = [customerMarker, labPassword, keyLine, proxyMarker];
    publisher = await startPublisher(lab.host.pki);
  });
  after(async () => {
    await publisher.stop();
    await lab.remove();
  });

  it("leaves the tree as it was after previews, refreshes and a refused change", async () => {
    const before = await lab.host.treeHash(volatile);
    assert.equal(await pulumi("preview", "--diff", "--json"), 0);
    assert.equal(await pulumi("preview", "--diff"), 0);
    await lab.host.run(`printf '%s\\n' 'NoSuchDirective ${customerMarker}' >/usr/local/ni/apache/conf/extra/broken.conf
      cp -p /usr/local/ni/apache/conf/httpd.conf /root/httpd.conf && echo 'Include conf/extra/broken.conf' >>/usr/local/ni/apache/conf/httpd.conf`);
    assert.notEqual(await pulumi("up", "--yes", "--skip-preview"), 0);
    await lab.host.run(
      "mv /root/httpd.conf /usr/local/ni/apache/conf/httpd.conf && rm /usr/local/ni/apache/conf/extra/broken.conf",
    );
    assert.equal(await lab.host.treeHash(volatile), before);
    // The file's inode is a new one, which counts as an edit until httpd has read it.
    await lab.host.run("sleep 1.1; kill -USR1 $(cat /usr/local/ni/apache/logs/httpd.pid); sleep 1.1");
  });

  it("goes through a life: up, drift, repair", async () => {
    assert.equal(await pulumi("up", "--yes", "--skip-preview", "--diff"), 0, printed.at(-1));
    await lab.host.run(
      "sed -i 's/^SSLVerifyDepth 4/SSLVerifyDepth 1/' /usr/local/ni/apache/conf/clientcert/clientcert.conf",
    );
    assert.equal(await pulumi("preview", "--diff", "--expect-no-changes"), 7, printed.at(-1));
    assert.equal(await pulumi("up", "--yes", "--skip-preview", "--diff"), 0, printed.at(-1));
    assert.equal(await pulumi("stack", "output", "--json"), 0);
  });

  it("downloads CRLs, by a proxy whose address is malformed, and refreshes them by itself", async () => {
    const connection = { user: "ops", sudo: { passwordEnvironment: passwordVariable } };
    const hosts = [{ name: "web1", lab: lab.host, connection, more: { phpVersion: "8.3" } }];
    const crlSources = [{ urls: [publisher.url("issuing.crl")], file: "issuing.crl" }];
    const clientAuth = { crlSources, crlRefresh: { proxyFile } };
    await lab.project.write("lab.yaml", siteText({ caFiles: ["ca.pem"], clientAuth, hosts }));
    await lab.host.run(`umask 077; cat >${proxyFile}`, `http://ops:${proxyMarker}@h:x\n`);
    assert.equal(await pulumi("up", "--yes", "--skip-preview", "--diff"), 0, printed.at(-1));
    assert.match(printed.at(-1) ?? "", /the proxy's file \S+ does not hold one address on one line/);
    printed.push(
      await lab.host.run("sh /var/lib/clientcert/*/refresh --verbose; sh /var/lib/clientcert/*/refresh --status"),
    );
    assert.equal(await pulumi("refresh", "--yes", "--diff"), 0, printed.at(-1));
    assert.match(printed.join(), /last failure .* does not hold one address on one line/);
    const kept = await lab.host.run(
      `grep -rl ${proxyMarker} /var/lib/clientcert /run /var/log /etc/cron.d 2>/dev/null || :`,
    );
    assert.equal(kept, "");
  });

  it("has printed none of the secrets, nor a word of the customer's", () => {
    assert.deepEqual(
      secrets.filter((secret) => printed.some((text) => text.includes(secret))),
      [],
    );
  });

  it("has none of them in state, history, backups or any file of the project", async () => {
    const found = await filesWith(path.join(lab.project.folder), secrets);
    assert.deepEqual(found, []);
  });

  it("keeps the state of a host below 64 KB", async () => {
    const state = await readFile(path.join(lab.project.folder, "state/.pulumi/stacks/clientcert/lab.json"));
    assert.ok(state.length < 64 * 1024, `${state.length} bytes`);
  });
});

/** Files below `folder` that hold one of the texts; symlinks, which lead into the checkout, are not followed. */
async function filesWith(folder: string, texts: readonly string[]): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const hits = await Promise.all(
    files.map(async (file) => {
      const bytes = await readFile(file);
      return texts.some((text) => bytes.includes(text)) ? [file] : [];
    }),
  );
  return hits.flat();
}
