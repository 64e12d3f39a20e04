import assert from "node:assert/strict";
import { storedFacts } from "../../provider/apache/stored-facts.ts";
import { unpackFacts } from "../../provider/resource/packed-facts.ts";
import { HostError } from "../../provider/remote/host-error.ts";
import { unknown } from "../../provider/engine/resource.ts";
import type { Bag } from "./client.ts";
import { initFailure } from "./client.ts";
import { type State, rejected, useClientAuth } from "./client-auth.ts";
import { confFile, configFile, httpdConf, scriptedHost } from "./scripted-host.ts";
import { testSite } from "./site.ts";

/** As versions wrote it that did not know these inputs. */
function withoutNewer(state: State): State {
  const strip = (bag: Bag): Bag => Object.fromEntries(Object.entries(bag).filter(([key]) => !newer.includes(key)));
  return { ...state, inputs: strip(state.inputs), outputs: strip(state.outputs) };
}
const newer = ["organizationalUnits", "issuers", "verifyDepth", "acceptOlderCrls"];

describe("ClientAuth over gRPC, on a host in memory", () => {
  const suite = useClientAuth();
  const { created, refreshed, previewed, drift, updated } = suite;

  describe("the law: nothing to do", () => {
    it("after create, with a refresh and without", async () => {
      const state = await created();
      assert.deepEqual(await previewed(state), {});
      const seen = await refreshed(state);
      assert.deepEqual(await drift(state, seen), {});
      assert.deepEqual(await previewed(seen), {});
    });

    it("after an update, with a refresh and without", async () => {
      const wishes = { ...suite.site.inputs, organizations: ["ABC CORPORATION", "株式会社例"] };
      const state = await updated(await created(), wishes);
      assert.deepEqual(await previewed(state, wishes), {});
      const seen = await refreshed(state);
      assert.deepEqual(await drift(state, seen), {});
      assert.deepEqual(await previewed(seen, wishes), {});
    });

    it("after an import, whose inputs pass Check as they are", async () => {
      const { inputs } = await created();
      const { hostKey } = inputs.connection as { hostKey: string }; // as written in site.ts
      const id = `ssh://root@10.0.0.10?hostKey=${encodeURIComponent(hostKey)}`;
      const imported = await suite.client.read(id);
      assert.equal(imported.id, `10.0.0.10|apache|${configFile}`);
      assert.deepEqual(imported.inputs.organizations, ["ABC CORPORATION"]);
      assert.deepEqual((await suite.client.check(imported.inputs, imported.inputs)).failures, []);
      assert.deepEqual(await previewed(imported, imported.inputs), {});
      assert.deepEqual(await previewed(imported, suite.site.inputs), {});
    });

    it("after an import beside a CA file that nothing names, but for that file", async () => {
      const { inputs } = await created();
      suite.host.own.set("ca-00000000.pem", "of an earlier bundle");
      const { hostKey } = inputs.connection as { hostKey: string }; // as written in site.ts
      const imported = await suite.client.read(`ssh://root@10.0.0.10?hostKey=${encodeURIComponent(hostKey)}`);
      assert.deepEqual(imported.inputs.ca, inputs.ca);
      const stale = confFile.replace("clientcert.conf", "ca-00000000.pem");
      assert.deepEqual(await previewed(imported, imported.inputs), { [`files["${stale}"]`]: "DELETE" });
    });

    it("after an import of a host with every rule about names, a backslash in one included", async () => {
      const rules = {
        organizations: ["ABC\\CORPORATION", "A} in {B"],
        organizationalUnits: ["Sales", "営業部"],
        issuers: ["Lab Issuing CA", "CN=Lab Issuing CA,O=Lab Trust Services"],
        verifyDepth: 3,
      };
      const { inputs } = await created({ ...suite.site.inputs, ...rules });
      assert.match(suite.host.own.get("clientcert.conf") ?? "", /^SSLVerifyDepth 3$/m);
      const { hostKey } = inputs.connection as { hostKey: string }; // as written in site.ts
      const imported = await suite.client.read(`ssh://root@10.0.0.10?hostKey=${encodeURIComponent(hostKey)}`);
      for (const [name, value] of Object.entries(rules)) assert.deepEqual(imported.inputs[name], value, name);
      assert.deepEqual(await previewed(imported, imported.inputs), {});
    });

    it("with a state of an earlier version, which has none of the newer inputs", async () => {
      const state = await created();
      const old = withoutNewer(state);
      assert.deepEqual(await previewed(old), {});
      const seen = withoutNewer(await refreshed(old));
      assert.deepEqual(await drift(old, seen), {});
      assert.deepEqual(await previewed(seen), {});
      const others = { ...suite.site.inputs, organizations: ["OTHER CORPORATION"] };
      assert.deepEqual(await previewed(old, others), await previewed(state, others));
    });

    it("when only the way to the host, or where files lie, is written in another way", async () => {
      const state = await created();
      const connection = { ...(state.inputs.connection as Bag), user: "deploy", sudo: { how: "passwordless" } };
      assert.deepEqual(await previewed(state, { ...suite.site.inputs, connection, judgeInPreview: false }), {});
    });
  });

  describe("drift", () => {
    it("is shown as a change of the text in our file, both ways", async () => {
      const state = await created();
      suite.host.own.set("clientcert.conf", (suite.host.own.get("clientcert.conf") ?? "").replace("optional", "none"));
      const seen = await refreshed(state);
      assert.deepEqual(await drift(state, seen), { [`files["${confFile}"]`]: "UPDATE" });
      const { inputs } = await suite.client.check(suite.site.inputs, seen.inputs);
      assert.match((seen.outputs.files as Record<string, string>)[confFile] ?? "", /SSLVerifyClient none/);
      assert.match((inputs.files as Record<string, string>)[confFile] ?? "", /SSLVerifyClient optional/);
    });

    it("is repaired, and counts", async () => {
      const state = await created();
      suite.host.files.set(configFile, httpdConf);
      suite.host.own.delete("clientcert.conf");
      const repaired = await updated(await refreshed(state));
      assert.equal(repaired.outputs.generation, 2);
      assert.deepEqual(await previewed(repaired), {});
      assert.match(suite.host.files.get(configFile) ?? "", /IncludeOptional/);
    });

    it("of the CA bundle is seen although no line of a configuration differs", async () => {
      const state = await created();
      const name = [...suite.host.own.keys()].find((key) => key.startsWith("ca-")) ?? "";
      suite.host.own.delete(name);
      const seen = await refreshed(state);
      assert.deepEqual(Object.values(await drift(state, seen)), ["ADD"]);
    });

    it("of the whole of it is a resource that is gone", async () => {
      const state = await created();
      suite.host.files.set(configFile, httpdConf);
      suite.host.own.clear();
      suite.host.journal.clear();
      assert.equal((await refreshed(state)).id, "");
    });
  });

  describe("conflicts", () => {
    const byHand = httpdConf.replace("    SSLEngine on", "    SSLEngine on\n    SSLVerifyClient require");

    it("stop a creation, also in a preview, and name file and line", async () => {
      await suite.connect(scriptedHost(byHand));
      const { inputs } = await suite.client.check(suite.site.inputs);
      for (const preview of [true, false]) {
        const error = await rejected(suite.client.create(inputs, { preview }));
        assert.match(error.message, /httpd\.conf:9: .*SSLVerifyClient require/);
        assert.equal(initFailure(error), undefined);
      }
      assert.ok(!suite.host.calls.includes("apply") && !suite.host.calls.includes("judge"));
    });

    it("on an existing resource are problems that a preview shows and only the update refuses", async () => {
      const state = await created();
      const conf = suite.host.files.get(configFile) ?? "";
      suite.host.files.set(
        configFile,
        conf.replace("    SSLEngine on", "    SSLEngine on\n    SSLVerifyClient require"),
      );
      const seen = await refreshed(state);
      assert.match(String(seen.outputs.problems), /SSLVerifyClient require/);
      assert.equal((await drift(state, seen)).problems, "DELETE");
      assert.equal((await previewed(seen)).problems, "DELETE");
      const { inputs } = await suite.client.check(suite.site.inputs, seen.inputs);
      await suite.client.update(seen.id, seen, inputs, true);
      assert.match((await rejected(suite.client.update(seen.id, seen, inputs))).message, /nothing was changed/);
      const adopted = await updated(seen, { ...suite.site.inputs, adopt: true });
      assert.deepEqual(adopted.outputs.problems, []);
    });
  });

  describe("outcomes", () => {
    it("rolled back or refused is a plain error", async () => {
      const { inputs } = await suite.client.check(suite.site.inputs);
      for (const result of ["rolledBack", "refused"] as const) {
        suite.host.fail = { result, reasons: ["AH02311: no certificate or crl found"] };
        const error = await rejected(suite.client.create(inputs));
        assert.match(error.message, /AH02311/);
        assert.equal(initFailure(error), undefined);
      }
    });

    it("that the server does not run yet is reported by Diff until it does", async () => {
      const state = await created();
      suite.host.journal.set("owed", "httpd was stopped when this was written");
      const seen = await refreshed(state);
      assert.equal((await drift(state, seen)).owed, "DELETE");
      assert.equal((await previewed(seen)).owed, "DELETE");
      suite.host.journal.delete("owed");
      assert.deepEqual(await drift(state, await refreshed(seen)), {});
    });

    it("unknown keeps the id, and the next Diff asks for another look", async () => {
      const { inputs } = await suite.client.check(suite.site.inputs);
      suite.host.fail = new HostError("cut", "10.0.0.10: the connection was cut");
      const failure = initFailure(await rejected(suite.client.create(inputs)));
      const state = { id: failure?.id ?? "", inputs, outputs: failure?.properties ?? {} };
      assert.equal(state.id, `10.0.0.10|apache|${configFile}`);
      assert.equal((await previewed(state)).owed, "DELETE");
      delete suite.host.fail;
      assert.deepEqual(await previewed(await updated(state)), {});
    });

    it("of a host that was certainly not touched is a plain error", async () => {
      const { inputs } = await suite.client.check(suite.site.inputs);
      suite.host.fail = new HostError("locked", "10.0.0.10: another run holds the lock");
      assert.equal(initFailure(await rejected(suite.client.create(inputs))), undefined);
    });

    it("unreachable is an error, never gone and never unchanged", async () => {
      const state = await created();
      suite.host.unreachable = new HostError("unreachable", "10.0.0.10: no answer; check the address");
      for (const call of [
        suite.client.read(state.id, state),
        suite.client.update(state.id, state, state.inputs),
        suite.client.delete(state.id, state),
      ]) {
        assert.match((await rejected(call)).message, /no answer/);
      }
    });
  });

  describe("previews", () => {
    it("of a creation let the host judge, change nothing, and leave unknown what only the change tells", async () => {
      const { inputs } = await suite.client.check(suite.site.inputs);
      const { outputs } = await suite.client.create(inputs, { preview: true });
      assert.equal(outputs.generation, unknown);
      assert.deepEqual(suite.host.calls, ["observe", "judge"]);
      assert.equal(suite.host.files.get(configFile), httpdConf);
    });

    it("start nothing on the host with judgeInPreview: false", async () => {
      const { inputs } = await suite.client.check({ ...suite.site.inputs, judgeInPreview: false });
      await suite.client.create(inputs, { preview: true });
      assert.deepEqual(suite.host.calls, ["observe"]);
    });

    it("of an update need one call to the host, for the refresh has looked", async () => {
      const seen = await refreshed(await created());
      suite.host.calls.length = 0;
      const { inputs } = await suite.client.check({ ...suite.site.inputs, countries: [] }, seen.inputs);
      assert.notDeepEqual(await suite.client.diff(seen.id, seen, inputs), {});
      await suite.client.update(seen.id, seen, inputs, true);
      assert.deepEqual(suite.host.calls, ["judge"]);
    });

    it("with unknown inputs touch no host", async () => {
      const connection = { ...(suite.site.inputs.connection as Bag), address: unknown };
      const { inputs, failures } = await suite.client.check({ ...suite.site.inputs, connection });
      assert.deepEqual(failures, []);
      const { outputs } = await suite.client.create(inputs, { preview: true });
      assert.equal(outputs.generation, unknown);
      assert.deepEqual(suite.host.calls, []);
    });
  });

  it("refuses to go on when the site's files change between program and change", async () => {
    const site = await testSite();
    const { inputs } = await suite.client.check(site.inputs);
    await site.renewCrl();
    assert.match((await rejected(suite.client.create(inputs))).message, /changed while this command ran/);
    await site.remove();
  });

  it("names every input that is wrong", async () => {
    const { failures } = await suite.client.check({
      ...suite.site.inputs,
      port: 70000,
      adopt: "yes",
      organisations: [],
      issuers: ["CN=x,DC=y"],
      verifyDepth: 11,
    });
    assert.equal(failures.length, 5);
    assert.match(failures.join("\n"), /issuers\[0\]: httpd cannot compare the part DC= .*; leave it out/);
    assert.match(failures.join("\n"), /verifyDepth: found 11; write at most 10/);
    assert.match(failures.join("\n"), /port: found 70000; write at most 65535/);
    assert.match(
      failures.join("\n"),
      /organisations: the key "organisations" is not known here; did you mean organizations\?/,
    );
  });

  it("fills in the defaults of an input's parts", async () => {
    const { hostKey } = suite.site.inputs.connection as { hostKey: string }; // as written in site.ts
    const connection = { address: "10.0.0.10", user: "deploy", hostKey };
    const { inputs, failures } = await suite.client.check({ ...suite.site.inputs, connection, crlRefresh: {} });
    assert.deepEqual(failures, []);
    const filled = { port: 22, login: { from: "agent" }, sudo: { how: "passwordless" } };
    assert.deepEqual(inputs.connection, { ...connection, ...filled });
    assert.equal((inputs.crlRefresh as Bag).alarmHours, 24);
  });

  it("reads and deletes what an earlier build let through, although Check refuses it now", async () => {
    const state = await created();
    const old = { ...state, inputs: { ...state.inputs, countries: ["Japan"], acceptOlderCrls: ["AB"] } };
    assert.match(
      (await suite.client.check(old.inputs)).failures.join("\n"),
      /countries\[0\]: found "Japan"; write two/,
    );
    assert.equal((await refreshed(old)).id, state.id);
    await suite.client.delete(old.id, old);
    assert.equal(suite.host.own.size, 0);
  });

  it("refuses an import id that names what no site file could", async () => {
    const { hostKey } = suite.site.inputs.connection as { hostKey: string }; // as written in site.ts
    const id = (key: string, more = ""): string => `ssh://root@10.0.0.10?hostKey=${encodeURIComponent(key)}${more}`;
    const errors = [id("ssh-ed25519 AAAA"), id(hostKey, "&keyFile=id_ed25519"), id(hostKey, "&sudo=always")];
    const texts = await Promise.all(errors.map(async (one) => (await rejected(suite.client.read(one))).message));
    assert.match(texts[0] ?? "", /import id: connection\.hostKey: the key after ssh-ed25519 is damaged/);
    assert.match(texts[1] ?? "", /import id: connection\.login\.path: .*write an absolute path on this machine/);
    assert.match(texts[2] ?? "", /import id: connection\.sudo\.how: .*write none or passwordless/);
  });

  it("refuses a state that has another form, by its place", async () => {
    const state = await created();
    const other = { ...state, inputs: { ...state.inputs, countries: "JP" } };
    assert.match((await rejected(suite.client.read(state.id, other))).message, /countries: found "JP"; write a list/);
  });

  it("keeps every line of the customer's out of the state, and the state small", async () => {
    const state = await refreshed(await created());
    const text = JSON.stringify([
      state,
      unpackFacts(storedFacts, state.outputs),
      unpackFacts(storedFacts, state.inputs),
    ]);
    assert.match(text, /a\.lab\.test/);
    assert.ok(!text.includes("customer-secret-line"));
    assert.ok(!text.includes("BEGIN"), "no certificate or key as such");
    assert.ok(text.length < 64 * 1024);
  });
});
