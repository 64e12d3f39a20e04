import assert from "node:assert/strict";
import type { KeyObject } from "node:crypto";
import { readCertificates } from "../../core/pki/certificate.ts";
import { type CrlOptions, checkCrls } from "../../core/pki/crl-check.ts";
import { verifyCrl } from "../../core/pki/crl-signature.ts";
import { type Crl, encodeCrls, readCrls } from "../../core/pki/crl.ts";
import { findRevocation } from "../../core/pki/crl-entries.ts";
import {
  type Scheme,
  caConstraints,
  days,
  der,
  extension,
  integer,
  keyUsage,
  makeAuthorities,
  makeCertificate,
  makeCrl,
  makeKey,
  name,
  seq,
  sha256,
  testNow,
  toPem,
  uri,
  utf8,
} from "../fixtures/pki.ts";

const { root, issuing } = makeAuthorities();
const bundle = readCertificates(Buffer.from(issuing.pem + root.pem)).certificates;
const load = (...crls: readonly Buffer[]): Crl[] =>
  crls.flatMap((bytes) => {
    const read = readCrls(bytes);
    assert.deepEqual(read.diagnostics, []);
    return [...read.crls];
  });
const one = (bytes: Buffer): Crl => {
  const [crl] = load(bytes);
  assert.ok(crl);
  return crl;
};
const check = (crls: readonly Crl[], options: Partial<CrlOptions> = {}, certificates = bundle): string[] =>
  checkCrls(crls, certificates, { now: testNow, crlCheck: "leaf", ...options }).diagnostics.map(
    ({ severity, text }) => `${severity}: ${text}`,
  );

/** The same key each time. */
function once(make: () => KeyObject): () => KeyObject {
  let made: KeyObject | undefined;
  return () => (made ??= make());
}

describe("reading CRLs", () => {
  const bytes = makeCrl(issuing, { revoked: [5n, 0x80n, 2n ** 159n], number: 258n });

  it("reads issuer, dates, number and the count of entries", () => {
    assert.deepEqual(one(bytes).summary, {
      sha256: sha256(bytes),
      issuer: "CN=Harbour Issuing CA,O=Harbour,C=JP",
      thisUpdate: "2026-11-22T03:00:00Z",
      nextUpdate: "2026-12-23T03:00:00Z",
      number: "258",
      entries: 3,
    });
  });

  it("finds the revoked serial numbers and no others", () => {
    const crl = one(bytes);
    for (const serial of ["5", "05", "80", (2n ** 159n).toString(16)]) assert.ok(findRevocation(crl, serial), serial);
    for (const serial of ["0", "6", "8", "ff80"]) assert.equal(findRevocation(crl, serial), undefined, serial);
    assert.deepEqual(findRevocation(crl, "5"), { date: "2026-11-22T03:00:00Z" });
    assert.equal(findRevocation(one(makeCrl(issuing)), "5"), undefined);
    assert.ok(
      findRevocation(one(makeCrl(issuing, { revoked: [-1n] })), "-1"),
      "a negative one, as old issuers wrote them",
    );
  });

  it("reads a CRL without nextUpdate and without entries", () => {
    const { summary } = one(makeCrl(issuing, { nextUpdate: null }));
    assert.equal(summary.nextUpdate, undefined);
    assert.equal(summary.entries, 0);
  });

  it("reads several PEM blocks and writes them anew, without the text between", () => {
    const file = `junk\r\n${toPem("X509 CRL", bytes)}more\n${toPem("X509 CRL", makeCrl(root))}`;
    const { crls, diagnostics } = readCrls(Buffer.from(file));
    assert.deepEqual(diagnostics, []);
    assert.equal(encodeCrls(crls), crls.map((crl) => toPem("X509 CRL", crl.der)).join(""));
    assert.deepEqual(crls[0]?.der, bytes);
  });

  it("takes a CRL in the armour of a certificate, as certutil -encode writes it, and installs it in its own", () => {
    const { crls, diagnostics } = readCrls(Buffer.from(toPem("CERTIFICATE", bytes).replaceAll("\n", "\r\n")));
    assert.deepEqual(diagnostics, []);
    assert.equal(encodeCrls(crls), toPem("X509 CRL", bytes));
  });

  it("refuses a certificate in a CRL file, which httpd would trust", () => {
    const { diagnostics } = readCrls(Buffer.from(toPem("X509 CRL", bytes) + root.pem));
    assert.match(
      diagnostics[0]?.text ?? "",
      /^line \d+: the block is a certificate, not a CRL; list CA certificates under caFiles/,
    );
  });
});

describe("a CRL's signature", function () {
  this.timeout(20_000); // RSA keys take their time to make on a busy machine.
  const keys = {
    ecdsa: () => makeKey("ecdsa"),
    ed25519: () => makeKey("ed25519"),
    rsa: once(() => makeKey("rsa")),
    otherRsa: once(() => makeKey("rsa")),
  };
  const pairs: readonly (readonly [Scheme, () => KeyObject, () => KeyObject])[] = [
    ["rsa", keys.rsa, keys.otherRsa],
    ["pss", keys.rsa, keys.otherRsa],
    ["sha1", keys.rsa, keys.otherRsa],
    ["ed25519", keys.ed25519, keys.ed25519],
    ["ecdsa", keys.ecdsa, keys.ecdsa],
  ];
  for (const [scheme, makeOwn, makeOther] of pairs) {
    it(`is accepted from its own CA only (${scheme})`, () => {
      const key = makeOwn();
      const crl = one(makeCrl({ key, scheme, subject: name(["CN", "x"]) }, { revoked: [1n] }));
      assert.equal(verifyCrl(crl, key), "good");
      assert.equal(verifyCrl(crl, makeOther()), "bad");
    });
  }

  it("is bad after any change of what is signed", () => {
    const bytes = makeCrl(issuing, { revoked: [5n] });
    const changed = Buffer.from(bytes);
    const at = bytes.indexOf(integer(5n));
    changed[at + 2] = 6;
    assert.equal(verifyCrl(one(bytes), issuing.key), "good");
    assert.equal(verifyCrl(one(changed), issuing.key), "bad");
  });

  it("is bad with a key of another kind and unknown with an algorithm that nobody knows", () => {
    assert.equal(verifyCrl(one(makeCrl(issuing)), keys.rsa()), "bad");
    const crl = one(makeCrl(issuing));
    const algorithm = seq(der(0x06, Buffer.from([0x2a, 3, 4])));
    assert.equal(
      verifyCrl({ ...crl, signed: { ...crl.signed, algorithm, innerAlgorithm: algorithm } }, issuing.key),
      "unknownAlgorithm",
    );
    assert.equal(verifyCrl({ ...crl, signed: { ...crl.signed, algorithm } }, issuing.key), "bad");
  });
});

describe("checking CRLs", () => {
  it("is content with the issuing CA's CRL, or with none", () => {
    assert.deepEqual(check(load(makeCrl(issuing))), []);
    assert.deepEqual(check([]), []);
  });

  it("refuses a CRL of an unlisted CA, and one that a listed CA did not sign", () => {
    assert.match(
      check(load(makeCrl(issuing), makeCrl({ ...issuing, subject: name(["CN", "Stranger"]) }))).join(),
      /^problem: the CRL of "CN=Stranger" comes from none of the CAs/,
    );
    assert.match(
      check(load(makeCrl(issuing, { key: makeKey("ecdsa") }))).join(),
      /^problem: the CRL of "CN=Harbour Issuing.* is not signed by the listed CA/,
    );
  });

  it("finds the CA although its name is written in other string types, case and blanks", () => {
    const subject = name(
      ["C", der(0x13, Buffer.from("JP"))],
      ["O", der(0x13, Buffer.from("HARBOUR  "))],
      ["CN", "harbour  issuing CA"],
    );
    assert.deepEqual(check(load(makeCrl({ ...issuing, subject }))), []);
  });

  it("refuses a CRL whose CA may not sign CRLs", () => {
    const ca = makeCertificate({ subject: name(["CN", "No CRLs"]), extensions: [caConstraints, keyUsage(0x04)] });
    const certificates = readCertificates(ca.der).certificates;
    assert.match(check(load(makeCrl(ca)), {}, certificates).join(), /keyUsage without cRLSign/);
  });

  const dated: readonly (readonly [string, Parameters<typeof makeCrl>[1], RegExp])[] = [
    ["from the future", { thisUpdate: days(1) }, /is from the future \(2026-11-24T03:00:00Z\)/],
    ["expired", { nextUpdate: days(-0.5) }, /expired on 2026-11-22T15:00:00Z/],
    ["that ends now", { nextUpdate: days(0) }, /expired on 2026-11-23T03:00:00Z/],
    ["that ends in under 7 days", { nextUpdate: days(6.9) }, /locks certificate holders out on 2026-11-30T00:36:00Z/],
  ];
  for (const [what, wishes, expected] of dated) {
    it(`refuses a CRL ${what}, and only warns where the host has it already`, () => {
      const crl = one(makeCrl(issuing, wishes));
      assert.match(check([crl]).join(), new RegExp(`^problem: .*${expected.source}`));
      assert.match(check([crl], { installed: [crl.summary] }).join(), new RegExp(`^warning: .*${expected.source}`));
    });
  }

  describe("that a source replaces on the host", () => {
    const first = (bytes: Buffer, options: Partial<CrlOptions> = {}) => {
      const crl = one(bytes);
      const { crls, diagnostics } = checkCrls([crl], bundle, {
        ...{ now: testNow, crlCheck: "leaf", firstLists: [crl.summary.sha256] },
        ...options,
      });
      return { taken: crls.length, told: diagnostics.map(({ severity, text }) => `${severity}: ${text}`).join() };
    };

    it("may end within 7 days", () => {
      assert.deepEqual(first(makeCrl(issuing, { nextUpdate: days(0.1) })), { taken: 1, told: "" });
    });

    it("is left out with a warning when it has expired", () => {
      const { taken, told } = first(makeCrl(issuing, { nextUpdate: days(0) }));
      assert.equal(taken, 0);
      assert.match(told, /^warning: .*expired on 2026-11-23T03:00:00Z and is left out/);
    });

    it("is refused like any other when it is forged or from the future", () => {
      assert.match(first(makeCrl(issuing, { key: makeKey("ecdsa") })).told, /^problem: .*is not signed by/);
      assert.match(first(makeCrl(issuing, { thisUpdate: days(1) })).told, /^problem: .*from the future/);
    });
  });

  it("asks for no CRL of a CA that a source may deliver", () => {
    assert.match(check([], { crlCheck: "chain" }).join(), /^problem: there is no CRL of/);
    assert.deepEqual(check([], { crlCheck: "chain", hasUnknownCrls: true }), []);
  });

  it("takes a CRL that is good for exactly 7 days, and warns of one that never ends", () => {
    assert.deepEqual(check(load(makeCrl(issuing, { nextUpdate: days(7) }))), []);
    assert.match(check(load(makeCrl(issuing, { nextUpdate: null }))).join(), /^warning: .*never expires/);
  });

  const flag = (number: number): Buffer => der(0x80 | number, Buffer.from([0xff]));
  const partition = (content: Buffer): Buffer => extension("2.5.29.28", seq(content), true);
  const extensions: readonly (readonly [string, Buffer, RegExp])[] = [
    ["a delta CRL", extension("2.5.29.27", integer(1n), true), /^problem: .*is a delta CRL/],
    [
      "an unknown critical extension",
      extension("1.2.3.4", utf8("x"), true),
      /^problem: .*critical extension 1\.2\.3\.4/,
    ],
    [
      "a number that is critical",
      extension("2.5.29.20", integer(7n), true),
      /^problem: .*critical extension 2\.5\.29\.20/,
    ],
    ["CAs only", partition(flag(2)), /^problem: .*not for user certificates/],
    ["attributes only", partition(flag(5)), /^problem: .*not for user certificates/],
    ["some reasons only", partition(der(0x83, Buffer.from([0, 0x40]))), /^problem: .*some reasons only/],
    ["an indirect CRL", partition(flag(4)), /^problem: .*other CAs' certificates/],
    ["a partition", partition(der(0xa0, der(0xa0, uri("http://a/1.crl")))), /^warning: .*one part of several/],
    [
      "a malformed partition",
      extension("2.5.29.28", Buffer.from([0x30, 0x05]), true),
      /^problem: .*malformed issuingDistributionPoint/,
    ],
    ["user certificates only", partition(flag(1)), /^$/],
    ["an unknown extension that is not critical", extension("1.2.3.4", utf8("x")), /^$/],
  ];
  for (const [what, value, expected] of extensions) {
    it(`knows ${what}`, () => assert.match(check(load(makeCrl(issuing, { extensions: [value] }))).join(), expected));
  }

  it("wants the CRL of each CA that issues to users, and with chain of every CA", () => {
    const rootOnly = load(makeCrl(root));
    assert.match(check(rootOnly).join(), /^problem: there is no CRL of "CN=Harbour Issuing CA,O=Harbour,C=JP"/);
    assert.match(
      check(load(makeCrl(issuing)), { crlCheck: "chain" }).join(),
      /^problem: there is no CRL of "CN=Harbour Root CA,O=Harbour,C=JP".*write crlCheck: leaf/,
    );
    assert.equal(check([], { crlCheck: "chain" }).length, 2);
    assert.deepEqual(check(load(makeCrl(issuing), makeCrl(root)), { crlCheck: "chain" }), []);
  });
});
