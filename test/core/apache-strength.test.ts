import assert from "node:assert/strict";
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import type { CertificateStrength } from "../../core/pki/summary.ts";
import type { Desired, Facts } from "../../core/apache/model.ts";
import { isFeasible, plan } from "../../core/apache/plan/plan.ts";
import { readObservation } from "../../provider/apache/observation-reader.ts";
import { good, refreshed } from "./refreshed-host.ts";

/** The same CAs, the first of this strength. */
const withStrength = (strength?: CertificateStrength): Desired => {
  const [first, ...rest] = refreshed.ca.certificates;
  assert.ok(first);
  const certificates = [{ ...first, ...(strength && { strength }) }, ...rest];
  return { ...refreshed, ca: { ...refreshed.ca, certificates } };
};
const host = (securityLevel: number | undefined, isInstalled: boolean): Facts => {
  const facts = good();
  const ca = isInstalled ? refreshed.ca.certificates : [];
  const server = { ...facts.server, ...(securityLevel === undefined ? {} : { securityLevel }) };
  return { ...facts, server, own: { ...facts.own, ca } };
};

describe("the strength of a CA in a plan", () => {
  const cases: readonly [CertificateStrength | undefined, number | undefined, boolean, RegExp | undefined][] = [
    [{ keyBits: 80, signatureBits: 128 }, 2, false, /^problem caFiles: .* a key of 80 security bits, .* for 112 /],
    [{ keyBits: 80, signatureBits: 128 }, 2, true, /^warning caFiles: .* a key of 80 security bits/],
    [{ keyBits: 112, signatureBits: 63 }, 1, false, /^problem caFiles: .* a signature of 63 security bits, .* for 80 /],
    [{ keyBits: 112, signatureBits: 128 }, 2, false, undefined],
    [{ keyBits: 112, signatureBits: 128 }, 3, false, /^problem caFiles: .*security level 3/],
    [{ keyBits: 112, signatureBits: undefined }, 2, false, undefined],
    [{ keyBits: 39, signatureBits: 39 }, 0, false, undefined],
    [{ keyBits: 39, signatureBits: 39 }, undefined, false, undefined],
    [undefined, 5, false, undefined],
  ];
  for (const [strength, level, isInstalled, expected] of cases)
    it(`is judged by the host's level: ${JSON.stringify(strength)} at ${level}${isInstalled ? ", installed" : ""}`, () => {
      const planned = plan(withStrength(strength), host(level, isInstalled));
      const told = planned.diagnostics.filter(({ text }) => text.includes("security bits"));
      assert.equal(told.length, expected === undefined ? 0 : 1);
      const [found] = told;
      if (found && expected) assert.match(`${found.severity} ${found.place}: ${found.text}`, expected);
      if (found?.severity === "problem") assert.ok(!isFeasible(planned));
    });
});

describe("the security level that a host reports", () => {
  for (const [line, level] of [
    ["security-level 2\n", 2],
    ["security-level 0\n", 0],
    ["security-level ?\n", undefined],
    ["", undefined],
  ] as const)
    it(`is ${level} where it says ${JSON.stringify(line)}`, () => {
      const part = (kind: string, body: string) => ({ kind, argument: "", body });
      const server = `config /etc/apache2/apache2.conf\nserver-root /etc/apache2\n${line}`;
      const observation = readObservation([part("server", server), part("dump", ""), part("done", "")]);
      assert.ok(observation);
      assert.equal(readFacts(observation, { port: 443 }).server.securityLevel, level);
    });
});
