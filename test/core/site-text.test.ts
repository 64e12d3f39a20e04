/** Files that an editor in Japan saves in an encoding of its own are never read as names that nobody has. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readSite } from "../../core/site/read-site.ts";
import { decodeText } from "../../core/site/text.ts";

/** Names of companies as they are; the last three are easily taken for another encoding. */
const names = [
  ...["株式会社テスト", "日本電気株式会社", "構造計画研究所", "能登商事", "十六銀行", "ソニー", "東京都", "貼付"],
  ...["あいうえお", "㈱山田", "髙島屋", "表示", "ﾃｽﾄ", "ﾎﾞｳｼ"],
];

const encodings = {
  Shift_JIS: "SHIFT_JIS",
  "Shift_JIS with the characters of Windows": "CP932",
  "EUC-JP": "EUC-JP",
  "ISO-2022-JP": "ISO-2022-JP",
  "UTF-16 (little endian)": "UTF-16LE",
  "UTF-16 (big endian)": "UTF-16BE",
} as const;

const siteOf = (name: string): string => `# A site.\nclientAuth:\n  organizations: [${name}]\n  nonsense: 1\n`;

/** Undefined where the encoding has no such character. */
function encode(text: string, encoding: string): Buffer | undefined {
  try {
    return execFileSync("iconv", ["-f", "UTF-8", "-t", encoding], { input: text, stdio: ["pipe", "pipe", "ignore"] });
  } catch {
    return undefined;
  }
}

describe("the encoding of a text file", () => {
  for (const [said, encoding] of Object.entries(encodings))
    it(`is refused with its line and a guess: ${said}`, () => {
      const seen = names.flatMap((name) => {
        const bytes = encode(siteOf(name), encoding);
        // Half-width katakana of EUC-JP are too rare to be told from Shift_JIS.
        if (bytes === undefined || (encoding === "EUC-JP" && /[ｦ-ﾟ]/.test(name))) return [];
        const found = decodeText(bytes);
        return [typeof found === "string" ? `${name} was read as ${found}` : found];
      });
      assert.ok(seen.length >= 9);
      const guess = said.replace(/ with .*/, "");
      const text = `the file is not UTF-8 but ${guess}, as it seems; save it as UTF-8`;
      const line = encoding.startsWith("UTF-16") ? 1 : 3;
      assert.deepEqual(
        seen,
        seen.map(() => ({ line, text })),
      );
    });

  it("is a problem of a site file, and the only one, because its names are not known", () => {
    const bytes = encode(siteOf("表示"), "SHIFT_JIS") ?? Buffer.alloc(0);
    const { problems, clientAuth } = readSite(bytes, "stacks/a.yaml");
    assert.deepEqual(
      problems.map(({ line, text }) => [line, text]),
      [[3, "the file is not UTF-8 but Shift_JIS, as it seems; save it as UTF-8"]],
    );
    assert.equal(clientAuth, undefined);
  });

  it("is taken where it is UTF-8, and a byte order mark moves no line and no column", () => {
    const plain = Buffer.from(siteOf("株式会社テスト"));
    const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), plain]);
    const places = (bytes: Buffer) =>
      readSite(bytes, "a.yaml").problems.map(({ line, column, text }) => [line, column, text]);
    assert.ok(places(plain).some(([line, column]) => line === 4 && column === 3));
    assert.deepEqual(places(marked), places(plain));
  });

  it("says what a single wrong byte is, and where", () => {
    assert.deepEqual(decodeText(Buffer.from([0x61, 0x0a, 0x62, 0xff, 0x0a])), {
      line: 2,
      text: "the file is not UTF-8; save it as UTF-8",
    });
    assert.equal(decodeText(Buffer.from("a\r\nü")), "a\r\nü");
  });
});
