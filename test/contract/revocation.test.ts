import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { type LabPki, labPki } from "../../lab/pki.ts";
import type { Bag } from "./client.ts";
import { type State, rejected, useClientAuth } from "./client-auth.ts";
import { configFile, downText, httpdConf, scriptedHost } from "./scripted-host.ts";

const url = "http://crl.lab.test/issuing.crl";
const hour = 3600;

describe("CRL sources of ClientAuth, on a host in memory", () => {
  const suite = useClientAuth();
  const { created, refreshed, previewed, drift, updated } = suite;
  let pki: LabPki;
  let wishes: Bag;
  const crl = `/usr/local/ni/apache/conf/clientcert/crl.pem`;

  before(async () => {
    pki = await labPki();
    wishes = await suite.site.inputsWith(`  crlSources: [{ urls: ["${url}", "ldap://ldap.lab.test/cn=ca"] }]`);
  });
  beforeEach(async () => {
    suite.host.published = await pki.crl({ number: 5 });
  });

  /** The timer's own run, with a CRL that is new. */
  async function renewed(number: number, nextUpdateHours = 30 * 24): Promise<void> {
    suite.host.published = await pki.crl({ number, nextUpdateHours });
    suite.host.refresh();
  }

  const timerFile = (): string => [...suite.host.timers.keys()].find((name) => name.endsWith(".timer")) ?? "";
  const status = ({ outputs }: State): Bag => (outputs["crlStatus"] as readonly Bag[])[0] ?? {}; // as the schema says

  describe("the law: nothing to do", () => {
    it("after create, with a refresh and without", async () => {
      const state = await created(wishes);
      assert.deepEqual(await previewed(state, wishes), {});
      const seen = await refreshed(state);
      assert.deepEqual(await drift(state, seen), {});
      assert.deepEqual(await previewed(seen, wishes), {});
    });

    it("after the timer has installed a newer CRL", async () => {
      const state = await created(wishes);
      await renewed(6);
      const seen = await refreshed(state);
      assert.deepEqual(await drift(state, seen), {});
      assert.deepEqual(await previewed(seen, wishes), {});
      assert.deepEqual([status(state)["number"], status(seen)["number"]], ["5", "6"]);
    });

    it("after an update of the schedule, and of the addresses", async () => {
      const state = await created(wishes);
      const changed = await suite.site.inputsWith(
        `  crlSources: [{ urls: ["${url}"] }]\n  crlRefresh: { times: ["04:00"], timeZone: Asia/Tokyo, spreadMinutes: 0 }`,
      );
      const shown = await previewed(await refreshed(state), changed);
      assert.ok(Object.keys(shown).includes(`files["${timerFile()}"]`), JSON.stringify(shown));
      const next = await updated(state, changed);
      assert.match(suite.host.timers.get(timerFile()) ?? "", /^OnCalendar=\*-\*-\* 04:00:00 Asia\/Tokyo$/m);
      assert.deepEqual(await previewed(next, changed), {});
      assert.deepEqual(await drift(next, await refreshed(next)), {});
    });

    it("after an import, whose inputs have all that the host's own files tell", async () => {
      await writeFile(path.join(suite.site.folder, "stacks", "user.pem"), pki.clients.good.certificate);
      const whole = await suite.site.inputsWith(
        `  crlSources: [{ urls: ["${url}"], file: issuing.crl }]\n  sampleCertificate: user.pem\n` +
          `  crlRefresh: { times: ["04:00", "16:00"], timeZone: Asia/Tokyo, alarmHours: 48, proxyFile: /etc/a proxy }`,
      );
      const { inputs } = await created(whole);
      const { hostKey } = inputs["connection"] as { hostKey: string }; // as written in site.ts
      const imported = await suite.client.read(`ssh://root@10.0.0.10?hostKey=${encodeURIComponent(hostKey)}`);
      assert.deepEqual(imported.inputs["crlRefresh"], whole["crlRefresh"]);
      assert.deepEqual((await suite.client.check(imported.inputs, imported.inputs)).failures, []);
      assert.deepEqual(await previewed(imported, imported.inputs), {});
      assert.deepEqual(await previewed(imported, whole), {});
      assert.doesNotMatch(String(imported.outputs["warnings"]), /crlFiles/);
      await renewed(7, 1);
      assert.deepEqual(await drift(imported, await refreshed(imported)), {});
      suite.host.nowSeconds += 2 * hour;
      assert.deepEqual(await drift(imported, await refreshed(imported)), { [`files["${crl}"]`]: "UPDATE" });
    });
  });

  describe("drift", () => {
    let state: State;
    beforeEach(async () => {
      state = await created(wishes);
    });

    async function found(): Promise<Record<string, string>> {
      const seen = await refreshed(state);
      const changes = await drift(state, seen);
      assert.deepEqual(await previewed(seen, wishes), changes);
      // And it can be mended.
      assert.deepEqual(await previewed(await updated(seen, wishes), wishes), {});
      return changes;
    }

    it("is a timer that was altered", async () => {
      const path = timerFile();
      suite.host.timers.set(path, "[Timer]\nOnCalendar=yearly\n");
      assert.deepEqual(await found(), { [`files["${path}"]`]: "UPDATE" });
    });

    it("is a timer that was removed", async () => {
      const path = timerFile();
      suite.host.timers.delete(path);
      assert.deepEqual(await found(), { [`files["${path}"]`]: "ADD" });
    });

    it("is a timer that was disabled, which the texts say", async () => {
      const path = timerFile();
      suite.host.isTimerEnabled = false;
      const seen = await refreshed(state);
      assert.match((seen.outputs["files"] as Record<string, string>)[path] ?? "", /\(is not enabled\)$/m);
      assert.deepEqual(seen.outputs["timer"], { ...(state.outputs["timer"] as Bag), isEnabled: false });
      assert.deepEqual(await found(), { [`files["${path}"]`]: "UPDATE" });
    });

    it("is a CRL that has expired without another one coming", async () => {
      await renewed(6, 1);
      suite.host.nowSeconds += 2 * hour;
      suite.host.published = await pki.crl({ number: 7 });
      assert.deepEqual(await found(), { [`files["${crl}"]`]: "UPDATE" });
    });

    it("is a CRL that is gone", async () => {
      suite.host.own.delete("crl.pem");
      assert.deepEqual(await found(), { [`files["${crl}"]`]: "ADD" });
    });

    it("is another program's settings", async () => {
      suite.host.own.set("refresh.conf", "check leaf\n");
      assert.deepEqual(Object.values(await found()), ["UPDATE"]);
    });
  });

  describe("warnings", () => {
    it("tell of a source that fails, with its reason, and are no change", async () => {
      const state = await created(wishes);
      suite.host.published = undefined;
      suite.host.refresh();
      const seen = await refreshed(state);
      assert.deepEqual(await drift(state, seen), {});
      assert.match(String(seen.outputs["warnings"]), /crlSources\[0\]: failed on .*no answer/);
      assert.equal(status(seen)["reason"], "no answer");
      assert.equal(status(seen)["lastSuccess"], status(state)["lastSuccess"]);
    });

    it("tell of refreshes that have not run for days, and are no change", async () => {
      const state = await created(wishes);
      suite.host.nowSeconds += 72 * hour;
      const seen = await refreshed(state);
      assert.deepEqual(await drift(state, seen), {});
      assert.match(String(seen.outputs["warnings"]), /crlRefresh: no refresh of the CRLs has run since/);
    });
  });

  describe("a source that is down", () => {
    it("refuses a creation that has no other CRL, in its own words, and leaves the host as it was", async () => {
      suite.host.published = undefined;
      const { inputs } = await suite.client.check(wishes);
      const error = await rejected(suite.client.create(inputs));
      assert.match(error.message, new RegExp(`refused, and nothing was touched.*\\n.*${downText}`));
      assert.equal(suite.host.files.get(configFile), httpdConf);
      assert.equal(suite.host.own.size + suite.host.timers.size, 0);
    });

    it("lets a creation with a first list go live", async () => {
      suite.host.published = undefined;
      const state = await created(
        await suite.site.inputsWith(`  crlSources: [{ urls: ["${url}"], file: issuing.crl }]`),
      );
      assert.match(suite.host.own.get("crl.pem") ?? "", /BEGIN X509 CRL/);
      assert.equal(status(state)["reason"], "no answer");
    });

    it("keeps the installed CRL at an update of something else", async () => {
      const state = await created(wishes);
      const installed = suite.host.own.get("crl.pem");
      suite.host.published = undefined;
      const others = { ...wishes, organizations: ["ANOTHER CORPORATION"] };
      const next = await updated(state, others);
      assert.equal(suite.host.own.get("crl.pem"), installed);
      assert.deepEqual(await previewed(next, others), {});
    });
  });

  it("shows each source and the timer in its outputs", async () => {
    const state = await created(wishes);
    const { lastSuccess, thisUpdate, nextUpdate, ...others } = status(state);
    for (const time of [lastSuccess, thisUpdate, nextUpdate]) assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:]+Z$/);
    const urls = [url, "ldap://ldap.lab.test/cn=ca"];
    assert.deepEqual(others, { urls, url: "http://crl.example/issuing.crl", number: "5", entries: 1 });
    const { path: file, isEnabled, times, lastResult } = state.outputs["timer"] as Bag;
    assert.deepEqual([file, isEnabled, lastResult], [timerFile(), true, "updated"]);
    assert.deepEqual(times, ["00:30", "06:30", "12:30", "18:30"]);
    assert.match(String(state.outputs["lastChange"]), /asked the CRL sources/);
  });

  it("uses cron where there is no systemd, and refuses a host that has neither", async () => {
    suite.host.scheduler = "cron";
    const state = await created(wishes);
    assert.match([...suite.host.timers.keys()].join(), /^\/etc\/cron\.d\/clientcert-[0-9a-f]{16}$/);
    assert.deepEqual(await drift(state, await refreshed(state)), {});
    await suite.connect(Object.assign(scriptedHost(), { scheduler: "none" }));
    const { inputs } = await suite.client.check(wishes);
    assert.match((await rejected(suite.client.create(inputs))).message, /nothing starts jobs on this host/);
  });

  it("goes back to files, and leaves no timer behind", async () => {
    const state = await updated(await created(wishes));
    assert.equal(suite.host.timers.size, 0);
    assert.ok(!suite.host.own.has("refresh.conf"));
    assert.deepEqual(await previewed(state), {});
  });

  it("leaves no timer behind after a removal", async () => {
    const state = await created(wishes);
    await suite.client.delete(state.id, state);
    assert.equal(suite.host.timers.size + suite.host.own.size, 0);
    assert.equal(suite.host.files.get(configFile), httpdConf);
  });

  it("is not gone while its timer is there", async () => {
    const state = await created(wishes);
    suite.host.files.set(configFile, httpdConf);
    suite.host.own.clear();
    suite.host.journal.clear();
    assert.equal((await refreshed(state)).id, state.id);
  });
});
