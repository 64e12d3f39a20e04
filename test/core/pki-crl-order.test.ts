import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CrlSummary } from "../../core/pki/summary.ts";
import { readCertificates } from "../../core/pki/certificate.ts";
import { checkCrls } from "../../core/pki/crl-check.ts";
import { compareCrls } from "../../core/pki/crl-order.ts";
import { type Crl, readCrls } from "../../core/pki/crl.ts";
import { days, makeAuthorities, makeCrl, testNow } from "../fixtures/pki.ts";

const crl = (number: string | undefined, thisUpdate: string, nextUpdate?: string): CrlSummary => ({
  ...{ sha256: "", issuer: "CN=Issuing CA", entries: 0, number, thisUpdate, nextUpdate },
});
const [may, june, july] = ["2024-05-01T00:00:00Z", "2024-06-01T00:00:00Z", "2024-07-01T00:00:00Z"];
const never = "2124-01-01T00:00:00Z";

const cases: readonly [what: string, a: CrlSummary, b: CrlSummary, expected: "newer" | "same" | "older"][] = [
  ["with date and number of the other", crl("9", may), crl("9", may), "same"],
  ["with a later date", crl("9", june), crl("9", may), "newer"],
  ["with a later date and a higher number", crl("10", june), crl("9", may), "newer"],
  ["with a higher number of the same day", crl("10", may), crl("9", may), "newer"],
  ["with a lower number of the same day", crl("9", may), crl("10", may), "older"],
  ["with an earlier date", crl("9", may), crl("9", june), "older"],
  ["with an earlier date and a higher number", crl("10", may), crl("9", june), "older"],
  ["with a later date and a lower number", crl("9", june, never), crl("10", may, never), "older"],
  ["with a lower number, issued after the other had ended", crl("1", july), crl("10", may, june), "newer"],
  ["with no number", crl(undefined, june), crl("10", may), "newer"],
  ["with no number and an earlier date", crl(undefined, may), crl("10", june), "older"],
  ["with a number of twenty bytes", crl(`1${"0".repeat(40)}`, may), crl(`9${"0".repeat(39)}`, may), "newer"],
];

/** The host's program compares what it has written down of a CRL. */
function compareOnHost(directory: string, a: CrlSummary, b: CrlSummary): string {
  const seconds = (time: string | undefined): number | "-" => (time === undefined ? "-" : Date.parse(time) / 1000);
  for (const [name, { thisUpdate, nextUpdate, number = "-" }] of [["a", a] as const, ["b", b] as const])
    writeFileSync(join(directory, `${name}.facts`), `key ${seconds(thisUpdate)} ${seconds(nextUpdate)} ${number} 0\n`);
  const script = join(import.meta.dirname, "../../host/posix/crl/crl.sh");
  const ended = spawnSync("sh", ["-c", `. "$1" && compare_crls a b`, "sh", script], {
    cwd: directory,
    encoding: "utf8",
  });
  return ended.stdout.trim() || ended.stderr;
}

describe("a CRL", () => {
  let directory = "";
  before(() => (directory = mkdtempSync(join(tmpdir(), "clientcert-order-"))));
  after(() => rmSync(directory, { recursive: true }));

  for (const [what, a, b, expected] of cases)
    it(`${what} is ${expected}, here as on the host`, () => {
      const words = { "-1": "older", "0": "same", "1": "newer" };
      assert.equal(words[`${Math.sign(compareCrls(a, b)) as -1 | 0 | 1}`], expected);
      assert.equal(compareOnHost(directory, a, b), expected);
    });
});

describe("of several CRLs of one CA, a site", () => {
  const { root, issuing } = makeAuthorities();
  const bundle = readCertificates(Buffer.from(issuing.pem + root.pem)).certificates;
  const load = (...crls: readonly Buffer[]): Crl[] => crls.flatMap((bytes) => readCrls(bytes).crls);

  it("installs the newest of one issuer: by date, then by number", () => {
    const older = makeCrl(issuing, { thisUpdate: days(-2), nextUpdate: days(-1), number: 9n });
    const lower = makeCrl(issuing, { number: 3n });
    const newest = makeCrl(issuing, { number: 12n });
    const checked = checkCrls(load(older, lower, newest, newest, makeCrl(root)), bundle, {
      now: testNow,
      crlCheck: "leaf",
    });
    assert.deepEqual(
      checked.crls.map(({ summary }) => [summary.issuer, summary.number]),
      [
        ["CN=Harbour Issuing CA,O=Harbour,C=JP", "12"],
        ["CN=Harbour Root CA,O=Harbour,C=JP", "1"],
      ],
    );
    assert.deepEqual(
      checked.diagnostics.map(({ severity }) => severity),
      ["warning", "warning", "warning"],
    );
  });

  it("installs the one of the later date in either order, also where the numbers say otherwise", () => {
    const [earlier, later] = [
      makeCrl(issuing, { thisUpdate: days(-5), number: 50n }),
      makeCrl(issuing, { number: 1n }),
    ];
    for (const crls of [load(earlier, later), load(later, earlier)]) {
      const taken = checkCrls(crls, bundle, { now: testNow, crlCheck: "leaf" }).crls;
      assert.deepEqual(
        taken.map(({ summary }) => summary.number),
        ["1"],
      );
    }
  });
});
