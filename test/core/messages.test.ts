/** What the product can say is kept in one file, so that a new sentence shows in a review. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { findMessages } from "./messages.ts";

const page = "docs/messages.md";

function render(): string {
  const parts = [...findMessages()].map(
    ([file, texts]) => `## ${file}\n\n\`\`\`text\n${texts.map(oneLine).join("\n")}\n\`\`\`\n`,
  );
  const head = `# What the product says

Every sentence in the sources, by file; \`{…}\` is put in. Kept by \`test/core/messages.test.ts\`: \`UPDATE=1 node scripts/test.mjs core --grep "what the product says"\` writes it.
Read what is new as the administrator who will read it at night: what was found, and what to do.
`;
  return [head, ...parts].join("\n");
}

const oneLine = (text: string): string => JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"');

describe("what the product says", () => {
  it(`stands in ${page}`, () => {
    const text = render();
    if (process.env.UPDATE === "1") writeFileSync(page, text);
    const written = new Set(readFileSync(page, "utf8").split("\n"));
    const now = new Set(text.split("\n"));
    const added = [...now].filter((line) => !written.has(line));
    const gone = [...written].filter((line) => !now.has(line));
    assert.deepEqual({ added, gone }, { added: [], gone: [] }, "after a review: UPDATE=1 writes it");
  });

  it("is found in every language of the sources", () => {
    const files = [...findMessages()];
    const textsOf = (name: string): readonly string[] => files.find(([file]) => file === name)?.[1] ?? [];
    assert.ok(textsOf("core/pki/sample.ts").includes("{…} is a CA certificate; give the certificate of a user"));
    assert.ok(
      textsOf("host/posix/apache/stage.sh").includes(
        "{…}: changed since it was looked at; run again to plan for what it holds now",
      ),
    );
    assert.ok(
      textsOf("host/posix/apache/probe.sh").some((text) => text.startsWith("it could not be told whether holders")),
    );
  });
});
