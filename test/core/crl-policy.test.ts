/** Who keeps an installed CRL current: the site file, or a source. */
import assert from "node:assert/strict";
import type { Desired } from "../../core/apache/model.ts";
import { isRefreshed } from "../../core/crl-refresh/crl-policy.ts";
import { timerStatusOf } from "../../core/crl-refresh/refresh-status.ts";
import { crl, good, issuing, refreshed, withState } from "./refreshed-host.ts";

describe("an installed CRL of a CA that has changed its key", () => {
  const desired: Desired = { ...refreshed, crls: [crl(issuing, "5", { authorityKey: "aa" })] };
  const rows: readonly (readonly [string, string | undefined, boolean])[] = [
    ["of the key whose CRL came with the site is not kept by the sources", "aa", false],
    ["of the other key is kept by the sources", "bb", true],
    ["that names no key is taken for that of the site", undefined, false],
  ];
  for (const [what, authorityKey, expected] of rows)
    it(what, () =>
      assert.equal(
        isRefreshed(desired, crl(issuing, "9", authorityKey === undefined ? {} : { authorityKey })),
        expected,
      ),
    );
});

describe("the timer of a host that is reported", () => {
  it("is systemd's file with the times, although a file of cron is left over", () => {
    const facts = good("systemd");
    const [path = ""] = Object.keys(facts.refresh.timers).filter((name) => name.endsWith(".timer"));
    const timers = { ...facts.refresh.timers, "/etc/cron.d/clientcert-0": "left over" };
    assert.equal(timerStatusOf(refreshed, withState(facts, { timers }))?.path, path);
  });

  it("is cron's file where there is no other", () => {
    const facts = good("cron");
    assert.deepEqual([timerStatusOf(refreshed, facts)?.path], Object.keys(facts.refresh.timers));
  });
});
