/** What runs unattended on a host, state of earlier builds, and a host that never comes to rest. */
import assert from "node:assert/strict";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { Host } from "../../provider/apache/host-model.ts";
import { hostProgramSha256 } from "../../provider/apache/host-program.ts";
import { type State, rejected, useClientAuth } from "./client-auth.ts";
import { configFile } from "./scripted-host.ts";

const other = "b".repeat(64);

/** The state with other facts in its inputs and outputs. */
function rewritten(state: State, change: (facts: Record<string, unknown>) => unknown): State {
  const rewrite = (facts: unknown): string => {
    const read: unknown = JSON.parse(inflateRawSync(Buffer.from(String(facts), "base64")).toString("utf8"));
    // as: packFacts wrote it
    return deflateRawSync(JSON.stringify(change(read as Record<string, unknown>))).toString("base64");
  };
  const [inputs, outputs] = [state.inputs, state.outputs].map((bag) =>
    typeof bag.facts === "string" ? { ...bag, facts: rewrite(bag.facts) } : bag,
  );
  return { ...state, inputs: inputs ?? {}, outputs: outputs ?? {} };
}

/** As builds wrote it that had no version. */
const unversioned = ({ factsVersion: _version, unattended: _unattended, ...facts }: Record<string, unknown>): unknown =>
  facts;

describe("ClientAuth over gRPC, on a host in memory whose program is of another version", () => {
  const suite = useClientAuth();
  const { created, refreshed, previewed, drift, updated } = suite;

  it("shows one change, which mends it, and nothing after it", async () => {
    const before = await created();
    suite.host.program = other;
    const seen = await refreshed(before);
    const [path] = Object.keys(await previewed(seen));
    assert.match(path ?? "", /^files\["\/var\/lib\/clientcert\/[0-9a-f]{16}\/program"\]$/);
    assert.deepEqual(await previewed(seen), { [path ?? ""]: "UPDATE" });
    assert.deepEqual(await drift(before, seen), { [path ?? ""]: "UPDATE" });
    const state = await updated(seen);
    assert.equal(suite.host.program, hostProgramSha256());
    assert.deepEqual(state.outputs.lastChange, ["wrote the program that refreshes and undoes"]);
    assert.deepEqual(await previewed(state), {});
    assert.deepEqual(await drift(state, await refreshed(state)), {});
    assert.deepEqual(await previewed(await refreshed(state)), {});
  });

  it("is judged by nobody in a preview, because httpd reads nothing of it", async () => {
    const before = await created();
    suite.host.program = other;
    const seen = await refreshed(before);
    suite.host.calls.splice(0);
    const { inputs } = await suite.client.check(suite.site.inputs, seen.inputs);
    await suite.client.update(seen.id, seen, inputs, true);
    assert.deepEqual(suite.host.calls, []);
  });
});

describe("ClientAuth over gRPC, with state of another build", () => {
  const suite = useClientAuth();
  const { created, refreshed, previewed, updated } = suite;

  const kinds: readonly [name: string, change: (facts: Record<string, unknown>) => unknown][] = [
    ["of one that had no version", unversioned],
    ["of one that is newer", (facts) => ({ ...facts, factsVersion: 1000 })],
    ["that somebody has cut", ({ virtualHosts: _gone, ...facts }) => facts],
    ["that somebody has bent", (facts) => ({ ...facts, virtualHosts: [1] })],
    ["that is no object", () => []],
  ];
  for (const [name, change] of kinds) {
    it(`${name}: plans nothing from it, and looks again`, async () => {
      const old = rewritten(await created(), change);
      assert.deepEqual(await previewed(old), { facts: "UPDATE" });
      const seen = await refreshed(old);
      assert.deepEqual(await previewed(seen), {});
      suite.host.calls.splice(0);
      const state = await updated(old);
      assert.deepEqual(suite.host.calls, ["observe"], "there was nothing to change");
      assert.deepEqual(await previewed(state), {});
    });
  }

  it("still knows from it which server the resource covers", async () => {
    const old = rewritten(await created(), (facts) => {
      const { server } = facts as { server: Record<string, unknown> }; // as packFacts wrote it
      return unversioned({ ...facts, server: { ...server, configFile: "/srv/other.conf" } });
    });
    const error = await rejected(refreshed(old));
    assert.match(error.message, /covers the server of \/srv\/other\.conf, and /);
    assert.ok(error.message.includes(configFile));
  });
});

describe("ClientAuth over gRPC, on a host in memory where each run finds another interrupted one", () => {
  const suite = useClientAuth();

  /** What the host answers to each change. */
  const neverAtRest = (): Host["apply"] => async () => {
    suite.host.calls.push("apply");
    if (suite.host.calls.filter((call) => call === "apply").length > 20) throw new Error("it goes on for ever");
    const observation = await suite.host.observe({ connection: {}, detection: {} } as never); // as: nothing of it is read
    return { result: "recovered", judge: "shadow", reasons: ["it was put back"], generation: 0, observation };
  };
  const applied = (): number => suite.host.calls.filter((call) => call === "apply").length;

  it("gives a creation up after three of them, and says so", async () => {
    suite.host.apply = neverAtRest();
    const error = await rejected(suite.created());
    assert.match(error.message, /an interrupted change was put back 3 times in a row/);
    assert.equal(applied(), 3);
  });

  it("gives a removal up as well", async () => {
    const state = await suite.created();
    suite.host.calls.splice(0);
    suite.host.apply = neverAtRest();
    const error = await rejected(suite.client.delete(state.id, state));
    assert.match(error.message, /an interrupted change was put back 3 times in a row/);
    assert.equal(applied(), 3);
  });
});
