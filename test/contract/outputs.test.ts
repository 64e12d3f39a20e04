import assert from "node:assert/strict";
import { outputNames, packageSchema } from "../../provider/engine/package-schema.ts";
import { useClientAuth } from "./client-auth.ts";

interface Schema {
  readonly resources: Readonly<
    Record<string, { readonly inputProperties: object; readonly properties: Readonly<Record<string, object>> }>
  >;
}

describe("Outputs of ClientAuth, on a host in memory", () => {
  const { created, refreshed } = useClientAuth();

  it("are those that the schema names, which the component asks for, and no other", async () => {
    const { outputs } = await created();
    const { resources } = JSON.parse(await packageSchema()) as Schema; // our own
    const { inputProperties, properties } =
      resources["clientcert:apache:ClientAuth"] ?? assert.fail("no such resource");
    const unnamed = Object.keys(outputs).filter((name) => !(name in properties));
    assert.deepEqual(unnamed, []);
    assert.deepEqual(
      Object.keys(properties).filter((name) => !(name in inputProperties)),
      outputNames,
    );
  });

  it("name the last change as such: a run that changes nothing repeats it", async () => {
    const state = await created();
    const lines = state.outputs["lastChange"];
    assert.ok(Array.isArray(lines) && lines.length > 0, JSON.stringify(lines));
    assert.deepEqual((await refreshed(state)).outputs["lastChange"], lines);
    assert.ok(!("changed" in state.outputs));
  });
});
