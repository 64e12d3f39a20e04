import assert from "node:assert/strict";
import { clientAuth } from "../../provider/apache.ts";
import { unpackFacts } from "../../provider/apache-facts.ts";
import { HostError } from "../../provider/errors.ts";
import { unknown } from "../../provider/resource.ts";
import { packageSchema } from "../../provider/schema.ts";
import { type Server, serve } from "../../provider/server.ts";
import { type Bag, ProviderClient, initFailure } from "./client.ts";
import { type ScriptedHost, confFile, configFile, httpdConf, scriptedHost } from "./scripted-host.ts";
import { type TestSite, testSite } from "./site.ts";

interface State {
  readonly id: string;
  readonly inputs: Bag;
  readonly outputs: Bag;
}

describe("ClientAuth over gRPC, on a host in memory", () => {
  let site: TestSite;
  let host: ScriptedHost;
  let server: Server;
  let client: ProviderClient;

  before(async () => {
    site = await testSite();
  });
  after(() => site.remove());

  beforeEach(() => connect(scriptedHost()));
  afterEach(() => disconnect());

  async function connect(to: ScriptedHost): Promise<void> {
    host = to;
    server = await serve({ resources: [clientAuth(host)], schema: packageSchema, version: "0.0.0" });
    client = new ProviderClient(server.port);
  }

  async function disconnect(): Promise<void> {
    client.close();
    await server.close();
  }

  async function created(wishes: Bag = site.inputs): Promise<State> {
    const { inputs, failures } = await client.check(wishes);
    assert.deepEqual(failures, []);
    return { ...(await client.create(inputs)), inputs };
  }

  /** What the engine keeps after a refresh. */
  async function refreshed(state: State): Promise<State> {
    return client.read(state.id, state);
  }

  /** What a preview finds: Check of the program's inputs, then Diff. */
  async function previewed(state: State, wishes: Bag = site.inputs): Promise<Record<string, string>> {
    const { inputs } = await client.check(wishes, state.inputs);
    return client.diff(state.id, state, inputs);
  }

  /** What `refresh` finds: it asks what `up` would do with the old inputs. */
  async function drift(before: State, after: State): Promise<Record<string, string>> {
    return client.diff(before.id, after, before.inputs);
  }

  async function updated(state: State, wishes: Bag = site.inputs): Promise<State> {
    const { inputs } = await client.check(wishes, state.inputs);
    return { id: state.id, inputs, outputs: await client.update(state.id, state, inputs) };
  }

  async function rejected(promise: Promise<unknown>): Promise<Error> {
    return promise.then(
      () => assert.fail("it succeeded"),
      (error: unknown) => error as Error, // grpc-js rejects with nothing else
    );
  }

  describe("the law: nothing to do", () => {
    it("after create, with a refresh and without", async () => {
      const state = await created();
      assert.deepEqual(await previewed(state), {});
      const seen = await refreshed(state);
      assert.deepEqual(await drift(state, seen), {});
      assert.deepEqual(await previewed(seen), {});
    });

    it("after an update, with a refresh and without", async () => {
      const wishes = { ...site.inputs, organizations: ["ABC CORPORATION", "株式会社例"] };
      const state = await updated(await created(), wishes);
      assert.deepEqual(await previewed(state, wishes), {});
      const seen = await refreshed(state);
      assert.deepEqual(await drift(state, seen), {});
      assert.deepEqual(await previewed(seen, wishes), {});
    });

    it("after an import, whose inputs pass Check as they are", async () => {
      const { inputs } = await created();
      const { hostKey } = inputs.connection as { hostKey: string }; // as written in site.ts
      const id = `ssh://root@192.0.2.10?hostKey=${encodeURIComponent(hostKey)}`;
      const imported = await client.read(id);
      assert.equal(imported.id, `192.0.2.10|apache|${configFile}`);
      assert.deepEqual(imported.inputs.organizations, ["ABC CORPORATION"]);
      assert.deepEqual((await client.check(imported.inputs, imported.inputs)).failures, []);
      assert.deepEqual(await previewed(imported, imported.inputs), {});
      assert.deepEqual(await previewed(imported, site.inputs), {});
    });

    it("when only the way to the host, or where files lie, is written in another way", async () => {
      const state = await created();
      const connection = { ...(state.inputs.connection as Bag), user: "deploy", sudo: { how: "passwordless" } };
      assert.deepEqual(await previewed(state, { ...site.inputs, connection, judgeInPreview: false }), {});
    });
  });

  describe("drift", () => {
    it("is shown as a change of the text in our file, both ways", async () => {
      const state = await created();
      host.own.set("clientcert.conf", (host.own.get("clientcert.conf") ?? "").replace("optional", "none"));
      const seen = await refreshed(state);
      assert.deepEqual(await drift(state, seen), { [`files["${confFile}"]`]: "UPDATE" });
      const { inputs } = await client.check(site.inputs, seen.inputs);
      assert.match((seen.outputs.files as Record<string, string>)[confFile] ?? "", /SSLVerifyClient none/);
      assert.match((inputs.files as Record<string, string>)[confFile] ?? "", /SSLVerifyClient optional/);
    });

    it("is repaired, and counts", async () => {
      const state = await created();
      host.files.set(configFile, httpdConf);
      host.own.delete("clientcert.conf");
      const repaired = await updated(await refreshed(state));
      assert.equal(repaired.outputs.generation, 2);
      assert.deepEqual(await previewed(repaired), {});
      assert.match(host.files.get(configFile) ?? "", /IncludeOptional/);
    });

    it("of the CA bundle is seen although no line of a configuration differs", async () => {
      const state = await created();
      const name = [...host.own.keys()].find((key) => key.startsWith("ca-")) ?? "";
      host.own.delete(name);
      const seen = await refreshed(state);
      assert.deepEqual(Object.values(await drift(state, seen)), ["ADD"]);
    });

    it("of the whole of it is a resource that is gone", async () => {
      const state = await created();
      host.files.set(configFile, httpdConf);
      host.own.clear();
      host.journal.clear();
      assert.equal((await refreshed(state)).id, "");
    });
  });

  describe("conflicts", () => {
    const byHand = httpdConf.replace("    SSLEngine on", "    SSLEngine on\n    SSLVerifyClient require");

    it("stop a creation, also in a preview, and name file and line", async () => {
      await disconnect();
      await connect(scriptedHost(byHand));
      const { inputs } = await client.check(site.inputs);
      for (const preview of [true, false]) {
        const error = await rejected(client.create(inputs, { preview }));
        assert.match(error.message, /httpd\.conf:9: .*SSLVerifyClient require/);
        assert.equal(initFailure(error), undefined);
      }
      assert.ok(!host.calls.includes("apply") && !host.calls.includes("judge"));
    });

    it("on an existing resource are problems that a preview shows and only the update refuses", async () => {
      const state = await created();
      const conf = host.files.get(configFile) ?? "";
      host.files.set(configFile, conf.replace("    SSLEngine on", "    SSLEngine on\n    SSLVerifyClient require"));
      const seen = await refreshed(state);
      assert.match(String(seen.outputs.problems), /SSLVerifyClient require/);
      assert.equal((await drift(state, seen)).problems, "DELETE");
      assert.equal((await previewed(seen)).problems, "DELETE");
      const { inputs } = await client.check(site.inputs, seen.inputs);
      await client.update(seen.id, seen, inputs, true);
      assert.match((await rejected(client.update(seen.id, seen, inputs))).message, /nothing was changed/);
      const adopted = await updated(seen, { ...site.inputs, adopt: true });
      assert.deepEqual(adopted.outputs.problems, []);
    });
  });

  describe("outcomes", () => {
    it("rolled back or refused is a plain error", async () => {
      const { inputs } = await client.check(site.inputs);
      for (const result of ["rolledBack", "refused"] as const) {
        host.fail = { result, reasons: ["AH02311: no certificate or crl found"] };
        const error = await rejected(client.create(inputs));
        assert.match(error.message, /AH02311/);
        assert.equal(initFailure(error), undefined);
      }
    });

    it("that the server does not run yet is reported by Diff until it does", async () => {
      const state = await created();
      host.journal.set("owed", "httpd was stopped when this was written");
      const seen = await refreshed(state);
      assert.equal((await drift(state, seen)).owed, "DELETE");
      assert.equal((await previewed(seen)).owed, "DELETE");
      host.journal.delete("owed");
      assert.deepEqual(await drift(state, await refreshed(seen)), {});
    });

    it("unknown keeps the id, and the next Diff asks for another look", async () => {
      const { inputs } = await client.check(site.inputs);
      host.fail = new HostError("cut", "192.0.2.10: the connection was cut");
      const failure = initFailure(await rejected(client.create(inputs)));
      const state = { id: failure?.id ?? "", inputs, outputs: failure?.properties ?? {} };
      assert.equal(state.id, `192.0.2.10|apache|${configFile}`);
      assert.equal((await previewed(state)).owed, "DELETE");
      delete host.fail;
      assert.deepEqual(await previewed(await updated(state)), {});
    });

    it("of a host that was certainly not touched is a plain error", async () => {
      const { inputs } = await client.check(site.inputs);
      host.fail = new HostError("locked", "192.0.2.10: another run holds the lock");
      assert.equal(initFailure(await rejected(client.create(inputs))), undefined);
    });

    it("unreachable is an error, never gone and never unchanged", async () => {
      const state = await created();
      host.unreachable = new HostError("unreachable", "192.0.2.10: no answer; check the address");
      for (const call of [
        client.read(state.id, state),
        client.update(state.id, state, state.inputs),
        client.delete(state.id, state),
      ]) {
        assert.match((await rejected(call)).message, /no answer/);
      }
    });
  });

  describe("previews", () => {
    it("of a creation let the host judge, change nothing, and leave unknown what only the change tells", async () => {
      const { inputs } = await client.check(site.inputs);
      const { outputs } = await client.create(inputs, { preview: true });
      assert.equal(outputs.generation, unknown);
      assert.deepEqual(host.calls, ["observe", "judge"]);
      assert.equal(host.files.get(configFile), httpdConf);
    });

    it("start nothing on the host with judgeInPreview: false", async () => {
      const { inputs } = await client.check({ ...site.inputs, judgeInPreview: false });
      await client.create(inputs, { preview: true });
      assert.deepEqual(host.calls, ["observe"]);
    });

    it("of an update need one call to the host, for the refresh has looked", async () => {
      const seen = await refreshed(await created());
      host.calls.length = 0;
      const { inputs } = await client.check({ ...site.inputs, countries: [] }, seen.inputs);
      assert.notDeepEqual(await client.diff(seen.id, seen, inputs), {});
      await client.update(seen.id, seen, inputs, true);
      assert.deepEqual(host.calls, ["judge"]);
    });

    it("with unknown inputs touch no host", async () => {
      const connection = { ...(site.inputs.connection as Bag), address: unknown };
      const { inputs, failures } = await client.check({ ...site.inputs, connection });
      assert.deepEqual(failures, []);
      const { outputs } = await client.create(inputs, { preview: true });
      assert.equal(outputs.generation, unknown);
      assert.deepEqual(host.calls, []);
    });
  });

  describe("another machine", () => {
    const otherKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEBLjYHViGCaqFMyUIp8qXJHpIlClhosKhtu52v/rVHs";
    const at = (changes: Bag): Bag => ({
      ...site.inputs,
      connection: { ...(site.inputs.connection as Bag), ...changes },
    });

    it("is one whose address and host key both changed", async () => {
      const wishes = at({ address: "192.0.2.11", hostKey: otherKey });
      const changes = await previewed(await created(), wishes);
      assert.deepEqual(changes, { "connection.address": "UPDATE_REPLACE", "connection.hostKey": "UPDATE_REPLACE" });
    });

    it("is not one that moved, or was set up anew: these are updated in place", async () => {
      const state = await created();
      assert.deepEqual(await previewed(state, at({ address: "192.0.2.11" })), { "connection.address": "UPDATE" });
      assert.deepEqual(await previewed(state, at({ hostKey: otherKey })), { "connection.hostKey": "UPDATE" });
      const moved = await updated(state, at({ address: "192.0.2.11" }));
      assert.deepEqual(await previewed(moved, at({ address: "192.0.2.11" })), {});
    });
  });

  describe("delete", () => {
    it("gives the bytes of before back", async () => {
      const state = await created();
      await client.delete(state.id, state);
      assert.equal(host.files.get(configFile), httpdConf);
      assert.equal(host.own.size + host.journal.size, 0);
    });

    it("leaves a host alone that another owner has taken over", async () => {
      const state = await created();
      host.journal.set("owner", "organization/clientcert/other/web1");
      host.calls.length = 0;
      await client.delete(state.id, state);
      assert.deepEqual(host.calls, ["observe"]);
    });

    it("of what is gone already is done", async () => {
      const state = await created();
      await client.delete(state.id, state);
      await client.delete(state.id, state);
      assert.equal(host.files.get(configFile), httpdConf);
    });
  });

  describe("while only another server runs on the machine", () => {
    const otherFile = "/etc/apache2/apache2.conf";

    /** Nothing of ours is in the other server's configuration. */
    async function createdThenHidden(): Promise<State> {
      const state = await created();
      const { observe } = host;
      host.observe = async (target, options) => {
        const seen = await observe(target, options);
        const server = { ...seen.server, configFile: otherFile, serverRoot: "/etc/apache2" };
        return { ...seen, server, files: new Map(), own: new Map(), journal: new Map() };
      };
      return state;
    }

    it("a refresh does not take ours for gone", async () => {
      const state = await createdThenHidden();
      assert.match(
        (await rejected(client.read(state.id, state))).message,
        /covers the server of .*apache2\.conf is another/,
      );
    });

    it("a removal does not take ours for removed", async () => {
      const state = await createdThenHidden();
      assert.match(
        (await rejected(client.delete(state.id, state))).message,
        /apache2\.conf is another one; start the first/,
      );
      assert.equal(host.calls.filter((call) => call === "apply").length, 1, "the creation's");
    });
  });

  it("refuses to go on when the site's files change between program and change", async () => {
    const { inputs } = await client.check(site.inputs);
    await site.renewCrl();
    assert.match((await rejected(client.create(inputs))).message, /changed while this command ran/);
    await site.remove();
    site = await testSite();
  });

  it("names every input that is wrong", async () => {
    const { failures } = await client.check({ ...site.inputs, port: 70000, adopt: "yes", organisations: [] });
    assert.equal(failures.length, 3);
    assert.match(failures.join("\n"), /port: .*1 to 65535/);
    assert.match(failures.join("\n"), /organisations: there is no such input/);
  });

  it("keeps every line of the customer's out of the state, and the state small", async () => {
    const state = await refreshed(await created());
    const text = JSON.stringify([state, unpackFacts(state.outputs), unpackFacts(state.inputs)]);
    assert.match(text, /a\.lab\.test/);
    assert.ok(!text.includes("customer-secret-line"));
    assert.ok(!text.includes("BEGIN"), "no certificate or key as such");
    assert.ok(text.length < 64 * 1024);
  });
});
