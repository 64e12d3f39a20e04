import assert from "node:assert/strict";
import { renderProblem } from "../../core/site/problem.ts";
import { readSite } from "../../core/site/read-site.ts";

const keys = [1, 2].map((byte) => {
  const wire = Buffer.concat([Buffer.from("\0\0\0\x0bssh-ed25519\0\0\0\x20"), Buffer.alloc(32, byte)]);
  return `ssh-ed25519 ${wire.toString("base64")}`;
});
const auth = "clientAuth:\n  caFiles: [ca.pem]\n";
const hostAt = (address: string, ...more: readonly string[]): string =>
  [
    `  - name: ${address.replace(/\W/g, "-")}${more.length}`,
    `    address: "${address}"`,
    ...more.map((line) => `    ${line}`),
  ]
    .map((line) => `${line}\n`)
    .join("");
const withKey = (key: number, ...more: readonly string[]): string[] => [
  "connection:",
  `  hostKey: ${keys[key]}`,
  ...more.map((line) => `  ${line}`),
];
const hosts = `hosts:\n${hostAt("web1.harbour.co.jp", ...withKey(0))}`;

const told = (text: string): string[] => {
  const { problems, warnings } = readSite(text, "s.yaml");
  return [
    ...problems.map((one) => `problem ${renderProblem(one)}`),
    ...warnings.map((one) => `warning ${renderProblem(one)}`),
  ];
};

describe("two entries of a site file", () => {
  const siteWith = (...entries: readonly string[]): string => `${auth}  countries: [JP]\nhosts:\n${entries.join("")}`;
  const bastion = (address: string): string =>
    `bastion: { address: ${address}, user: jump, hostKey: ${keys[0]}, login: { agent: true } }`;

  const same: readonly (readonly [what: string, one: string, other: string])[] = [
    ["an address", hostAt("10.0.0.1", ...withKey(0)), hostAt("10.0.0.1", ...withKey(1), "adopt: true")],
    ["a name in other capitals", hostAt("web1.jp", ...withKey(0)), hostAt("WEB1.jp.", ...withKey(1), "adopt: true")],
    ["an IPv6 address", hostAt("fd00::1", ...withKey(0)), hostAt("fd00:0:0::1", ...withKey(1), "adopt: true")],
    [
      "a configuration file",
      hostAt("10.0.0.1", "config: /a", ...withKey(0)),
      hostAt("10.0.0.1", "config: /a", ...withKey(0), "adopt: true"),
    ],
    [
      "a key behind two bastions",
      hostAt("10.0.0.1", ...withKey(0, bastion("a.jp"))),
      hostAt("10.0.0.1", ...withKey(0, bastion("b.jp")), "adopt: true"),
    ],
  ];
  for (const [what, one, other] of same)
    it(`are one server when they share ${what}: both lines are named`, () => {
      const text = siteWith(one, other);
      const [first, second] = text.split("\n").flatMap((line, i) => (line.startsWith("  - name") ? [i + 1] : []));
      const [found, ...more] = told(text);
      assert.match(
        found ?? "",
        new RegExp(
          `^problem s\\.yaml:${second}: hosts\\[1\\]: this is the server of hosts\\[0\\] \\(line ${first}\\), too;`,
        ),
      );
      assert.deepEqual(more, []);
    });

  it("are probably one machine when they share a host key: told, since copied machines have one key, too", () => {
    const found = told(siteWith(hostAt("10.0.0.1", ...withKey(0)), hostAt("10.0.0.2", ...withKey(0, "port: 23"))));
    assert.equal(found.length, 1);
    assert.match(found[0] ?? "", /^warning s\.yaml:12: .*hostKey: this is the host key of hosts\[0\] \(line 5\), too;/);
  });

  const different: readonly (readonly [what: string, one: string, other: string])[] = [
    ["two httpd", hostAt("10.0.0.1", "httpd: /a", ...withKey(0)), hostAt("10.0.0.1", ...withKey(0))],
    [
      "two configuration files",
      hostAt("10.0.0.1", "config: /a", ...withKey(0)),
      hostAt("10.0.0.1", ...withKey(0), "config: /b", "adopt: true"),
    ],
    ["two ports", hostAt("10.0.0.1", ...withKey(0)), hostAt("10.0.0.1", ...withKey(1, "port: 23"))],
    [
      "two machines behind two bastions",
      hostAt("10.0.0.1", ...withKey(0, bastion("a.jp"))),
      hostAt("10.0.0.1", ...withKey(1, bastion("b.jp")), "adopt: true"),
    ],
  ];
  for (const [what, one, other] of different)
    it(`are two servers with ${what}`, () => assert.deepEqual(told(siteWith(one, other)), []));
});

describe("who is let in by a site file", () => {
  const everybody = "warning s.yaml:1: clientAuth: names no organizations and no countries, so everybody";
  const cases: readonly (readonly [keys: readonly string[], told: string | undefined])[] = [
    [[], everybody],
    [["organizationalUnits: [Sales]"], everybody],
    [["organizations: [ABC]"], undefined],
    [["countries: [JP]"], undefined],
    [["issuers: [Users CA]"], undefined],
    [
      ["organizations: [ABC CO., LTD]"],
      'warning s.yaml:3: clientAuth.organizations[1]: "LTD" alone is no company\'s name;',
    ],
    [["organizations: ['ABC CO., LTD', 'INC Research', Company Harbour]"], undefined],
    ...["Ltd.", "LTD.", "Inc.", "INC", "CO.", "K.K.", "Co. Ltd."].map(
      (name) =>
        [[`organizations: [ABC, ${name}]`], `warning s.yaml:3: clientAuth.organizations[1]: "${name}" alone`] as const,
    ),
  ];
  for (const [lines, expected] of cases)
    it(`${expected === undefined ? "is taken" : "is doubted"}: ${lines.join() || "no key"}`, () => {
      const found = told(`${auth}${lines.map((line) => `  ${line}\n`).join("")}${hosts}`);
      assert.equal(found.length, expected === undefined ? 0 : 1, found.join("\n"));
      assert.ok(found.join().startsWith(expected ?? ""), found.join("\n"));
    });
});

describe("the address of a CRL", () => {
  const secret = "hunter2";
  const urlTold = (url: string): string[] =>
    told(`${auth}  countries: [JP]\n  crlSources:\n    - urls: ['${url}']\n${hosts}`);

  for (const name of ["token", "sig", "password", "key", "access_token", "X-Amz-Signature", "apiKey", "client_secret"])
    it(`is doubted, and its value never repeated, with the parameter ${name}`, () => {
      const [found = "", ...more] = urlTold(`http://crl.jp/a.crl?v=1&${name}=${secret}`);
      assert.deepEqual(more, []);
      assert.match(
        found,
        new RegExp(`^warning s\\.yaml:5: .*urls\\[0\\]: the address has the parameter ${name}, which`),
      );
      assert.doesNotMatch(found, new RegExp(secret));
    });

  for (const url of [
    "http://crl.jp/token=1/key.crl",
    "http://crl.jp/get?ca=users&keyid=12ab&page=2",
    "http://crl.jp/get?monkey=1",
    "ldap://dc1.jp/CN=CA?certificateRevocationList?base?objectClass=cRLDistributionPoint",
  ])
    it(`is taken: ${url}`, () => assert.deepEqual(urlTold(url), []));
});

describe("a mistake in a site file", () => {
  it("hides neither a doubt nor a repeated server elsewhere", () => {
    const entry = hostAt("10.0.0.1", ...withKey(0));
    const found = told(`${auth}hosts:\n  - nam: web0\n${entry}${entry}`).map((line) =>
      line.split(" ").slice(0, 3).join(" "),
    );
    for (const expected of [
      "problem s.yaml:4: hosts[0].nam:",
      "problem s.yaml:9: hosts[2]:",
      "problem s.yaml:9: hosts[2].name:",
      "warning s.yaml:1: clientAuth:",
    ])
      assert.ok(found.includes(expected), `${expected} not in\n${found.join("\n")}`);
  });
});
