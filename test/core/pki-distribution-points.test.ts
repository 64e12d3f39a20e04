import assert from "node:assert/strict";
import { readCertificates } from "../../core/pki/certificate.ts";
import { findCrlUrls, proposeCrlUrls } from "../../core/pki/distribution-points.ts";
import { crlPoints, der, extension, makeAuthorities, makeCertificate, name, seq, uri } from "../fixtures/pki.ts";

const { root, issuing } = makeAuthorities();
const issuer = "CN=Harbour Issuing CA,O=Harbour,C=JP";

const load = (...extensions: readonly Buffer[]) => {
  const user = makeCertificate({ subject: name(["CN", "tanaka"]), issuer: issuing, extensions });
  const { certificates, diagnostics } = readCertificates(user.der);
  assert.deepEqual(diagnostics, []);
  return certificates;
};
const propose = (...extensions: readonly Buffer[]) => proposeCrlUrls(load(...extensions));

describe("the CRL addresses that certificates name", () => {
  it("are none where a certificate names none", () => {
    assert.deepEqual(propose(), []);
  });

  it("are proposed once each, http before https before ldap, else in their order", () => {
    const points = crlPoints(
      ["ldap://dir.example/cn=ca?certificateRevocationList", "https://b.example/a.crl", "http://b.example/a.crl"],
      ["http://a.example/a.crl", "http://b.example/a.crl"],
    );
    assert.deepEqual(propose(points), [
      {
        issuer,
        urls: [
          "http://b.example/a.crl",
          "http://a.example/a.crl",
          "https://b.example/a.crl",
          "ldap://dir.example/cn=ca?certificateRevocationList",
        ],
      },
    ]);
  });

  it("belong to the CA that issued the certificate: that of an issuing CA names its root's list", () => {
    const ca = makeCertificate({
      subject: name(["CN", "Issuing"]),
      issuer: root,
      extensions: [crlPoints(["http://c.example/root.crl"])],
    });
    const certificates = [...load(crlPoints(["http://c.example/u.crl"])), ...readCertificates(ca.der).certificates];
    assert.deepEqual(proposeCrlUrls([...certificates, ...load(crlPoints(["http://c.example/u2.crl"]))]), [
      { issuer, urls: ["http://c.example/u.crl", "http://c.example/u2.crl"] },
      { issuer: "CN=Harbour Root CA,O=Harbour,C=JP", urls: ["http://c.example/root.crl"] },
    ]);
  });

  it("are shown but not proposed when no host could use them", () => {
    const unusable = ["ldap:///CN=CA,DC=example?x", "ftp://a.example/a.crl", "http://u:p@a.example/", "http://a b/"];
    assert.deepEqual(load(crlPoints(unusable)).flatMap(findCrlUrls), unusable);
    assert.deepEqual(propose(crlPoints(unusable)), []);
  });

  const url = uri("http://a.example/a.crl");
  const where = der(0xa0, der(0xa0, url));
  const ofNoUse: readonly (readonly [string, Buffer])[] = [
    ["for no reason at all", seq(seq(where, der(0x81, Buffer.from([0]))))],
    ["for some reasons only", seq(seq(where, der(0x81, Buffer.from([1, 0x40]))))],
    ["another CA signs", seq(seq(where, der(0xa2, der(0xa4, root.subject))))],
    ["with a name instead of an address", seq(seq(der(0xa0, der(0xa0, der(0xa4, root.subject)))))],
    ["with a control character", seq(seq(der(0xa0, der(0xa0, uri("http://a.example/\u001b[2J")))))],
    ["beyond ASCII", seq(seq(der(0xa0, der(0xa0, uri("http://\u00e9.example/")))))],
    ["not even a list", der(0x0c, url)],
    ["cut off", seq(seq(where)).subarray(0, -3)],
    ["with lying lengths", seq(seq(Buffer.from([0xa0, 0x84, 0xff, 0xff, 0xff, 0xff])))],
    ["of indefinite length", Buffer.from([0x30, 0x80, 0, 0])],
    ["empty", Buffer.alloc(0)],
  ];
  for (const [what, value] of ofNoUse)
    it(`are none when ${what}`, () => assert.deepEqual(load(extension("2.5.29.31", value)).flatMap(findCrlUrls), []));

  const ofUse: readonly (readonly [string, Buffer])[] = [
    ["for every reason, one by one", seq(seq(where, der(0x81, Buffer.from([7, 0x7f, 0x80]))))],
    ["the CA is named that issued the certificate", seq(seq(where, der(0xa2, der(0xa4, issuing.subject))))],
  ];
  for (const [what, value] of ofUse)
    it(`are there when ${what}`, () =>
      assert.deepEqual(load(extension("2.5.29.31", value)).flatMap(findCrlUrls), ["http://a.example/a.crl"]));
});
