/**
 * Ten thousand virtual hosts in one file: what is done for each must not grow with the number of the others. How long
 * it takes is measured by `npm run bench`; here what grows runs into the limit of the ring.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { styleFor } from "../../cli/output.ts";
import { plan as planCopy } from "../../cli/plan.ts";
import { applySplices } from "../../core/apache/config/splices.ts";
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import { includeLine, type Desired } from "../../core/apache/model.ts";
import { adoptedMark } from "../../core/apache/facts/own-lines.ts";
import { plan, planRemoval } from "../../core/apache/plan/plan.ts";
import { lineChangesOf } from "../../provider/resource/shown-files.ts";
import { observe, observeText, observedFile, wanted, type Parts } from "./apache-observation.ts";

const count = 10_000;
const file = "/etc/httpd/httpd.conf";

const names = Array.from({ length: count }, (_, number) => `host${number}.example`);
const head = "LoadModule ssl_module x.so\nListen 443\nServerName localhost\n";
const hostOf = (name: string, inside: string): string =>
  `<VirtualHost *:443>\nServerName ${name}\nDocumentRoot /srv/${name}\nSSLEngine on\n${inside}</VirtualHost>\n`;
const configurationOf = (inside: string, atServer = ""): string =>
  head + atServer + names.map((name) => hostOf(name, inside)).join("");

/** What httpd lists of it: every directive but those that it carries out while it reads. */
function dumpOf(text: string, included: readonly string[] = []): string {
  const lines = text.trimEnd().split("\n");
  const starts = lines.flatMap((line, index) => (line.startsWith("<VirtualHost") ? [index + 1] : []));
  const listed = lines.flatMap((line, index) =>
    /^(#|<\/|Include|LoadModule)/.test(line) ? [] : [`# ${String(index + 1).padStart(4)}:`, line],
  );
  return [
    ...["Included configuration files:", `  (*) ${file}`, ...included],
    ...["VirtualHost configuration:", "*:443                  is a NameVirtualHost"],
    ...starts.map((line, index) => `         port 443 namevhost ${names[index] ?? ""} (${file}:${line})`),
    ...['ServerRoot: "/etc/httpd"', "Loaded Modules:", " core_module (static)", " ssl_module (shared)"],
    ...[`# In file: ${file}`, ...listed, ""],
  ].join("\n");
}

interface Case {
  /** In each virtual host. */
  readonly inside?: string;
  readonly atServer?: string;
  readonly isDumped?: true;
  readonly desired?: Partial<Desired>;
  readonly parts?: Parts;
}

const crontab = observedFile("/etc/crontab", "0 4 * * * root wget -O /etc/httpd/crl.pem http://x/\n".repeat(1000));
const crl = "SSLCARevocationFile crl.pem\n";
const own = `${includeLine}\n`;
const half = names.filter((_, number) => number % 2 === 0);

const cases: readonly [what: string, Case][] = [
  ["are planned", {}],
  ["are planned as httpd lists them", { isDumped: true }],
  ["have a directive of others each", { inside: "SSLVerifyClient require\n" }],
  ["have one each, and httpd lists it", { inside: "SSLVerifyClient require\n", isDumped: true }],
  ["have one each, and it is adopted", { inside: "SSLVerifyClient require\n", desired: { adopt: true } }],
  ["have one of the server", { atServer: "SSLVerifyClient require\n", desired: { adopt: true } }],
  ["are excluded, every second one", { inside: "SSLVerifyClient require\n", desired: { excludeVirtualHosts: half } }],
  ["are excluded, all of them", { desired: { excludeVirtualHosts: names } }],
  ["are none of ten thousand excluded ones", { desired: { excludeVirtualHosts: names.map((name) => `no-${name}`) } }],
  ["have our line already", { inside: own }],
  ["have our line already, and not last", { inside: `${own}Header set X-Note text\n`, isDumped: true }],
  ["have an adopted line each", { inside: `${adoptedMark}SSLVerifyClient require\n${own}` }],
  [
    "name one CRL that a thousand jobs fetch",
    { inside: crl, parts: { crontabs: new Map([["/etc/crontab", crontab]]) } },
  ],
];

function planAndApply(text: string, { isDumped, desired, parts }: Case): void {
  const observation = observeText(text, { ...parts, ...(isDumped === true && { dump: dumpOf(text) }) });
  const facts = readFacts(observation, { port: 443 });
  assert.equal(facts.virtualHosts.length, count);
  assert.deepEqual(facts.obstacles, []);
  const { change } = plan({ ...wanted, ...desired }, facts);
  for (const { splices } of change?.edits ?? []) applySplices(text, splices);
  planRemoval(facts);
}

describe("ten thousand virtual hosts in one file", () => {
  for (const [what, one] of cases) {
    it(what, () => {
      const text = configurationOf(one.inside ?? "", one.atServer);
      planAndApply(text, one);
    });
  }

  for (const isDumped of [false, true]) {
    it(`include a file of their own each${isDumped ? ", as httpd lists them" : ""}`, () => {
      const number = 9_999;
      const own = names.slice(0, number);
      const text = head + own.map((name) => hostOf(name, `Include sites/${name}.conf\n`)).join("");
      const paths = own.map((name) => `/etc/httpd/sites/${name}.conf`);
      const files = new Map([[file, text], ...paths.map((path) => [path, "# empty\n"] as const)]);
      const listed = paths.map((path, index) => `    (${3 + 5 * index + 5}) ${path}`);
      const observation = observe(new Map([...files].map(([path, bytes]) => [path, observedFile(path, bytes)])), {
        server: { serverRoot: "/etc/httpd", configFile: file },
        ...(isDumped && { dump: dumpOf(text, listed) }),
      });
      const facts = readFacts(observation, { port: 443 });
      assert.deepEqual([facts.virtualHosts.length, facts.obstacles], [number, []]);
    });
  }

  it("stand in a file of their own each, all of them edited since httpd last read them", () => {
    const own = names.slice(0, 9_999).map((name) => [`/etc/httpd/sites/${name}.conf`, hostOf(name, "")] as const);
    const files = [[file, `${head}Include sites/*.conf\n`] as const, ...own];
    const observation = observe(new Map(files.map(([path, bytes]) => [path, observedFile(path, bytes, 2500)])), {
      server: { serverRoot: "/etc/httpd", configFile: file, loadedSeconds: 2000 },
    });
    assert.equal(readFacts(observation, { port: 443 }).pendingEdits.length, files.length);
  });

  it("are shown as a diff and carried out on a copy", () => {
    const folder = mkdtempSync(join(tmpdir(), "clientcert-scale-"));
    mkdirSync(join(folder, "etc/httpd/conf"), { recursive: true });
    const inside = "# note\n".repeat(12);
    writeFileSync(join(folder, "etc/httpd/conf/httpd.conf"), `ServerRoot /etc/httpd\n${configurationOf(inside)}`);
    const options = { site: "stacks/example.yaml", host: "web1", tree: folder, saved: undefined, json: false } as const;
    const how = { now: Date.UTC(2026, 11, 1), style: styleFor({}, {}), isTerminal: true, write: false };
    try {
      const { bytes, code } = planCopy({ ...options, ...how });
      assert.equal(bytes?.toString("latin1").split(`\n+${includeLine}\n`).length, count + 1);
      assert.equal(code, 7);
      assert.equal(planCopy({ ...options, ...how, write: true }).code, 0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("differ all from what our file says, which is told", () => {
    const textOf = (prefix: string): string => names.map((name) => `<Directory "/srv/${prefix}${name}">\n`).join("");
    assert.equal(lineChangesOf("/x/clientcert.conf", textOf("a"), textOf("b")).length, count);
  });
});
