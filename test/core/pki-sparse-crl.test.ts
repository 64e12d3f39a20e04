import assert from "node:assert/strict";
import { labPki } from "../../lab/pki.ts";
import { readCrls } from "../../core/pki/crl.ts";
import { readSparseCrls } from "../../core/pki/sparse-crl.ts";

/** As the host sends it: `keep` lines at both ends of each block, of lines of any length. */
function cut(pem: string, keep: number): string {
  return pem.replace(/(-----BEGIN .*\n)([^-]*)(-----END .*\n)/g, (_, begin: string, body: string, end: string) => {
    const lines = body.trimEnd().split("\n");
    const left = lines.slice(keep, -keep).reduce((sum, line) => sum + line.trimEnd().length, 0);
    return [
      begin,
      ...lines.slice(0, keep).map((line) => `${line}\n`),
      `...${left}\n`,
      ...lines.slice(-keep).map((line) => `${line}\n`),
      end,
    ].join("");
  });
}

describe("a CRL without its middle", function () {
  this.timeout(20_000);
  let pem: string;

  before(async () => {
    const pki = await labPki();
    const serials = Array.from({ length: 200 }, (_, index) => (0x5000 + index).toString(16));
    pem = (await pki.crl({ number: 3, serials })) + (await pki.crl({ ca: "forger", number: 300, serials }));
  });

  const forms: readonly [what: string, change: (text: string) => string][] = [
    ["in lines of 64 characters", (text) => text],
    [
      "in lines of 76 characters",
      (text) => text.replace(/(?<=-----\n)[^-]+/g, (body) => body.replaceAll("\n", "").replace(/.{1,76}/g, "$&\n")),
    ],
    ["with carriage returns", (text) => text.replaceAll("\n", "\r\n")],
  ];
  for (const [what, change] of forms) {
    it(`says the same as the whole one, hash and count apart: ${what}`, () => {
      const whole = readCrls(Buffer.from(pem)).crls.map(({ summary }) => ({ ...summary, sha256: "", entries: 0 }));
      const text = change(pem);
      assert.equal(whole.length, 2);
      assert.deepEqual(readSparseCrls(cut(text, 20), text.length), whole);
    });
  }

  it("is none when its end is missing, or it claims to be larger than the file", () => {
    const sparse = cut(pem, 20);
    assert.deepEqual(readSparseCrls(sparse.slice(0, 2000), pem.length), []);
    assert.deepEqual(readSparseCrls(sparse, 100), []);
    assert.deepEqual(readSparseCrls("<html>", 2_000_000), []);
  });
});
