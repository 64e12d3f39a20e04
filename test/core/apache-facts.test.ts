import assert from "node:assert/strict";
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import { includeLine, type Facts } from "../../core/apache/model.ts";
import { plan } from "../../core/apache/plan/plan.ts";
import { observe, observeText, readTree, wanted, type Parts } from "./apache-observation.ts";

const server = "LoadModule ssl_module modules/mod_ssl.so\n";
const facts = (text: string, parts: Parts = {}): Facts => readFacts(observeText(server + text, parts), { port: 443 });
const host = (inside: string, address = "*:443"): string =>
  `<VirtualHost ${address}>\nServerName a.example\nSSLEngine on\n${inside}</VirtualHost>\n`;

describe("virtual hosts", () => {
  const cases: readonly [sentence: string, text: string, found: readonly string[]][] = [
    ["are found by port", host("") + host("", "*:8443"), ["a.example *:443"]],
    [
      "are found by any of their addresses",
      host("", "192.0.2.1:8443 [2001:db8::1]:443"),
      ["a.example [2001:db8::1]:443"],
    ],
    ["answer every port when they name none", host("", "_default_"), ["a.example *:443"]],
    [
      "inherit SSLEngine from server level, also when it stands below",
      "<VirtualHost *:443>\n</VirtualHost>\nSSLEngine on\n",
      [" *:443"],
    ],
    ["are left out where SSLEngine is off", host("SSLEngine off\n"), []],
    ["are found in a section in odd case", "<VIRTUALHOST *:443>\nsslengine OPTIONAL\n</virtualhost>\n", [" *:443"]],
    ["are asked where httpd listens", `Listen 192.0.2.7:443\n${host("")}`, ["a.example 192.0.2.7:443"]],
    ["lose scheme and port of their names", host("ServerName https://b.example:443\n"), ["b.example *:443"]],
    ["are not found in a false condition", `<IfModule !ssl_module>\n${host("")}</IfModule>\n`, []],
    [
      "are found in a true condition",
      `<IfModule mod_ssl.c>\n<IfVersion >= 2.4>\n${host("")}</IfVersion>\n</IfModule>\n`,
      ["a.example *:443"],
    ],
    [
      "follow Define and its end",
      `Define P 443\n${host("", "*:${P}")}UnDefine P\n${host("", "*:${P}")}`,
      ["a.example *:443"],
    ],
  ];
  for (const [sentence, text, found] of cases) {
    it(sentence, () => {
      const hosts = facts(text).virtualHosts;
      assert.deepEqual(
        hosts.map(({ serverName, addresses: [first] }) => `${serverName} ${first?.address}:${first?.port}`),
        found,
      );
    });
  }

  it("take our line before the close tag, with the line end of the section", () => {
    const text = "<VirtualHost *:443>\r\nSSLEngine on\r\n  </VirtualHost>";
    const [found] = readFacts(observeText(text), { port: 443 }).virtualHosts;
    assert.deepEqual(found?.insertAt, { offset: text.indexOf("  </Virt"), eol: "\r\n" });
  });

  it("say whether our line is the last one", () => {
    const last = facts(host(`${includeLine}\n# a comment\n`)).virtualHosts[0]?.include;
    const early = facts(host(`  ${includeLine}  \nSSLVerifyDepth 1\n`)).virtualHosts[0]?.include;
    assert.deepEqual([last?.last, last?.line, early?.last, early?.length], [true, 5, false, includeLine.length + 5]);
  });
});

const certified = (address = "*:443"): string => `<VirtualHost ${address}>\nSSLCertificateFile c\n</VirtualHost>\n`;

describe("a configuration that httpd does not accept", () => {
  const syntax = "httpd: Syntax error on line 426 of /etc/httpd/conf/httpd.conf: ";
  const cases: readonly [what: string, dump: string, place: string][] = [
    [
      "a line",
      "AH00526: Syntax error on line 9 of /etc/httpd/conf/ssl.conf:\nInvalid command",
      "/etc/httpd/conf/ssl.conf:9",
    ],
    [
      "an included file's",
      `${syntax}Syntax error on line 3 of /etc/httpd/conf/m.conf: Cannot load x`,
      "/etc/httpd/conf/m.conf:3",
    ],
    [
      "a missing include",
      `${syntax}Could not open configuration file /x.conf: No such file`,
      "/etc/httpd/conf/httpd.conf:426",
    ],
    ["a missing main file", "httpd: Could not open configuration file /no.conf: No such file", "/no.conf"],
  ];
  for (const [what, dump, place] of cases) {
    it(`is one obstacle, at its place: ${what}`, () => {
      assert.deepEqual(
        facts("", { dump }).obstacles.map((found) => found.place),
        [place],
      );
    });
  }
});

describe("obstacles", () => {
  const cases: readonly [sentence: string, text: string, line: number | undefined, pattern: RegExp][] = [
    ["are a section of Perl and its directive", `<Perl>\nmy $x = 1;\n</Perl>\nPerl exit\n${host("")}`, 2, /mod_perl/],
    ["are Macro and Use", `<Macro M>\nSSLEngine off\n</Macro>\nUse M\n${host("")}`, 5, /mod_macro/],
    ["are an Include over our directory", `Include conf/*/*.conf\n${host("")}`, 2, /our directory/],
    ["are an Include of the directory above ours", `IncludeOptional conf/\n${host("")}`, 2, /our directory/],
    ["are our file included otherwise", host("Include conf/clientcert/clientcert.conf\n"), 5, /our directory/],
    ["are a section that is never closed", `${host("")}<Files a>\n`, 6, /never closed/],
    ["are a port without TLS", host("", "*:8443"), undefined, /no <VirtualHost> with SSLEngine on answers port 443/],
    ["are an address with an unknown variable", `${host("")}${host("", "*:${P}")}`, 6, /variable/],
    [
      "are a certificate and Listen 443 without SSLEngine",
      `Listen 443\n${certified()}`,
      3,
      /write SSLEngine on or off/,
    ],
    [
      "are a certificate at server level, too",
      `SSLCertificateFile c\nListen 443\n<VirtualHost *:443>\n</VirtualHost>\n`,
      4,
      /write SSLEngine/,
    ],
    [
      "are no certificate under a Listen of another protocol",
      `Listen 443 http\n${certified()}`,
      undefined,
      /no <VirtualHost>/,
    ],
    ["are no virtual host of another port", `Listen 443\n${certified("*:8443")}`, undefined, /no <VirtualHost>/],
    ["are a file that includes itself", `Include httpd.conf\n${host("")}`, 2, /includes itself/],
    [
      "are a virtual host in a condition that nobody can decide",
      `<IfFile /x>\n${host("")}</IfFile>\n`,
      2,
      /do not tell/,
    ],
    ["are an Include whose variable only httpd knows", `Include \${X}/a.conf\n${host("")}`, 2, /variable/],
  ];
  for (const [sentence, text, line, pattern] of cases) {
    it(sentence, () => {
      const [found] = facts(text).obstacles;
      assert.equal(found?.place, line === undefined ? "/etc/httpd/httpd.conf" : `/etc/httpd/httpd.conf:${line}`);
      assert.match(found.text, pattern);
    });
  }

  it("are conditions on -D names only while these are unknown", () => {
    const text = `<IfDefine TLS>\n${host("")}</IfDefine>\n`;
    const stopped = { isRunning: false };
    assert.equal(facts(text, { server: stopped }).obstacles.length, 1);
    assert.deepEqual(facts(text, { server: { ...stopped, defines: ["TLS"] } }).obstacles, []);
  });

  it("are none on the stock configuration of the product", () => {
    const stock = readFacts(observe(readTree("product")), { port: 443 });
    assert.deepEqual([stock.obstacles, stock.foreign, stock.virtualHosts.length], [[], [], 1]);
  });

  it("are what httpd lists and the reader does not find", () => {
    const dump = `# In file: /etc/httpd/httpd.conf\n#   2:\n<VirtualHost *:443>\n  #   4:\n  SSLEngine on\n  #  90:\n  SSLVerifyClient none\n</VirtualHost>\n`;
    const [found] = facts(host(""), { dump }).obstacles;
    assert.equal(found?.place, "/etc/httpd/httpd.conf:90");
  });
});

describe("directives of others", () => {
  const cases: readonly [sentence: string, text: string, found: readonly string[]][] = [
    ["are none of those whose effect nobody could miss", host("SSLProtocol all\nSSLOptions +ExportCertData\n"), []],
    [
      "are found where ours win, too: what they did is judged later",
      host("SSLVerifyClient optional\nSSLVerifyDepth 1\n"),
      ["verifyClient VirtualHost", "verifyDepth VirtualHost"],
    ],
    [
      "are the last of several in a virtual host, which takes the place of the server's",
      `SSLVerifyClient require\n${host("SSLVerifyClient none\nSSLVerifyClient optional\n")}`,
      ["verifyClient VirtualHost"],
    ],
    [
      "are rules on the client's certificate, of whichever module",
      host(
        "RewriteCond %{SSL:SSL_CLIENT_VERIFY} !=SUCCESS\n<Location /x>\nRequire ssl-verify-client\nRequire all granted\n</Location>\n" +
          `<If "%{SSL_CLIENT_S_DN_O} == 'A'">\nSSLOptions -StdEnvVars\n</If>\n`,
      ),
      [
        "certificateRule VirtualHost",
        "certificateRule VirtualHost>Location",
        "certificateRule VirtualHost",
        "stdEnvVars VirtualHost>If",
      ],
    ],
    ["are found in the virtual host", host("SSLVerifyClient require\n"), ["verifyClient VirtualHost"]],
    ["are found at server level, wherever they stand", `${host("")}SSLVerifyClient none\n`, ["verifyClient "]],
    [
      "are found in sections",
      host("<Location /x>\nSSLRequire true\n</Location>\n"),
      ["sslRequire VirtualHost>Location"],
    ],
    [
      "are found in If inside of Directory",
      "<Directory /x>\n<If true>\nSatisfy any\n</If>\n</Directory>\n" + host(""),
      ["satisfyAny Directory>If"],
    ],
    ["are not Satisfy All", host("<Location />\nSatisfy All\n</Location>\n"), []],
    ["are not found in a virtual host of another port", host("") + host("SSLVerifyClient require\n", "*:8443"), []],
    [
      "are a smaller depth in a section, which asks again",
      host("<Location /x>\nSSLVerifyDepth 1\n</Location>\n"),
      ["verifyDepth VirtualHost>Location"],
    ],
    [
      "are CA, CRL and ticket files",
      host("SSLCACertificatePath a\nSSLCADNRequestFile b\nSSLCARevocationCheck chain\nSSLSessionTicketKeyFile c\n"),
      ["caPath VirtualHost", "caDnRequestFile VirtualHost", "crlCheck VirtualHost", "sessionTicketKey VirtualHost"],
    ],
  ];
  for (const [sentence, text, found] of cases) {
    it(sentence, () => {
      assert.deepEqual(
        facts(text).foreign.map(({ kind, context }) => `${kind} ${context.join(">")}`),
        found,
      );
    });
  }

  it("name every virtual host for which they are effective", () => {
    const found = facts(`${host("")}${host("Include part.conf\n")}SSLVerifyClient none\n`);
    assert.deepEqual(found.foreign[0]?.virtualHosts, [0, 1]);
  });

  it("tell the physical lines of a continued one", () => {
    const [found] = facts(host("<Location />\nSSLRequire a \\\n and b\n</Location>\n")).foreign;
    assert.equal(found?.lineOffsets.length, 2);
  });
});

describe("facts of the host", () => {
  it("prefer the PHP that httpd runs, then the higher one", () => {
    const php = [
      { source: "cli", path: "/c", version: "8.4.1" },
      { source: "fpm", path: "/a", version: "7.4.33" },
      { source: "fpm", path: "/b", version: "8.10.0" },
    ] as const;
    const found = facts(host(""), { php }).php;
    assert.deepEqual([found?.version, found?.others.map(({ version }) => version)], ["8.10.0", ["7.4.33", "8.4.1"]]);
  });

  it("come from the journal", () => {
    const journal = new Map([
      ["owner", "o/p/s/n"],
      ["generation", "7"],
      ["owed", "reload failed"],
    ]);
    const { owner, generation, owed } = facts(host(""), { journal }).own;
    assert.deepEqual([owner, generation, owed], ["o/p/s/n", 7, "reload failed"]);
  });

  it("stay the same in JSON, and hold no line of the customer's", () => {
    const found = facts(host("# planted marker\nSSLVerifyClient require\nSSLCACertificateFile planted/marker\n"));
    const json = JSON.stringify(found);
    // What the state gives back is typed as what was put in.
    assert.deepEqual(plan(wanted, JSON.parse(json) as Facts), plan(wanted, found));
    assert.ok(!json.includes("planted"));
  });

  it("find our line where it no longer belongs", () => {
    const stray = facts(host("") + host(`${includeLine}\n`, "*:8443")).strayIncludes;
    assert.deepEqual(
      stray.map(({ line }) => line),
      [9],
    );
  });
});
