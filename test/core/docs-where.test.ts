/** Pages that lead through the sources: where things are decided, and the list of decisions. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

interface Row {
  readonly question: string;
  readonly files: readonly string[];
  readonly names: readonly string[];
}

const rows: readonly Row[] = readFileSync(join(root, "docs/where.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && line.includes("]("))
  .map((line) => {
    const [question = "", files = "", names = ""] = line.replace(/^\| | \|$/g, "").split(" | ");
    return {
      question,
      files: [...files.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, file = ""]) => file),
      names: [...names.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name),
    };
  });

/** Whether a source declares a function of this name. */
function declares(file: string, name: string): boolean {
  const text = readFileSync(join(root, file), "utf8");
  const pattern = file.endsWith(".sh") ? `^${name}\\(\\) [{(]` : `^export (?:async )?(?:function|const) ${name}\\b`;
  return new RegExp(pattern, "m").test(text);
}

describe("docs/where.md", () => {
  it("answers at least ten questions", () => {
    assert.ok(rows.length >= 10, String(rows.length));
  });

  for (const { question, files, names } of rows)
    it(`is true: ${question}`, () => {
      assert.equal(files.length, names.length, "one name for each file");
      files.forEach((file, index) => {
        assert.ok(existsSync(join(root, file)), file);
        assert.ok(declares(file, names[index] ?? ""), `${file} declares no ${names[index]}`);
      });
    });
});

describe("docs/decisions/README.md", () => {
  it("lists each decision under its title", () => {
    const folder = join(root, "docs/decisions");
    const titled = readdirSync(folder)
      .filter((file) => /^\d/.test(file))
      .sort()
      .map((file) => readFileSync(join(folder, file), "utf8").replace(/^# (\d+)\. (.*)\n[^]*$/, `$1. [$2](${file})`));
    const listed = readFileSync(join(folder, "README.md"), "utf8").match(/^\S+\. \[.*/gm);
    assert.deepEqual(listed, titled);
  });
});
