import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import * as pulumi from "@pulumi/pulumi";
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

const secondHost = `  - name: web2
    address: 10.0.0.12
    connection:
      hostKey: ${createSshKeys().public.trim()}
`;
