/** The package in programs of other people: installed from its archive, in TypeScript and in JavaScript. */
import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { type LabHost, startLabHost } from "../../lab/host.ts";
import { type Project, createProject } from "../../lab/project.ts";
import { compile, fillOther, otherEnvironment, projectFile } from "./other-program.ts";

interface Recorded {
  readonly type: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
}

const javaScriptRuntime = "runtime: { name: nodejs, options: { typescript: false } }\nmain: index.js\n";
const conf = "/usr/local/ni/apache/conf/clientcert/clientcert.conf";

describe("The packed module in another program, under the real engine", function () {
  this.timeout(240_000);
  let host: LabHost;
  let project: Project;

  const inFolder = (name: string, text: string): Promise<void> => writeFile(path.join(project.folder, name), text);

  async function pulumi(...args: string[]): Promise<string> {
    const { status, output } = await project.pulumi(...args);
    assert.equal(status, 0, output);
    return output;
  }

  /** Arguments of the host, in the language of both programs. */
  const hostArgs = (address: string): string => `{
  connection: {
    address: ${address},
    port: ${host.ports.ssh},
    user: "root",
    hostKey: ${JSON.stringify(host.hostKey.trim())},
    login: { from: "keyFile", path: ${JSON.stringify(host.keyFile)} },
  },
  port: ${host.ports.https},
  caFiles: [readFileSync("ca.pem", "utf8")],
  crlFiles: ["issuing.crl"],
  organizations: ["ABC CORPORATION"],
  phpVersion: "8.3",
}`;

  const typeScript = (): string => `import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { ApacheHost, type ApacheHostArgs } from "clientcert";

/** As of a machine that only \`up\` creates. */
const address: pulumi.Output<string> = pulumi.output(
  pulumi.runtime.isDryRun() ? (pulumi.unknown as unknown as string) : ${JSON.stringify(host.address)},
);
const args: ApacheHostArgs = ${hostArgs("address")};
const host = new ApacheHost("web1", args);
export const generation: pulumi.Output<number> = host.generation;
export const summary = host.summary;

// @ts-expect-error: a port is a number
export const wrong: ApacheHostArgs = { ...args, port: "443" };
`;

  const javaScript = (): string => `import { readFileSync } from "node:fs";
import { ApacheHost } from "clientcert";

const host = new ApacheHost("web1", ${hostArgs(JSON.stringify(host.address))});
export const { generation, summary } = host;
`;

  before(async () => {
    host = await startLabHost();
    project = await createProject({ fill: fillOther, environment: otherEnvironment });
    await inFolder("ca.pem", host.pki.caBundle);
    await inFolder("issuing.crl", await host.pki.crl());
    await inFolder("index.ts", typeScript());
    const compilerOptions = { strict: true, target: "es2022", module: "nodenext", types: ["node"], noEmit: true };
    await inFolder("tsconfig.json", JSON.stringify({ compilerOptions, files: ["index.ts"] }));
  });
  after(async () => {
    await host.stop();
    await project.remove();
  });

  it("holds what a user needs, and nothing else", async () => {
    const names = await readdir(path.join(project.folder, "node_modules/clientcert"));
    const wanted = ["CHANGELOG.md", "LICENSE", "README.md", "build", "host", "package.json", "site.schema.json"];
    assert.deepEqual(names.sort(), wanted);
  });

  it("has types that a TypeScript program is checked against", async () => {
    assert.equal(await compile(project.folder), "");
  });

  it("previews a host whose address is not known yet, and connects to none", async () => {
    const before = await host.executions();
    const output = await pulumi("preview");
    assert.match(output, /clientcert:apache:ClientAuth web1 create/);
    assert.equal(await host.executions(), before);
  });

  it("sets the host up when the address is known, and waits again when it is to change", async () => {
    await pulumi("up", "--yes", "--skip-preview");
    assert.match(await host.run(`cat ${conf}`), /SSLVerifyClient optional/);
    const before = await host.executions();
    assert.match(await pulumi("preview", "--refresh=false"), /clientcert:apache:ClientAuth web1 update/);
    assert.equal(await host.executions(), before);
  });

  it("has nothing to do for a JavaScript program that says the same, and shows its arguments", async () => {
    await inFolder("package.json", JSON.stringify({ name: "other", private: true, type: "module" }));
    await inFolder("index.js", javaScript());
    await inFolder("Pulumi.yaml", projectFile.replace("runtime: nodejs\n", javaScriptRuntime));
    await pulumi("preview", "--expect-no-changes", "--refresh");
    const state = JSON.parse(await pulumi("stack", "export")) as { deployment: { resources: Recorded[] } };
    const component = state.deployment.resources.find(({ type }) => type === "clientcert:index:ApacheHost");
    assert.deepEqual(component?.inputs?.organizations, ["ABC CORPORATION"]);
  });

  it("takes it back", async () => {
    await pulumi("destroy", "--yes", "--skip-preview", "--refresh");
    assert.equal((await host.run(`ls ${conf} 2>/dev/null || :`)).trim(), "");
  });

  it("has a schema that Pulumi reads from the plugin's folder, without components", async () => {
    for (const folder of ["./node_modules/clientcert/build/provider", path.resolve("build/provider")]) {
      const output = await pulumi("package", "get-schema", folder);
      const schema = JSON.parse(output.slice(output.indexOf("{"))) as { readonly resources: object };
      assert.deepEqual(Object.keys(schema.resources), ["clientcert:apache:ClientAuth"]);
    }
  });
});
