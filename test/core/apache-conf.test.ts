import assert from "node:assert/strict";
import type { CrlSummary } from "../../core/pki/summary.ts";
import type { Plan } from "../../core/apache/model.ts";
import { host, planOf } from "./apache-observation.ts";

const confOf = (found: Plan): string => found.files["/etc/httpd/conf/clientcert/clientcert.conf"] ?? "";

const crl = (issuer: string, number: string, thisUpdate = "2026-01-01T00:00:00Z"): CrlSummary => ({
  sha256: `${issuer}${number}`,
  issuer,
  thisUpdate,
  nextUpdate: undefined,
  number,
  entries: 0,
});

describe("clientcert.conf", () => {
  it("has the directives in the order of the manual", () => {
    const text = confOf(planOf(host(), { crls: [crl("i", "1")], crlSha256: "c", crlCheck: "chain" }));
    assert.deepEqual(text.split("\n").slice(3), [
      'SSLCACertificateFile "conf/clientcert/ca-aaaaaaaa.pem"',
      "SSLVerifyDepth 4",
      "SSLVerifyClient optional",
      'SSLCARevocationFile "conf/clientcert/crl.pem"',
      "SSLCARevocationCheck chain",
      "SSLProtocol -All +TLSv1.2",
      '<Location "/">',
      "    SSLOptions +StdEnvVars",
      '    SSLRequire %{SSL_CLIENT_S_DN_O} in {"ABC CORPORATION",""} and %{SSL_CLIENT_S_DN_C} in {"JP",""}',
      "</Location>",
      '<Directory "/srv/a.example">',
      "    SSLRenegBufferSize 52428800",
      "</Directory>",
      "",
    ]);
  });

  const versions: readonly [version: string | undefined, isLimited: boolean][] = [
    ["8.2.99", false],
    ["8.3", true],
    ["8.10.1", true],
    ["7.4", false],
    [undefined, false],
  ];
  for (const [phpVersion, isLimited] of versions) {
    it(`${isLimited ? "limits" : "does not limit"} TLS for PHP ${phpVersion ?? "unknown"}`, () => {
      assert.equal(confOf(planOf(host(), { phpVersion })).includes("SSLProtocol"), isLimited);
    });
  }

  it("asks for no name where none is given", () => {
    assert.ok(!confOf(planOf(host(), { organizations: [], countries: [] })).includes("SSLRequire"));
  });

  it("escapes what an expression reads otherwise in names, and writes Japanese ones as UTF-8", () => {
    const found = planOf(host(), { organizations: ['A "B" \\ %{C} $1', "株式会社"], countries: [] });
    assert.ok(confOf(found).includes(String.raw`in {"A \"B\" \\\\ \%\{C} \$1","株式会社",""}`));
  });

  it("says whose certificates are let in by unit and by issuer, and how deep a chain may be", () => {
    const wishes = { organizationalUnits: ["Sales"], issuers: ["Users CA", "OU=B\\, C,OU=A"], verifyDepth: 7 };
    const text = confOf(planOf(host(), { ...wishes, organizations: [], countries: [] }));
    const units = [1, 2, 3, 4].map((i) => ` or %{SSL_CLIENT_S_DN_OU_${i}} in {"Sales"}`).join("");
    const parts = '(%{SSL_CLIENT_I_DN_OU_1} eq "B, C" and %{SSL_CLIENT_I_DN_OU} eq "A")';
    const issuers = `%{SSL_CLIENT_I_DN} eq "" or %{SSL_CLIENT_I_DN_CN} in {"Users CA"} or ${parts}`;
    assert.ok(text.includes(`SSLRequire (%{SSL_CLIENT_S_DN_OU} in {"Sales",""}${units}) and (${issuers})\n`), text);
    assert.match(text, /^SSLVerifyDepth 7$/m);
  });

  it("names each DocumentRoot once, sorted", () => {
    const roots = confOf(planOf(host("", "b.example") + host() + host("", "b.example"))).match(/<Directory .*>/g);
    assert.deepEqual(roots, ['<Directory "/srv/a.example">', '<Directory "/srv/b.example">']);
  });
});
