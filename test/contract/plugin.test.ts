import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import type plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import { version } from "../../provider/version.ts";
import { ProviderClient } from "./client.ts";

const checkout = path.resolve(import.meta.dirname, "../..");
const program = path.join(checkout, "build/provider/pulumi-resource-clientcert");

describe("The built plugin, as a process", () => {
  let child: ChildProcess;
  let client: ProviderClient;

  /** As the engine starts it; nothing listens at the address. */
  async function start(...args: string[]): Promise<void> {
    child = spawn(program, args, { cwd: checkout, stdio: ["pipe", "pipe", "inherit"] });
    const [line] = (await once(child.stdout ?? assert.fail(), "data")) as [Buffer];
    client = new ProviderClient(Number(line.toString("utf8")));
  }

  afterEach(() => {
    client.close();
    child.kill("SIGKILL");
  });

  const status = async (): Promise<unknown> => (await once(child, "exit"))[0];

  it("prints nothing but its port, and says its version", async () => {
    await start("127.0.0.1:9");
    const info = await client.call<plugin.PluginInfo>("getPluginInfo", new empty.Empty());
    const { version: wanted } = JSON.parse(readFileSync(path.join(checkout, "package.json"), "utf8")) as {
      version: string;
    };
    assert.equal(info.getVersion(), wanted);
    assert.equal(version, wanted);
  });

  it("loads nothing to check inputs with before there are any: the engine waits for its port", async () => {
    const env = { ...process.env, NODE_DEBUG: "module" };
    child = spawn(program, ["127.0.0.1:9"], { cwd: checkout, env, stdio: ["pipe", "pipe", "pipe"] });
    let loads = "";
    child.stderr?.on("data", (data: Buffer) => (loads += data.toString("utf8")));
    const [line] = (await once(child.stdout ?? assert.fail(), "data")) as [Buffer];
    client = new ProviderClient(Number(line.toString("utf8")));
    assert.doesNotMatch(loads, /library\/zod/);
    await client.call("getSchema", new messages.GetSchemaRequest());
    assert.match(loads, /library\/zod/);
  });

  it("has a schema that names the noun's required inputs", async () => {
    await start("127.0.0.1:9");
    const response = await client.call<messages.GetSchemaResponse>("getSchema", new messages.GetSchemaRequest());
    const schema = JSON.parse(response.getSchema()) as { resources: Record<string, { requiredInputs: string[] }> };
    assert.deepEqual(Object.keys(schema.resources), ["clientcert:apache:ClientAuth"]);
    assert.ok(schema.resources["clientcert:apache:ClientAuth"]?.requiredInputs.includes("connection"));
  });

  it("ends when the engine is gone: its standard input is at its end", async () => {
    await start("127.0.0.1:9");
    child.stdin?.end();
    assert.equal(await status(), 0);
  });

  it("stays when started by hand, for a debugger, and ends at SIGINT", async () => {
    await start();
    child.stdin?.end();
    await client.call("getPluginInfo", new empty.Empty());
    child.kill("SIGINT");
    assert.equal(await status(), 0);
  });

  it("reports an unreachable host as an error, and a wrong import id with the form to write", async () => {
    await start("127.0.0.1:9");
    const key = encodeURIComponent("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEBLjYHViGCaqFMyUIp8qXJHpIlClhosKhtu52v/rVHs");
    await assert.rejects(client.read(`ssh://root@127.0.0.1:1?hostKey=${key}&keyFile=/nowhere`), /127\.0\.0\.1/);
    await assert.rejects(client.read("web1"), /import id "web1": .*write ssh:\/\//);
  });
});
