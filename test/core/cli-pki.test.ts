/** `clientcert pki`: what it says, and how it ends. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { explainPki, parseSerial } from "../../cli/explain-pki.ts";
import {
  crlPoints,
  days,
  extension,
  integer,
  makeAuthorities,
  makeCertificate,
  makeCrl,
  makeKey,
  name,
  revokedFor,
  testNow,
  toPem,
} from "../fixtures/pki.ts";

const { root, issuing } = makeAuthorities();
const directory = mkdtempSync(join(tmpdir(), "clientcert-pki-"));
const put = (file: string, content: string | Buffer): void => writeFileSync(join(directory, file), content);
const explain = (names: string, serial?: string, json = false) =>
  explainPki(
    names.split(" ").map((file) => join(directory, file)),
    { json, serial, now: testNow },
  );

describe("clientcert pki", () => {
  before(() => {
    put("both.pem", issuing.pem + root.pem);
    put("issuing.pem", issuing.pem);
    put(
      "i.crl",
      makeCrl(issuing, { revoked: [0x12abn, 0x10n], entries: [revokedFor(0x77n, 1), revokedFor(0x78n, 8)] }),
    );
    put("delta.crl", makeCrl(issuing, { extensions: [extension("2.5.29.27", integer(1n), true)] }));
    put("over.crl", makeCrl(issuing, { nextUpdate: days(0), revoked: [9n] }));
    put("future.crl", makeCrl(issuing, { thisUpdate: days(1) }));
    put("forged.crl", makeCrl(issuing, { key: makeKey("ecdsa") }));
    const extensions = [crlPoints(["http://crl.example/i.crl", "ldap:///CN=i"])];
    const user = (cn: string, serial: bigint): Buffer =>
      makeCertificate({ subject: name(["O", "ABC"], ["CN", cn]), issuer: issuing, serial, extensions }).der;
    put("good.der", user("good", 5n));
    put("revoked.der", user("revoked", 0x77n));
    put("page.html", "<html>");
  });
  after(() => rmSync(directory, { recursive: true }));

  it("says who, from when to when, and how long that is", () => {
    const { output, code } = explain("both.pem");
    assert.match(
      output,
      /^ {2}CA CN=Harbour Issuing CA,O=Harbour,C=JP\n {4}issued by CN=Harbour Root CA,O=Harbour,C=JP\n {4}valid from 2026-08-15T03:00:00Z to 2036-11-20T03:00:00Z \(in 3650 days\)$/m,
    );
    assert.match(output, /^ {2}root CA CN=Harbour Root CA/m);
    assert.match(output, /^together, as the CA bundle of a site\n {2}fine/m);
    assert.equal(code, 0);
  });

  it("says of a CRL that it has ended, or has not begun, and what httpd makes of it", () => {
    assert.match(explain("over.crl").output, /^ {4}ended on \S+: httpd refuses every certificate of this CA$/m);
    assert.match(explain("future.crl").output, /^ {4}not valid yet: until then httpd refuses every certificate/m);
    assert.match(explain("i.crl").output, /^ {4}next one due .*; from then on httpd refuses/m);
  });

  it("says what a site file calls the CA, and which units of a user may be listed", () => {
    assert.match(explain("issuing.pem").output, /^ {4}name for issuers: "Harbour Issuing CA"$/m);
    const units = ["1", "2", "3", "4", "a \\ b", "6"].map((unit) => ["OU", unit] as const);
    put("units.der", makeCertificate({ subject: name(["O", "A\\B"], ...units), issuer: issuing, extensions: [] }).der);
    const { output } = explain("units.der");
    assert.ok(output.includes(String.raw`organization for httpd: "A\\B"; write it so under organizations`), output);
    assert.ok(
      output.includes(String.raw`organizational units (OU): "1", "2", "3", "4", "a \\ b"; any of them will do`),
      output,
    );
    const ca = makeCertificate({
      subject: name(["C", "JP"], ["O", "Harbour, Ltd."], ["OU", "Users CA"]),
      issuer: root,
    });
    put("parts.pem", ca.pem);
    assert.ok(explain("parts.pem").output.includes(String.raw`name for issuers: "OU=Users CA,O=Harbour\\, Ltd.,C=JP"`));
  });

  it("says what the CAs lack as a bundle", () => {
    const { output, code } = explain("issuing.pem");
    assert.match(output, /^ {2}problem: "CN=Harbour Issuing CA.*was issued by .*which is not listed/m);
    assert.equal(code, 0);
  });

  it("shows the addresses of the CRL that a certificate names, and its serial number both ways", () => {
    const { output } = explain("revoked.der");
    assert.match(output, /^ {4}names for the CRL of its issuer: http:\/\/crl\.example\/i\.crl$/m);
    assert.match(output, /^ {4}names for the CRL of its issuer: ldap:\/\/\/CN=i$/m);
    assert.match(output, /^ {4}serial number 0x77 \(decimal 119\)/m);
    assert.doesNotMatch(output, /CA bundle/);
  });

  it("says whether a CRL is signed by the given CA", () => {
    assert.match(explain("i.crl both.pem").output, /^ {4}signed by the given CA of that name$/m);
    assert.match(explain("forged.crl both.pem").output, /^ {4}not signed by the given CA of that name/m);
    assert.match(explain("i.crl").output, /^ {4}signature not checked; /m);
  });

  it("says whether a given CRL revokes a given certificate", () => {
    assert.match(explain("good.der i.crl").output, /^ {4}by the given CRL of its issuer: not revoked$/m);
    assert.match(
      explain("revoked.der i.crl").output,
      /^ {4}by the given CRL of its issuer: revoked on 2026-11-22T03:00:00Z \(reason: keyCompromise\)$/m,
    );
    assert.deepEqual([explain("good.der i.crl").code, explain("revoked.der i.crl").code], [0, 7]);
  });

  const answers: readonly (readonly [string, string, number, RegExp])[] = [
    ["i.crl", "0x12AB", 7, /0x12ab \(decimal 4779\): revoked on 2026-11-22T03:00:00Z \(no reason given\)$/m],
    ["i.crl", "dec:4779", 7, /0x12ab .*: revoked on/],
    ["i.crl", "10", 7, /0x10 \(decimal 16\): revoked on/],
    ["i.crl", "77", 7, /0x77 .*: revoked on 2026-11-22T03:00:00Z \(reason: keyCompromise\)$/m],
    ["i.crl", "12:ac", 0, /0x12ac .*: not revoked$/m],
    ["i.crl", "78", 0, /0x78 .*: not revoked$/m],
    ["i.crl both.pem", "1", 0, /0x1 .*: not revoked$/m],
    ["delta.crl", "1", 1, /: could not tell: the CRL lists changes only$/m],
    ["over.crl", "1", 1, /: could not tell: the CRL has expired$/m],
    ["over.crl", "9", 7, /: revoked on/],
    ["future.crl", "1", 1, /could not tell: the CRL is from the future$/m],
    ["forged.crl both.pem", "1", 1, /could not tell: the given CA did not sign the CRL$/m],
    ["both.pem", "1", 1, /^serial number 0x1 \(decimal 1\): could not tell, no CRL is among the files$/m],
    ["i.crl", "no number", 2, /^--serial: this is no number; /],
    ["i.crl page.html", "77", 2, /page\.html\n {2}is a web page/],
    ["missing", "77", 2, /missing\n {2}does not exist/],
  ];
  for (const [files, serial, code, words] of answers) {
    it(`ends with ${code} for ${files} and --serial ${serial}`, () => {
      const answer = explain(files, serial);
      assert.match(answer.output, words);
      assert.equal(answer.code, code);
    });
  }

  it("gives the same as JSON", () => {
    const { files, serial, bundle } = JSON.parse(explain("i.crl revoked.der", "77", true).output) as {
      files: { crls: { revoked: object; entries: number }[]; certificates: { revoked: object; crlUrls: string[] }[] }[];
      serial: string;
      bundle: object[];
    }; // our own answer
    const revoked = { date: "2026-11-22T03:00:00Z", reason: "keyCompromise" };
    assert.deepEqual(
      files[0]?.crls.map((crl) => [crl.revoked, crl.entries]),
      [[revoked, 4]],
    );
    assert.deepEqual(files[1]?.certificates[0]?.revoked, revoked);
    assert.deepEqual(files[1].certificates[0].crlUrls, ["http://crl.example/i.crl", "ldap:///CN=i"]);
    assert.deepEqual([serial, bundle], ["77", []]);
  });

  it("reads serial numbers in hex, as everybody prints them, and in decimal when told so", () => {
    assert.deepEqual(
      ["10", "0x10", "00:0A", "61 0a", "dec:10", "DEC:016", "dec:a", "x", "", "0x", "f".repeat(201)].map(parseSerial),
      ["10", "10", "a", "610a", "a", "10", undefined, undefined, undefined, undefined, undefined],
    );
  });

  it("reads the number that openssl prints, and finds openssl's reason", function () {
    const path = join(directory, "revoked.der");
    const printed = spawnSync("openssl", ["x509", "-inform", "DER", "-in", path, "-noout", "-serial"]);
    if (printed.error !== undefined) return this.skip();
    const serial = printed.stdout.toString().trim().replace("serial=", "");
    assert.equal(explain("i.crl", serial).code, 7);
    put("i.pem", toPem("X509 CRL", makeCrl(issuing, { entries: [revokedFor(0x77n, 1)] })));
    const list = spawnSync("openssl", ["crl", "-in", join(directory, "i.pem"), "-noout", "-text"]).stdout.toString();
    assert.match(list, /Serial Number: 77\n[^]*Key Compromise/);
  });
});
