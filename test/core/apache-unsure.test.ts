/** What nobody can tell is never taken for "no TLS here": a virtual host that is left out unseen lets everybody in. */
import assert from "node:assert/strict";
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import type { Facts } from "../../core/apache/model.ts";
import { observe, observeText, observedFile, type Parts } from "./apache-observation.ts";

const ssl = "LoadModule ssl_module modules/mod_ssl.so\n";
const host = (inside: string, address = "*:443"): string =>
  `<VirtualHost ${address}>\nServerName a.example\n${inside}</VirtualHost>\n`;
const on = host("SSLEngine on\n");
const facts = (text: string, parts: Parts = {}): Facts => readFacts(observeText(ssl + text, parts), { port: 443 });
const toldOf = ({ obstacles }: Facts): string[] =>
  obstacles.map(({ place, text }) => `${place.replace(/.*:/, "")} ${text}`);

/** As httpd prints it: the parts that these tests need. */
function dump(...listed: readonly (readonly [line: number, text: string])[]): string {
  const lines = listed.map(([line, text]) => `#  ${line}:\n${text}\n`);
  return `ServerRoot: "/etc/httpd"\n ssl_module (shared)\n# In file: /etc/httpd/httpd.conf\n${lines.join("")}`;
}

describe("what cannot be told", () => {
  const variable = /variable stands here whose value only httpd knows/;
  const condition = /the files alone do not tell/;
  const cases: readonly [what: string, text: string, line: string, told: RegExp, parts?: Parts][] = [
    ["an SSLEngine from the environment", `${on}${host("SSLEngine ${TLS}\n")}`, "8", variable],
    ["an address from the environment", `${on}${host("SSLEngine on\n", "${IP}:443")}`, "6", variable],
    [
      "an address from the environment, with a saved observation",
      `${on}${host("SSLEngine on\n", "${IP}:443")}`,
      "6",
      variable,
      { saved: { modules: new Map([["ssl_module", "shared"]]) } },
    ],
    [
      "a Define below a condition that nobody can decide",
      `Define P 443\n<IfFile /flag>\nDefine P 8443\n</IfFile>\n${on}${host("SSLEngine on\n", "*:${P}")}`,
      "10",
      variable,
    ],
    [
      "an UnDefine below such a condition",
      `Define T\n<IfFile /flag>\nUnDefine T\n</IfFile>\n<IfDefine T>\n${on}</IfDefine>\n`,
      "6",
      condition,
      { server: { isRunning: false, hasAllDefines: true } },
    ],
    [
      "a LoadModule below such a condition",
      `<IfFile /flag>\nLoadModule x_module x.so\n</IfFile>\n<IfModule x_module>\n${on}</IfModule>\n`,
      "5",
      condition,
    ],
  ];
  for (const [what, text, line, told, parts] of cases)
    it(`is ${what}`, () => {
      const found = facts(text, { server: { isRunning: false }, ...parts });
      assert.deepEqual(
        toldOf(found).map((one) => [one.split(" ")[0], told.test(one)]),
        [[line, true]],
      );
      assert.ok(found.obstacles.every(({ isUndecided, severity }) => isUndecided === true && severity === "problem"));
    });

  it("is no address of another port", () => {
    const found = facts(`${on}${host("SSLEngine on\n", "${IP}:80")}`, { server: { isRunning: false } });
    assert.deepEqual(toldOf(found), []);
  });

  it("is a module that may be compiled in", () => {
    const found = readFacts(
      observeText(`LoadModule x_module x.so\n${host("")}<IfModule ssl_module>\n${on}</IfModule>\n`),
      { port: 443 },
    );
    assert.match(toldOf(found).join(), /^5 the files alone do not tell/);
  });

  it("is what lies in files in files, deeper than httpd reads", () => {
    const config = "/etc/httpd/httpd.conf";
    const names = Array.from({ length: 3000 }, (_, at) => `/etc/httpd/${at}.conf`);
    const files = [[config, `${on}Include 0.conf\n`], ...names.map((name, at) => [name, `Include ${at + 1}.conf\n`])];
    const observed = files.map(([name = "", text = ""]) => [name, observedFile(name, text)] as const);
    const server = { serverRoot: "/etc/httpd", configFile: config };
    const { obstacles } = readFacts(observe(new Map(observed), { server }), { port: 443 });
    const text = "this Include lies 256 files deep; httpd reads fewer";
    assert.deepEqual(obstacles, [{ severity: "problem", place: "/etc/httpd/254.conf:1", text }]);
  });

  it("is whatever stands behind ten thousand files", () => {
    const paths = Array.from({ length: 10_001 }, (_, index) => `/etc/httpd/v/${index}.conf`);
    const main = observedFile("/etc/httpd/httpd.conf", `${ssl}${on}Include v/*.conf\n`);
    const files = paths.map((path) => [path, observedFile(path, "\n")] as const);
    const server = { serverRoot: "/etc/httpd", configFile: "/etc/httpd/httpd.conf" };
    const found = readFacts(observe(new Map([["/etc/httpd/httpd.conf", main], ...files]), { server }), { port: 443 });
    assert.equal(found.obstacles.length, 1);
    assert.match(toldOf(found).join(), /from here on nothing was read/);
  });
});

describe("what httpd lists", () => {
  it("does not tell of which reading of a file it speaks: a Define between two readings does", () => {
    const text = `${host("Define TLS\nInclude body.inc\nUnDefine TLS\n")}${host("Include body.inc\n", "*:80")}`;
    const body = "<IfDefine TLS>\nSSLEngine on\n</IfDefine>\n<IfDefine !TLS>\nSSLEngine off\n</IfDefine>\n";
    const [main, inc] = ["/etc/httpd/httpd.conf", "/etc/httpd/body.inc"];
    const listed = `# In file: ${inc}\n#  2:\nSSLEngine on\n# In file: ${inc}\n#  5:\nSSLEngine off\n`;
    const tags = dump(
      [1, "<VirtualHost *:443>"],
      [2, "ServerName a.example"],
      [7, "<VirtualHost *:80>"],
      [8, "ServerName a.example"],
    );
    const files = new Map([
      [main, observedFile(main, text)],
      [inc, observedFile(inc, body)],
    ]);
    const server = { serverRoot: "/etc/httpd", configFile: main };
    const found = readFacts(observe(files, { server, dump: tags + listed }), { port: 443 });
    assert.deepEqual(
      found.virtualHosts.map(({ line }) => line),
      [1],
    );
  });

  it("is believed of a Define that stands in no file that was read", () => {
    const found = facts(`<IfDefine T>\n${on}</IfDefine>\n`, {
      dump: dump([3, "<VirtualHost *:443>"], [4, "ServerName a.example"], [5, "SSLEngine on"]),
    });
    assert.deepEqual([found.obstacles, found.virtualHosts.length], [[], 1]);
  });

  it("decides a condition also by what stands in another one in it", () => {
    const text = `<IfFile /flag>\n<IfModule ssl_module>\n${on}</IfModule>\n</IfFile>\n`;
    const listed = dump([4, "<VirtualHost *:443>"], [5, "ServerName a.example"], [6, "SSLEngine on"]);
    const found = facts(text, { dump: listed });
    assert.deepEqual([found.obstacles, found.virtualHosts.length], [[], 1]);
  });
});

describe("an Include of a file in each directory", () => {
  for (const [pattern, isRefused] of [
    ["conf/*/vhost.conf", true],
    ["conf/c*/x/*.inc", true],
    ["conf/extra/vhost.conf", false],
    ["conf/e*/vhost.conf", false],
    ["conf/*.inc", false],
  ] as const)
    it(`${pattern} is ${isRefused ? "refused, because our directory has none" : "left alone"}`, () => {
      const told = toldOf(facts(`${on}Include ${pattern}\n`));
      assert.deepEqual(told.filter((text) => text.includes("takes conf/clientcert/")).length, isRefused ? 1 : 0);
    });

  it("is left alone when it is optional", () => {
    assert.deepEqual(toldOf(facts(`${on}IncludeOptional conf/*/vhost.conf\n`)), []);
  });
});

describe("a main server that answers TLS", () => {
  const engine = "SSLEngine on\n";
  const cases: readonly [what: string, text: string, isTold: boolean][] = [
    ["where no virtual host does", `Listen 443\n${engine}${host("", "192.0.2.1:443")}`, true],
    [
      "on an address of its own",
      `Listen 192.0.2.1:443\nListen 192.0.2.2:443\n${engine}${host("", "192.0.2.1:443")}`,
      true,
    ],
    ["nowhere, because a virtual host answers everywhere", `Listen 443\n${engine}${host("")}`, false],
    ["nowhere, as 0.0.0.0 is everywhere", `Listen 443\n${engine}${host("", "0.0.0.0:443")}`, false],
    ["nowhere, as [::] is everywhere", `Listen 192.0.2.1:443\n${engine}${host("", "[::]:443")}`, false],
    [
      "nowhere, because each address has its virtual host",
      `Listen 192.0.2.1:443\n${engine}${host("", "192.0.2.1:443")}`,
      false,
    ],
    [
      "nowhere, because a virtual host without TLS answers there",
      `Listen 192.0.2.2:443\nListen 192.0.2.1:443\n${engine}${host("", "192.0.2.1:443")}${host("SSLEngine off\n", "192.0.2.2:443")}`,
      false,
    ],
    [
      "nowhere, because the address is only written in another way",
      `Listen [2001:DB8:0::1]:443\n${engine}${host("", "[2001:db8::1]:443")}`,
      false,
    ],
    ["on another port", `Listen 8443\nListen 192.0.2.1:443\n${engine}${host("", "192.0.2.1:443")}`, false],
  ];
  for (const [what, text, isTold] of cases)
    it(`${what}: ${isTold ? "is warned of" : "is nothing to speak of"}`, () => {
      const warnings = facts(text).obstacles.filter(({ severity }) => severity === "warning");
      assert.deepEqual(
        warnings.map(({ text: told }) => /the main server answers TLS on port 443/.test(told)),
        isTold ? [true] : [],
      );
    });
});
