import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { checkBundle } from "../../core/pki/bundle.ts";
import { readCertificates } from "../../core/pki/certificate.ts";
import {
  type CertificateWishes,
  type Made,
  caConstraints,
  days,
  der,
  extension,
  keyUsage,
  makeAuthorities,
  makeCertificate,
  makeKey,
  name,
  pathLength,
  seq,
  subjectKey,
  testNow,
} from "../fixtures/pki.ts";

const check = (...made: readonly Made[]): string[] => {
  const { certificates, diagnostics } = readCertificates(Buffer.from(made.map(({ pem }) => pem).join("")));
  assert.deepEqual(diagnostics, []);
  return checkBundle(certificates, { now: testNow }).map(({ severity, text }) => `${severity}: ${text}`);
};
const ca = (cn: string, wishes: Partial<CertificateWishes> = {}): Made =>
  makeCertificate({ subject: name(["CN", cn]), ...wishes });

describe("what a CA allows below itself", () => {
  const limited = (length: bigint) => [pathLength(length), keyUsage(0x06)];

  it("is kept by a root that allows one CA above its issuing CA", () => {
    const root = ca("Root", { extensions: limited(1n) });
    assert.deepEqual(check(ca("Issuing", { issuer: root, extensions: limited(0n) }), root), []);
  });

  it("is told for each CA that stands too deep", () => {
    const root = ca("Root", { extensions: limited(0n) });
    const issuing = ca("Issuing", { issuer: root });
    const [lower, upper, ...rest] = check(ca("Lower", { issuer: issuing }), issuing, root);
    assert.match(lower ?? "", /^problem: "CN=Lower" stands deeper below "CN=Root" than that CA allows/);
    assert.match(upper ?? "", /^problem: "CN=Issuing" stands deeper below "CN=Root"/);
    assert.deepEqual(rest, []);
  });

  it("does not count a certificate by which a CA hands over to its new key", () => {
    const old = ca("Root", { extensions: [pathLength(1n), keyUsage(0x06)] });
    const key = makeKey("ecdsa");
    const handOver = ca("Root", { issuer: old, key });
    assert.deepEqual(
      check(ca("Issuing", { issuer: { ...handOver, key } }), handOver, old).filter((text) => text.includes("deeper")),
      [],
    );
  });
});

describe("what a bundle warns of", () => {
  it("is a CA that expires in less than 90 days", () => {
    assert.deepEqual(check(ca("Root", { notAfter: days(90) })), []);
    assert.match(
      check(ca("Root", { notAfter: days(89.9) })).join(),
      /^warning: "CN=Root" expires on 2027-02-21T00:36:00Z, in less than 90 days/,
    );
  });

  it("is a CA with name constraints", () => {
    const permitted = seq(der(0xa0, seq(der(0x82, Buffer.from("example.com")))));
    const root = ca("Root", { extensions: [caConstraints, keyUsage(0x06), extension("2.5.29.30", permitted, true)] });
    assert.match(check(root).join(), /^warning: "CN=Root" has name constraints/);
  });

  it("is an elliptic curve of less than 224 bits", () => {
    const key = generateKeyPairSync("ec", { namedCurve: "prime192v1" }).privateKey;
    assert.match(check(ca("Root", { key })).join(), /^warning: "CN=Root" has an elliptic-curve key of 192 bits/);
  });
});

describe("two CAs of one name with different keys", () => {
  const withKey = (hasIdentifier: boolean): Made => {
    const key = makeKey("ecdsa");
    return ca("Rollover", {
      key,
      extensions: [caConstraints, keyUsage(0x06), ...(hasIdentifier ? [subjectKey(key)] : [])],
    });
  };

  it("are taken when their key identifiers tell them apart", () => {
    assert.deepEqual(check(withKey(true), withKey(true)), []);
  });

  it("are refused without, because OpenSSL then tries one of them only", () => {
    const found = check(withKey(false), withKey(true));
    assert.equal(found.length, 1);
    assert.match(found.join(), /^problem: "CN=Rollover" is listed with two different keys/);
  });

  it("are no matter where the key is the same: the CA was renewed", () => {
    const { root } = makeAuthorities();
    assert.deepEqual(check(root, makeCertificate({ subject: root.subject, key: root.key, notBefore: days(-1) })), []);
  });
});
