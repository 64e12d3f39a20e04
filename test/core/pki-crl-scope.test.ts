import assert from "node:assert/strict";
import { readCertificates } from "../../core/pki/certificate.ts";
import { type CheckedCrls, type CrlOptions, checkCrls } from "../../core/pki/crl-check.ts";
import { isInScope } from "../../core/pki/crl-scope.ts";
import { encodeCrls, readCrls } from "../../core/pki/crl.ts";
import { hasOpenssl, verifyWithOpenssl } from "../fixtures/openssl-verify.ts";
import {
  type Made,
  caConstraints,
  crlPoints,
  days,
  der,
  extension,
  keyUsage,
  makeAuthorities,
  makeCertificate,
  makeCrl,
  name,
  oid,
  seq,
  testNow,
  uri,
  utf8,
} from "../fixtures/pki.ts";

const { root, issuing } = makeAuthorities();
const alone = makeCertificate({ subject: name(["CN", "Alone"]), extensions: [caConstraints, keyUsage(0x06)] });

const flag = (number: number): Buffer => der(0x80 | number, Buffer.from([0xff]));
const issuingPoint = (...content: readonly Buffer[]): Buffer => extension("2.5.29.28", seq(...content), true);
const at = (...urls: readonly string[]): Buffer => der(0xa0, der(0xa0, ...urls.map(uri)));
const scopes = { all: [], users: [issuingPoint(flag(1))], authorities: [issuingPoint(flag(2))] };
type Scope = keyof typeof scopes;

const userOf = (issuer: Made, ...extensions: readonly Buffer[]): Made =>
  makeCertificate({ subject: name(["CN", "user"]), issuer, serial: 7n, extensions });
const listOf = (ca: Made, scope: Scope): Buffer => makeCrl(ca, { extensions: scopes[scope] });

function check(cas: readonly Made[], crls: readonly Buffer[], options: Partial<CrlOptions> = {}): CheckedCrls {
  const { certificates } = readCertificates(Buffer.from(cas.map(({ pem }) => pem).join("")));
  const read = crls.flatMap((bytes) => readCrls(bytes).crls);
  return checkCrls(read, certificates, { now: testNow, crlCheck: "leaf", ...options });
}
const textsOf = ({ diagnostics }: CheckedCrls): string[] =>
  diagnostics.map(({ severity, text }) => `${severity}: ${text}`);
const isRefused = ({ diagnostics }: CheckedCrls): boolean => diagnostics.some(({ severity }) => severity === "problem");

describe("a CRL for some certificates of its CA only, as OpenSSL counts it", function () {
  this.timeout(60_000);
  before(function () {
    if (!hasOpenssl()) this.skip();
  });

  for (const crlCheck of ["leaf", "chain"] as const) {
    for (const above of Object.keys(scopes) as Scope[])
      // keys of a const literal
      for (const below of Object.keys(scopes) as Scope[])
        // as above
        it(`${crlCheck}: the root's for ${above}, the issuing CA's for ${below}`, () => {
          const crls = [listOf(root, above), listOf(issuing, below)];
          const checked = check([root, issuing], crls, { crlCheck });
          const answer = verifyWithOpenssl({ cas: [root, issuing], crls, user: userOf(issuing), check: crlCheck });
          assert.equal(isRefused(checked), answer !== 0, `${answer}\n${textsOf(checked).join("\n")}`);
        });

    for (const scope of Object.keys(scopes) as Scope[])
      // as above
      it(`${crlCheck}: that of a self-signed CA that issues to users, for ${scope}`, () => {
        const crls = [listOf(alone, scope)];
        const answer = verifyWithOpenssl({ cas: [alone], crls, user: userOf(alone), check: crlCheck });
        const checked = check([alone], crls, { crlCheck });
        assert.equal(isRefused(checked), answer !== 0, `${answer}\n${textsOf(checked).join("\n")}`);
      });
  }

  it("chain: a CA that issues both may have two, and both are installed", () => {
    const crls = [listOf(alone, "users"), listOf(alone, "authorities")];
    assert.equal(verifyWithOpenssl({ cas: [alone], crls, user: userOf(alone), check: "chain" }), 0);
    const checked = check([alone], crls, { crlCheck: "chain" });
    assert.deepEqual(textsOf(checked), []);
    assert.deepEqual(
      checked.crls.map(({ summary }) => summary.scope),
      ["authorities", "users"],
    );
  });

  it("says what is right: the other CRL, or crlCheck: leaf", () => {
    const words = textsOf(
      check([root, issuing], [listOf(root, "users"), listOf(issuing, "all")], { crlCheck: "chain" }),
    );
    assert.match(
      words.join("\n"),
      /^problem: the CRL of "CN=Harbour Root.* for user certificates only .*crlCheck: leaf$/,
    );
  });

  it("leaf: one for CAs is left out of what is installed, and a source of it is refused", () => {
    const crls = [listOf(root, "authorities"), listOf(issuing, "all")];
    const checked = check([root, issuing], crls);
    assert.equal(checked.crls.length, 1);
    assert.match(textsOf(checked).join("\n"), /^warning: .*Harbour Root.*left out, because it is for CA certificates/);
    const firstLists = checked.diagnostics.flatMap(({ about }) => about ?? []);
    assert.match(
      textsOf(check([root, issuing], crls, { firstLists })).join("\n"),
      /^problem: .*not for user certificates/,
    );
  });

  const unusable: readonly (readonly [string, readonly Buffer[], number, RegExp])[] = [
    ["for users and for CAs at once", [flag(1), flag(2)], 3, /at once for users only and for CAs only/],
    ["that names no address", [der(0xa0, der(0xa0))], 44, /names no address/],
    [
      "that names a part of its issuer's name",
      [der(0xa0, der(0xa1, seq(oid("2.5.4.3"), utf8("p"))))],
      44,
      /nameRelativeToCRLIssuer/,
    ],
  ];
  for (const [what, content, error, words] of unusable)
    it(`refuses one ${what}`, () => {
      const crls = [makeCrl(issuing, { extensions: [issuingPoint(...content)] })];
      assert.equal(verifyWithOpenssl({ cas: [root, issuing], crls, user: userOf(issuing) }), error);
      assert.match(textsOf(check([root, issuing], crls)).join("\n"), words);
    });

  it("takes a flag that is written and says no", () => {
    const crls = [makeCrl(issuing, { extensions: [issuingPoint(der(0x82, Buffer.from([0])))] })];
    assert.equal(verifyWithOpenssl({ cas: [root, issuing], crls, user: userOf(issuing) }), 0);
    assert.deepEqual(textsOf(check([root, issuing], crls)), []);
  });
});

describe("the parts of one CA's CRL", function () {
  this.timeout(60_000);
  before(function () {
    if (!hasOpenssl()) this.skip();
  });
  const [a, b] = ["http://crl.example/1.crl", "http://crl.example/2.crl"];
  const part = (url: string, wishes: Parameters<typeof makeCrl>[1] = {}): Buffer =>
    makeCrl(issuing, { ...wishes, extensions: [issuingPoint(at(url))] });
  const cas = [root, issuing];

  it("are all installed, the newest of each, in one order, with a complete one beside them", () => {
    const older = part(a, { thisUpdate: days(-3), number: 9n });
    const crls = [part(b), makeCrl(issuing, { thisUpdate: days(-2) }), older, part(a, { number: 2n })];
    const checked = check(cas, crls);
    assert.deepEqual(
      checked.crls.map(({ summary }) => [summary.distributionPoint, summary.number]),
      [
        [undefined, "1"],
        [a, "2"],
        [b, "1"],
      ],
    );
    assert.equal(encodeCrls(check(cas, [...crls].reverse()).crls), encodeCrls(checked.crls));
    assert.ok(!isRefused(checked), textsOf(checked).join("\n"));
    assert.equal(textsOf(checked).filter((text) => /^warning: .*one part of several/.test(text)).length, 2);
  });

  const points: readonly (readonly [string, readonly Buffer[]])[] = [
    ["that names the first", [crlPoints([a])]],
    ["that names the second among others", [crlPoints(["ldap://x/", b])]],
    ["that names both", [crlPoints([a], [b])]],
    ["that names it in other letters", [crlPoints([a.toUpperCase()])]],
    ["that names another", [crlPoints(["http://crl.example/3.crl"])]],
    ["that names none", []],
  ];
  for (const [what, extensions] of points)
    it(`count for a user's certificate ${what} as they do to OpenSSL`, () => {
      const user = userOf(issuing, ...extensions);
      const [certificate] = readCertificates(user.der).certificates;
      assert.ok(certificate);
      for (const crls of [[part(a)], [part(b)], [part(a), part(b)], [part(a), makeCrl(issuing)]]) {
        const isCounted = readCrls(Buffer.from(encodeCrls(check(cas, crls).crls))).crls.some((crl) =>
          isInScope(crl, certificate),
        );
        assert.equal(isCounted, verifyWithOpenssl({ cas, crls, user }) === 0);
      }
    });

  it("are told apart by names of a directory, too", () => {
    const directory = der(0xa0, der(0xa0, der(0xa4, name(["CN", "Part 1"]))));
    const crls = [makeCrl(issuing, { extensions: [issuingPoint(directory)] })];
    const user = userOf(issuing, extension("2.5.29.31", seq(seq(directory))));
    assert.equal(verifyWithOpenssl({ cas, crls, user }), 0);
    const [certificate] = readCertificates(user.der).certificates;
    const [crl] = check(cas, crls).crls;
    assert.ok(certificate && crl && isInScope(crl, certificate));
    assert.match(crl.summary.distributionPoint ?? "", /^directory:\S+$/);
  });
});
