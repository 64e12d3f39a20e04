import assert from "node:assert/strict";
import { readCertificates } from "../../core/pki/certificate.ts";
import { type CheckedCrls, type CrlOptions, checkCrls } from "../../core/pki/crl-check.ts";
import { readCrls } from "../../core/pki/crl.ts";
import { hasOpenssl, verifyWithOpenssl } from "../fixtures/openssl-verify.ts";
import {
  type Made,
  days,
  der,
  makeAuthorities,
  makeCertificate,
  makeCrl,
  name,
  testNow,
  time,
} from "../fixtures/pki.ts";

const { root, issuing } = makeAuthorities();
const other = makeCertificate({ subject: name(["CN", "Other CA"]), issuer: root });
const userOf = (issuer: Made): Made =>
  makeCertificate({ subject: name(["CN", "user"]), issuer, serial: 7n, extensions: [] });

function check(cas: readonly Made[], crls: readonly Buffer[], options: Partial<CrlOptions> = {}): CheckedCrls {
  const { certificates } = readCertificates(Buffer.from(cas.map(({ pem }) => pem).join("")));
  const read = crls.flatMap((bytes) => readCrls(bytes).crls);
  return checkCrls(read, certificates, { now: testNow, crlCheck: "leaf", ...options });
}
const textsOf = ({ diagnostics }: CheckedCrls): string[] =>
  diagnostics.map(({ severity, text }) => `${severity}: ${text}`);

describe("a CA that issues to users and has no CRL", function () {
  this.timeout(60_000);
  const cas = [root, issuing, other];

  it("is found as soon as another CA has one: OpenSSL refuses its users", function () {
    if (!hasOpenssl()) this.skip();
    const crls = [makeCrl(issuing)];
    assert.equal(verifyWithOpenssl({ cas, crls, user: userOf(issuing) }), 0);
    assert.equal(verifyWithOpenssl({ cas, crls, user: userOf(other) }), 3);
    assert.deepEqual(textsOf(check(cas, crls)), [
      'problem: there is no CRL of "CN=Other CA", so every certificate below it is refused; list it too, or remove the CA',
    ]);
  });

  it("is one that has CAs below it, too, where it issued the sample certificate", () => {
    const [sample] = readCertificates(userOf(root).der).certificates;
    const crls = [makeCrl(issuing)];
    assert.deepEqual(textsOf(check([root, issuing], crls)), []);
    assert.match(
      textsOf(check([root, issuing], crls, { sample })).join("\n"),
      /^problem: there is no CRL of .*Root CA/,
    );
  });

  it("is certain where there are fewer sources than such CAs", () => {
    const found = (more: number, crls: readonly Buffer[] = []): string =>
      textsOf(check(cas, crls, { hasUnknownCrls: true, unknownCrlCount: more })).join("\n");
    assert.match(
      found(1),
      /^warning: only one source is listed for the CRLs of .*Issuing CA.* and .*Other CA.* remove/,
    );
    assert.equal(found(2), "");
    assert.equal(found(1, [makeCrl(other)]), "");
    assert.equal(textsOf(check(cas, [], { hasUnknownCrls: true })).join("\n"), "");
  });

  it("is one CA where it was renewed, also where what is below it names the old certificate", () => {
    const renewed = makeCertificate({ subject: root.subject, key: root.key });
    assert.deepEqual(textsOf(check([root, renewed, issuing], [makeCrl(issuing)])), []);
  });
});

describe("the dates of a CRL", function () {
  this.timeout(60_000);
  const fraction = (date: Date): Buffer =>
    der(0x18, Buffer.from(`20${time(date).subarray(2, -1).toString("latin1")}.5Z`));
  const zone = (date: Date): Buffer => der(0x17, Buffer.from(`${time(date).subarray(2, -1).toString("latin1")}+0000`));
  const cases: readonly (readonly [string, Parameters<typeof makeCrl>[1], number, RegExp])[] = [
    ["as they should be", {}, 0, /^$/],
    ["with a fraction of a second, the first", { thisUpdate: fraction(days(-1)) }, 15, /^problem: .*fraction/],
    ["with a fraction of a second, the second", { nextUpdate: fraction(days(30)) }, 16, /^problem: .*fraction/],
    ["with a zone", { thisUpdate: zone(days(-1)) }, 15, /^problem: .*a date is not written as RFC 5280 wants it/],
    ["a second ahead", { thisUpdate: new Date(testNow + 1000) }, 11, /^problem: .*is from the future/],
    ["of this second", { thisUpdate: new Date(testNow) }, 0, /^$/],
  ];
  for (const [what, wishes, error, words] of cases)
    it(`${what}: to OpenSSL as here`, function () {
      if (!hasOpenssl()) this.skip();
      const crl = makeCrl(issuing, wishes);
      assert.equal(verifyWithOpenssl({ cas: [issuing, root], crls: [crl], user: userOf(issuing) }), error);
      const unread = readCrls(crl).diagnostics.map(({ severity, text }) => `${severity}: ${text}`);
      const texts = unread.length > 0 ? unread : textsOf(check([issuing, root], [crl]));
      assert.match(texts.join("\n"), words);
    });
});
