import assert from "node:assert/strict";
import { clientAuth } from "../../provider/apache.ts";
import { outputNames, packageSchema } from "../../provider/schema.ts";
import { serve } from "../../provider/server.ts";
import { type Bag, ProviderClient } from "./client.ts";
import { scriptedHost } from "./scripted-host.ts";
import { testSite } from "./site.ts";

interface Schema {
  readonly resources: Readonly<
    Record<string, { readonly inputProperties: object; readonly properties: Readonly<Record<string, object>> }>
  >;
}

describe("Outputs of ClientAuth, on a host in memory", () => {
  let outputs: Bag = {};
  let afterRefresh: Bag = {};
  let inNextRun: Bag = {};

  before(async () => {
    const site = await testSite();
    const server = await serve({ resources: [clientAuth(scriptedHost())], schema: packageSchema, version: "0.0.0" });
    const client = new ProviderClient(server.port);
    try {
      const { inputs } = await client.check(site.inputs);
      const state = { ...(await client.create(inputs)), inputs };
      const again = await client.read(state.id, state);
      outputs = state.outputs;
      afterRefresh = again.outputs;
      inNextRun = (await client.read(again.id, again)).outputs;
    } finally {
      client.close();
      await server.close();
      await site.remove();
    }
  });

  it("are those that the schema names, which the component asks for, and no other", () => {
    const { resources } = JSON.parse(packageSchema()) as Schema; // our own
    const { inputProperties, properties } =
      resources["clientcert:apache:ClientAuth"] ?? assert.fail("no such resource");
    const unnamed = Object.keys(outputs).filter((name) => !(name in properties));
    assert.deepEqual(unnamed, []);
    assert.deepEqual(
      Object.keys(properties).filter((name) => !(name in inputProperties)),
      outputNames,
    );
  });

  it("name the last change as such: a run that changes nothing repeats it", () => {
    const lines = outputs["lastChange"];
    assert.ok(Array.isArray(lines) && lines.length > 0, JSON.stringify(lines));
    assert.deepEqual([afterRefresh["lastChange"], inNextRun["lastChange"]], [lines, lines]);
    assert.ok(!("changed" in outputs));
  });
});
