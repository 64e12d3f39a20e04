import assert from "node:assert/strict";
import { readCertificates } from "../../core/pki/certificate.ts";
import { readCrls } from "../../core/pki/crl.ts";
import { checkSample } from "../../core/pki/sample.ts";
import {
  type CertificateWishes,
  days,
  extension,
  makeAuthorities,
  makeCertificate,
  makeCrl,
  name,
  oid,
  seq,
  testNow,
} from "../fixtures/pki.ts";

const { root, issuing } = makeAuthorities();
const bundle = readCertificates(Buffer.from(issuing.pem + root.pem)).certificates;
const subject = name(["C", "JP"], ["O", "ABC CORPORATION"], ["CN", "tanaka"]);
const user = (wishes: Partial<CertificateWishes> = {}): string =>
  makeCertificate({ subject, issuer: issuing, extensions: [], serial: 77n, ...wishes }).pem;

const check = (pem: string, ...crls: readonly Buffer[]): string[] =>
  checkSample(readCertificates(Buffer.from(pem)).certificates, {
    now: testNow,
    bundle,
    crls: crls.flatMap((bytes) => readCrls(bytes).crls),
  }).map(({ severity, text }) => `${severity}: ${text}`);

describe("checking a sample certificate", () => {
  it("takes a user's certificate that a listed CA issued and no CRL revokes", () => {
    assert.deepEqual(check(user(), makeCrl(issuing, { revoked: [78n] }), makeCrl(root, { revoked: [77n] })), []);
  });

  const clientAuth = oid("1.3.6.1.5.5.7.3.2");
  const serverAuth = oid("1.3.6.1.5.5.7.3.1");
  it("takes one for clients", () => {
    assert.deepEqual(check(user({ extensions: [extension("2.5.29.37", seq(serverAuth, clientAuth))] })), []);
  });

  const stranger = makeAuthorities().issuing;
  const refused: readonly (readonly [string, string, RegExp])[] = [
    ["none", "", /^problem: holds 0 certificates; /],
    [
      "one with its chain",
      user() + issuing.pem,
      /^problem: holds 2 certificates; give the certificate of one user alone/,
    ],
    ["a CA", issuing.pem, /^problem: "CN=Harbour Issuing CA.*is a CA certificate/],
    ["another CA's of the same name", user({ issuer: stranger }), /^problem: .*no CA of caFiles signed it/],
    ["a self-signed one", user({ issuer: undefined }), /^problem: .*no CA of caFiles signed it/],
    ["a server's", user({ extensions: [extension("2.5.29.37", seq(serverAuth))] }), /^problem: .*is not for clients/],
    ["an expired one", user({ notAfter: days(0) }), /^problem: expired on 2026-11-23T03:00:00Z/],
    ["one that is not valid yet", user({ notBefore: days(1) }), /^problem: is not valid before 2026-11-24T03:00:00Z/],
  ];
  for (const [what, pem, words] of refused) {
    it(`refuses ${what}`, () => {
      const found = check(pem);
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", words);
    });
  }

  it("warns of a revoked one, with the day: the CRL is right", () => {
    const found = check(user(), makeCrl(root), makeCrl(issuing, { revoked: [5n, 77n] }));
    assert.match(
      found.join(),
      /^warning: "CN=tanaka.*" is revoked since 2026-11-22T03:00:00Z: the CRL is right.*another user/,
    );
  });

  it("warns a month before its end", () => {
    assert.match(check(user({ notAfter: days(29) })).join(), /^warning: expires on 2026-12-22T03:00:00Z/);
    assert.deepEqual(check(user({ notAfter: days(30) })), []);
  });
});
