import assert from "node:assert/strict";
import { checkBundle, makeBundle } from "../../core/pki/bundle.ts";
import { type Certificate, readCertificates } from "../../core/pki/certificate.ts";
import {
  type Made,
  type NamePart,
  caConstraints,
  days,
  der,
  extension,
  keyUsage,
  makeAuthorities,
  makeCertificate,
  makeCrl,
  makeKey,
  name,
  oid,
  seq,
  sha256,
  testNow,
  toPem,
} from "../fixtures/pki.ts";

const { root, issuing } = makeAuthorities();
const text = (bytes: Buffer | string): string => {
  const read = readCertificates(Buffer.from(bytes));
  assert.equal(read.certificates.length, 0, "nothing may be read from it");
  return read.diagnostics.map((finding) => finding.text).join("\n");
};
const load = (...made: readonly Made[]): readonly Certificate[] => {
  const read = readCertificates(Buffer.from(made.map(({ pem }) => pem).join("")));
  assert.deepEqual(read.diagnostics, []);
  return read.certificates;
};
const check = (made: readonly Made[], installed: readonly string[] = []): string[] =>
  checkBundle(load(...made), { now: testNow, installed }).map(({ severity, text: found }) => `${severity}: ${found}`);

describe("reading certificates", () => {
  it("reads several PEM blocks with text between them, CRLF and no final line end", () => {
    const file = `Issuing CA\r\n${issuing.pem.replace(/\n/g, "\r\n")}subject=x\r\n${root.pem.trimEnd()}`;
    const { certificates, diagnostics } = readCertificates(Buffer.from(file));
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(
      certificates.map(({ summary }) => summary.subject),
      ["CN=Harbour Issuing CA,O=Harbour,C=JP", "CN=Harbour Root CA,O=Harbour,C=JP"],
    );
  });

  it("reads DER and gives fingerprint, issuer and dates", () => {
    const [certificate] = readCertificates(issuing.der).certificates;
    assert.deepEqual(certificate?.summary, {
      fingerprint: sha256(issuing.der),
      subject: "CN=Harbour Issuing CA,O=Harbour,C=JP",
      issuer: "CN=Harbour Root CA,O=Harbour,C=JP",
      notBefore: "2026-08-15T03:00:00Z",
      notAfter: "2036-11-20T03:00:00Z",
      strength: { keyBits: 128, signatureBits: 128 },
    });
  });

  it("reads dates after 2049, which have another type", () => {
    const far = makeCertificate({ subject: name(["CN", "Far"]), notAfter: new Date("2126-01-02T03:04:05Z") });
    assert.equal(load(far)[0]?.summary.notAfter, "2126-01-02T03:04:05Z");
  });

  it("drops OpenSSL's trust settings from a TRUSTED CERTIFICATE", () => {
    const trusted = toPem("TRUSTED CERTIFICATE", Buffer.concat([root.der, seq(seq(oid("1.3.6.1.5.5.7.3.2")))]));
    const { certificates, diagnostics } = readCertificates(Buffer.from(trusted));
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(
      certificates.map(({ der: bytes }) => bytes),
      [root.der],
    );
  });

  it("warns of a byte order mark and reads on", () => {
    const { certificates, diagnostics } = readCertificates(Buffer.from(`\ufeff${root.pem}`));
    assert.equal(certificates.length, 1);
    assert.deepEqual(
      diagnostics.map(({ severity }) => severity),
      ["warning"],
    );
    assert.match(diagnostics[0]?.text ?? "", /byte order mark/);
  });

  const key = makeKey("ecdsa");
  const keyPem = key.export({ type: "pkcs8", format: "pem" });
  const wrongFiles: readonly (readonly [string, Buffer | string, RegExp])[] = [
    ["an empty file", "", /^is empty/],
    ["blanks only", " \r\n\n", /^is empty/],
    ["a PEM private key", keyPem, /^line 1: the block is a private key/],
    ["a DER private key", key.export({ type: "pkcs8", format: "der" }), /^is a private key/],
    [
      "an encrypted PEM key",
      key.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }),
      /is a private key/,
    ],
    [
      "an encrypted DER key",
      key.export({ type: "pkcs8", format: "der", cipher: "aes-256-cbc", passphrase: "x" }),
      /is a private key/,
    ],
    ["a SEC1 key", key.export({ type: "sec1", format: "der" }), /is a private key/],
    [
      "an OpenSSH key",
      "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
      /is a private key/,
    ],
    ["PKCS#12", seq(der(2, Buffer.from([3])), seq(oid("1.2.840.113549.1.7.1"))), /PKCS#12/],
    ["PKCS#7", seq(oid("1.2.840.113549.1.7.2"), der(0xa0)), /PKCS#7/],
    ["PKCS#7 in PEM", toPem("PKCS7", seq(oid("1.2.840.113549.1.7.2"), der(0xa0))), /PKCS#7/],
    ["a CRL", makeCrl(root), /^is a certificate revocation list.*crlFiles/],
    [
      "a request",
      seq(seq(der(2, Buffer.from([0])), name(["CN", "x"]), seq(), der(0xa0)), seq(), der(3)),
      /signing request/,
    ],
    [
      "a CRL labelled as certificate",
      toPem("CERTIFICATE", makeCrl(root)),
      /^line 1: the block is a certificate revocation list/,
    ],
    ["a web page", "\n<!DOCTYPE html><html>login</html>", /web page/],
    ["UTF-16", Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(root.pem, "utf16le")]), /UTF-16/],
    ["UTF-16 without a mark", Buffer.from(root.pem, "utf16le"), /UTF-16/],
    ["gzip", Buffer.from([0x1f, 0x8b, 8, 0]), /gzip/],
    ["a ZIP archive", "PK\u0003\u0004", /ZIP/],
    ["typographic dashes", root.pem.replace(/-----/g, "—"), /ASCII hyphens/],
    ["base64 without its lines", root.pem.replace(/-----.*-----\n/g, ""), /BEGIN and END lines/],
    ["a block without its end", root.pem.slice(0, 200), /^line 1: the block CERTIFICATE is never closed/],
    ["a block cut inside", root.pem.replace(/\n.*\n(?=-----END)/, "\n"), /damaged or truncated/],
    ["characters that are no base64", root.pem.replace("\nMII", "\n“MI"), /no base64/],
    ["truncated DER", root.der.subarray(0, -1), /truncated/],
    ["DER with bytes after it", Buffer.concat([root.der, Buffer.from("x")]), /bytes after its end/],
    ["plain text", "hello", /neither PEM nor DER/],
  ];
  for (const [what, bytes, expected] of wrongFiles)
    it(`says what ${what} is`, () => assert.match(text(bytes), expected));

  it("never repeats anything of a private key", () => {
    const body = String(keyPem).split("\n")[1] ?? "";
    assert.ok(body.length > 40 && !text(keyPem).includes(body.slice(0, 12)));
  });
});

describe("names", () => {
  const subject = (...parts: readonly NamePart[]): string | undefined =>
    load(makeCertificate({ subject: name(...parts) }))[0]?.summary.subject;
  const t61 = (bytes: readonly number[]): Buffer => der(0x14, Buffer.from(bytes));
  it("escapes what RFC 2253 escapes", () => {
    assert.equal(subject(["O", ' A,B+"C"\\<D>;# ']), String.raw`O=\ A\,B\+\"C\"\\\<D\>\;#\ `);
    assert.equal(subject(["O", "#1"]), String.raw`O=\#1`);
  });
  it("escapes control characters and those that turn the direction of writing", () => {
    assert.equal(subject(["CN", "a\u001b[31m\n\u202eb"]), String.raw`CN=a\1B[31m\0A\E2\80\AEb`);
  });
  it("shows Japanese in UTF-8, Shift_JIS, EUC-JP, ISO-2022-JP and BMPString", () => {
    const expected = "O=日本商事";
    assert.equal(subject(["O", "日本商事"]), expected);
    assert.equal(subject(["O", t61([0x93, 0xfa, 0x96, 0x7b, 0x8f, 0xa4, 0x8e, 0x96])]), expected);
    assert.equal(subject(["O", t61([0xc6, 0xfc, 0xcb, 0xdc, 0xbe, 0xa6, 0xbb, 0xf6])]), expected);
    assert.equal(
      subject(["O", t61([0x1b, 0x24, 0x42, 0x46, 0x7c, 0x4b, 0x5c, 0x3e, 0x26, 0x3b, 0x76, 0x1b, 0x28, 0x42])]),
      expected,
    );
    assert.equal(subject(["O", der(0x1e, Buffer.from("日本商事", "utf16le").swap16())]), expected);
  });
  it("shows an unknown attribute by its number and bytes, as OpenSSL does", () => {
    assert.equal(subject(["1.2.3.4", "ab"]), "1.2.3.4=#0C026162");
  });
});

describe("checking a bundle", function () {
  this.timeout(20_000); // RSA keys take their time to make on a busy machine.
  it("is content with an issuing CA and its root, in any order", () => {
    assert.deepEqual(check([issuing, root]), []);
    assert.deepEqual(check([root, issuing]), []);
  });

  it("gives the same bytes for any order and repetition", () => {
    const bundle = makeBundle(load(issuing, root));
    assert.deepEqual(makeBundle(load(root, issuing, root)), bundle);
    assert.equal(bundle.sha256, sha256(Buffer.from(bundle.pem)));
    assert.deepEqual(
      new Set(readCertificates(Buffer.from(bundle.pem)).certificates.map(({ der: bytes }) => sha256(bytes))),
      new Set([sha256(root.der), sha256(issuing.der)]),
    );
  });

  it("warns of a repetition", () => {
    assert.match(
      check([issuing, root, root]).join(),
      /^warning: "CN=Harbour Root CA,O=Harbour,C=JP" is listed more than once/,
    );
  });

  it("refuses an issuing CA without its root, which OpenSSL would not accept, and says so once", () => {
    const lower = makeCertificate({ subject: name(["CN", "Lower"]), issuer: issuing });
    const found = check([lower, issuing]);
    assert.equal(found.length, 1);
    assert.match(
      found.join(),
      /^problem: "CN=Harbour Issuing CA.* was issued by "CN=Harbour Root CA,O=Harbour,C=JP", which is not listed/,
    );
  });

  it("refuses a root of the same name with another key", () => {
    assert.match(
      check([issuing, makeAuthorities().root]).join(),
      /was issued by "CN=Harbour Root CA,O=Harbour,C=JP", which is not listed/,
    );
  });

  it("takes a chain of four CAs and refuses one of five", () => {
    const chain = [root];
    for (let depth = 2; depth <= 5; depth++)
      chain.unshift(makeCertificate({ subject: name(["CN", `CA ${depth}`]), issuer: chain[0] }));
    assert.deepEqual(check(chain.slice(1)), []);
    assert.match(
      check(chain).join(),
      /^problem: "CN=CA 5" stands 5 CAs deep, and SSLVerifyDepth allows 4; write verifyDepth: 5 under clientAuth$/,
    );
    assert.deepEqual(checkBundle(load(...chain), { now: testNow, verifyDepth: 5 }), []);
  });

  it("takes the shorter way of a cross-signed CA, and ends where CAs sign each other", () => {
    const old = makeCertificate({ subject: name(["CN", "Old root"]) });
    const crossed = makeCertificate({ subject: root.subject, key: root.key, issuer: old });
    assert.deepEqual(check([issuing, root, crossed, old]), []);
    const a = makeCertificate({ subject: name(["CN", "A"]) });
    const b = makeCertificate({ subject: name(["CN", "B"]), issuer: a });
    const looped = makeCertificate({ subject: a.subject, key: a.key, issuer: b });
    assert.match(check([looped, b]).join(), /which is not listed/);
  });

  it("refuses what is no CA and what may not sign or serve clients", () => {
    const user = makeCertificate({ subject: name(["CN", "User"]), issuer: issuing, extensions: [] });
    assert.match(check([user, issuing, root]).join(), /^problem: "CN=User" is no CA certificate/);
    const signer = makeCertificate({
      subject: name(["CN", "CRL signer"]),
      issuer: root,
      extensions: [caConstraints, keyUsage(0x02)],
    });
    assert.match(check([signer, root]).join(), /may not sign certificates/);
    const servers = makeCertificate({
      subject: name(["CN", "Servers"]),
      issuer: root,
      extensions: [caConstraints, keyUsage(0x06), extension("2.5.29.37", seq(oid("1.3.6.1.5.5.7.3.1")))],
    });
    assert.match(check([servers, root]).join(), /not allowed to issue client certificates/);
  });

  it("refuses expired and future CAs, and only warns where the host has them already", () => {
    const expired = makeCertificate({ subject: name(["CN", "Expired"]), notAfter: days(-1) });
    const future = makeCertificate({ subject: name(["CN", "Future"]), notBefore: days(1) });
    assert.match(check([expired]).join(), /^problem: "CN=Expired" expired on 2026-11-22T03:00:00Z/);
    assert.match(check([future]).join(), /^problem: "CN=Future" is not valid before 2026-11-24T03:00:00Z/);
    assert.match(check([expired], [sha256(expired.der)]).join(), /^warning: "CN=Expired" expired/);
  });

  it("warns of short keys and SHA-1, but not of a root's own signature", () => {
    const shortKey = makeCertificate({ subject: name(["CN", "Short"]), scheme: "rsa", key: makeKey("rsa", 1024) });
    assert.match(check([shortKey]).join(), /^warning: "CN=Short" has an RSA key of 1024 bits/);
    const oldRoot = makeCertificate({ subject: name(["CN", "SHA-1 root"]), scheme: "sha1" });
    const lower = makeCertificate({ subject: name(["CN", "SHA-1 lower"]), issuer: oldRoot });
    assert.deepEqual(check([oldRoot]), []);
    assert.match(check([lower, oldRoot]).join(), /^warning: "CN=SHA-1 lower" has a SHA-1 signature/);
  });

  it("refuses an empty bundle", () => {
    assert.match(checkBundle([], { now: testNow })[0]?.text ?? "", /^there is no CA certificate/);
  });
});
