/** The resource behind its real gRPC server, on a host in memory; and what the engine does with it, in short words. */
import assert from "node:assert/strict";
import { clientAuth } from "../../provider/apache.ts";
import { packageSchema } from "../../provider/engine/package-schema.ts";
import { type Server, serve } from "../../provider/engine/grpc-server.ts";
import { type Bag, ProviderClient } from "./client.ts";
import { type ScriptedHost, scriptedHost } from "./scripted-host.ts";
import { type TestSite, testSite } from "./site.ts";

export interface State {
  readonly id: string;
  readonly inputs: Bag;
  readonly outputs: Bag;
}

export interface ClientAuthSuite {
  readonly site: TestSite;
  /** Fresh for each test. */
  readonly host: ScriptedHost;
  readonly client: ProviderClient;
  /** Goes on with another host. */
  connect(to: ScriptedHost): Promise<void>;
  created(wishes?: Bag): Promise<State>;
  /** What the engine keeps after a refresh. */
  refreshed(state: State): Promise<State>;
  /** What a preview finds: Check of the program's inputs, then Diff. */
  previewed(state: State, wishes?: Bag): Promise<Record<string, string>>;
  /** What `refresh` finds: it asks what `up` would do with the old inputs. */
  drift(before: State, after: State): Promise<Record<string, string>>;
  updated(state: State, wishes?: Bag): Promise<State>;
}

/** To be called inside `describe`. */
export function useClientAuth(): ClientAuthSuite {
  let site: TestSite;
  let host: ScriptedHost;
  let server: Server | undefined;
  let client: ProviderClient;

  before(async () => {
    site = await testSite();
  });
  after(() => site.remove());
  beforeEach(() => connect(scriptedHost()));
  afterEach(() => disconnect());

  async function connect(to: ScriptedHost): Promise<void> {
    await disconnect();
    host = to;
    server = await serve({ resources: [clientAuth(host)], schema: packageSchema, version: "0.0.0" });
    client = new ProviderClient(server.port);
  }

  async function disconnect(): Promise<void> {
    if (server === undefined) return;
    client.close();
    await server.close();
    server = undefined;
  }

  async function created(wishes: Bag = site.inputs): Promise<State> {
    const { inputs, failures } = await client.check(wishes);
    assert.deepEqual(failures, []);
    return { ...(await client.create(inputs)), inputs };
  }

  async function previewed(state: State, wishes: Bag = site.inputs): Promise<Record<string, string>> {
    const { inputs } = await client.check(wishes, state.inputs);
    return client.diff(state.id, state, inputs);
  }

  async function updated(state: State, wishes: Bag = site.inputs): Promise<State> {
    const { inputs } = await client.check(wishes, state.inputs);
    return { id: state.id, inputs, outputs: await client.update(state.id, state, inputs) };
  }

  return {
    get site() {
      return site;
    },
    get host() {
      return host;
    },
    get client() {
      return client;
    },
    ...{ connect, created, previewed, updated },
    refreshed: async (state) => client.read(state.id, state),
    drift: async (before, after) => client.diff(before.id, after, before.inputs),
  };
}

export async function rejected(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => assert.fail("it succeeded"),
    (error: unknown) => error as Error, // grpc-js rejects with nothing else
  );
}
