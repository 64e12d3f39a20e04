import assert from "node:assert/strict";
import { renderProblem } from "../../core/site/problem.ts";
import { readSite } from "../../core/site/read-site.ts";

const realKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBERERERERERERERERERERERERERERERERERERERERER";
const warningsOf = (address: string, caFile = "ca.pem"): string[] => {
  const host = `hosts:\n  - name: web1\n    address: "${address}"\n    connection:\n      hostKey: ${realKey}\n`;
  const { warnings, problems } = readSite(`clientAuth:\n  caFiles: [${caFile}]\n  countries: [JP]\n${host}`, "s.yaml");
  assert.deepEqual(problems, []);
  return warnings.map(renderProblem);
};

describe("what is left of the example in a site file", () => {
  for (const address of [
    "192.0.2.10",
    "198.51.100.7",
    "203.0.113.200",
    "2001:db8::1",
    "web1.example.com",
    "WEB.example",
  ]) {
    it(`is an address that no host has: ${address}`, () =>
      assert.deepEqual(warningsOf(address), [
        `s.yaml:6: hosts[0].address: ${address} is an address for examples, which no host has; write the host's own`,
      ]));
  }

  for (const address of [
    "192.0.20.10",
    "127.0.0.1",
    "2001:db80::1",
    "web1.harbour.co.jp",
    "myexample.com",
    "web1.lab.test",
  ]) {
    it(`is not seen in a real address: ${address}`, () => assert.deepEqual(warningsOf(address), []));
  }

  it("is a CA file in the example's folder", () =>
    assert.match(
      warningsOf("10.0.0.1", "example/root.pem").join("\n"),
      /^s\.yaml:2: clientAuth\.caFiles\[0\]: is the example's CA/,
    ));
});
