import assert from "node:assert/strict";
import fc from "fast-check";
import { readCertificates } from "../../core/pki/certificate.ts";
import { checkCrls } from "../../core/pki/crl-check.ts";
import { verifyCrl } from "../../core/pki/crl-signature.ts";
import { readCrls } from "../../core/pki/crl.ts";
import { findRevocation } from "../../core/pki/crl-entries.ts";
import { integer, makeAuthorities, makeCrl, seq, testNow, toPem } from "../fixtures/pki.ts";

const { root, issuing } = makeAuthorities();
const bundle = readCertificates(Buffer.from(issuing.pem + root.pem)).certificates;

describe("hostile CRLs", function () {
  this.timeout(30_000);
  const good = makeCrl(issuing, { revoked: [1n, 2n, 3n] });
  /** Must answer, with an error or a CRL, and quickly; anything thrown fails the test. */
  const read = (bytes: Buffer): void => {
    const { crls, diagnostics } = readCrls(bytes);
    assert.ok(crls.length + diagnostics.length > 0);
    for (const crl of crls) {
      verifyCrl(crl, issuing.key);
      checkCrls([crl], bundle, { now: testNow, crlCheck: "leaf" });
      findRevocation(crl, "2");
    }
  };

  it("are refused when they are cut off, at any byte", () => {
    for (let length = 0; length < good.length; length++)
      assert.equal(readCrls(good.subarray(0, length)).crls.length, 0, String(length));
    const pem = Buffer.from(toPem("X509 CRL", good));
    for (let length = 0; length < pem.length - 2; length++)
      assert.equal(readCrls(pem.subarray(0, length)).crls.length, 0, String(length));
  });

  it("never crash the reader, whatever byte is changed", () => {
    const change = fc.record({ at: fc.nat(good.length - 1), to: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 5 }), (changes) => {
        const bytes = Buffer.from(good);
        for (const { at, to } of changes) bytes[at] = to;
        read(bytes);
      }),
      { numRuns: 500 },
    );
  });

  it("never crash the reader, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => read(Buffer.from(bytes))),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) =>
        read(Buffer.concat([Buffer.from([0x30, bytes.length]), bytes])),
      ),
      { numRuns: 300 },
    );
  });

  it("are bounded: lying lengths, deep nesting, no lengths at all", () => {
    for (const header of ["3084ffffffff", "3085ffffffffff", "3080", "30847fffffff3084", "1f8181", "30"])
      read(Buffer.from(header, "hex"));
    let nested: Buffer = seq();
    for (let depth = 0; depth < 3000; depth++) nested = seq(nested);
    read(nested);
    read(makeCrl({ ...issuing, subject: nested }));
    read(seq(...Array.from({ length: 20_000 }, () => integer(1n))));
  });

  it("take no longer than a second in a file of 100,000 blocks that never end", () => {
    const start = performance.now();
    read(Buffer.from("-----BEGIN X509 CRL-----\n".repeat(100_000)));
    assert.ok(performance.now() - start < 1000);
  });

  it("of 100,000 entries are read and verified in a fraction of a second", () => {
    const revoked = Array.from({ length: 100_000 }, (_, i) => 2n ** 120n + BigInt(i));
    const bytes = makeCrl(issuing, { revoked });
    const start = performance.now();
    const [crl] = readCrls(bytes).crls;
    assert.ok(crl);
    assert.equal(crl.summary.entries, 100_000);
    assert.equal(verifyCrl(crl, issuing.key), "good");
    const seconds = (performance.now() - start) / 1000;
    assert.ok(seconds < 1, `${seconds} s`);
  });
});
