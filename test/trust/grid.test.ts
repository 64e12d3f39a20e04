/** Lint against the real OpenSSL, over thousands of combinations of CAs, CRLs and holders. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { agrees, describeAnswer, disagreements, isOpen, keyOf } from "./disagreements.ts";
import { type Answer, type Cell, dimensions, fillGrid } from "./grid.ts";

const page = new URL("../../docs/openssl-disagreements.md", import.meta.url);
const fewestCells = 2000;
const smallestShare = 0.2;

/** Of three dimensions at most one is odd, else nearly every cell would be refused for several reasons at once. */
function chosenOf(all: readonly Answer[]): Answer[] {
  const plain: Partial<Cell> = {
    ca: "a root and an issuing CA",
    crl: "one of each CA",
    holder: "good",
    order: "first",
    check: "leaf",
  };
  const isPlain = (dimension: "ca" | "crl" | "holder", value: string): boolean =>
    all.some(
      (answer) =>
        isOpen(answer) && dimensions.every((one) => answer.cell[one] === (one === dimension ? value : plain[one])),
    );
  const odd = new Map<string, boolean>();
  const isOdd = (dimension: "ca" | "crl" | "holder", value: string): boolean => {
    const known = odd.get(dimension + value) ?? !isPlain(dimension, value);
    odd.set(dimension + value, known);
    return known;
  };
  return all.filter(
    ({ cell }) => (["ca", "crl", "holder"] as const).filter((one) => isOdd(one, cell[one])).length <= 1,
  );
}

describe("lint and OpenSSL on the same files", function () {
  this.timeout(1_200_000);
  let answers: Answer[];

  before(async () => {
    answers = chosenOf(await fillGrid());
  });

  it("are asked of enough cells, a fifth of which are refused and a fifth accepted", () => {
    const share = answers.filter(isOpen).length / answers.length;
    assert.ok(answers.length >= fewestCells, `${answers.length} cells`);
    assert.ok(share >= smallestShare && share <= 1 - smallestShare, `${share} of them are accepted`);
  });

  it("hear of every value of every dimension that makes a difference", () => {
    for (const dimension of dimensions) {
      const groups = new Map<string, Answer[]>();
      for (const answer of answers) {
        const key = keyOf(answer.cell, dimension);
        groups.set(key, [...(groups.get(key) ?? []), answer]);
      }
      const flipping = [...groups.values()].filter((group) => new Set(group.map(isOpen)).size > 1).flat();
      const values = new Set(answers.map(({ cell }) => cell[dimension]));
      const seen = new Set(flipping.map(({ cell }) => cell[dimension]));
      assert.deepEqual(
        [...values].filter((value) => !seen.has(value)),
        [],
        `${dimension}: makes no difference anywhere`,
      );
    }
  });

  it("agree but for what is known", () => {
    const unknown = answers.filter((answer) => !agrees(answer) && !disagreements.some(({ holds }) => holds(answer)));
    assert.equal(unknown.length, 0, `${unknown.length} cells:\n${unknown.slice(0, 20).map(describeAnswer).join("\n")}`);
    assert.ok(disagreements.length <= 10);
  });

  it("disagree as docs/openssl-disagreements.md says", () => {
    const rows = disagreements.map(({ what, why, right, holds }) => {
      const count = answers.filter((answer) => !agrees(answer) && holds(answer)).length;
      assert.ok(count > 0, `${what}: no cell is like that any more; take it out`);
      return `| ${what} | ${count} | ${why} | ${right} |`;
    });
    const text = `# Where lint and OpenSSL disagree

Made by \`test/trust/grid.test.ts\` (\`UPDATE=1 node scripts/test.mjs trust\`), which puts ${answers.length} combinations of CAs, CRLs, holders, orders and checks to both.
In every other one they agree. Most of what is refused is a fault of the files; what is below is meant.

| cells | how many | why | who is right for the user |
| --- | --- | --- | --- |
${rows.join("\n")}
`;
    if (process.env.UPDATE === "1") writeFileSync(page, text);
    assert.equal(readFileSync(page, "utf8"), text);
  });

  it("would notice each rule of lint that is taken out", () => {
    const ruleOf = (text: string): string =>
      text
        .replace(/"[^"]*"/g, "…")
        .replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, "…")
        .replace(/\(.*?\)|\d+/g, "…");
    const rulesOf = (texts: readonly string[]): string[] => [...new Set(texts.map(ruleOf))];
    const isGood = ({ cell }: Answer): boolean => cell.holder.startsWith("good");
    const refused = answers.filter((answer) => !isOpen(answer));
    // What the files show would be all that is said where there is no sample.
    const whole = [
      ...refused.map(({ ours }) => rulesOf(ours)),
      ...refused.filter(isGood).map(({ files }) => rulesOf(files)),
    ];
    const alone = new Set(whole.filter(({ length }) => length === 1).flat());
    const known = new Set(answers.filter(isOpen).flatMap(({ ours }) => rulesOf(ours)));
    const all = new Set(answers.flatMap(({ ours }) => rulesOf(ours)));
    assert.deepEqual(
      [...all].filter((rule) => !alone.has(rule) && !known.has(rule)),
      [],
    );
    assert.ok(alone.size >= 20, `${alone.size} rules: ${[...alone].join("\n")}`);
  });
});
