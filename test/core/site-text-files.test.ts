import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { lint } from "../../cli/lint.ts";
import { styleFor } from "../../cli/output.ts";
import { readSite } from "../../core/site/read-site.ts";
import { decodeText } from "../../core/site/text.ts";
import { readLogin, readSudoPassword } from "../../provider/remote/credentials.ts";
import { loadSite } from "../../provider/site/load-site.ts";
import { type Encoding, encode, encodeUtf16 } from "../fixtures/encodings.ts";

/** Names of companies as they are; `表` and `ソ` have a backslash as second byte in Shift_JIS. */
const names = [
  "株式会社テスト",
  "表示",
  "ソニー",
  "株式会社　十全",
  "日本電気株式会社",
  "三菱UFJ銀行",
  "能登製作所",
  "予防医学センター",
  "谷村商店",
  "欠畑工業",
  "チームラボ",
];

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBERERERERERERERERERERERERERERERERERERERERER";
const siteOf = (organization: string): string => `clientAuth:
  caFiles: [ca.pem]
  organizations: ["${organization}"]
hosts:
  - { name: web1, address: web1.harbour.co.jp, connection: { hostKey: ${hostKey} } }
`;

/** The encoding that a problem names. */
const named = (bytes: Buffer): string => {
  const read = decodeText(bytes);
  return typeof read === "string" ? "UTF-8" : `${read.line} ${/ but ([A-Z][\w-]+(?: \(\w+)?)/.exec(read.text)?.[1]}`;
};

describe("the encoding of a text file with the name of a company", () => {
  const encodings: readonly Encoding[] = ["Shift_JIS", "EUC-JP", "ISO-2022-JP"];
  for (const name of names) {
    it(`is told, with the line, when it is not UTF-8: ${name}`, () => {
      for (const encoding of encodings) assert.equal(named(encode(siteOf(name), encoding)), `3 ${encoding}`);
      for (const order of ["LE", "BE"] as const) {
        assert.equal(named(encodeUtf16(siteOf(name), order)), `1 UTF-16 (${order === "LE" ? "little" : "big"}`);
        assert.equal(
          named(encodeUtf16(`\ufeff${siteOf(name)}`, order)),
          `1 UTF-16 (${order === "LE" ? "little" : "big"}`,
        );
      }
      assert.deepEqual(decodeText(Buffer.from(siteOf(name))), siteOf(name));
    });
  }

  it("is not called Japanese where letters with accents stand alone between plain ones", () => {
    assert.equal(named(Buffer.from("O: Br\xe9hat", "latin1")), "1 ISO-8859-1");
  });

  it("takes any UTF-8 text, and only a byte order mark off it", () => {
    const text = fc.string({ unit: "grapheme" }).filter((one) => !/[\x00\x1b]/.test(one));
    fc.assert(fc.property(text, (one) => assert.deepEqual(decodeText(Buffer.from(`\ufeff${one}`)), one)));
  });
});

describe("a byte order mark", () => {
  it("moves no place in a site file", () => {
    const places = (text: string) => readSite(text, "s.yaml").problems.map(({ line, column }) => [line, column]);
    for (const text of [siteOf("A").replace("hosts:", "  x: 1\nhosts:"), "x: 1\nclientAuth:\n  y: [a\n", "x: 1\n"])
      assert.deepEqual(places(`\ufeff${text}`), places(text));
  });
});

describe("files in another encoding", () => {
  const directory = mkdtempSync(join(tmpdir(), "clientcert-text-"));
  const file = join(directory, "s.yaml");
  const put = (bytes: Buffer): void => writeFileSync(file, bytes);
  after(() => rmSync(directory, { recursive: true }));

  for (const encoding of ["Shift_JIS", "EUC-JP", "ISO-2022-JP"] as const) {
    it(`are one problem of lint and of the program, and nothing else is said of them: ${encoding}`, () => {
      put(encode(siteOf("株式会社テスト"), encoding));
      const { output, code } = lint([file], { json: false, now: 0, style: styleFor({ isTTY: false }, {}) });
      assert.match(output, new RegExp(`^problem ${file}:3: .*${encoding}.*; save it as UTF-8\n1 site file: 1 p`));
      assert.equal(code, 2);
      const { problems } = loadSite(file);
      assert.equal(problems.length, 1);
      assert.match(problems.join(), new RegExp(`^${file}:3: .*${encoding}`));
    });
  }

  it("are refused as password files, without their text, and a byte order mark is no part of a password", async () => {
    const sudo = { how: "password", file } as const;
    put(encode("秘密", "Shift_JIS"));
    await assert.rejects(readSudoPassword("web1", sudo, {}), /^HostError: web1: password file .*, line 1: .*Shift_JIS/);
    put(Buffer.from("\ufeffsecret\r\n"));
    assert.equal((await readSudoPassword("web1", sudo, {}))?.password, "secret");
  });

  it("are refused as keys where they are UTF-16", async () => {
    put(encodeUtf16("\ufeff-----BEGIN OPENSSH PRIVATE KEY-----\n", "LE"));
    const login = readLogin("web1", { from: "keyFile", path: file }, {});
    await assert.rejects(login, /^HostError: web1: key file .*.* not UTF-8 but UTF-16 \(little endian\)/);
  });
});

describe("a name that was read in a wrong encoding before", () => {
  it("is refused", () => {
    const [problem] = readSite(siteOf("\ufffd\ufffd\ufffd"), "s.yaml").problems;
    assert.match(problem?.text ?? "", /U\+FFFD .* was lost .*write it again/);
  });
});
