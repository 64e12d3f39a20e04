import assert from "node:assert/strict";
import { makeBundle } from "../../core/pki/bundle.ts";
import { readCertificates } from "../../core/pki/certificate.ts";
import { type CheckedCrls, type CrlOptions, checkCrls } from "../../core/pki/crl-check.ts";
import { readCrls } from "../../core/pki/crl.ts";
import { hasOpenssl, verifyWithOpenssl } from "../fixtures/openssl-verify.ts";
import {
  type Made,
  authorityIdentifier,
  caConstraints,
  days,
  keyUsage,
  makeCertificate,
  makeCrl,
  makeKey,
  name,
  subjectKey,
  testNow,
} from "../fixtures/pki.ts";

const root = makeCertificate({ subject: name(["CN", "Root"]) });
const key = makeKey("ecdsa");
const subject = name(["CN", "Issuing"]);
/** One CA key: each renewal has a serial number of its own. */
const renewal = (serial: bigint, notAfter = days(3650), usage = 0x06): Made => {
  const extensions = [caConstraints, keyUsage(usage), subjectKey(key)];
  return makeCertificate({ subject, key, issuer: root, serial, notAfter, extensions });
};
const [first, second] = [renewal(1n), renewal(2n)];
const user = (...extensions: readonly Buffer[]): Made =>
  makeCertificate({ subject: name(["CN", "user"]), issuer: first, serial: 7n, extensions });

/** As site and host have them: read from the site's order, installed in that of the bundle. */
function check(cas: readonly Made[], crl: Buffer, options: Partial<CrlOptions> = {}): CheckedCrls {
  const { certificates } = readCertificates(Buffer.from(cas.map(({ pem }) => pem).join("")));
  return checkCrls(readCrls(crl).crls, certificates, { now: testNow, crlCheck: "leaf", ...options });
}
const textsOf = ({ diagnostics }: CheckedCrls): string[] =>
  diagnostics.map(({ severity, text }) => `${severity}: ${text}`);
const installed = (cas: readonly Made[]): Made[] => {
  const { certificates } = readCertificates(Buffer.from(cas.map(({ pem }) => pem).join("")));
  const order = makeBundle(certificates).certificates.map(({ fingerprint }) => fingerprint);
  const places = cas.map((_, index) => order.indexOf(certificates[index]?.summary.fingerprint ?? ""));
  return [...cas].sort((a, b) => (places[cas.indexOf(a)] ?? 0) - (places[cas.indexOf(b)] ?? 0));
};

const wrong = name(["CN", "Wrong"]);
const identifiers: readonly (readonly [string, readonly Buffer[]])[] = [
  ["nothing", []],
  ["the key", [authorityIdentifier({ key })]],
  ["the first certificate", [authorityIdentifier({ key, serial: 1n, issuer: [root.subject] })]],
  ["the second certificate", [authorityIdentifier({ key, serial: 2n, issuer: [root.subject] })]],
  ["a serial number alone", [authorityIdentifier({ serial: 1n })]],
  ["the right serial number of a wrong issuer", [authorityIdentifier({ key, serial: 1n, issuer: [wrong] })]],
  ["a wrong issuer alone", [authorityIdentifier({ issuer: [wrong] })]],
  ["the right issuer after a wrong one", [authorityIdentifier({ serial: 1n, issuer: [wrong, root.subject] })]],
  ["the right issuer before a wrong one", [authorityIdentifier({ serial: 1n, issuer: [root.subject, wrong] })]],
  ["its own name as the issuer's", [authorityIdentifier({ serial: 1n, issuer: [subject] })]],
];

describe("a CRL's authority key identifier, as OpenSSL counts it", function () {
  this.timeout(60_000);
  before(function () {
    if (!hasOpenssl()) this.skip();
  });

  for (const [what, extensions] of identifiers) {
    const crl = makeCrl(first, { extensions });
    for (const [cas, names] of [
      [[first, root], "one certificate"],
      [[second, first, root], "the CA's renewal beside it"],
    ] as const)
      it(`that names ${what}, with ${names}`, () => {
        const checked = check(cas, crl);
        const answer = verifyWithOpenssl({ cas: installed(cas), crls: [crl], user: user() });
        assert.equal(
          checked.diagnostics.some(({ severity }) => severity === "problem"),
          answer !== 0,
          `${answer}\n${textsOf(checked).join("\n")}`,
        );
      });
  }

  it("is judged by the sample, whose certificate may name one, too", () => {
    for (const serial of [1n, 2n]) {
      const naming = authorityIdentifier({ key, serial, issuer: [root.subject] });
      const [crl, holder] = [makeCrl(first, { extensions: [naming] }), user(naming)];
      const cas = [first, second, root];
      assert.equal(verifyWithOpenssl({ cas: installed(cas), crls: [crl], user: holder }), 0);
      const [sample] = readCertificates(holder.der).certificates;
      const isTaken = verifyWithOpenssl({ cas: installed(cas), crls: [crl], user: user() }) === 0;
      const texts = textsOf(check(cas, crl, { sample }));
      if (isTaken) assert.deepEqual(texts, []);
      else assert.match(texts.join("\n"), /^warning: .*the sample is accepted/);
    }
  });

  it("is judged by the sample, whose certificate may name another than the CRL", () => {
    const named = (serial: bigint): Buffer => authorityIdentifier({ key, serial, issuer: [root.subject] });
    const [crl, holder] = [makeCrl(first, { extensions: [named(1n)] }), user(named(2n))];
    assert.equal(verifyWithOpenssl({ cas: installed([first, second, root]), crls: [crl], user: holder }), 3);
    const [sample] = readCertificates(holder.der).certificates;
    assert.match(
      textsOf(check([first, second, root], crl, { sample })).join("\n"),
      /^problem: .*names the certificate/,
    );
  });

  it("counts for the certificate that is valid, where the other has expired", () => {
    const cas = [first, renewal(3n, days(-1)), root];
    const crl = makeCrl(first, { extensions: [authorityIdentifier({ key, serial: 1n })] });
    assert.equal(verifyWithOpenssl({ cas: installed(cas), crls: [crl], user: user() }), 0);
    assert.deepEqual(textsOf(check(cas, crl)), []);
  });

  it("chain: counts for the certificate of a renewed root that its CAs lead to", () => {
    const renewed = makeCertificate({ subject: root.subject, key: root.key, serial: 9n });
    for (const [named, cas] of [
      [9n, [first, root, renewed]],
      [9n, [first, renewed]],
    ] as const) {
      const crls = [makeCrl(first), makeCrl(root, { extensions: [authorityIdentifier({ serial: named })] })];
      const answer = verifyWithOpenssl({ cas: installed(cas), crls, user: user(), check: "chain" });
      const { certificates } = readCertificates(Buffer.from(cas.map(({ pem }) => pem).join("")));
      const read = crls.flatMap((bytes) => readCrls(bytes).crls);
      const checked = checkCrls(read, certificates, { now: testNow, crlCheck: "chain" });
      assert.equal(checked.diagnostics.length > 0, answer !== 0, textsOf(checked).join("\n"));
    }
  });
});

describe("a CA that may not sign CRLs", function () {
  this.timeout(60_000);
  const silent = renewal(4n, days(3650), 0x04);
  const words = /^problem: "CN=Issuing" may not sign CRLs \(keyUsage without cRLSign\)/;

  it("is a problem by itself, whatever a source will deliver", () => {
    const { certificates } = readCertificates(Buffer.from(silent.pem + root.pem));
    const options = { now: testNow, crlCheck: "leaf", hasUnknownCrls: true } as const;
    const found = checkCrls([], certificates, options).diagnostics;
    assert.deepEqual(
      found.map(({ about }) => about),
      [certificates[0]?.summary.fingerprint],
    );
    assert.match(found[0]?.text ?? "", /^"CN=Issuing" may not sign CRLs \(keyUsage without cRLSign\).*list no CRL/);
    assert.deepEqual(checkCrls([], certificates, { ...options, hasUnknownCrls: false }).diagnostics, []);
  });

  it("is none where nobody is checked against its CRL", () => {
    const mute = makeCertificate({ subject: name(["CN", "Mute"]), extensions: [caConstraints, keyUsage(0x04)] });
    const below = makeCertificate({ subject: name(["CN", "Below"]), issuer: mute });
    assert.deepEqual(textsOf(check([mute, below], makeCrl(below))), []);
    const chained = textsOf(check([mute, below], makeCrl(below), { crlCheck: "chain" }));
    assert.match(chained.join("\n"), /^problem: "CN=Mute" may not sign CRLs/);
  });

  it("depends on the certificate of it that OpenSSL takes", function () {
    if (!hasOpenssl()) this.skip();
    for (const other of [first, second]) {
      const cas = [silent, other, root];
      const crl = makeCrl(first);
      const answer = verifyWithOpenssl({ cas: installed(cas), crls: [crl], user: user() });
      const texts = textsOf(check(cas, crl));
      if (answer === 0) assert.deepEqual(texts, []);
      else assert.match(texts.join("\n"), words);
    }
  });
});
