import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { renderProblem } from "../../core/site/problem.ts";
import { readSite } from "../../core/site/read-site.ts";
import { renderJsonSchema, type Site } from "../../core/site/schema.ts";

const ecdsaKey =
  "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEqsC0eilfzWUUuNxi4bLM2bIuYW5staH8yJyCkqUWYNEbN2blqDGNQZr0nDla+tOrVhnv3BuqRxxdOMqToyafc=";
const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEBLjYHViGCaqFMyUIp8qXJHpIlClhosKhtu52v/rVHs";
const clientAuth = "clientAuth:\n  caFiles: [ca.pem]\n";
const web1 = `hosts:\n  - name: web1\n    address: 192.0.2.10\n    connection:\n      hostKey: ${hostKey}\n`;
const smallest = clientAuth + web1;

const problemsOf = (text: string): string[] => readSite(text, "s.yaml").problems.map(renderProblem);
/** The smallest site with lines added to its host, at the host's indentation. */
const withHost = (...lines: readonly string[]): string => smallest + lines.map((line) => `    ${line}\n`).join("");
const withConnection = (...lines: readonly string[]): string =>
  smallest + lines.map((line) => `      ${line}\n`).join("");
const withAuth = (...lines: readonly string[]): string =>
  clientAuth + lines.map((line) => `  ${line}\n`).join("") + web1;

function requireSite(text: string): Site {
  const { site, problems } = readSite(text, "s.yaml");
  assert.deepEqual(problems.map(renderProblem), []);
  assert.ok(site);
  return site;
}

describe("reading a site file", () => {
  it("gives every default of the smallest site", () => {
    assert.deepEqual(requireSite(smallest), {
      clientAuth: {
        caFiles: ["ca.pem"],
        acceptOlderCrls: [],
        crlFiles: [],
        crlSources: [],
        crlCheck: "leaf",
        organizations: [],
        organizationalUnits: [],
        issuers: [],
        verifyDepth: 4,
        countries: [],
      },
      hosts: [
        {
          name: "web1",
          address: "192.0.2.10",
          port: 443,
          adopt: false,
          excludeVirtualHosts: [],
          reloadPendingEdits: false,
          mayBeStopped: false,
          reloadUnstartable: false,
          judgeInPreview: true,
          acknowledgeSessionTicketKeys: false,
          takeOver: false,
          connection: { user: "root", port: 22, hostKey, login: { agent: true }, sudo: "none" },
        },
      ],
    });
  });

  it("reads the example, with everything that can be said of a host", () => {
    const { hosts } = requireSite(readFileSync("stacks/example.yaml", "utf8"));
    assert.deepEqual(
      hosts.map(({ name }) => name),
      ["web1", "web2"],
    );
  });

  it("takes Japanese organizations and file names, quotes inside a name, IPv6, CRLF and a byte order mark", () => {
    const text = withAuth(
      "organizations: ['株式会社　ＡＢＣ', 'Say \"A\\B\"', L’Oréal]",
      "crlFiles: [失効.crl]",
    ).replace("192.0.2.10", '"2001:db8::1"');
    const { clientAuth: read, hosts } = requireSite(`\ufeff${text.replace(/\n/g, "\r\n")}`);
    assert.deepEqual(read.organizations, ["株式会社　ＡＢＣ", 'Say "A\\B"', "L’Oréal"]);
    assert.equal(hosts[0]?.address, "2001:db8::1");
  });

  it("takes units and issuers in any script, and a depth", () => {
    const more = [
      "organizationalUnits: [営業部　東京]",
      'issuers: ["認証局 G2", "OU=Users CA,O=Harbour\\\\, Ltd."]',
      "verifyDepth: 10",
    ];
    const { clientAuth: read } = requireSite(withAuth(...more));
    assert.deepEqual(read.organizationalUnits, ["営業部　東京"]);
    assert.deepEqual(read.issuers, ["認証局 G2", "OU=Users CA,O=Harbour\\, Ltd."]);
    assert.equal(read.verifyDepth, 10);
  });

  it("warns of a backslash that stands twice, as earlier versions wanted it", () => {
    const { warnings } = readSite(
      withAuth("organizations: ['A\\B', 'A\\\\B']\n  organizationalUnits: ['C\\\\D']"),
      "s.yaml",
    );
    assert.deepEqual(
      warnings.flatMap(({ path, text }) => (text.includes("backslash") ? [path] : [])),
      ["clientAuth.organizations[1]", "clientAuth.organizationalUnits[0]"],
    );
  });

  it("has an up-to-date site.schema.json for editors", () => {
    assert.equal(readFileSync("site.schema.json", "utf8"), renderJsonSchema());
  });
});

describe("mistakes in a site file", () => {
  const cases: readonly (readonly [string, string, string | RegExp])[] = [
    ["an empty file", "", "s.yaml:1: the file is empty; write clientAuth: and hosts:, as in stacks/example.yaml"],
    [
      "an unknown key",
      withHost("adpot: true"),
      's.yaml:8: hosts[0].adpot: the key "adpot" is not known here; did you mean adopt?',
    ],
    [
      "an unknown key like no other",
      withHost("zzzzzz: 1"),
      /^s\.yaml:8: hosts\[0\]\.zzzzzz: the key "zzzzzz" is not known here; write one of name, address,/,
    ],
    ["a full-width key", withHost("ｐｏｒｔ: 443"), /did you mean port\?/],
    [
      "a key that stands twice",
      withHost("port: 443", "adopt: true", "port: 444"),
      "s.yaml:10: hosts[0].port: the key stands twice, and only one can count; remove one",
    ],
    [
      "a missing host key",
      smallest.replace(/ +hostKey.*\n/, "      user: root\n"),
      /^s\.yaml:6: hosts\[0\]\.connection\.hostKey: it is missing; write the public host key/,
    ],
    [
      "text for a number",
      withHost('port: "443"'),
      's.yaml:8: hosts[0].port: found "443", a text; write it without quotes',
    ],
    ["a port out of range", withHost("port: 65536"), "s.yaml:8: hosts[0].port: found 65536; write at most 65535"],
    ["port 0", withHost("port: 0"), "s.yaml:8: hosts[0].port: found 0; write at least 1"],
    ["half a port", withHost("port: 44.3"), "s.yaml:8: hosts[0].port: found 44.3; write a whole number"],
    ["yes for true", withHost("adopt: yes"), 's.yaml:8: hosts[0].adopt: found "yes"; write true or false'],
    [
      "a version that YAML reads as a number",
      withHost("phpVersion: 8.10"),
      's.yaml:8: hosts[0].phpVersion: found the number 8.1, and YAML drops a final zero (8.10 becomes 8.1); write it in quotes, such as "8.3"',
    ],
    [
      "text for a list",
      smallest.replace("[ca.pem]", "ca.pem"),
      's.yaml:2: clientAuth.caFiles: found "ca.pem"; write a list, each item on a line of its own after a hyphen',
    ],
    [
      "an empty list",
      smallest.replace("[ca.pem]", "[]"),
      "s.yaml:2: clientAuth.caFiles: the list is empty; write at least one item",
    ],
    ["nothing after a key", withHost("httpd:"), "s.yaml:8: hosts[0].httpd: found nothing; write text"],
    [
      "a relative path",
      withHost("httpd: bin/httpd"),
      's.yaml:8: hosts[0].httpd: found "bin/httpd"; write an absolute path on the host, such as /usr/local/ni/apache/bin/httpd',
    ],
    [
      "a relative key file",
      withConnection("login: { keyFile: id }"),
      /^s\.yaml:8: hosts\[0\]\.connection\.login\.keyFile: found text; write an absolute path on this machine/,
    ],
    [
      "an address with scheme",
      smallest.replace("192", "https://192"),
      /found "https:\/\/192\.0\.2\.10"; write a host name or an IP address alone/,
    ],
    ["two ways to log in", withConnection("login: { agent: true, keyFile: ~/x }"), /write exactly one of agent: true/],
    [
      "an unknown way to become root",
      withConnection("sudo: su"),
      /found text; write none, passwordless, or one of the keys/,
    ],
    [
      "two sudo passwords",
      withConnection("sudo: { passwordFile: ~/x, passwordEnvironment: X }"),
      /sudo: write exactly one of/,
    ],
    [
      "typographic quotes",
      withHost("excludeVirtualHosts: [“mail.example”]"),
      /^s\.yaml:8: hosts\[0\]\.excludeVirtualHosts\[0\]: U\+201C is a typographic quote/,
    ],
    ["typographic quotes around an organization", withAuth("organizations: [“ABC”]"), /U\+201C is a typographic quote/],
    ["a non-breaking space", withAuth("organizations: ['ABC\u00a0CO']"), /U\+00A0 is a non-breaking space/],
    ["an ideographic space", withHost("excludeVirtualHosts: ['a\u3000b']"), /U\+3000 is an ideographic/],
    ["a control character", withAuth('organizations: ["A\\u0007B"]'), /U\+0007 is a control character/],
    ["an organization on two lines", withAuth('organizations: ["A\\nB"]'), /it has a line end/],
    ["an organization with a blank at its end", withAuth('organizations: ["ABC "]'), /it begins or ends with a blank/],
    [
      "a country in small letters",
      withAuth("countries: [jp]"),
      's.yaml:3: clientAuth.countries[0]: found "jp"; write two capital letters, such as "JP"',
    ],
    [
      "an empty unit",
      withAuth('organizationalUnits: [" "]'),
      /organizationalUnits\[0\]: it is empty; write the organizational unit/,
    ],
    ["an empty issuer", withAuth('issuers: [""]'), /issuers\[0\]: it is empty; write the issuing CA's name/],
    [
      "an issuer with slashes",
      withAuth("issuers: [/C=JP/CN=Users CA]"),
      /separated by slashes; write the CA's common name alone/,
    ],
    [
      "an issuer with a bare comma",
      withAuth('issuers: ["O=Harbour, Ltd.,C=JP"]'),
      /a part of it has no name such as O=; .* for a comma/,
    ],
    [
      "a part that httpd cannot compare",
      withAuth('issuers: ["CN=Users CA,DC=corp"]'),
      /cannot compare the part DC= .*leave it out/,
    ],
    ["an empty part", withAuth('issuers: ["CN=Users CA,O="]'), /the part O= of it is empty/],
    ["no depth", withAuth("verifyDepth: 0"), "s.yaml:3: clientAuth.verifyDepth: found 0; write at least 1"],
    [
      "a depth that no chain has",
      withAuth("verifyDepth: 11"),
      "s.yaml:3: clientAuth.verifyDepth: found 11; write at most 10",
    ],
    [
      "an address in the place of a file",
      withAuth("crlFiles: ['http://crl.example/a.crl']"),
      /this is an address; write it under crlSources/,
    ],
    ["a tab", "clientAuth:\n\tcaFiles: [a]\n", /^s\.yaml:2: a tab stands in the indentation/],
    ["a full-width colon", "clientAuth：\n  caFiles: [a]\n", /U\+FF1A is a full-width character/],
    ["several documents", `${smallest}---\n${smallest}`, /several YAML documents/],
    ["a fingerprint for a key", smallest.replace(hostKey, "SHA256:Zm9v"), /this is a fingerprint/],
    ["an MD5 fingerprint", smallest.replace(hostKey, `"${Array(16).fill("ab").join(":")}"`), /this is a fingerprint/],
    ["a known_hosts line", smallest.replace(hostKey, `192.0.2.10 ${hostKey}`), /the host name stands in front/],
    ["a host key without its last =", smallest.replace(hostKey, ecdsaKey.slice(0, -1)), /damaged or cut off/],
    ["a cut host key", smallest.replace(hostKey, hostKey.slice(0, -8)), /damaged or cut off/],
    ["a list for the file", "- a\n", /^s\.yaml:1: found a list; write a set of keys below it: clientAuth, hosts$/],
    [
      "an address in the place of a source",
      withAuth("crlSources: ['http://crl.example/a.crl']"),
      /crlSources\[0\]: found "http:.*; write a set of keys below it: urls, file$/,
    ],
    [
      "a key of clientAuth at a host",
      withHost("crlSources: []"),
      /hosts\[0\]\.crlSources: the key "crlSources" is not known here; it belongs under clientAuth$/,
    ],
  ];
  for (const [what, text, expected] of cases) {
    it(`are told: ${what}`, () => {
      const found = problemsOf(text);
      if (typeof expected === "string") assert.deepEqual(found, [expected]);
      else
        assert.ok(
          found.some((line) => expected.test(line)),
          found.join("\n") || "no problem was found",
        );
      assert.equal(readSite(text, "s.yaml").site, undefined);
    });
  }

  it("are told when two hosts have one name", () => {
    const text = smallest + web1.replace("hosts:\n", "").replace(".10", ".11");
    assert.deepEqual(problemsOf(text), [
      's.yaml:8: hosts[1].name: "web1" is the name of hosts[0], too; give each host its own name',
    ]);
  });

  it("are told all at once, in the order of the file", () => {
    const text = withHost("port: 0", "adpot: true", "phpVersion: 8.3").replace("ca.pem", "“ca.pem”");
    assert.deepEqual(
      problemsOf(text).map((line) => line.split(":")[1]),
      ["2", "8", "9", "10"],
    );
  });

  it("have their line also after comments, lists on several lines and keys without a value", () => {
    const text = `${clientAuth}  crlFiles:\n  # none yet\n  organizations:\n    # first\n    - ABC\n\n    # second\n    - 5\n${web1}`;
    assert.deepEqual(
      problemsOf(text).map((line) => line.split(": ").slice(0, 2).join(" ")),
      ["s.yaml:3 clientAuth.crlFiles", "s.yaml:10 clientAuth.organizations[1]"],
    );
  });
});

describe("secrets in a site file", () => {
  const secret = "hunter2-Xyzzy-MIIEvQIBADANBgkq";
  const pem = `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----`;
  const indented = pem
    .split("\n")
    .map((line) => `        ${line}`)
    .join("\n");
  const places: readonly (readonly [string, string])[] = [
    ["as password", withConnection(`password: ${secret}`)],
    ["as login", withConnection(`login: ${secret}`)],
    ["as login password", withConnection(`login: { password: ${secret} }`)],
    ["as a variable's name", withConnection(`login: { passwordEnvironment: ${secret} }`)],
    ["as a key's variable", withConnection(`login:\n        keyEnvironment: |\n  ${indented.replace(/\n/g, "\n  ")}`)],
    ["as a key file", withConnection(`login: { keyFile: ${secret} }`)],
    ["as sudo", withConnection(`sudo: ${secret}`)],
    ["as sudo password", withConnection(`sudo: { passwordEnvironment: ${secret} }`)],
    ["as host key", smallest.replace(hostKey, `|\n${indented}`)],
    ["as CA file", clientAuth.replace("[ca.pem]", `\n    - |\n${indented}`) + web1],
    ["as alias", withConnection(`login: *${secret}`)],
    ["where the syntax is broken", withConnection(`login: { password: "${secret}`)],
    ["in a comment", `${smallest}# ${pem.replace(/\n/g, "\n# ")}\n`],
  ];
  for (const [where, text] of places) {
    it(`are refused and never repeated: ${where}`, () => {
      const found = problemsOf(text).join("\n");
      assert.notEqual(found, "");
      for (const part of ["hunter2", "Xyzzy", "MIIEvQ"]) assert.ok(!found.includes(part), found);
    });
  }
});

describe("a password in a site file", () => {
  it("is answered with the key that names its variable", () => {
    const found = problemsOf(withConnection("sudo: { password: x }")).join("\n");
    assert.match(found, /secrets never stand .* write passwordEnvironment: with the name of an environment variable/);
  });
});

describe("any site file", () => {
  it("gets an answer without control characters, however it is damaged", () => {
    const example = readFileSync("stacks/example.yaml", "utf8");
    const edit = fc.record({
      at: fc.nat(example.length),
      remove: fc.nat(12),
      insert: fc.string({ unit: "binary", maxLength: 6 }),
    });
    fc.assert(
      fc.property(edit, ({ at, remove, insert }) => {
        const { site, problems } = readSite(example.slice(0, at) + insert + example.slice(at + remove), "s.yaml");
        assert.equal(site === undefined, problems.length > 0);
        for (const problem of problems) {
          assert.doesNotMatch(renderProblem(problem), /\p{Cc}/u);
          assert.ok(problem.line >= 1 && problem.column >= 1);
        }
      }),
      { numRuns: 200 },
    );
  }).timeout(20_000);
});
