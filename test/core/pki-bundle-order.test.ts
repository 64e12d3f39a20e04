import assert from "node:assert/strict";
import { checkBundle, makeBundle } from "../../core/pki/bundle.ts";
import { type Certificate, readCertificates } from "../../core/pki/certificate.ts";
import { readCrls } from "../../core/pki/crl.ts";
import type { OrderOptions } from "../../core/pki/installed-order.ts";
import { hasOpenssl, verifyWithOpenssl } from "../fixtures/openssl-verify.ts";
import {
  type CertificateWishes,
  type Made,
  authorityIdentifier,
  caConstraints,
  days,
  keyUsage,
  makeCertificate,
  makeCrl,
  makeKey,
  name,
  pathLength,
  sha256,
  testNow,
} from "../fixtures/pki.ts";

const subjects = { old: name(["CN", "Old root"]), root: name(["CN", "Root"]), issuing: name(["CN", "Issuing"]) };
const [rootKey, issuingKey] = [makeKey("ecdsa"), makeKey("ecdsa")];
const make = (subject: keyof typeof subjects, wishes: Partial<CertificateWishes> = {}): Made =>
  makeCertificate({ subject: subjects[subject], ...wishes });
const rootWith = (wishes: Partial<CertificateWishes> = {}): Made => make("root", { key: rootKey, ...wishes });
const issuingWith = (issuer: Made, wishes: Partial<CertificateWishes> = {}): Made =>
  make("issuing", { key: issuingKey, issuer, ...wishes });

const old = make("old");
const expiredOld = make("old", { key: old.key, notAfter: days(-1) });
const root = rootWith({ serial: 1n });
const expiredRoot = rootWith({ serial: 2n, notAfter: days(-1) });
const futureRoot = rootWith({ serial: 3n, notBefore: days(1) });
const issuing = issuingWith(root);
const cross = (issuer: Made, wishes: Partial<CertificateWishes> = {}): Made => rootWith({ issuer, ...wishes });
const limited = (length: bigint): Partial<CertificateWishes> => ({ extensions: [pathLength(length), keyUsage(0x06)] });
const named = (serial: bigint): Partial<CertificateWishes> => ({
  extensions: [caConstraints, keyUsage(0x06), authorityIdentifier({ serial, issuer: [subjects.root] })],
});
const signsNoCrl = { extensions: [caConstraints, keyUsage(0x04)] };

interface Case {
  readonly what: string;
  readonly cas: readonly Made[];
  readonly verifyDepth?: number;
  readonly hasCrl?: boolean;
  /** Some order of the file that OpenSSL refuses. */
  readonly dependsOnOrder: boolean;
  /** In the installed order. @default true */
  readonly isAccepted?: boolean;
  readonly findings: readonly RegExp[];
}

const cases: readonly Case[] = [
  {
    what: "a cross-certificate below a root that has expired",
    cas: [issuing, root, cross(expiredOld), expiredOld],
    dependsOnOrder: true,
    findings: [/^warning: "CN=Old root" expired on .*goes another way up without it; remove it$/],
  },
  {
    what: "a cross-certificate below a root that is not listed",
    cas: [issuing, root, cross(old)],
    dependsOnOrder: true,
    findings: [/^warning: "CN=Root" is listed with a certificate by "CN=Old root", which is not listed.*remove it$/],
  },
  {
    what: "an expired cross-certificate",
    cas: [issuing, root, cross(old, { notAfter: days(-1) }), old],
    dependsOnOrder: false,
    findings: [/^warning: "CN=Root" expired on .*; remove it$/],
  },
  {
    what: "a renewed root beside the expired one",
    cas: [issuing, root, expiredRoot],
    dependsOnOrder: false,
    findings: [/^warning: "CN=Root" expired on .*; remove it$/],
  },
  {
    what: "a renewed root that is not valid yet",
    cas: [issuing, root, futureRoot],
    dependsOnOrder: false,
    findings: [/^warning: "CN=Root" is not valid before .*list both/],
  },
  {
    what: "two roots of one key, of which one allows fewer CAs",
    cas: [issuing, root, rootWith(limited(0n))],
    dependsOnOrder: true,
    findings: [],
  },
  {
    what: "two certificates of one CA, of which one may sign no CRL",
    cas: [issuing, issuingWith(root, signsNoCrl), root],
    hasCrl: true,
    dependsOnOrder: true,
    findings: [],
  },
  {
    what: "a CA that names the expired certificate of its root",
    cas: [issuingWith(root, named(2n)), root, expiredRoot],
    dependsOnOrder: false,
    isAccepted: false,
    findings: [
      /^problem: "CN=Root" expired/,
      /^problem: "CN=Issuing" names the certificate of "CN=Root" that is not valid now.*ask the issuer for a new certificate/,
    ],
  },
  {
    what: "a CA that names a certificate of its root that is not listed",
    cas: [issuingWith(root, named(9n)), root],
    dependsOnOrder: false,
    isAccepted: false,
    findings: [/^problem: "CN=Issuing" names another certificate of its CA "CN=Root" than the listed one/],
  },
  {
    what: "the same beside one that names the listed one",
    cas: [issuingWith(root, named(9n)), issuingWith(root, named(1n)), root],
    dependsOnOrder: true,
    findings: [/^warning: "CN=Issuing" names another certificate of its CA "CN=Root".*remove it$/],
  },
];

const read = (cas: readonly Made[]): readonly Certificate[] =>
  readCertificates(Buffer.from(cas.map(({ pem }) => pem).join(""))).certificates;
const orders = <T>(all: readonly T[]): T[][] =>
  all.length < 2
    ? [[...all]]
    : all.flatMap((one) => orders(all.filter((other) => other !== one)).map((rest) => [one, ...rest]));
const crl = makeCrl({ ...issuing, key: issuingKey });

describe("the order of the installed bundle", function () {
  this.timeout(30_000);
  before(function () {
    if (!hasOpenssl()) this.skip();
  });
  const user = makeCertificate({ subject: name(["CN", "User"]), issuer: issuing, extensions: [] });
  const isAccepted = (cas: readonly Made[], { hasCrl = false }: Case): boolean =>
    verifyWithOpenssl({ cas, crls: hasCrl ? [crl] : [], user }) === 0;

  for (const one of cases)
    it(`is judged as OpenSSL judges it: ${one.what}`, () => {
      const { cas, dependsOnOrder, isAccepted: expected = true, findings } = one;
      const results = new Set(orders(cas).map((order) => isAccepted(order, one)));
      assert.equal(results.size > 1, dependsOnOrder, "whether the order of the file counts");
      const options: OrderOptions & { now: number } = { now: testNow, ...(one.hasCrl && { crls: readCrls(crl).crls }) };
      for (const order of orders(cas).slice(0, 6)) {
        const bundle = makeBundle(read(order), options);
        const byFingerprint = new Map(cas.map((made) => [sha256(made.der), made]));
        const installed = bundle.certificates.flatMap(({ fingerprint }) => byFingerprint.get(fingerprint) ?? []);
        assert.equal(isAccepted(installed, one), expected);
      }
      const texts = checkBundle(read(cas), options).map(({ severity, text }) => `${severity}: ${text}`);
      assert.equal(texts.length, findings.length, texts.join("\n"));
      for (const [index, finding] of findings.entries()) assert.match(texts[index] ?? "", finding);
    });

  it("is that of the fingerprints where every order will do", () => {
    for (const cas of [
      [issuing, root, cross(old), old],
      [issuing, root, expiredRoot],
      [issuing, issuingWith(root, signsNoCrl), root],
    ]) {
      const fingerprints = makeBundle(read(cas), { now: testNow }).certificates.map(({ fingerprint }) => fingerprint);
      assert.deepEqual(fingerprints, [...fingerprints].sort());
    }
  });
});
