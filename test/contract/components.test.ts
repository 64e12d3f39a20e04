import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { defaultCrlRefresh } from "../../core/crl-refresh/inputs.ts";
import { createSshKeys } from "../../lab/ssh.ts";
import { loadSite } from "../../provider/site/load-site.ts";
import { type TestSite, siteText, testSite } from "./site.ts";

interface Seen {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** The components are loaded after the mocks are set, as Pulumi wants it. */
describe("The components, with Pulumi's mocks", () => {
  let site: TestSite;
  const seen: Seen[] = [];

  before(async () => {
    site = await testSite();
    const newResource = ({ type, name, inputs }: pulumi.runtime.MockResourceArgs) => {
      seen.push({ type, name, inputs: inputs as Seen["inputs"] }); // typed any by Pulumi
      return { id: name, state: { ...(inputs as object), generation: 3, warnings: [], problems: [] } };
    };
    await pulumi.runtime.setMocks({ newResource, call: () => ({}) }, "clientcert", "lab", false, "organization");
  });
  beforeEach(() => seen.splice(0));
  after(() => site.remove());

  it("make one ApacheHost and one ClientAuth a host: names and types are a promise", async () => {
    await writeFile(site.siteFile, siteText(secondHost));
    const { Site } = await import("../../components/site.ts");
    const { hosts } = new Site("lab", loadSite(site.siteFile));
    const summary = await new Promise<Readonly<Record<string, object>>>((resolve) => hosts.apply(resolve));
    assert.deepEqual(Object.keys(summary), ["web1", "web2"]);
    assert.deepEqual(seen.map(({ type, name }) => `${type} ${name}`).sort(), [
      "clientcert:apache:ClientAuth web1",
      "clientcert:apache:ClientAuth web2",
      "clientcert:index:ApacheHost web1",
      "clientcert:index:ApacheHost web2",
      "clientcert:index:Site lab",
    ]);
  });

  it("give the noun its owner, what the files hold, and no secret", async () => {
    await writeFile(site.siteFile, siteText());
    const { Site } = await import("../../components/site.ts");
    const { hosts } = new Site("lab", loadSite(site.siteFile));
    await new Promise((resolve) => hosts.apply(resolve));
    const noun = seen.find(({ type }) => type === "clientcert:apache:ClientAuth");
    const { owner, ca, connection, organizations } = noun?.inputs ?? {};
    assert.equal(owner, "organization/clientcert/lab/web1");
    assert.deepEqual(ca, site.inputs.ca);
    assert.deepEqual(connection, site.inputs.connection);
    assert.deepEqual(organizations, ["ABC CORPORATION"]);
    assert.ok(!JSON.stringify(noun).includes("BEGIN"));
  });

  it("give another program's host the same, from paths and from PEM text, known now or later", async () => {
    const { ApacheHost } = await import("../../components/apache-host.ts");
    const connection = { address: pulumi.output("10.0.0.10"), user: "root", hostKey };
    const inFiles = { siteFile: site.siteFile, caFiles: ["ca.pem"], crlFiles: ["issuing.crl"] };
    const asText = {
      caFiles: [readFileSync(path.join(path.dirname(site.siteFile), "ca.pem"), "utf8")],
      crlFiles: Promise.resolve([readFileSync(path.join(path.dirname(site.siteFile), "issuing.crl"), "utf8")]),
    };
    for (const files of [inFiles, asText]) {
      seen.splice(0);
      const host = new ApacheHost("web1", { connection, ...files, crlRefresh: { alarmHours: 48 } });
      await new Promise((resolve) => host.summary.apply(resolve));
      const noun = seen.find(({ type }) => type === "clientcert:apache:ClientAuth");
      const { ca, crls, crlSha256, crlRefresh } = noun?.inputs ?? {};
      const wanted = site.inputs;
      assert.deepEqual({ ca, crls, crlSha256 }, { ca: wanted.ca, crls: wanted.crls, crlSha256: wanted.crlSha256 });
      assert.deepEqual(crlRefresh, { ...defaultCrlRefresh, alarmHours: 48 });
    }
  });

  it("record their arguments, but nothing that is read from files and no text in the place of a path", async () => {
    const { ApacheHost } = await import("../../components/apache-host.ts");
    const text = readFileSync(path.join(path.dirname(site.siteFile), "ca.pem"), "utf8");
    const crl = readFileSync(path.join(path.dirname(site.siteFile), "issuing.crl"), "utf8");
    const { address } = site.inputs.connection as { address: string }; // as testSite writes it
    const host = new ApacheHost("web1", {
      connection: { address, user: "root", hostKey },
      caFiles: [text],
      crlSources: [{ urls: ["http://crl.example/issuing.crl"], file: crl }],
      countries: ["JP"],
    });
    await new Promise((resolve) => host.summary.apply(resolve));
    await writeFile(site.siteFile, siteText());
    const { Site } = await import("../../components/site.ts");
    const { hosts } = new Site("lab", loadSite(site.siteFile));
    await new Promise((resolve) => hosts.apply(resolve));
    const recorded = (type: string) => seen.filter((one) => one.type === type).map(({ inputs }) => inputs);
    const [own, ofSite] = recorded("clientcert:index:ApacheHost");
    assert.deepEqual(own?.connection, { address, user: "root", hostKey });
    assert.match(JSON.stringify(own), /"caFiles":\["PEM text of SHA-256 [0-9a-f]{8}…"\],.*"countries":\["JP"\]/);
    assert.ok(!JSON.stringify(own).includes("BEGIN"));
    assert.deepEqual([ofSite?.caFiles, ofSite?.organizations], [["ca.pem"], ["ABC CORPORATION"]]);
    assert.deepEqual(
      ["ca", "crls", "crlSha256"].map((name) => ofSite?.[name]),
      [undefined, undefined, undefined],
    );
    assert.deepEqual(recorded("clientcert:index:Site"), [{ file: site.siteFile }]);
  });

  it("refuse a key in the place of a CA certificate, and repeat nothing of it", async () => {
    const { ApacheHost } = await import("../../components/apache-host.ts");
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const connection = { address: "10.0.0.10", user: "root", hostKey };
    assert.throws(
      () => new ApacheHost("web1", { connection, caFiles: [key] }),
      (error: unknown) => pulumi.ResourceError.isInstance(error) && /^PEM text .* is a private key/.test(error.message),
    );
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const [, body = ""] = key.split("\n");
    assert.ok(!JSON.stringify(seen).includes(body.slice(-8)));
  });

  it("refuse text that is too long for a state", async () => {
    const { ApacheHost } = await import("../../components/apache-host.ts");
    const connection = { address: "10.0.0.10", user: "root", hostKey };
    const crlFiles = [`-----BEGIN X509 CRL-----\n${"A".repeat(1024 * 1024)}\n-----END X509 CRL-----\n`];
    assert.throws(
      () => new ApacheHost("web1", { connection, siteFile: site.siteFile, caFiles: ["ca.pem"], crlFiles }),
      /PEM text of SHA-256 .*: has 1048625 bytes, more than 1048576, .* write the path of a file/,
    );
  });

  it("refuse a site with all its problems at once", async () => {
    await writeFile(site.siteFile, siteText().replace("[JP]", "[Japan]").replace("10.0.0.10", "https://web1"));
    const { Site } = await import("../../components/site.ts");
    assert.throws(
      () => new Site("lab", loadSite(site.siteFile)),
      (error: unknown) =>
        pulumi.ResourceError.isInstance(error) && /countries/.test(error.message) && /address/.test(error.message),
    );
  });
});

const hostKey = createSshKeys().public.trim();
const secondHost = `  - name: web2
    address: 10.0.0.12
    connection:
      hostKey: ${createSshKeys().public.trim()}
`;
