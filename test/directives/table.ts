/** The tables of `docs/directives.md`: each cell is what a test saw. `UPDATE=1` writes them there. */
import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { directiveOf, open, type Answers, type Expected, type Row } from "./row.ts";

const document = new URL("../../docs/directives.md", import.meta.url);
const lock = new URL("../../docs/directives.md.lock", import.meta.url);
const head = [
  "| configuration | without `adopt` | with `adopt: true` | clients of the port, before → after | of the other TLS port, before and after |",
  "| --- | --- | --- | --- | --- |",
];

/** What a row's test saw; `after`: undefined where the change is refused. */
export interface Result {
  readonly row: Row;
  readonly expected: readonly Expected[];
  readonly before: Answers;
  readonly after: Answers | undefined;
}

/** The line of the document is what was seen. */
export function assertInTable(title: string, result: Result): void {
  if (process.env.UPDATE === "1") return;
  const cells = lineOf(result);
  const there = readTable(title).find((line) => line.startsWith(keyOf(result.row)));
  assert.equal(there, cells, "docs/directives.md; make it anew with UPDATE=1");
}

/** Prints the table, and with `UPDATE=1` writes it; rows that did not run stay as the document has them. */
export function endTable(title: string, rows: readonly Row[], results: readonly Result[]): void {
  process.stdout.write([`\n${title}`, "", ...head, ...results.map(lineOf), "", ""].join("\n"));
  if (process.env.UPDATE !== "1" || results.length === 0) return;
  exclusively(() => {
    const there = readTable(title);
    const lines = rows.flatMap((row) => {
      const result = results.find((each) => each.row === row);
      return result === undefined ? there.filter((line) => line.startsWith(keyOf(row))) : [lineOf(result)];
    });
    const { before, after } = split(title);
    writeFileSync(document, `${before}\n${[...head, ...lines].join("\n")}\n\n${after}`);
  });
}

const keyOf = ({ name }: Row): string => `| ${cellText(name)} |`;

const markersOf = (title: string): readonly [string, string] => [
  `<!-- ${title}: begin -->\n`,
  `<!-- ${title}: end -->\n`,
];

function split(title: string): { before: string; table: string; after: string } {
  const [begin, end] = markersOf(title);
  const text = readFileSync(document, "utf8");
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  // A new title comes last.
  if (from < 0 || to < from) return { before: `${text.trimEnd()}\n\n## ${title}\n\n${begin}`, table: "", after: end };
  return {
    before: text.slice(0, from + begin.length),
    table: text.slice(from + begin.length, to),
    after: text.slice(to),
  };
}

const readTable = (title: string): readonly string[] =>
  split(title)
    .table.split("\n")
    .filter((line) => line.startsWith("|"));

function lineOf({ row, expected, before, after }: Result): string {
  const kept = expected.filter(({ adopt }) => adopt === "stays");
  const other = row.onOther ?? open(...Object.keys(before));
  const cells = [
    row.name,
    findingsText(expected),
    [findingsText(kept), ...(after === undefined ? [] : expected.flatMap(adoptedText))].join("; "),
    after === undefined
      ? `${answersText(before)} → nothing is changed`
      : `${answersText(before)} → ${answersText(after) === answersText(before) ? "the same" : answersText(after)}`,
    answersText(other),
  ];
  return `| ${cells.map(cellText).join(" | ")} |`;
}

/** What `adopt` makes of a line that stood in the way. */
function adoptedText({ adopt, at }: Expected): string[] {
  const name = `\`${directiveOf(at)}\``;
  switch (adopt) {
    case "stays":
      return [];
    case "resolves it, the line stays":
      return [`${name} stays, ours wins over it`];
    case "takes the line out":
      return [`takes ${name} out`];
  }
}

/** A bar would end the cell, in code as well. */
const cellText = (text: string): string => text.replace(/(?<!\\)\|/g, "\\|");

function findingsText(findings: readonly Expected[]): string {
  if (findings.length === 0) return "accepted";
  return findings
    .map(({ severity, at, says }) => `${severity}: \`${directiveOf(at)}\`${says === undefined ? "" : ` (“${says}”)`}`)
    .join("; ");
}

const answersText = (answers: Answers): string =>
  Object.entries(answers)
    .map(([path, each]) => {
      const [tls12 = "", tls13] = [each].flat();
      return `\`${path}\` ${clientsText(tls12)}${tls13 === undefined ? "" : ` (TLS 1.3: ${clientsText(tls13)})`}`;
    })
    .join(", ");

const clientsText = (outcomes: string): string => outcomes.replaceAll(" ", " · ");

const tries = 200;

/** The ring's processes write the same document. */
function exclusively(write: () => void): void {
  for (let count = 0; ; count += 1) {
    try {
      closeSync(openSync(lock, "wx"));
      break;
    } catch (error) {
      if (count >= tries) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    }
  }
  try {
    write();
  } finally {
    rmSync(lock);
  }
}
