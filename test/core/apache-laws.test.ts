/** The editor's laws, on the corpus and on generated input; httpd's own reading is in test/host/reader.test.ts. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import { includeLine, type Desired } from "../../core/apache/model.ts";
import type { Observation } from "../../core/apache/observation.ts";
import { adoptedMark } from "../../core/apache/facts/own-lines.ts";
import { plan, planRemoval } from "../../core/apache/plan/plan.ts";
import {
  afterChange,
  anyConfiguration,
  observe,
  observeText,
  observedFile,
  readTree,
  wanted,
} from "./apache-observation.ts";

const factsOf = (host: Observation): ReturnType<typeof readFacts> => readFacts(host, { port: 443 });

/** All laws for one host; returns how many lines were put in. */
function checkLaws(host: Observation, desired: Desired = wanted): number {
  const { change } = plan(desired, factsOf(host));
  assert.ok(change !== undefined);
  const edited = afterChange(host, change);
  assert.equal(plan(desired, factsOf(edited)).change, undefined, "a second run changes nothing");
  for (const [name, file] of edited.files)
    assert.equal(withoutOurs(file.bytes), host.files.get(name)?.bytes, "outside our lines");
  const removal = planRemoval(factsOf(edited));
  assert.ok(removal !== undefined);
  const restored = afterChange(edited, removal);
  assert.deepEqual([...restored.files], [...host.files], "removal gives the bytes of before");
  assert.equal(restored.own.size, 0);
  assert.equal(planRemoval(factsOf(restored)), undefined);
  return change.edits.flatMap(({ splices }) => splices).length;
}

const withoutOurs = (bytes: string): string =>
  bytes.replaceAll(`${includeLine}\r\n`, "").replaceAll(`${includeLine}\n`, "").replaceAll(adoptedMark, "");

const layouts = [
  { name: "product", configFile: "/usr/local/ni/apache/conf/httpd.conf", serverRoot: "/usr/local/ni/apache", hosts: 1 },
  { name: "debian", configFile: "/etc/apache2/apache2.conf", serverRoot: "/etc/apache2", hosts: 2 },
  { name: "redhat", configFile: "/etc/httpd/conf/httpd.conf", serverRoot: "/etc/httpd", hosts: 1 },
  { name: "traps", configFile: "/etc/httpd/httpd.conf", serverRoot: "/etc/httpd", hosts: 3 },
];

describe("the editor's laws", () => {
  for (const { name, hosts, ...server } of layouts) {
    it(`hold on the ${name} layout`, () => assert.equal(checkLaws(observe(readTree(name), { server })), hosts));
  }

  it("hold on a host that was set up by hand, adopted lines included", () => {
    const files = readTree("product");
    const path = "/usr/local/ni/apache/conf/extra/httpd-ssl.conf";
    const stock = files.get(path);
    assert.ok(stock !== undefined);
    const manual = [
      'SSLCACertificateFile "/usr/local/ni/apache/conf/ssl.crt/ca.crt"',
      "SSLVerifyClient optional",
      "SSLVerifyDepth  3",
      'SSLCARevocationFile "/usr/local/ni/apache/conf/ssl.crl/ca-bundle.crl"',
      "<Location />",
      'SSLRequire %{SSL_CLIENT_S_DN_O} in {"ABC CORPORATION",""} \\',
      '   and %{SSL_CLIENT_S_DN_C} in {"JP",""}',
      "</Location>",
    ].join("\n");
    const bytes = stock.bytes.replace("</VirtualHost>", `${manual}\n</VirtualHost>`);
    files.set(path, observedFile(path, bytes));
    // One include line, and a mark on each of the two physical lines of the rule for the whole site: ours wins over the
    // rest.
    assert.equal(checkLaws(observe(files), { ...wanted, adopt: true }), 3);
  });

  it("hold on any virtual host among any bytes", function () {
    this.timeout(20_000);
    const host = fc.tuple(anyConfiguration, fc.constantFrom("\n", "\r\n"), fc.boolean());
    let covered = 0;
    fc.assert(
      fc.property(host, anyConfiguration, ([inside, eol, hasLastLineEnd], outside) => {
        const text = `${outside}\n\n<VirtualHost *:443>${eol}SSLEngine on${eol}${inside}${eol}${eol}</VirtualHost>${hasLastLineEnd ? eol : ""}`;
        const observation = observeText(text);
        if (factsOf(observation).virtualHosts.length === 0) return;
        covered++;
        checkLaws(observation);
      }),
      { numRuns: 300 },
    );
    assert.ok(covered > 50, `only ${covered} of 300 inputs had a virtual host`);
  });
});
