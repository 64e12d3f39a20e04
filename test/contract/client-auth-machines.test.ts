/** Which machine, and which server on it, a resource is about; and its removal. */
import assert from "node:assert/strict";
import type { Bag } from "./client.ts";
import { type State, rejected, useClientAuth } from "./client-auth.ts";
import { configFile, httpdConf } from "./scripted-host.ts";

describe("ClientAuth over gRPC, on one of several machines in memory", () => {
  const suite = useClientAuth();
  const { created, previewed, updated } = suite;

  describe("another machine", () => {
    const otherKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEBLjYHViGCaqFMyUIp8qXJHpIlClhosKhtu52v/rVHs";
    const at = (changes: Bag): Bag => ({
      ...suite.site.inputs,
      connection: { ...(suite.site.inputs.connection as Bag), ...changes },
    });

    it("is one whose address and host key both changed", async () => {
      const wishes = at({ address: "10.0.0.11", hostKey: otherKey });
      const changes = await previewed(await created(), wishes);
      assert.deepEqual(changes, { "connection.address": "UPDATE_REPLACE", "connection.hostKey": "UPDATE_REPLACE" });
    });

    it("is not one that moved, or was set up anew: these are updated in place", async () => {
      const state = await created();
      assert.deepEqual(await previewed(state, at({ address: "10.0.0.11" })), { "connection.address": "UPDATE" });
      assert.deepEqual(await previewed(state, at({ hostKey: otherKey })), { "connection.hostKey": "UPDATE" });
      const moved = await updated(state, at({ address: "10.0.0.11" }));
      assert.deepEqual(await previewed(moved, at({ address: "10.0.0.11" })), {});
    });
  });

  describe("delete", () => {
    it("gives the bytes of before back", async () => {
      const state = await created();
      await suite.client.delete(state.id, state);
      assert.equal(suite.host.files.get(configFile), httpdConf);
      assert.equal(suite.host.own.size + suite.host.journal.size, 0);
    });

    it("leaves a host alone that another owner has taken over", async () => {
      const state = await created();
      suite.host.journal.set("owner", "organization/clientcert/other/web1");
      suite.host.calls.length = 0;
      await suite.client.delete(state.id, state);
      assert.deepEqual(suite.host.calls, ["observe"]);
    });

    it("of what is gone already is done", async () => {
      const state = await created();
      await suite.client.delete(state.id, state);
      await suite.client.delete(state.id, state);
      assert.equal(suite.host.files.get(configFile), httpdConf);
    });
  });

  describe("while only another server runs on the machine", () => {
    const otherFile = "/etc/apache2/apache2.conf";

    /** Nothing of ours is in the other server's configuration. */
    async function createdThenHidden(): Promise<State> {
      const state = await created();
      const { host } = suite;
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
        (await rejected(suite.client.read(state.id, state))).message,
        /covers the server of .*apache2\.conf is another/,
      );
    });

    it("a removal does not take ours for removed", async () => {
      const state = await createdThenHidden();
      assert.match(
        (await rejected(suite.client.delete(state.id, state))).message,
        /apache2\.conf is another one; start the first/,
      );
      assert.equal(suite.host.calls.filter((call) => call === "apply").length, 1, "the creation's");
    });
  });
});
