/** `clientcert pki`: where the given CRLs cannot tell whether a certificate is revoked. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { explainPki } from "../../cli/explain-pki.ts";
import {
  type Made,
  authorityKey,
  bitString,
  caConstraints,
  crlPoints,
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
  subjectKey,
  testNow,
  time,
  toPem,
  uri,
} from "../fixtures/pki.ts";

const { root, issuing } = makeAuthorities();
const directory = mkdtempSync(join(tmpdir(), "clientcert-pki-"));

/** Answers for files of these contents. */
function explain(contents: readonly (Made | Buffer)[], serial?: string): { output: string; code: number } {
  const paths = contents.map((content, index) => {
    const path = join(directory, `${index}.pem`);
    writeFileSync(path, Buffer.isBuffer(content) ? toPem("X509 CRL", content) : content.pem);
    return path;
  });
  return explainPki(paths, { json: false, serial, now: testNow });
}

const userOf = (issuer: Made, ...extensions: readonly Buffer[]): Made =>
  makeCertificate({ subject: name(["CN", "user"]), issuer, serial: 7n, extensions });
const user = userOf(issuing, crlPoints(["http://a/1.crl"]));

const flag = (number: number): Buffer => der(0x80 | number, Buffer.from([0xff]));
const issuingPoint = (...content: readonly Buffer[]): Buffer => extension("2.5.29.28", seq(...content), true);
const at = (url: string): Buffer => der(0xa0, der(0xa0, uri(url)));
const part = (url: string, revoked: readonly bigint[] = []): Buffer =>
  makeCrl(issuing, { revoked, extensions: [issuingPoint(at(url))] });
const complete = makeCrl(issuing);

// A CA that changed its key: one name, each key with its CRL.
const renewed = (): Made => {
  const key = makeKey("ecdsa");
  const extensions = [caConstraints, keyUsage(0x06), subjectKey(key)];
  return makeCertificate({ subject: issuing.subject, issuer: root, key, extensions });
};
const oldKey = renewed();
const newKey = renewed();
const identified = (ca: Made, revoked: readonly bigint[]): Buffer =>
  makeCrl(ca, { revoked, extensions: [authorityKey(ca.key)] });
const oldUser = userOf(oldKey, authorityKey(oldKey.key));

// An entry of an indirect CRL names the CA that it is about: critical certificateIssuer.
const ofOther = seq(
  integer(7n),
  time(days(-1)),
  seq(extension("2.5.29.29", seq(der(0xa4, name(["CN", "Other CA"]))), true)),
);
const someReasons = der(0x83, Buffer.from([0, 0x60]));

interface Case {
  readonly it: string;
  readonly files: readonly (Made | Buffer)[];
  readonly code: number;
  readonly words: RegExp;
}

const cases: readonly Case[] = [
  {
    it: "another part",
    files: [user, part("http://a/2.crl")],
    code: 1,
    words: /could not tell: the CRL covers only certificates that name its address/,
  },
  { it: "its own part", files: [user, part("http://a/1.crl")], code: 0, words: /issuer: not revoked$/m },
  {
    it: "its own part beside another",
    files: [user, part("http://a/2.crl"), part("http://a/1.crl")],
    code: 0,
    words: /issuer: not revoked$/m,
  },
  { it: "another part that revokes it", files: [user, part("http://a/2.crl", [7n])], code: 7, words: /: revoked on/ },
  {
    it: "CA certificates only",
    files: [user, makeCrl(issuing, { extensions: [issuingPoint(flag(2))] })],
    code: 1,
    words: /could not tell: the CRL covers CA certificates only/,
  },
  {
    it: "user certificates only, for a CA",
    files: [issuing, makeCrl(root, { extensions: [issuingPoint(flag(1))] })],
    code: 1,
    words: /could not tell: the CRL covers user certificates only/,
  },
  {
    it: "user certificates only, beside the root alone",
    files: [root, makeCrl(root, { extensions: [issuingPoint(flag(1))] })],
    code: 0,
    words: /root CA/,
  },
  {
    it: "some reasons only",
    files: [user, makeCrl(issuing, { extensions: [issuingPoint(someReasons)] })],
    code: 1,
    words: /could not tell: the CRL covers some reasons only/,
  },
  {
    it: "indirect",
    files: [user, makeCrl(issuing, { extensions: [issuingPoint(flag(4))] })],
    code: 1,
    words: /could not tell: the CRL covers some reasons only or other CAs' certificates/,
  },
  {
    it: "indirect, listing the number of another CA's",
    files: [user, makeCrl(issuing, { entries: [ofOther], extensions: [issuingPoint(flag(4))] })],
    code: 1,
    words: /could not tell: an entry of the CRL has the critical extension 2\.5\.29\.29/,
  },
  {
    it: "a delta",
    files: [user, makeCrl(issuing, { extensions: [extension("2.5.29.27", integer(1n), true)] })],
    code: 1,
    words: /could not tell: the CRL lists changes only$/m,
  },
  {
    it: "expired",
    files: [user, makeCrl(issuing, { nextUpdate: days(0) })],
    code: 1,
    words: /could not tell: the CRL has expired$/m,
  },
  {
    it: "expired beside the current one",
    files: [user, makeCrl(issuing, { nextUpdate: days(0) }), complete],
    code: 0,
    words: /issuer: not revoked$/m,
  },
  {
    it: "from the future",
    files: [user, makeCrl(issuing, { thisUpdate: days(1) })],
    code: 1,
    words: /could not tell: the CRL is from the future$/m,
  },
  {
    it: "not signed by the given CA, and revoking it",
    files: [user, issuing, root, makeCrl(issuing, { key: makeKey("ecdsa"), revoked: [7n] })],
    code: 1,
    words: /could not tell: the given CA did not sign the CRL$/m,
  },
  {
    it: "of another key of the same name, and revoking it",
    files: [oldUser, oldKey, newKey, root, identified(newKey, [7n])],
    code: 1,
    words: /could not tell: another key than that of its CA signed the CRL, under the same name$/m,
  },
  {
    it: "of another key of the same name, by the identifiers alone",
    files: [oldUser, identified(newKey, [7n])],
    code: 1,
    words: /could not tell: another key than that of its CA/,
  },
  {
    it: "of its own key, beside that of the other",
    files: [oldUser, oldKey, newKey, root, identified(newKey, [7n]), identified(oldKey, [])],
    code: 0,
    words: /issuer: not revoked$/m,
  },
  {
    it: "of its own key, which revokes it",
    files: [oldUser, oldKey, newKey, root, identified(newKey, []), identified(oldKey, [7n])],
    code: 7,
    words: /issuer: revoked on/,
  },
];

const serialCases: readonly Case[] = [
  {
    it: "a CRL of another CA, though listed",
    files: [root, makeCrl(issuing, { revoked: [7n] })],
    code: 1,
    words: /\): could not tell: the CRL is of another CA than the given one$/m,
  },
  {
    it: "a CRL that the given CA did not sign, though listed",
    files: [issuing, root, makeCrl(issuing, { key: makeKey("ecdsa"), revoked: [7n] })],
    code: 1,
    words: /\): could not tell: the given CA did not sign the CRL$/m,
  },
  {
    it: "one part, not listed",
    files: [part("http://a/2.crl")],
    code: 1,
    words: /\): could not tell: the CRL covers only certificates that name its address/,
  },
  { it: "one part that lists it", files: [part("http://a/2.crl", [7n])], code: 7, words: /\): revoked on/ },
  { it: "the complete CRL", files: [issuing, root, complete], code: 0, words: /\): not revoked$/m },
];

describe("clientcert pki, of CRLs that may not be about the certificate", () => {
  after(() => rmSync(directory, { recursive: true }));

  for (const { it: title, files, code, words } of cases)
    it(`ends with ${code}: ${title}`, () => {
      const answer = explain(files);
      assert.match(answer.output, words);
      assert.equal(answer.code, code, answer.output);
    });

  for (const { it: title, files, code, words } of serialCases)
    it(`ends with ${code} for --serial: ${title}`, () => {
      const answer = explain(files, "7");
      assert.match(answer.output, words);
      assert.equal(answer.code, code, answer.output);
    });

  const refusals: readonly (readonly [Buffer, RegExp])[] = [
    [extension("2.5.29.15", bitString(Buffer.from([0x20])), true), /it is not for clients \(keyUsage with neither/],
    [extension("1.2.3.4", integer(1n), true), /it is refused by OpenSSL \(critical extension 1\.2\.3\.4/],
  ];
  for (const [refused, words] of refusals)
    it(`says what httpd refuses in a user's certificate: ${words.source}`, () => {
      const { output, code } = explain([userOf(issuing, refused)]);
      assert.match(output, new RegExp(`^ {4}httpd refuses its holder: ${words.source}`, "m"));
      assert.equal(code, 0);
    });
});
