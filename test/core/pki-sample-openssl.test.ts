import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { readCertificates } from "../../core/pki/certificate.ts";
import { readCrls } from "../../core/pki/crl.ts";
import { checkSample } from "../../core/pki/sample.ts";
import { hasOpenssl, verifyWithOpenssl } from "../fixtures/openssl-verify.ts";
import {
  type CertificateWishes,
  type Made,
  type NamePart,
  authorityIdentifier,
  caConstraints,
  crlPoints,
  der,
  extension,
  integer,
  keyUsage,
  makeAuthorities,
  makeCertificate,
  makeCrl,
  makeKey,
  name,
  octets,
  oid,
  seq,
  uri,
  utf8,
  testNow,
} from "../fixtures/pki.ts";

const { root, issuing } = makeAuthorities();
const subject = name(["CN", "tanaka"]);
const user = (wishes: Partial<CertificateWishes> = {}): Made =>
  makeCertificate({ subject, issuer: issuing, serial: 7n, extensions: [], ...wishes });

interface Asked {
  readonly cas?: readonly Made[];
  readonly crls?: readonly Buffer[];
  readonly user: Made;
}

/** OpenSSL's error, 0 for none, and ours. */
function ask({ cas = [issuing, root], crls = [makeCrl(issuing)], user: made }: Asked): readonly [number, string] {
  const { certificates: bundle } = readCertificates(Buffer.from(cas.map(({ pem }) => pem).join("")));
  const options = { now: testNow, bundle, crls: crls.flatMap((bytes) => readCrls(bytes).crls) };
  const found = checkSample(readCertificates(made.der).certificates, options);
  const texts = found.map(({ severity, text }) => `${severity}: ${text}`).join("\n");
  return [verifyWithOpenssl({ cas, crls, user: made }), texts];
}

const bits = (id: string, ...bytes: readonly number[]): Buffer => extension(id, der(0x03, Buffer.from([0, ...bytes])));
const usage = (...bytes: readonly number[]): Buffer => bits("2.5.29.15", ...bytes);
const netscape = (byte: number): Buffer => bits("2.16.840.1.113730.1.1", byte);
const purposes = (...oids: readonly string[]): Buffer => extension("2.5.29.37", seq(...oids.map(oid)));
const point = (...parts: readonly Buffer[]): Buffer =>
  seq(der(0xa0, der(0xa0, uri("http://crl.example/1.crl"))), ...parts);
const points = (...all: readonly Buffer[]): Buffer => extension("2.5.29.31", seq(...all));
const reasons = (...bytes: readonly number[]): Buffer => der(0x81, Buffer.from(bytes));
const issuerOf = (ca: Buffer): Buffer => der(0xa2, der(0xa4, ca));

describe("a sample certificate is refused for what OpenSSL refuses in it", function () {
  this.timeout(60_000);
  before(function () {
    if (!hasOpenssl()) this.skip();
  });

  const byExtension: readonly (readonly [string, readonly Buffer[], number, RegExp])[] = [
    ["a key usage of digitalSignature", [usage(0x80)], 0, /^$/],
    ["a key usage of keyAgreement", [usage(0x08)], 0, /^$/],
    ["a key usage of keyEncipherment", [usage(0x20)], 26, /^problem: .*keyUsage with neither digitalSignature nor/],
    ["a key usage of nonRepudiation", [usage(0x40)], 26, /^problem: .*keyUsage with neither/],
    ["a key usage of nothing", [usage(0)], 20, /^problem: .*keyUsage with neither/],
    ["Netscape's type of a client", [netscape(0x80)], 0, /^$/],
    ["Netscape's type of a server", [netscape(0x40)], 26, /^problem: .*nsCertType without client/],
    ["any purpose", [purposes("2.5.29.37.0")], 26, /^problem: .*without clientAuth/],
    ["a smart card's purpose alone", [purposes("1.3.6.1.4.1.311.20.2.2")], 26, /^problem: .*without clientAuth/],
    [
      "a critical extension that nobody knows",
      [extension("1.2.3.4", utf8("x"), true)],
      34,
      /^problem: .*extension 1\.2\.3\.4/,
    ],
    [
      "a critical subject key",
      [extension("2.5.29.14", octets(Buffer.from([1])), true)],
      34,
      /^problem: .*2\.5\.29\.14/,
    ],
    ["critical policies", [extension("2.5.29.32", seq(seq(oid("1.2.3"))), true)], 0, /^$/],
    ["an extension twice", [usage(0x80), usage(0x80)], 20, /^problem: .*stands in it twice/],
    ["malformed distribution points", [extension("2.5.29.31", Buffer.from([0x30, 5]))], 20, /^problem: .*malformed/],
    ["a distribution point for some reasons", [points(point(reasons(0, 0x40)))], 3, /^problem: .*some reasons only/],
    ["one that lists all reasons", [points(point(reasons(7, 0x7f, 0x80)))], 0, /^$/],
    [
      "one for some reasons before one for all",
      [points(point(reasons(0, 0x40)), point())],
      3,
      /^problem: .*some reasons/,
    ],
    ["one for some reasons after one for all", [points(point(), point(reasons(0, 0x40)))], 0, /^$/],
    ["one for some reasons of another CA", [points(point(reasons(0, 0x40), issuerOf(subject)), point())], 0, /^$/],
    [
      "one for some reasons of its own CA",
      [points(point(reasons(0, 0x40), issuerOf(issuing.subject)))],
      3,
      /^problem: /,
    ],
  ];
  for (const [what, extensions, error, words] of byExtension)
    it(`has ${what}`, () => {
      const [answer, texts] = ask({ user: user({ extensions }) });
      assert.equal(answer, error);
      assert.match(texts, words);
    });

  it("has explicit parameters of its elliptic curve", () => {
    const args = ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-param_enc", "explicit"];
    const [answer, texts] = ask({ user: user({ key: createPrivateKey(execFileSync("openssl", args)) }) });
    assert.equal(answer, 94);
    assert.match(texts, /^problem: .*explicit parameters/);
  });

  it("names another certificate of its CA than the listed one", () => {
    const extensions = [authorityIdentifier({ serial: 99n, issuer: [root.subject] })];
    const [answer, texts] = ask({ user: user({ extensions }) });
    assert.equal(answer, 20);
    assert.match(texts, /^problem: .*names another certificate of "CN=Harbour Issuing CA.*authorityKeyIdentifier/);
  });

  it("is for another part of its CA's CRL", () => {
    const at = (url: string): Buffer => extension("2.5.29.28", seq(der(0xa0, der(0xa0, uri(url)))), true);
    const crls = [makeCrl(issuing, { extensions: [at("http://crl.example/1.crl")], revoked: [7n] })];
    const [answer, texts] = ask({ crls, user: user({ extensions: [crlPoints(["http://crl.example/2.crl"])] }) });
    assert.equal(answer, 44);
    assert.match(texts, /^problem: .*names none of the addresses.* such as http:\/\/crl\.example\/1\.crl/);
    const named = ask({ crls, user: user({ extensions: [crlPoints(["http://crl.example/1.crl"])] }) });
    assert.equal(named[0], 23);
    assert.match(named[1], /^warning: .*is revoked since/);
  });

  it("has a weak key: that is only warned of", () => {
    const [answer, texts] = ask({ user: user({ key: makeKey("rsa", 1024) }) });
    assert.equal(answer, 0);
    assert.match(texts, /^warning: .*RSA key of 1024 bits/);
  });
});

const dns = (text: string): Buffer => der(0x82, Buffer.from(text));
const mail = (text: string): Buffer => der(0x81, Buffer.from(text));
const directory = (...parts: readonly NamePart[]): Buffer => der(0xa4, name(...parts));
const upn = (text: string): Buffer => der(0xa0, oid("1.3.6.1.4.1.311.20.2.3"), der(0xa0, utf8(text)));
const registered = der(0x88, Buffer.from([0x2a, 3]));
const alternative = (...names: readonly Buffer[]): Buffer => extension("2.5.29.17", seq(...names));
const constrained = (kind: "permit" | "exclude", ...bases: readonly Buffer[]): Buffer =>
  extension("2.5.29.30", seq(der(kind === "permit" ? 0xa0 : 0xa1, ...bases.map((base) => seq(base)))), true);
const mailAttribute: NamePart = ["1.2.840.113549.1.9.1", der(0x16, Buffer.from("a@z.example"))];

describe("name constraints allow a sample certificate what OpenSSL allows", function () {
  this.timeout(60_000);
  before(function () {
    if (!hasOpenssl()) this.skip();
  });
  const inExample = constrained("permit", dns("example.com"));
  const commonNames: Readonly<Record<string, number>> = {
    ...{ tanaka: 0, "a.tanaka": 47, "u.example.com": 0, "T. Tanaka": 0, "t@a.example": 0, "山.田": 0, "a_b.c": 47 },
    ...{ "a-b.c-d": 47, "a-.c": 0, "a.-c": 0, "a..c": 0, "a.c.": 0, "a.1": 47 },
  };
  type Case = readonly [what: string, constraints: Buffer, subject: Buffer, names: readonly Buffer[], error: number];
  const cases: readonly Case[] = [
    ...Object.entries(commonNames).map(([text, error]): Case => [
      `a common name ${text}`,
      inExample,
      name(["CN", text]),
      [],
      error,
    ]),
    ["a mail address beside a dotted name", inExample, name(["CN", "a.t"]), [mail("a@b.c")], 47],
    ["a DNS name beside a dotted name", inExample, name(["CN", "a.t"]), [dns("u.example.com")], 0],
    ["a DNS name elsewhere", inExample, subject, [dns("uexample.com")], 47],
    ["a DNS name of a part", constrained("permit", dns(".example.com")), subject, [dns("u.EXAMPLE.com")], 0],
    ["a UPN where DNS names are constrained", inExample, subject, [upn("t@x")], 0],
    ["a UPN where UPNs are permitted", constrained("permit", upn("x")), subject, [upn("t@x")], 51],
    ["a UPN where UPNs are excluded", constrained("exclude", upn("x")), subject, [upn("t@x")], 51],
    ["no UPN where UPNs are permitted", constrained("permit", upn("x")), subject, [mail("a@b.c")], 0],
    ["a mail address of the host", constrained("permit", mail("b.example")), subject, [mail("a@B.example")], 0],
    ["a mail address of a part of it", constrained("permit", mail("b.example")), subject, [mail("a@x.b.example")], 47],
    ["a mail address of the domain", constrained("permit", mail(".example")), subject, [mail("a@b.example")], 0],
    ["that mailbox", constrained("permit", mail("a@b.example")), subject, [mail("a@B.example")], 0],
    ["another mailbox", constrained("permit", mail("a@b.example")), subject, [mail("A@b.example")], 47],
    [
      "a mail address in its subject",
      constrained("permit", mail("b.example")),
      name(["CN", "t"], mailAttribute),
      [],
      47,
    ],
    [
      "a subject below the permitted",
      constrained("permit", directory(["C", "jp"])),
      name(["C", "JP"], ["CN", "t"]),
      [],
      0,
    ],
    ["a subject elsewhere", constrained("permit", directory(["C", "JP"])), name(["O", "x"], ["CN", "t"]), [], 47],
    ["an excluded subject", constrained("exclude", directory(["C", "JP"])), name(["C", "JP"], ["CN", "t"]), [], 48],
    ["no subject", constrained("permit", directory(["C", "JP"])), seq(), [mail("a@b.c")], 0],
    ["one of two permitted", constrained("permit", dns("a.example"), dns("b.example")), subject, [dns("b.example")], 0],
    ["a kind that nobody compares", constrained("permit", registered), subject, [registered], 51],
    [
      "a constraint with a minimum",
      extension("2.5.29.30", seq(der(0xa0, seq(dns("x"), der(0x80, integer(1n).subarray(2))))), true),
      subject,
      [dns("x")],
      49,
    ],
  ];
  for (const [what, constraints, of, names, error] of cases)
    it(what, () => {
      const ca = makeCertificate({
        subject: name(["CN", "Constrained"]),
        issuer: root,
        extensions: [caConstraints, keyUsage(0x06), constraints],
      });
      const extensions = names.length === 0 ? [] : [alternative(...names)];
      const made = makeCertificate({ subject: of, issuer: ca, serial: 7n, extensions });
      const [answer, texts] = ask({ cas: [ca, root], crls: [makeCrl(ca)], user: made });
      assert.equal(answer, error);
      assert.match(
        texts,
        error === 0 ? /^$/ : /^problem: .*the name constraints of "CN=Constrained" do not permit (its|one of) /,
      );
    });
});
