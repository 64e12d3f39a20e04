import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCertificates } from "../../core/pki/certificate.ts";
import { type CheckedCrls, checkCrls } from "../../core/pki/crl-check.ts";
import { encodeCrls, readCrls } from "../../core/pki/crl.ts";
import {
  type Made,
  authorityKey,
  caConstraints,
  days,
  der,
  extension,
  keyUsage,
  makeCertificate,
  makeCrl,
  makeKey,
  name,
  oid,
  seq,
  subjectKey,
  testNow,
  toPem,
} from "../fixtures/pki.ts";

/**
 * A CA that changed its key: the same name, and each key with its own CRL until the old one's certificates have ended.
 */
function makeRollover(hasIdentifiers: boolean): { readonly cas: Made[]; readonly crls: Buffer[] } {
  const cas = [1, 2].map(() => {
    const key = makeKey("ecdsa");
    const extensions = [caConstraints, keyUsage(0x06), ...(hasIdentifiers ? [subjectKey(key)] : [])];
    return makeCertificate({ subject: name(["CN", "Rollover"]), key, extensions });
  });
  const crls = cas.map((ca, index) =>
    makeCrl(ca, {
      revoked: [BigInt(index)],
      thisUpdate: days(index - 3),
      extensions: hasIdentifiers ? [authorityKey(ca.key)] : [],
    }),
  );
  return { cas, crls };
}

const check = (cas: readonly Made[], crls: readonly Buffer[]): CheckedCrls => {
  const { certificates } = readCertificates(Buffer.from(cas.map(({ pem }) => pem).join("")));
  return checkCrls(
    crls.flatMap((bytes) => readCrls(bytes).crls),
    certificates,
    { now: testNow, crlCheck: "leaf" },
  );
};
const texts = ({ diagnostics }: CheckedCrls): string[] =>
  diagnostics.map(({ severity, text }) => `${severity}: ${text}`);

describe("the CRLs of a CA that changed its key", () => {
  const { cas, crls } = makeRollover(true);

  it("are both installed, in one order, when key identifiers tell them apart", () => {
    const checked = check(cas, crls);
    assert.deepEqual(texts(checked), []);
    assert.equal(checked.crls.length, 2);
    assert.equal(encodeCrls(check(cas, [...crls].reverse()).crls), encodeCrls(checked.crls));
    assert.notEqual(checked.crls[0]?.summary.authorityKey, checked.crls[1]?.summary.authorityKey);
  });

  it("are both wanted: one alone leaves the other key's users out", () => {
    for (const crl of crls) assert.match(texts(check(cas, [crl])).join(), /^problem: there is no CRL of "CN=Rollover"/);
  });

  it("are refused where nothing tells them apart", () => {
    const without = makeRollover(false);
    assert.match(
      texts(check(without.cas, without.crls)).join(),
      /^problem: the CRL of "CN=Rollover" has no key identifier/,
    );
  });

  it("are refused when they name another key than the listed CA's", () => {
    const [ca] = cas;
    assert.ok(ca);
    const crl = makeCrl(ca, { extensions: [authorityKey(makeKey("ecdsa"))] });
    assert.match(texts(check([ca], [crl])).join(), /names another CA certificate.*authorityKeyIdentifier/);
    const serial = makeCrl(ca, { extensions: [extension("2.5.29.35", seq(der(0x82, Buffer.from([1]))))] });
    assert.match(texts(check([ca], [serial])).join(), /names another CA certificate/);
  });

  it("are one where the CA was renewed with its key", () => {
    const [ca] = cas;
    assert.ok(ca);
    const renewed = makeCertificate({ ...ca, extensions: [caConstraints, keyUsage(0x06), subjectKey(ca.key)] });
    assert.deepEqual(texts(check([ca, renewed], crls.slice(0, 1))), []);
  });
});

describe("OpenSSL agrees on a CA that changed its key", function () {
  this.timeout(30_000);
  const directory = mkdtempSync(join(tmpdir(), "clientcert-rollover-"));
  after(() => rmSync(directory, { recursive: true }));
  before(function () {
    if (spawnSync("openssl", ["version"]).status !== 0) this.skip();
  });
  const put = (file: string, content: string): string => {
    writeFileSync(join(directory, file), content);
    return join(directory, file);
  };
  const isAccepted = (cas: readonly Made[], crls: readonly Buffer[], issuer: Made, serial: bigint): boolean => {
    const client = [extension("2.5.29.37", seq(oid("1.3.6.1.5.5.7.3.2"))), authorityKey(issuer.key)];
    const user = makeCertificate({ subject: name(["CN", "user"]), issuer, serial, extensions: client });
    const bundle = put("ca.pem", cas.map(({ pem }) => pem).join(""));
    const list = put("crl.pem", crls.map((crl) => toPem("X509 CRL", crl)).join(""));
    const time = ["-attime", String(testNow / 1000)];
    const args = ["verify", ...time, "-CAfile", bundle, "-crl_check", "-CRLfile", list, put("user.pem", user.pem)];
    return spawnSync("openssl", args).status === 0;
  };

  for (const hasIdentifiers of [true, false]) {
    it(
      hasIdentifiers
        ? "with key identifiers each key has its CRL"
        : "without them it refuses users of both keys or of one",
      () => {
        const { cas, crls } = makeRollover(hasIdentifiers);
        const answers = cas.map((ca, index) =>
          [0n, 1n].map((serial) => isAccepted(cas, crls, ca, serial) === (serial !== BigInt(index))),
        );
        assert.equal(answers.flat().every(Boolean), hasIdentifiers, JSON.stringify(answers));
      },
    );
  }

  it("a CRL that names another key counts as none", () => {
    const { cas, crls } = makeRollover(true);
    const [ca] = cas;
    const [crl] = crls;
    assert.ok(ca && crl);
    assert.ok(isAccepted([ca], [crl], ca, 7n));
    assert.ok(!isAccepted([ca], [makeCrl(ca, { extensions: [authorityKey(makeKey("ecdsa"))] })], ca, 7n));
  });
});
