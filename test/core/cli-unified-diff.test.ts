import assert from "node:assert/strict";
import { applyPatch, createTwoFilesPatch } from "diff";
import fc from "fast-check";
import { diffOfSplices } from "../../cli/unified-diff.ts";
import { applySplices } from "../../core/apache/config/splices.ts";
import { includeLine, type Splice } from "../../core/apache/model.ts";
import { adoptedMark } from "../../core/apache/facts/own-lines.ts";

const names = { before: "a/x", after: "b/x" };

/** What a search for the shortest difference finds. */
const searched = (before: string, after: string): string =>
  createTwoFilesPatch(names.before, names.after, before, after).replace(/^=+\n/, "");

/** Distinct lines, so that there is one shortest difference only. */
const lines = (count: number, eol = "\n"): string =>
  Array.from({ length: count }, (_, number) => `line ${number}${eol}`).join("");

const splice = (offset: number, remove: number, insert: string): Splice => ({ offset, remove, insert });
const at = (text: string, line: string): number => text.indexOf(`${line}\n`);

describe("a diff made from splices", () => {
  const text = lines(60);
  const cases: readonly [what: string, before: string, splices: readonly Splice[]][] = [
    ["a line put in", text, [splice(at(text, "line 30"), 0, `${includeLine}\n`)]],
    ["a line taken out", text, [splice(at(text, "line 30"), 8, "")]],
    ["a mark before a line", text, [splice(at(text, "line 30"), 0, adoptedMark)]],
    ["marks on lines side by side", text, [5, 6, 7].map((n) => splice(at(text, `line ${n}`), 0, adoptedMark))],
    ["a line that moves", text, [splice(at(text, "line 3"), 7, ""), splice(at(text, "line 6"), 0, "line 3\n")]],
    ["changes so near that they share a hunk", text, [10, 18].map((n) => splice(at(text, `line ${n}`), 0, "new\n"))],
    ["changes just too far for that", text, [10, 19].map((n) => splice(at(text, `line ${n}`), 0, "new\n"))],
    ["the first line", text, [splice(0, 0, "new\n")]],
    ["the end", text, [splice(text.length, 0, "new\n")]],
    ["a text that has no last line end", `${text}end`, [splice(text.length, 0, "new\n")]],
    ["a last line end that goes", text, [splice(text.length - 1, 1, "")]],
    ["CRLF", lines(9, "\r\n"), [splice(lines(4, "\r\n").length, 0, "new\r\n")]],
    ["a text from nothing", "", [splice(0, 0, text)]],
    ["everything gone", text, [splice(0, text.length, "")]],
  ];
  for (const [what, before, splices] of cases) {
    it(`is what a search finds: ${what}`, () =>
      assert.equal(diffOfSplices(names, before, splices), searched(before, applySplices(before, splices))));
  }

  it("is empty where nothing changes", () => {
    assert.equal(diffOfSplices(names, text, []), "");
    assert.equal(diffOfSplices(names, text, [splice(0, 6, "line 0")]), "");
  });

  it("gives the edited text when it is applied, whatever was edited", () => {
    const piece = fc.constantFrom("a", "b\n", "\n", "\r\n", "c\n", "d");
    const some = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
    const edits = fc.array(fc.tuple(fc.nat(6), fc.nat(3), fc.array(piece, { maxLength: 3 })), { maxLength: 8 });
    const property = fc.property(some, edits, (before, wanted) => {
      const splices: Splice[] = [];
      let offset = 0;
      for (const [skip, remove, insert] of wanted) {
        offset += skip;
        if (offset + remove > before.length) break;
        splices.push(splice(offset, remove, insert.join("")));
        offset += remove;
      }
      const after = applySplices(before, splices);
      const patch = diffOfSplices(names, before, splices);
      if (before === after) assert.equal(patch, "");
      else assert.equal(applyPatch(before, patch, { autoConvertLineEndings: false }), after);
    });
    fc.assert(property, { numRuns: 5000 });
  });
});
