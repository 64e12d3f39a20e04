import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { checkBundle } from "../../core/pki/bundle.ts";
import { readCertificates } from "../../core/pki/certificate.ts";
import { hasOpenssl, verifyWithOpenssl } from "../fixtures/openssl-verify.ts";
import {
  type CertificateWishes,
  type Made,
  type Scheme,
  authorityIdentifier,
  caConstraints,
  der,
  extension,
  integer,
  keyUsage,
  makeCertificate,
  makeKey,
  name,
  octets,
  seq,
  testNow,
  time,
} from "../fixtures/pki.ts";

const [upper, lower] = [name(["CN", "Root"]), name(["CN", "Issuing"])];
const root = makeCertificate({ subject: upper });
const ofRoot = (wishes: Partial<CertificateWishes>): readonly Made[] => [
  makeCertificate({ subject: upper, ...wishes }),
];
const ofIssuing = (wishes: Partial<CertificateWishes>, above: Made = root): readonly Made[] => [
  makeCertificate({ subject: lower, issuer: above, ...wishes }),
  above,
];
const netscape = (bits: number): Buffer => extension("2.16.840.1.113730.1.1", der(0x03, Buffer.from([0, bits])));
const notCa = extension("2.5.29.19", seq());
const critical = (id: string, value: Buffer = octets(Buffer.from([5]))): Buffer[] => [
  caConstraints,
  keyUsage(0x06),
  extension(id, value, true),
];
const dated = (tag: number, text: string): Buffer => der(tag, Buffer.from(text));
const explicitKey = generateKeyPairSync("ec", { namedCurve: "P-256", paramEncoding: "explicit" }).privateKey;
const explicit = { key: explicitKey, spki: createPublicKey(explicitKey).export({ type: "spki", format: "der" }) };
const fraction = dated(0x18, "20200101000000.5Z");

/** What is found, the CAs from the user's up, and OpenSSL's error. */
const kinds: readonly (readonly [string, RegExp | undefined, readonly Made[], number])[] = [
  ["a root of version 1", undefined, ofRoot({ version: 1 }), 0],
  ["a CA below a root of version 1", undefined, ofIssuing({}, makeCertificate({ subject: upper, version: 1 })), 0],
  ["a root with keyCertSign alone", undefined, ofRoot({ extensions: [keyUsage(0x06)] }), 0],
  ["a root of Netscape's type for TLS", undefined, ofRoot({ extensions: [netscape(0x04)] }), 0],
  [
    "a root of Netscape's type for mail",
    /is no CA certificate \(neither/,
    ofRoot({ extensions: [netscape(0x02)] }),
    26,
  ],
  ["a self-signed certificate that says nothing", /is no CA certificate \(neither/, ofRoot({ extensions: [] }), 79],
  ["a root that says it is none", /\(basicConstraints without/, ofRoot({ extensions: [notCa, keyUsage(6)] }), 79],
  ["version 1 below a root", /is no CA certificate \(version 1/, ofIssuing({ version: 1 }), 79],
  ["keyCertSign alone below a root", /\(no basicConstraints/, ofIssuing({ extensions: [keyUsage(0x06)] }), 79],
  ["an unknown critical extension", /extension 1\.2\.3\.4, which/, ofIssuing({ extensions: critical("1.2.3.4") }), 34],
  ["one of a root", /extension 1\.2\.3\.4, which/, ofRoot({ extensions: critical("1.2.3.4") }), 34],
  [
    "a critical identifier of the issuer, which OpenSSL does not count",
    /extension 2\.5\.29\.35, which/,
    ofIssuing({ extensions: [caConstraints, extension("2.5.29.35", seq(), true)] }),
    34,
  ],
  ["critical policies, which it counts", undefined, ofIssuing({ extensions: critical("2.5.29.54", integer(1n)) }), 0],
  ["a key with explicit parameters", /all parameters of its elliptic curve/, ofIssuing(explicit), 94],
  ["a root's key with explicit parameters", /all parameters of its elliptic curve/, ofRoot(explicit), 94],
  ["a beginning with a fraction", /with a fraction of a second/, ofRoot({ notBefore: fraction }), 13],
  ["an end with a fraction", /with a fraction/, ofIssuing({ notAfter: dated(0x18, "20300101000000.5Z") }), 14],
  ["GeneralizedTime before 2050", undefined, ofRoot({ notBefore: dated(0x18, "20200101000000Z") }), 0],
  ["an identifier of the issuer", undefined, ofIssuing({ extensions: [caConstraints, authorityIdentifier({})] }), 0],
];

const user = (issuer: Made): Made => makeCertificate({ subject: name(["CN", "User"]), issuer, extensions: [] });
const findingsOf = (cas: readonly Made[]): string[] => {
  const { certificates, diagnostics } = readCertificates(Buffer.from(cas.map(({ pem }) => pem).join("")));
  assert.deepEqual(diagnostics, []);
  return checkBundle(certificates, { now: testNow }).map(({ severity, text }) => `${severity}: ${text}`);
};

describe("OpenSSL agrees on what a CA is", function () {
  this.timeout(30_000);
  before(function () {
    if (!hasOpenssl()) this.skip();
  });

  for (const [what, expected, cas, error] of kinds)
    it(`${expected === undefined ? "takes" : "refuses"} ${what}`, () => {
      const [first = root] = cas;
      assert.equal(verifyWithOpenssl({ cas, crls: [], user: user(first) }), error);
      const problems = findingsOf(cas).filter((text) => text.startsWith("problem"));
      if (expected === undefined) assert.deepEqual(problems, []);
      else assert.match(problems.join("\n"), expected);
    });

  for (const text of ["2001010000Z", "200101000000+0000", "200101000060Z", "200231000000Z", "200101240000Z"])
    it(`reads no date such as ${text}`, () => {
      const [ca = root] = ofRoot({ notBefore: dated(0x17, text) });
      assert.equal(verifyWithOpenssl({ cas: [ca], crls: [], user: user(ca) }), 13);
      const { certificates, diagnostics } = readCertificates(ca.der);
      assert.equal(certificates.length, 0);
      assert.match(diagnostics[0]?.text ?? "", /a date is not written as RFC 5280 wants it/);
    });
  it("reads a date at the end of a year of two digits", () => {
    assert.deepEqual(findingsOf(ofRoot({ notAfter: time(new Date("2049-12-31T23:59:59Z")) })), []);
  });
});

const ec = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve }).privateKey;
const rsa = (bits: number) => makeKey("rsa", bits);
/** Bits of a CA's key or of its signature, where they are what counts. */
const keys: readonly (readonly [string, number, CertificateWishes["key"], Scheme])[] = [
  ["RSA 919", 72, rsa(919), "rsa"],
  ["RSA 920", 80, rsa(920), "rsa"],
  ["RSA 1962", 104, rsa(1962), "rsa"],
  ["RSA 1963", 112, rsa(1963), "rsa"],
  ["RSA 2048", 112, rsa(2048), "rsa"],
  ["RSA 2670", 120, rsa(2670), "rsa"],
  ["RSA 2672", 128, rsa(2672), "rsa"],
  ["RSA 3072", 128, rsa(3072), "rsa"],
  ["DSA 1024", 80, makeKey("dsa", 1024), "dsa"],
  ["DSA 2048", 112, makeKey("dsa", 2048), "dsa"],
  ["prime192v1", 80, ec("prime192v1"), "ecdsa"],
  ["secp224r1", 112, ec("secp224r1"), "ecdsa"],
  ["prime239v1", 112, ec("prime239v1"), "ecdsa"],
  ["P-256", 128, ec("P-256"), "ecdsa"],
  ["brainpoolP384r1", 192, ec("brainpoolP384r1"), "ecdsa"],
  ["P-521", 256, ec("P-521"), "ecdsa"],
  ["Ed25519", 128, makeKey("ed25519"), "ed25519"],
  ["Ed448", 224, makeKey("ed448"), "ed448"],
];
const signatures: readonly (readonly [Scheme, number])[] = [
  ["md5", 39],
  ["sha1", 63],
  ["sha224", 112],
  ["rsa", 128],
  ["sha384", 192],
  ["pss", 128],
  ["pssSha1", 64],
  ["ecdsaSha1", 63],
  ["ecdsaSha224", 112],
  ["ecdsa", 128],
];
/** Bits that levels 0 to 3 ask for: above, the user's own signature with SHA-256 comes first. */
const levels = [0, 80, 112, 128];
/** The highest level at which OpenSSL does not say `error`. */
const highestLevel = (cas: readonly Made[], signed: Made, error: number): number => {
  const refusing = levels.findIndex((_, level) => verifyWithOpenssl({ cas, crls: [], user: signed, level }) === error);
  return (refusing < 0 ? levels.length : refusing) - 1;
};
const holder = (issuer: Made): Made =>
  makeCertificate({ subject: name(["CN", "User"]), issuer, key: ec("P-521"), extensions: [] });
const expectedLevel = (bits: number): number => levels.filter((needed) => bits >= needed).length - 1;
const strengthOf = (made: Made) => readCertificates(made.der).certificates[0]?.summary.strength;

describe("OpenSSL agrees on the strength of", function () {
  this.timeout(60_000);
  before(function () {
    if (!hasOpenssl()) this.skip();
  });

  for (const [what, bits, key, scheme] of keys)
    it(`a key: ${what}`, () => {
      const ca = makeCertificate({ subject: upper, scheme, ...(key && { key }) });
      assert.deepEqual(strengthOf(ca), { keyBits: bits });
      assert.equal(highestLevel([ca], holder(ca), 67), expectedLevel(bits));
    });

  for (const [scheme, bits] of signatures)
    it(`a signature: ${scheme}`, () => {
      const ca = makeCertificate({ subject: upper, scheme, key: scheme.startsWith("ecdsa") ? ec("P-521") : rsa(2048) });
      const below = makeCertificate({ subject: lower, issuer: ca, scheme: "ecdsa", key: ec("P-521") });
      assert.equal(strengthOf(below)?.signatureBits, bits);
      assert.equal(highestLevel([below, ca], holder(below), 68), expectedLevel(bits));
    });
});
