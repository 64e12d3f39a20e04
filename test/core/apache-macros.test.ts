/**
 * A macro that writes nothing we look at is as good as text; any other one is refused, and nothing else is said of it.
 */
import assert from "node:assert/strict";
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import { host, observe, observedFile, planOf, serverOf, wanted } from "./apache-observation.ts";
import { plan } from "../../core/apache/plan/plan.ts";

const places = (text: string): string[] =>
  readFacts(serverOf(text), { port: 443 }).obstacles.map(({ place, text: told }) => {
    assert.match(told, /^mod_macro writes configuration that stands in no file/);
    return place.replace(/.*:/, "");
  });

const gzip = "<Macro Gzip $type>\nAddOutputFilterByType DEFLATE $type\n</Macro>\n";

describe("a macro", () => {
  const harmless: readonly [what: string, text: string][] = [
    ["of filters, used in a virtual host", gzip + host("Use Gzip text/css\n")],
    [
      "used on another port, in any case of its name",
      `${gzip}<VirtualHost *:80>\nUSE gzip text/css\n</VirtualHost>\n${host()}`,
    ],
    [
      "with sections and conditions",
      `<Macro M $d>\n<Directory $d>\n<IfModule x>\nOptions None\n</IfModule>\n</Directory>\n</Macro>\nUse M /srv\n${host()}`,
    ],
    [
      "that uses a harmless one",
      `${gzip}<Macro Outer $t>\nUse Gzip $t\nHeader set A $t\n</Macro>\nUse Outer a\n${host()}`,
    ],
    [
      "that uses one which is defined behind it",
      `<Macro Outer $t>\nUse Gzip $t\n</Macro>\n${gzip}Use Outer a\n${host()}`,
    ],
    ["with a comment on what we look at", `<Macro M>\n# SSLEngine on\nHeader set A a\n</Macro>\nUse M\n${host()}`],
    [
      "that is never used, whatever it holds",
      `<Macro V $n>\n<VirtualHost *:443>\nSSLVerifyClient none\nInclude $n\n</VirtualHost>\n</Macro>\n${host()}`,
    ],
    [
      "that is never used and ends no section",
      `<Macro Open>\n<Location /x>\n</Macro>\n<Macro Close>\n</Location>\n</Macro>\n${host()}`,
    ],
    [
      "that is undefined and defined anew without harm",
      `<Macro Gzip $t>\nInclude $t\n</Macro>\nUndefMacro Gzip\n${gzip}Use Gzip a\n${host()}`,
    ],
  ];
  for (const [what, text] of harmless)
    it(`is as good as text: one ${what}`, () => {
      assert.deepEqual(places(text), []);
      assert.equal(planOf(text).change?.edits.length, 1);
    });

  const harmful: readonly [what: string, text: string, line: string][] = [
    [
      "of a virtual host",
      `<Macro V $n>\n<VirtualHost *:443>\nServerName $n\nSSLEngine on\n</VirtualHost>\n</Macro>\nUse V a\n`,
      "8",
    ],
    ["of a directive that we look at", `<Macro M>\n  sslverifyclient none\n</Macro>\n${host("Use M\n")}`, "9"],
    ["of an Include", `<Macro M $f>\nIncludeOptional $f\n</Macro>\nUse M a.conf\n${host()}`, "5"],
    ["of a Define", `<Macro M $f>\nDefine $f\n</Macro>\nUse M a\n${host()}`, "5"],
    ["of a ServerRoot", `<Macro M $f>\nServerRoot $f\n</Macro>\nUse M a\n${host()}`, "5"],
    ["of a LoadModule", `<Macro M $f>\nLoadModule $f x.so\n</Macro>\nUse M a\n${host()}`, "5"],
    ["whose argument is a directive", `<Macro M $d>\n$d on\n</Macro>\n${host("Use M SSLEngine\n")}`, "9"],
    [
      "whose argument is part of a directive, by a name without a sign",
      `<Macro M x>\nxerName a\n</Macro>\n${host("Use M Serv\n")}`,
      "9",
    ],
    ["whose argument is a section", `<Macro M @s>\n<@s *:443>\n</@s>\n</Macro>\nUse M VirtualHost\n${host()}`, "6"],
    ["whose parameter reaches over a blank", `<Macro M "xer set">\nHeaxer set A\n</Macro>\nUse M b\n${host()}`, "5"],
    [
      "whose argument joins two lines",
      `<Macro M $v>\n<Location /x>\nHeader set A $v\n</Location>\n</Macro>\nUse M "\\\\"\n${host()}`,
      "7",
    ],
    [
      "that uses a harmful one",
      `<Macro In>\nSSLEngine off\n</Macro>\n<Macro Out>\nUse In\n</Macro>\n${host("Use Out\n")}`,
      "12",
    ],
    ["that uses what its argument names", `${gzip}<Macro Out $m>\nUse $m a\n</Macro>\nUse Out Gzip\n${host()}`, "8"],
    [
      "that uses another one by its argument",
      `${gzip}<Macro Out zip>\nUse Gzip a\n</Macro>\n<Macro G1 $x>\nSSLEngine off\n</Macro>\nUse Out 1\n${host()}`,
      "11",
    ],
    ["that nobody defines", `Use Nothing\n${host()}`, "2"],
    ["that opens a section and leaves it open", `<Macro Open>\n<Location /x>\n</Macro>\nUse Open\n${host()}`, "5"],
    [
      "that is harmful under one of two conditions",
      `<IfFile /a>\n<Macro M>\nSSLEngine off\n</Macro>\n</IfFile>\n<IfFile /b>\n<Macro M>\nHeader unset A\n</Macro>\n</IfFile>\n${host("Use M\n")}`,
      "16",
    ],
  ];
  for (const [what, text, line] of harmful)
    it(`is refused, and nothing else is said: one ${what}`, () => {
      assert.deepEqual(places(text), [line]);
    });

  it("does not slow down what has many of them", () => {
    const chain = Array.from({ length: 300 }, (_, i) => `<Macro M${i}>\nUse M${i + 1}\nUse M${i + 1}\n</Macro>\n`).join(
      "",
    );
    const text = `${chain}<Macro M300>\nHeader unset A\n</Macro>\n${"Use M0\n".repeat(300)}${host()}`;
    const start = performance.now();
    assert.deepEqual(places(text), []);
    assert.ok(performance.now() - start < 2000);
  });

  it("is followed by no false words on a live host: httpd lists what it wrote at its own places", () => {
    const main = "/etc/httpd/httpd.conf";
    const text = `<Macro V $n>\n<VirtualHost *:443>\nServerName $n\nSSLEngine on\n</VirtualHost>\n</Macro>\nUse V a\n`;
    const macro = `macro 'v' (defined on line 1 of "${main}") used on line 7 of "${main}"`;
    const dump = [
      "VirtualHost configuration:",
      `*:443 a (${macro}:1)`,
      `# In file: ${macro}`,
      "#   1:",
      "<VirtualHost *:443>",
      "  #   2:",
      "  ServerName a",
      "  #   3:",
      "  SSLEngine on",
      "</VirtualHost>",
      'ServerRoot: "/etc/httpd"',
      " ssl_module (shared)",
    ].join("\n");
    const server = { serverRoot: "/etc/httpd", configFile: main };
    const facts = readFacts(observe(new Map([[main, observedFile(main, text)]]), { server, dump }), { port: 443 });
    const excluded = { ...wanted, excludeVirtualHosts: ["a"] };
    assert.deepEqual(
      plan(excluded, facts).diagnostics.flatMap(({ severity, place }) => (severity === "problem" ? [place] : [])),
      [`${main}:7`],
    );
  });
});
