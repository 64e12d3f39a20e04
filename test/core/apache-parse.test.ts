import assert from "node:assert/strict";
import fc from "fast-check";
import { logicalText, nodeAt, parse, render, type Tree } from "../../core/apache/config/parse.ts";
import { expandVariables, quoteArgument, readWord, readWords } from "../../core/apache/config/arguments.ts";
import { anyConfiguration, readTree } from "./apache-observation.ts";

const nodesOf = (tree: Tree): string[] =>
  Array.from({ length: tree.count }, (_, index) => {
    const { kind, name, line, lastLine } = nodeAt(tree, index);
    return [kind, name, line === lastLine ? String(line) : `${line}-${lastLine}`]
      .filter((part) => part !== "")
      .join(" ");
  });

describe("parse", () => {
  const cases: readonly [sentence: string, text: string, nodes: readonly string[]][] = [
    ["reads nothing from an empty file", "", []],
    ["reads one directive", "Listen 80\n", ["directive listen 1"]],
    ["needs no last line end", "Listen 80", ["directive listen 1"]],
    ["takes names in any case", "\tsSlEnGiNe on\n", ["directive sslengine 1"]],
    ["joins blank lines and comments to one run", "\n# a\n \t\nListen 80\n", ["trivia 1-3", "directive listen 4"]],
    ["reads a section", "<VirtualHost *:443>\n</virtualhost>\n", ["open virtualhost 1", "close virtualhost 2"]],
    ["reads CRLF", "<If a>\r\n\r\n</If>\r\n", ["open if 1", "trivia 2", "close if 3"]],
    ["joins a continued directive", "Listen \\\n 80\nUser x\n", ["directive listen 1-2", "directive user 3"]],
    ["joins a continuation before CRLF", "Listen \\\r\n80\r\n", ["directive listen 1-2"]],
    ["joins inside a word", "</Dir\\\nectory>\nA\n", ["close directory 1-2", "directive a 3"]],
    ["does not join after backslash and blank", "Listen \\ \n80\n", ["directive listen 1", "directive 80 2"]],
    ["keeps a backslash at the end of the file", "Listen \\", ["directive listen 1"]],
    ["lets a comment swallow the next line", "# \x83\x5c\nListen 80\nUser x\n", ["trivia 1-2", "directive user 3"]],
    ["lets nothing continue behind a NUL", "Listen\0 \\\nUser x\n", ["directive listen 1", "directive user 2"]],
    ["joins again over an empty line", "a\\\\\n\nb\nUser x\n", ["directive ab 1-3", "directive user 4"]],
    ["unquotes a name", '"Listen" 80\n', ["directive listen 1"]],
  ];
  for (const [sentence, text, nodes] of cases) {
    it(sentence, () => assert.deepEqual(nodesOf(parse(text)), nodes));
  }

  it("gives the text of a continued line as httpd sees it", () => {
    const tree = parse("  SSLEngine \\\r\non \r\n");
    assert.equal(logicalText(tree, nodeAt(tree, 0)), "SSLEngine on");
  });

  it("says where a section is never closed", () => {
    assert.deepEqual(parse("\n<If a>\n<Files b>\n</Files>\n").problems, [
      { line: 2, text: "this section is never closed" },
    ]);
  });

  it("says where a close tag has no partner, and goes on", () => {
    const problems = parse("</If>\n<If a>\n</Files>\n</If>\n").problems;
    assert.deepEqual(
      problems.map(({ line }) => line),
      [1, 3],
    );
  });

  it("pairs tags over 200,000 nested sections", () => {
    const depth = 200_000;
    const tree = parse("<a>\n".repeat(depth) + "</a>\n".repeat(depth));
    assert.equal(tree.problems.length, 0);
    assert.equal(nodeAt(tree, 0).partner, 2 * depth - 1);
  });

  it("reads a line of 20,000 bytes", () =>
    assert.deepEqual(nodesOf(parse(`A ${"x".repeat(20_000)}\n`)), ["directive a 1"]));

  for (const layout of ["product", "debian", "redhat", "traps"]) {
    it(`renders every file of the ${layout} layout as it was`, () => {
      for (const { bytes } of readTree(layout).values()) assert.equal(render(parse(bytes)), bytes);
    });
  }

  it("renders any bytes as they were, each in exactly one node", () => {
    fc.assert(
      fc.property(anyConfiguration, (text) => {
        const tree = parse(text);
        assert.equal(render(tree), text);
        for (let index = 0; index < tree.count; index++) assert.ok(nodeAt(tree, index).end > nodeAt(tree, index).start);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("words", () => {
  const cases: readonly [sentence: string, line: string, words: readonly string[]][] = [
    ["are split at blanks", "a  b\tc", ["a", "b", "c"]],
    ["may be quoted either way", `"a b" 'c "d"'`, ["a b", 'c "d"']],
    ["unescape only the quote and the backslash", String.raw`"a\"b\\c\d"`, [String.raw`a"b\c\d`]],
    ["unescape a backslash without quotes", String.raw`a\\b`, [String.raw`a\b`]],
    ["reach to the end when a quote is never closed", '"a b', ["a b"]],
    ["do not end at a no-break space", "a\xa0b", ["a\xa0b"]],
  ];
  for (const [sentence, line, words] of cases) it(sentence, () => assert.deepEqual(readWords(line), words));

  it("come back as they were when they are quoted", () => {
    fc.assert(fc.property(fc.string(), (word) => assert.equal(readWord(quoteArgument(word), 0).word, word)));
  });

  it("have variables replaced, and keep unknown ones", () => {
    assert.equal(expandVariables("${A}/${B}", new Map([["A", "x"]]), Infinity), "x/${B}");
  });
});
