import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { checkBundle } from "../../core/pki/bundle.ts";
import { readCertificates } from "../../core/pki/certificate.ts";
import { checkCrls } from "../../core/pki/crl-check.ts";
import { readCrls } from "../../core/pki/crl.ts";
import { findRevocation } from "../../core/pki/crl-entries.ts";
import { proposeCrlUrls } from "../../core/pki/distribution-points.ts";
import {
  crlPoints,
  der,
  extension,
  integer,
  makeAuthorities,
  makeCrl,
  name,
  octets,
  pathLength,
  seq,
  testNow,
  authorityKey,
  subjectKey,
  toPem,
  makeCertificate,
} from "../fixtures/pki.ts";

const mutations = 100_000;

/** The same mutations in each run: a failure can be repeated. @see https://en.wikipedia.org/wiki/Xorshift */
function makeRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

type Mutation = (bytes: Buffer, random: (below: number) => number) => Buffer;

const someLengths = [0x00, 0x7f, 0x80, 0x81, 0x84, 0xff];
const kinds: readonly Mutation[] = [
  (bytes, random) =>
    Buffer.from(bytes)
      .fill(random(256), random(bytes.length))
      .subarray(0, bytes.length - random(9)),
  (bytes, random) => setByte(bytes, random(bytes.length), random(256)),
  (bytes, random) => setByte(bytes, random(bytes.length), someLengths[random(someLengths.length)] ?? 0),
  (bytes, random) => setByte(bytes, random(bytes.length), (bytes[random(bytes.length)] ?? 0) ^ (1 << random(8))),
  (bytes, random) => Buffer.concat([bytes.subarray(0, random(bytes.length)), bytes.subarray(random(bytes.length))]),
  (bytes, random) => bytes.subarray(0, random(bytes.length)),
  (bytes, random) => {
    const from = random(bytes.length);
    const copied = bytes.subarray(from, from + random(64));
    const at = random(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), copied, bytes.subarray(at)]);
  },
];

function setByte(bytes: Buffer, at: number, value: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = value;
  return changed;
}

/**
 * What is still in use once all else was collected. The process's own size would tell of the tests before this one,
 * too.
 */
function keptBytes(): number {
  setFlagsFromString("--expose-gc");
  // as: the flag is what makes this name exist.
  const collect = runInNewContext("gc") as () => void;
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe("hostile certificates and CRLs", function () {
  this.timeout(300_000);
  const root = makeAuthorities().root;
  const issuing = makeCertificate({
    subject: name(["C", "JP"], ["O", der(0x14, Buffer.from([0x93, 0xfa]))], ["CN", "Issuing"]),
    issuer: root,
    extensions: [pathLength(0n), subjectKey(root.key), authorityKey(root.key), crlPoints(["http://a.example/a.crl"])],
  });
  const [trusted] = readCertificates(root.der).certificates;
  assert.ok(trusted);
  const bundle = readCertificates(Buffer.from(issuing.pem + root.pem)).certificates;
  const crl = makeCrl(issuing, { revoked: [1n, 2n ** 127n, 3n], extensions: [authorityKey(issuing.key)] });

  /** Everything that we do with a file; it must answer, and may throw nothing. */
  const read = (bytes: Buffer, isChecked = true): void => {
    const { certificates, diagnostics } = readCertificates(bytes);
    assert.ok(certificates.length + diagnostics.length > 0);
    if (certificates.length > 0) proposeCrlUrls(certificates);
    if (certificates.length > 0 && isChecked) checkBundle([...certificates, trusted], { now: testNow });
    const { crls, diagnostics: others } = readCrls(bytes);
    assert.ok(crls.length + others.length > 0);
    for (const one of crls) findRevocation(one, "2");
    if (crls.length > 0 && isChecked) checkCrls(crls, bundle, { now: testNow, crlCheck: "leaf" });
  };
  // OpenSSL's part in a certificate takes ten times as long as a CRL.
  const pems = [Buffer.from(issuing.pem + root.pem), Buffer.from(toPem("X509 CRL", crl))];
  const samples = [issuing.der, ...pems, crl, crl, crl, crl, crl];

  it(`answer ${mutations} random mutations without a crash, none slowly, and keep no memory`, () => {
    const random = makeRandom(20261123);
    const keptBefore = keptBytes();
    let slowest = 0;
    let begun = process.cpuUsage();
    for (let round = 0; round < mutations; round++) {
      let bytes = samples[round % samples.length] ?? crl;
      for (let times = random(3); times >= 0; times--) {
        if (bytes.length > 0) bytes = kinds[random(kinds.length)]?.(bytes, random) ?? bytes;
      }
      // Signatures of one in twenty: they take most of the time, and see none of the bytes that we parse.
      read(bytes, random(20) === 0);
      if (round % 50 > 0) continue;
      const used = process.cpuUsage(begun);
      begun = process.cpuUsage();
      slowest = Math.max(slowest, used.user + used.system);
    }
    assert.ok(slowest < 1_000_000, `${slowest} µs of CPU`);
    const kept = keptBytes() - keptBefore;
    assert.ok(kept < 16 * 1024 ** 2, `${kept} bytes are kept`);
  });

  it("may lie about every length of a CRL, and have integers and identifiers of a megabyte", () => {
    for (let at = 1; at < crl.length; at++) {
      for (const length of [0x00, 0x80, 0x84, 0xff]) read(setByte(crl, at, length), false);
    }
    const huge = der(0x02, Buffer.alloc(1_000_000, 0x7f));
    const refused: readonly (readonly [Buffer, RegExp])[] = [
      [makeCrl(issuing, { entries: [seq(huge)] }), /serial number of an entry is malformed/],
      [makeCrl(issuing, { extensions: [extension("2.5.29.20", huge)] }), /an integer is malformed/],
      [
        makeCrl(
          { ...issuing, subject: name(["CN", der(0x02)]), key: issuing.key },
          { entries: [Buffer.from([0x30, 0x80, 0, 0])] },
        ),
        /indefinite length/,
      ],
    ];
    for (const [bytes, words] of refused) assert.match(readCrls(bytes).diagnostics[0]?.text ?? "", words);
    for (const extensions of [
      [extension("2.5.29.19", seq(der(1, Buffer.from([255])), huge))],
      [extension("2.5.29.31", seq(seq(der(0xa0, der(0xa0, der(0x86, Buffer.alloc(1_000_000, 0x61)))))))],
      [seq(der(0x06, Buffer.alloc(1_000_000, 0x81)), octets(seq()))],
    ]) {
      read(makeCertificate({ subject: name(["CN", "x"]), issuer: root, extensions }).der);
    }
  });

  it("are refused when they are cut off at any byte", () => {
    for (const bytes of [issuing.der, root.der]) {
      for (let length = 0; length < bytes.length; length++)
        assert.equal(readCertificates(bytes.subarray(0, length)).certificates.length, 0, String(length));
    }
    const pem = Buffer.from(root.pem);
    for (let length = 0; length < pem.length - 2; length++)
      assert.equal(readCertificates(pem.subarray(0, length)).certificates.length, 0, String(length));
  });

  it("may nest deep in every place of a certificate, and lie about every length", () => {
    let nested: Buffer = seq();
    for (let depth = 0; depth < 3000; depth++) nested = seq(nested);
    read(nested);
    read(makeCertificate({ subject: nested }).der);
    read(makeCertificate({ subject: name(["O", nested]), extensions: [nested] }).der);
    for (let at = 1; at < issuing.der.length; at++) {
      for (const length of [0x00, 0x80, 0x84]) read(setByte(issuing.der, at, length));
    }
  });

  it("of many MB take a moment: empty lines, dashes, entries of one byte, blocks without an end", () => {
    const size = 8_000_000;
    const files = [
      Buffer.concat([Buffer.alloc(size, "\n"), Buffer.from(root.pem)]),
      Buffer.alloc(size, "-----BEGIN "),
      Buffer.alloc(size, "-----BEGIN CERTIFICATE-----\n"),
      Buffer.concat([
        Buffer.from("-----BEGIN X509 CRL-----\n"),
        Buffer.alloc(size, "AAA\n"),
        Buffer.from("-----END X509 CRL-----\n"),
      ]),
      seq(
        seq(seq(...Array.from({ length: 10 }, () => integer(1n))), Buffer.alloc(size, 0x30)),
        seq(),
        der(3, Buffer.alloc(9)),
      ),
      Buffer.alloc(size, 0x30),
    ];
    for (const [index, bytes] of files.entries()) {
      const { user, system } = process.cpuUsage();
      read(bytes);
      const used = process.cpuUsage({ user, system });
      assert.ok(used.user + used.system < 2_000_000, `file ${index}: ${used.user + used.system} µs of CPU`);
    }
  });
});
