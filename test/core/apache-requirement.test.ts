import assert from "node:assert/strict";
import fc from "fast-check";
import { findIssuerMistake, parseIssuer, renderIssuer } from "../../core/pki/issuer-name.ts";
import { readRequirement, renderRequirement } from "../../core/apache/plan/requirement.ts";

const piece = fc.constantFrom(
  "A",
  "é",
  "株",
  "🍣",
  "\\",
  '"',
  "%",
  "{",
  "}",
  "$",
  ",",
  "+",
  "=",
  " ",
  "#",
  "(",
  ")",
  "09",
  "OU=",
);
const text = fc.array(piece, { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join("").trim() || "x");
const type = fc.constantFrom("CN", "OU", "O", "L", "ST", "C", "UID", "emailAddress");
const part = fc.tuple(type, text).map(([kind, value]) => ({ type: kind, text: value }));
const issuer = fc.array(part, { minLength: 1, maxLength: 4 }).map(renderIssuer);
const texts = fc.uniqueArray(text, { maxLength: 3 });
const rules = fc.record({
  organizations: texts,
  organizationalUnits: texts,
  countries: texts,
  issuers: fc.uniqueArray(issuer, { maxLength: 3 }),
});

describe("the rule whom to let in", () => {
  it("is read back from our file as it was wanted, whatever is in a name", () => {
    fc.assert(
      fc.property(rules, (wanted) => {
        const lines = renderRequirement(wanted);
        const { issuers, ...others } = readRequirement(`    ${lines.join("\n")}\n</Location>\n`);
        const { issuers: wantedIssuers, ...wantedOthers } = wanted;
        assert.deepEqual(others, wantedOthers);
        assert.deepEqual([...issuers].sort(), [...wantedIssuers].sort());
        assert.deepEqual(renderRequirement({ ...others, issuers }), lines);
      }),
    );
  });

  it("is one line, and every quote in it is closed, whatever is in a name", () => {
    fc.assert(
      fc.property(rules, (wanted) => {
        for (const line of renderRequirement(wanted)) {
          assert.ok(!line.includes("\n"));
          const rest = line.replace(/"(?:[^"\\]|\\.)*"/gs, "");
          assert.match(rest, /^[-A-Za-z_0-9 %{}(),]*$/);
        }
      }),
    );
  });
});

describe("the name of an issuer", () => {
  it("is read back as it was written, whatever is in it", () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const written = renderIssuer(parts);
        assert.equal(findIssuerMistake(written), undefined, written);
        assert.deepEqual(
          parseIssuer(written).map(({ type: kind, text: value }) => ({ type: kind, text: value })),
          parts,
        );
      }),
    );
  });

  const cases: readonly [written: string, parts: string][] = [
    ["Users CA", "CN0 Users CA"],
    ["Harbour, Ltd. + Co. CA", "CN0 Harbour, Ltd. + Co. CA"],
    ["CN=Users CA", "CN0 Users CA"],
    ["CN = Users CA, o = Harbour", "CN0 Users CA|O0 Harbour"],
    ["OU=B,OU=A,C=JP", "OU1 B|OU0 A|C0 JP"],
    ["OU=B+OU=A", "OU1 B|OU0 A"],
    [String.raw`O=Harbour\, Ltd.\ ,C=JP`, "O0 Harbour, Ltd. |C0 JP"],
    [String.raw`O=L\C3\A9on \\ \"x\"`, 'O0 Léon \\ "x"'],
    ["EMAILADDRESS=ca@harbour.example", "emailAddress0 ca@harbour.example"],
  ];
  for (const [written, expected] of cases) {
    it(`is ${expected} where ${written} is written`, () => {
      assert.equal(findIssuerMistake(written), undefined);
      const parts = parseIssuer(written).map(({ type: kind, index, text: value }) => `${kind}${index} ${value}`);
      assert.equal(parts.join("|"), expected);
    });
  }
});
