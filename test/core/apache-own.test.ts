/** A directory `conf/clientcert/` that was there before us, and one of ours whose journal was lost. */
import assert from "node:assert/strict";
import { renderConf } from "../../core/apache/plan/clientcert-conf.ts";
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import type { Observation } from "../../core/apache/observation.ts";
import { isFeasible, plan, planRemoval } from "../../core/apache/plan/plan.ts";
import { observeText, observedFile, wanted } from "./apache-observation.ts";

const text = `<VirtualHost *:443>\nSSLEngine on\n</VirtualHost>\n`;
const names = ["README", "ca-3f9c01d2.pem", "crl.pem"];

function look(own: Readonly<Record<string, string>>, journal: readonly (readonly [string, string])[] = []) {
  const files: Observation["own"] = new Map(
    Object.entries(own).map(([name, bytes]) => [name, observedFile(`/etc/httpd/conf/clientcert/${name}`, bytes)]),
  );
  return readFacts(observeText(text, { own: files, journal: new Map(journal) }), { port: 443 });
}

describe("the directory of our name", () => {
  const theirs = Object.fromEntries(names.map((name) => [name, "somebody else's"]));

  it("is somebody else's where there is no journal: nothing is written beside it or deleted from it", () => {
    const facts = look(theirs);
    const { diagnostics, change } = plan(wanted, facts);
    assert.equal(isFeasible({ diagnostics, files: {}, change, restore: undefined }), false);
    assert.deepEqual(
      diagnostics.map(({ severity, place }) => `${severity} ${place}`),
      ["problem /etc/httpd/conf/clientcert"],
    );
    assert.match(diagnostics[0]?.text ?? "", /\(README, ca-3f9c01d2\.pem, crl\.pem\)/);
    assert.deepEqual(change?.drop, []);
    assert.equal(planRemoval(facts), undefined);
  });

  it("is ours with a journal, also while the first change is not complete", () => {
    for (const journal of [
      ["owner", wanted.owner],
      ["running", "id"],
      ["owed", "run id was interrupted"],
    ] as const)
      assert.deepEqual(planRemoval(look(theirs, [journal]))?.drop, names, journal[0]);
  });

  it("is ours where the journal was lost, by what our configuration says of itself", () => {
    const conf = renderConf(wanted, look({}), []);
    assert.deepEqual(planRemoval(look({ ...theirs, "clientcert.conf": conf }))?.drop, ["clientcert.conf", ...names]);
    assert.equal(planRemoval(look({ ...theirs, "clientcert.conf": "SSLVerifyClient optional\n" })), undefined);
  });
});
