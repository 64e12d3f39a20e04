/** The host's own splicing against the model's: the same bytes, whatever the file holds. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { applySplices } from "../../core/apache/config/splices.ts";
import type { Splice } from "../../core/apache/model.ts";
import { joinScripts } from "../../provider/apache/host-program.ts";

const program = `${joinScripts(["lib/request.sh", "apache/stage.sh"])}
mark=test removal=no work=$1 manifest=$(cat "$1/manifest")$nl
mkdir "$work/edit"
inside() { "$@"; }
build_candidates`;

/** Pieces of a file, and what happens behind each: bytes that go, and bytes that come. */
const pieces = (text: fc.Arbitrary<string>, insert: fc.Arbitrary<string>) =>
  fc.array(fc.record({ text, gone: fc.oneof(fc.constant(""), text), insert }), { maxLength: 30 });

const bytes = fc.string({
  unit: fc.constantFrom("a", "\n", "\r", "\\", "%", "\x81", "\xff", "\0", "\x01"),
  maxLength: 20,
});
const insertion = fc.constantFrom("", "    IncludeOptional x\n", "x\r\n", "%s\\n\n\n", "\xff");

for (const shell of [["dash"], ["busybox", "ash"]]) {
  describe(`candidates of the customer's files, built by ${shell.join(" ")}`, () => {
    let folder: string;
    beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "clientcert-stage-"))));
    afterEach(() => rmSync(folder, { recursive: true }));

    function build(text: string, splices: readonly Splice[]): string {
      const work = mkdtempSync(join(folder, "work-"));
      const live = join(work, "live file");
      writeFileSync(live, text, "latin1");
      const hash = createHash("sha256").update(text, "latin1").digest("hex");
      const lines = splices.map(
        ({ offset, remove, insert }) =>
          `splice ${offset} ${remove} ${Buffer.from(insert, "latin1").toString("base64")}\n`,
      );
      writeFileSync(join(work, "manifest"), `own conf x y 0\nedit ${hash} ${live}\n${lines.join("")}look a 443 b\n`);
      const [name = "", ...args] = shell;
      execFileSync(name, [...args, "-c", program, "stage", work]);
      return readFileSync(join(work, "edit", "1"), "latin1");
    }

    function check(made: readonly { text: string; gone: string; insert: string }[], rest: string): void {
      let text = "";
      const splices = made.map((piece) => {
        const splice = { offset: text.length + piece.text.length, remove: piece.gone.length, insert: piece.insert };
        text += piece.text + piece.gone;
        return splice;
      });
      assert.equal(build(text + rest, splices), applySplices(text + rest, splices));
    }

    it("have the planned bytes, whatever bytes the file holds", () => {
      fc.assert(
        fc.property(pieces(bytes, insertion), bytes, (made, rest) => check(made, rest)),
        { numRuns: 30 },
      );
    }).timeout(60_000);

    it("have them where one insertion comes often", () => {
      const text = fc.string({ unit: fc.constantFrom("a", "\n", "\xff"), minLength: 1, maxLength: 20 });
      const often = insertion.chain((insert) => pieces(text, fc.constant(insert)));
      fc.assert(
        fc.property(often, bytes, (made, rest) => check(made, rest.replaceAll("\0", ""))),
        { numRuns: 30 },
      );
    }).timeout(60_000);

    it("have them with thousands of splices", () => {
      check(
        Array.from({ length: 2500 }, (_, number) => ({ text: `line ${number}\n`, gone: "", insert: "inserted\n" })),
        "no line end",
      );
    }).timeout(60_000);
  });
}
