import assert from "node:assert/strict";
import * as grpc from "@grpc/grpc-js";
import engineServices from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import type engine from "@pulumi/pulumi/proto/engine_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import type { Context, Resource } from "../../provider/engine/resource.ts";
import { PartialFailure } from "../../provider/engine/resource.ts";
import { type Server, serve } from "../../provider/engine/grpc-server.ts";
import { ProviderClient, initFailure } from "./client.ts";

type Log = Pick<engine.LogRequest.AsObject, "message" | "urn" | "ephemeral" | "severity">;

/** A resource that does what each test says. */
function scripted(parts: Partial<Resource>): Resource {
  const never = (): never => assert.fail("not expected to be called");
  const all = { check: never, diff: never, create: never, read: never, update: never, delete: never };
  return { type: "clientcert:apache:ClientAuth", ...all, close: async () => undefined, ...parts };
}

describe("The gRPC server, around a scripted resource", () => {
  const open: (() => Promise<void> | void)[] = [];

  async function connect(parts: Partial<Resource>, engineAddress?: string): Promise<ProviderClient> {
    const server: Server = await serve({
      resources: [scripted(parts)],
      schema: async () => "{}",
      version: "1.2.3",
      engineAddress,
    });
    const client = new ProviderClient(server.port);
    open.push(() => client.close(), server.close);
    return client;
  }

  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });

  /** An engine that only listens. */
  async function listen(): Promise<{ readonly address: string; readonly logs: Log[] }> {
    const logs: Log[] = [];
    const listener = new grpc.Server();
    const log: grpc.handleUnaryCall<engine.LogRequest, empty.Empty> = (call, callback) => {
      logs.push(call.request.toObject());
      callback(null, new empty.Empty());
    };
    listener.addService(engineServices.EngineService, { log });
    const port = await new Promise<number>((resolve) =>
      listener.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (_, free) => resolve(free)),
    );
    open.push(() => listener.forceShutdown());
    return { address: `127.0.0.1:${port}`, logs };
  }

  it("never sends undefined, and nothing that a terminal acts on", async () => {
    const outputs = { gone: undefined, nested: { gone: undefined, list: ["a\u009b31m\r", undefined] }, kept: null };
    const client = await connect({ create: async () => ({ id: "1", outputs }) });
    const { outputs: received } = await client.create({});
    assert.deepEqual(received, { nested: { list: ["a\\u009b31m\\u000d"] }, kept: null });
  });

  it("reports an error as one text without a stack trace", async () => {
    const client = await connect({ create: () => Promise.reject(new Error("web1: no\nbecause of \u001b[2J")) });
    await assert.rejects(client.create({}), { details: "web1: no\nbecause of \\u001b[2J" });
  });

  it("packs a partial failure so that the engine keeps the resource", async () => {
    const failure = new PartialFailure({ id: "7", outputs: { owed: "a reload", gone: undefined } }, ["not loaded"]);
    const client = await connect({ update: () => Promise.reject(failure) });
    const error = await client.update("7", { inputs: {}, outputs: {} }, {}).then(
      () => assert.fail("it succeeded"),
      (reason: unknown) => reason,
    );
    assert.deepEqual(initFailure(error), { id: "7", properties: { owed: "a reload" }, reasons: ["not loaded"] });
  });

  it("wants an id where one is needed", async () => {
    const client = await connect({});
    const nothing = { inputs: {}, outputs: {} };
    for (const call of [client.read(""), client.update("", nothing, {}), client.delete("", nothing)]) {
      await assert.rejects(call, /no id/);
    }
  });

  it("names its types when asked for another one", async () => {
    const client = await connect({});
    Object.assign(client, { urn: "urn:pulumi:lab::p::clientcert:iis:Other::x" });
    await assert.rejects(client.check({}), /"clientcert:iis:Other" is not a type .*clientcert:apache:ClientAuth/);
  });

  it("ends a call at its own time limit, which the engine does not enforce", async () => {
    const waits = (_: unknown, { signal }: Context): Promise<never> =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    const client = await connect({ create: waits });
    await assert.rejects(client.create({}, { timeout: 0.05 }), /time limit of 0\.05 s/);
  });

  it("lets running calls stop by themselves when cancelled, then closes; a second time does no harm", async () => {
    const events: string[] = [];
    let started = (): void => undefined;
    const isRunning = new Promise<void>((resolve) => (started = resolve));
    const create = async (_: unknown, { signal }: Context): Promise<never> => {
      started();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      // What a host does after the swap: it goes on to the end.
      await new Promise((resolve) => setTimeout(resolve, 20));
      events.push("stopped");
      throw new Error("stopped before the swap");
    };
    const client = await connect({ create, close: async () => void events.push("closed") });
    const call = assert.rejects(client.create({}), /stopped before the swap/);
    await isRunning;
    await client.call("cancel", new empty.Empty());
    await call;
    await client.call("cancel", new empty.Empty());
    assert.deepEqual(events, ["stopped", "closed", "closed"]);
  });

  it("tells each finding once per resource, and progress on the resource's row only", async () => {
    const { address, logs } = await listen();
    const check = async (args: { inputs: object }, context: Context) => {
      context.log("warning", "the CRL ends soon");
      context.progress("done: looked");
      return { inputs: { ...args.inputs }, failures: [] };
    };
    const client = await connect({ check }, address);
    await client.check({});
    await client.check({});
    const lasting = logs.filter(({ ephemeral }) => !ephemeral);
    assert.deepEqual(
      lasting.map(({ message, urn, severity }) => ({ message, urn, severity })),
      [{ message: "the CRL ends soon", urn: client.urn, severity: 2 }],
    );
    assert.deepEqual(
      logs.filter(({ ephemeral }) => ephemeral).map(({ message }) => message),
      ["done: looked", "done: looked"],
    );
  });

  it("does not fail a call because the engine no longer listens", async () => {
    const create = async (_: unknown, context: Context) => {
      context.log("info", "nobody hears this");
      return { id: "1", outputs: {} };
    };
    const client = await connect({ create }, "127.0.0.1:9");
    assert.equal((await client.create({})).id, "1");
  });

  it("learns from the handshake where the engine listens, and takes plain values instead of secrets", async () => {
    const { address, logs } = await listen();
    const diff = async (_: unknown, context: Context) => {
      context.log("info", "heard");
      return { detailedDiff: {}, replaces: [] };
    };
    const client = await connect({ diff });
    const request = new messages.ProviderHandshakeRequest().setEngineAddress(address);
    const response = await client.call<messages.ProviderHandshakeResponse>("handshake", request);
    assert.equal(response.getAcceptSecrets(), false);
    await client.diff("1", { inputs: {}, outputs: {} }, {});
    assert.deepEqual(
      logs.map(({ message }) => message),
      ["heard"],
    );
  });
});
