/** Runs rows on a live httpd: what the plan says, what clients get before and after, and that everything goes again. */
import assert from "node:assert/strict";
import { adoptedMark } from "../../core/apache/facts/own-lines.ts";
import { isFeasible } from "../../core/apache/plan/plan.ts";
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { Wish } from "../host/session.ts";
import { directiveOf, open, type Answers, type Expected, type Row } from "./row.ts";
import { placeOf, rowFiles, startStage, type Stage } from "./stage.ts";
import { assertInTable, endTable, type Result } from "./table.ts";

/** One test for each row, and a table of what they saw in `docs/directives.md`, below this title. */
export function testRows(title: string, rows: readonly Row[]): void {
  describe(title, function () {
    this.timeout(120_000);
    let stage: Stage;
    const results: Result[] = [];

    before(async () => {
      stage = await startStage();
    });
    after(async () => {
      await stage.session.stop();
      endTable(title, rows, results);
    });

    for (const row of rows)
      it(row.name, async () => {
        const result = await runRow(stage, row);
        results.push(result);
        assertInTable(title, result);
      });
  });
}

async function runRow(stage: Stage, row: Row): Promise<Result> {
  await stage.set(row);
  const original = await stage.texts();
  const hash = await stage.hash();
  const before = await stage.ask(row);
  assert.deepEqual(before, row.before, "before");
  assert.deepEqual(await stage.askOther(row), otherOf(row), "on the other port, before");
  const expected = row.findings ?? [];
  const without = await findingsOf(stage, row, original, false);
  assert.deepEqual(without, expectedTexts(expected, original), "without adopt");
  const kept = expected.filter(({ adopt }) => adopt === "stays");
  assert.deepEqual(await findingsOf(stage, row, original, true), expectedTexts(kept, original), "with adopt");
  if (kept.some(isInTheWay)) return { row, expected, before, after: undefined };
  const after = await changeAndUndo(stage, row, original);
  assert.equal(await stage.hash(), hash, "the tree after the removal");
  return { row, expected, before, after };
}

const otherOf = (row: Row): Answers => row.onOther ?? open(...Object.keys(row.before));

const isInTheWay = ({ severity }: Expected): boolean => severity === "conflict" || severity === "problem";

/** Applies with `adopt`, looks at everything, removes; gives what clients got in between. */
async function changeAndUndo(stage: Stage, row: Row, original: readonly string[]): Promise<Answers> {
  const wish = await wishOf(stage, row, true);
  const applied = await stage.session.apply(wish);
  assert.deepEqual([applied.result, applied.reasons], ["applied", []]);
  const after = await stage.ask(row);
  assertOpensNothing(row, after);
  assert.deepEqual(after, row.after ?? row.before, "after");
  assert.deepEqual(await stage.askOther(row), otherOf(row), "on the other port, after");
  const out = (row.findings ?? []).filter(({ adopt }) => adopt === "takes the line out").map(({ at }) => at);
  assert.deepEqual(commentedOut(await stage.texts()).sort(), out.sort(), "lines that adopt took out");
  assert.ok((await stage.session.plan(wish)).change === undefined, "a second run would change something");
  const removed = await stage.session.remove();
  assert.deepEqual([removed.result, removed.reasons], ["applied", []], "the removal");
  assert.deepEqual(await stage.texts(), original, "the files after the removal");
  assert.deepEqual(await stage.ask(row), row.before, "after the removal");
  assert.deepEqual(await stage.askOther(row), otherOf(row), "on the other port, after the removal");
  return after;
}

const commentedOut = (texts: readonly string[]): string[] =>
  texts
    .flatMap((text) => text.split("\n"))
    .filter((line) => line.startsWith(adoptedMark))
    .map((line) => line.slice(adoptedMark.length).trim());

const wishOf = async ({ session }: Stage, row: Row, adopt: boolean): Promise<Wish> => ({
  ...(await row.wish?.(session.lab.pki)),
  adopt,
});

/**
 * The law: whoever was refused at a protected URL is refused there after a change with adopt. Refused is who gets in
 * with no version of TLS: a page that a client saw in TLS 1.2 may open to it in TLS 1.3 as well.
 */
function assertOpensNothing(row: Row, after: Answers): void {
  const clients = ["none", "good", row.theirs ?? "foreign"];
  const asked = Object.entries(row.before).filter(([path]) => path !== "/" || row.isWholeSite !== true);
  for (const [path, answers] of asked)
    for (const [index, client] of clients.entries()) {
      const [was, is] = [answers, after[path] ?? ""].map((each) => outcomesOf(each, index));
      assert.ok(was?.includes("200") || !is?.includes("200"), `adopt opened ${path} for ${client}`);
    }
}

const outcomesOf = (answers: Answers[string], client: number): readonly (string | undefined)[] =>
  [answers].flat().map((each) => each.split(" ")[client]);

/**
 * A plan's findings on the files of the row, and all that stop it wherever they stand; without remarks on what was
 * adopted.
 */
async function findingsOf(
  stage: Stage,
  row: Row,
  texts: readonly string[],
  adopt: boolean,
): Promise<readonly string[]> {
  const planned = await stage.session.plan(await wishOf(stage, row, adopt));
  const expected = row.findings ?? [];
  const resolved = expected.filter((each) => each.adopt !== "stays").map(({ at }) => placeOf(at, texts));
  const noted = expected.filter(({ severity }) => severity === "note").map(({ at }) => placeOf(at, texts));
  const isTold = ({ severity, place }: Diagnostic): boolean => {
    if (severity === "conflict" || severity === "problem") return true;
    if (severity === "note") return noted.includes(place);
    return !resolved.includes(place) && rowFiles.some((file) => place.startsWith(`${file}:`));
  };
  const told = planned.diagnostics.filter(isTold);
  assert.equal(isFeasible(planned), !told.some(({ severity }) => severity === "conflict" || severity === "problem"));
  return told.map((finding) => textOf(finding, expected, texts)).sort();
}

/** Severity, place, and those of the words that it must have which it has. */
function textOf(
  { severity, place, text }: Diagnostic,
  expected: readonly Expected[],
  texts: readonly string[],
): string {
  const wanted = expected.filter(({ at }) => placeOf(at, texts) === place).flatMap(wordsOf);
  const words = wanted.filter((word) => text.includes(word));
  return `${severity} ${place} ${words.join(", ")}${words.length === wanted.length ? "" : ` in: ${text}`}`.trim();
}

const wordsOf = ({ at, says }: Expected): string[] => [directiveOf(at), ...(says === undefined ? [] : [says])];

const expectedTexts = (expected: readonly Expected[], texts: readonly string[]): readonly string[] =>
  expected.map((each) => `${each.severity} ${placeOf(each.at, texts)} ${wordsOf(each).join(", ")}`).sort();
