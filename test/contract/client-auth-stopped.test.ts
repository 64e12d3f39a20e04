/** A host whose server should run and does not. */
import assert from "node:assert/strict";
import type { Observation } from "../../core/apache/observation.ts";
import { useClientAuth } from "./client-auth.ts";

describe("ClientAuth over gRPC, on a host in memory whose server ends after it was set up", () => {
  const suite = useClientAuth();
  const { created, previewed, refreshed, drift, updated } = suite;

  let isRunning = true;

  // With words of httpd, for a copy of the files tells nothing of who runs.
  beforeEach(() => {
    isRunning = true;
    const { host } = suite;
    const { observe, apply } = host;
    const asked = (seen: Observation): Observation => ({ ...seen, dump: "", server: { ...seen.server, isRunning } });
    host.observe = async (target, options) => asked(await observe(target, options));
    host.apply = async (target, transaction, options) => {
      const outcome = await apply(target, transaction, options);
      return { ...outcome, observation: outcome.observation && asked(outcome.observation) };
    };
  });

  it("is reported by a refresh and by each preview after it, until it runs or may be stopped", async () => {
    const state = await created();
    isRunning = false;
    const seen = await refreshed(state);
    assert.match(String(seen.outputs.stopped), /httpd does not run, so nobody is served/);
    assert.deepEqual(await drift(state, seen), { stopped: "DELETE" });
    assert.deepEqual(await previewed(seen), { stopped: "DELETE" });
    const allowed = { ...suite.site.inputs, mayBeStopped: true };
    assert.equal((await updated(seen, allowed)).outputs.stopped, undefined);
    isRunning = true;
    const again = await refreshed(seen);
    assert.equal(again.outputs.stopped, undefined);
    assert.deepEqual(await previewed(again), {});
  });

  it("is told, and the run ends well, where nothing else is to be done", async () => {
    const state = await created();
    isRunning = false;
    const seen = await refreshed(state);
    suite.host.calls.length = 0;
    const after = await updated(seen);
    assert.match(String(after.outputs.stopped), /start it/);
    assert.deepEqual(after.outputs.lastChange, state.outputs.lastChange);
    assert.ok(!suite.host.calls.includes("apply"), suite.host.calls.join());
  });
});
