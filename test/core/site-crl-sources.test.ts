import assert from "node:assert/strict";
import { makeCrlRefresh, makeCrlSources } from "../../core/site/crl-sources.ts";
import { renderProblem } from "../../core/site/problem.ts";
import type { SiteClientAuth } from "../../core/site/schema.ts";
import { readSite } from "../../core/site/read-site.ts";

const head = "clientAuth:\n  caFiles: [ca.pem]\n";
const hosts =
  "hosts:\n  - name: web1\n    address: 192.0.2.10\n    connection:\n      hostKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEBLjYHViGCaqFMyUIp8qXJHpIlClhosKhtu52v/rVHs\n";
const siteWith = (...lines: readonly string[]): string => head + lines.map((line) => `  ${line}\n`).join("") + hosts;
const source = (...urls: readonly string[]): string[] => [
  "crlSources:",
  `  - urls: [${urls.map((url) => `'${url}'`).join(", ")}]`,
];
const problemsOf = (text: string): string[] => readSite(text, "s.yaml").problems.map(renderProblem);

function requireAuth(...lines: readonly string[]): SiteClientAuth {
  const { site, problems } = readSite(siteWith(...lines), "s.yaml");
  assert.deepEqual(problems.map(renderProblem), []);
  return site?.clientAuth ?? assert.fail();
}

describe("CRL sources of a site file", () => {
  it("have an id that only their addresses decide", () => {
    const ids = (...lines: readonly string[]): string[] =>
      makeCrlSources(requireAuth(...lines).crlSources).map(({ id, file }) => `${id} ${file !== undefined}`);
    // printf 'http://a.example/i.crl\nldap://b.example/cn=i' | sha256sum
    const urls = ["http://a.example/i.crl", "ldap://b.example/cn=i"];
    assert.deepEqual(ids(...source(...urls)), ["0ac2af66 false"]);
    assert.deepEqual(ids(...source(...urls), "    file: 失効.crl"), ["0ac2af66 true"]);
    assert.notDeepEqual(ids(...source(...[...urls].reverse())), ["0ac2af66 false"]);
  });

  it("are downloaded at night's other hours where the file says no times", () => {
    const { crlRefresh } = requireAuth(...source("http://a.example/i.crl"));
    assert.deepEqual(makeCrlRefresh(crlRefresh), {
      times: ["00:30", "06:30", "12:30", "18:30"],
      spreadMinutes: 20,
      alarmHours: 24,
    });
  });

  it("are downloaded as the file says, times in order whatever order they stand in", () => {
    const refresh =
      "crlRefresh: { times: ['23:05', '04:05'], timeZone: Asia/Tokyo, spreadMinutes: 0, proxyFile: /etc/proxy }";
    const { crlRefresh } = requireAuth(...source("http://a.example/i.crl"), refresh);
    const expected = { times: ["04:05", "23:05"], timeZone: "Asia/Tokyo", spreadMinutes: 0, proxyFile: "/etc/proxy" };
    assert.deepEqual(makeCrlRefresh(crlRefresh), { ...expected, alarmHours: 24 });
  });

  const goodUrls = [
    "http://a.example/i.crl",
    "HTTPS://a.example:8443/crl?ca=1&der",
    "http://[2001:db8::1]/i.crl",
    "ldap://a.example/cn=i%20ca,o=ABC,c=JP?certificateRevocationList;binary",
    "ldaps://a.example/cn=i?certificateRevocationList?base?(objectClass=*)",
  ];
  for (const url of goodUrls) it(`may have the address ${url}`, () => void requireAuth(...source(url)));

  const badUrls: readonly (readonly [url: string, told: RegExp])[] = [
    ["ftp://a.example/i.crl", /no address that a host can download from/],
    ["a.example/i.crl", /no address that a host can download from/],
    ["file:///etc/passwd", /no address that a host can download from/],
    ["-----BEGIN X509 CRL-----", /content of a file is pasted here; .* under file:/],
    ["http://user@a.example/i.crl", /user name or a password/],
    ["https://u:planted@a.example/i.crl", /user name or a password/],
    ["ldap:///cn=i", /names no server/],
    ["http:///i.crl", /names no server/],
    ["http://:80/i.crl", /names no server/],
    ["http://a.example/i.crl#new", /has a fragment/],
    ["http://a.example/issuing ca.crl", /write it percent-encoded/],
    ["http://a.example/発行.crl", /write it percent-encoded/],
    ['http://a.example/"i".crl', /write it percent-encoded/],
    ["http://a.example/\\\\i.crl", /write it percent-encoded/],
    ["http://a.example:99999/i.crl", /is malformed/],
    ["http://a.example:x/i.crl", /is malformed/],
  ];
  for (const [url, told] of badUrls) {
    it(`are refused with the address ${url}`, () => {
      const [problem = "", ...others] = problemsOf(siteWith(...source(url)));
      assert.match(problem, /^s\.yaml:4: clientAuth\.crlSources\[0\]\.urls\[0\]: /);
      assert.match(problem, told);
      assert.deepEqual(others, []);
      assert.ok(!problem.includes("planted"));
    });
  }

  const one = source("http://a.example/i.crl");
  const mistakes: readonly (readonly [what: string, lines: readonly string[], told: RegExp])[] = [
    ["no address", ["crlSources:", "  - urls: []"], /:4: clientAuth\.crlSources\[0\]\.urls: the list is empty/],
    ["no addresses at all", ["crlSources:", "  - file: i.crl"], /crlSources\[0\]\.urls: it is missing/],
    [
      "addresses that are no list",
      ["crlSources:", "  - urls: 'http://u:planted@a.example/'"],
      /urls: found text; write a list/,
    ],
    ["an address for the file", [...one, "    file: http://b.example/i.crl"], /file: this is an address/],
    [
      "one address twice in a source",
      source("http://a.example/", "HTTP://A.example"),
      /:4: .*urls\[1\]: the same as crlSources\[0\]\.urls\[0\]/,
    ],
    [
      "one address in two sources",
      [...one, "  - urls: ['http://a.example/i.crl']"],
      /:5: .*\[1\]\.urls\[0\]: the same as/,
    ],
    [
      "one file in two sources",
      [...one, "    file: i.crl", "  - urls: ['http://b.example/']", "    file: i.crl"],
      /:7: .*\[1\]\.file: the same as crlSources\[0\]\.file/,
    ],
    [
      "a file that nothing renews, too",
      ["crlFiles: [i.crl]", ...one, "    file: i.crl"],
      /:6: .*\[0\]\.file: the same as crlFiles\[0\]/,
    ],
    [
      "a schedule for nothing",
      ["crlRefresh: { alarmHours: 1 }"],
      /:3: clientAuth\.crlRefresh: there is nothing to download/,
    ],
    [
      "a time of no clock",
      [...one, "crlRefresh: { times: ['24:00'] }"],
      /:5: .*times\[0\]: found "24:00"; write a time from "00:00" to "23:59"/,
    ],
    ["a time without its zero", [...one, "crlRefresh: { times: [6:30] }"], /times\[0\]: found "6:30"/],
    ["a time twice", [...one, "crlRefresh: { times: ['06:30', '06:30'] }"], /times\[1\]: 06:30 stands twice/],
    ["no time", [...one, "crlRefresh: { times: [] }"], /times: the list is empty/],
    [
      "more times than a day has hours",
      [...one, `crlRefresh: { times: [${Array.from({ length: 25 }, (_, i) => `'00:${10 + i}'`).join()}] }`],
      /times: the list has 25 items; write at most 24/,
    ],
    [
      "an unknown time zone",
      [...one, "crlRefresh: { timeZone: Asia/Kyoto }"],
      /timeZone: there is no time zone of this name/,
    ],
    [
      "a time zone in small letters",
      [...one, "crlRefresh: { timeZone: Asia/tokyo }"],
      /timeZone: it is no name of a time zone/,
    ],
    [
      "a time zone in capitals",
      [...one, "crlRefresh: { timeZone: ASIA/TOKYO }"],
      /timeZone: its capitals .* write Asia\/Tokyo/,
    ],
    [
      "an abbreviation for a time zone",
      [...one, "crlRefresh: { timeZone: JST }"],
      /timeZone: it is an abbreviation, which hosts take for UTC; write .* Asia\/Tokyo/,
    ],
    [
      "an offset for a time zone",
      [...one, "crlRefresh: { timeZone: '+09:00' }"],
      /timeZone: it is no name of a time zone/,
    ],
    ["too much spread", [...one, "crlRefresh: { spreadMinutes: 121 }"], /spreadMinutes: found 121; write at most 120/],
    ["no alarm", [...one, "crlRefresh: { alarmHours: 0 }"], /alarmHours: found 0; write at least 1/],
    [
      "a relative proxy file",
      [...one, "crlRefresh: { proxyFile: proxy }"],
      /proxyFile: found text; write an absolute path on the host/,
    ],
    [
      "the proxy itself",
      [...one, "crlRefresh: { proxyFile: 'http://u:planted@proxy:3128' }"],
      /proxyFile: found text; write an absolute path on the host/,
    ],
    [
      "a pasted sample certificate",
      ["sampleCertificate: '-----BEGIN CERTIFICATE-----'"],
      /sampleCertificate: the content of a file is pasted here/,
    ],
  ];
  for (const [what, lines, told] of mistakes) {
    it(`are refused with ${what}`, () => {
      const [problem = "", ...others] = problemsOf(siteWith(...lines));
      assert.match(problem, told);
      assert.deepEqual(others, []);
      assert.ok(!problem.includes("planted"));
    });
  }
});
