/** What variables stand for: as httpd expands them, in a time and a memory that no configuration can drive up. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Resolved } from "../../core/apache/config/resolve-model.ts";
import { resolve, mostExpandedBytes } from "../../core/apache/config/resolve.ts";
import { sourceOf } from "../../core/apache/facts/read-facts.ts";
import { expandVariables } from "../../core/apache/config/arguments.ts";
import { factsOf, host, observeText } from "./apache-observation.ts";

const file = "/etc/httpd/httpd.conf";
const resolved = (text: string): Resolved => resolve(sourceOf(observeText(text)));
const bytesOf = ({ effective }: Resolved): number =>
  effective.flatMap((directive) => directive.arguments).reduce((sum, { length }) => sum + length, 0);

/** Defines of which each names the one before `times` times; the first has `length` bytes. */
const chain = (count: number, times: number, length = 10): string =>
  [`Define V0 ${"x".repeat(length)}\n`]
    .concat(Array.from({ length: count }, (_, at) => `Define V${at + 1} ${`\${V${at}}`.repeat(times)}\n`))
    .join("");

const mib = 2 ** 20;
const tooLong = /^with this line, what variables stand for comes to more than 64 MiB, .*; define shorter ones$/;

describe("variables", () => {
  it("stand for what they stood for where they were defined", () => {
    const text = "Define A one\nDefine B ${A}\nDefine A two\nServerName ${B}.${A}\nUndefine A\nServerAlias ${A}\n";
    const found = resolved(text).effective.filter(({ name }) => name.startsWith("server"));
    assert.deepEqual(
      found.map((directive) => directive.arguments),
      [["one.two"], ["${A}"]],
    );
  });

  it("are expanded as a plain replacement does it, or not at all where that is too long", () => {
    const pieces = fc.constantFrom("${A}", "${B}", "${", "}", "$", "{", "A", "${}", "${unknown}", "${${A}}", "text ");
    const values = new Map([
      ["A", "first"],
      ["B", ""],
      ["${A", "odd"],
    ]);
    let cut = 0;
    const property = fc.property(fc.array(pieces), fc.nat(60), (some, most) => {
      const text = some.join("");
      let isExpanded = false;
      const wanted = text.replace(/\$\{([^}]*)\}/g, (whole, name: string) => {
        isExpanded ||= values.has(name);
        return values.get(name) ?? whole;
      });
      assert.equal(expandVariables(text, values, Infinity), wanted);
      const isCut = isExpanded && wanted.length > most;
      if (isCut) cut++;
      assert.equal(expandVariables(text, values, most), isCut ? undefined : wanted);
    });
    fc.assert(property, { numRuns: 1000 });
    assert.ok(cut > 100);
  });

  const cases: readonly [what: string, text: string, line: number | undefined][] = [
    ["of a sum just at the limit", chain(1, 32, mib) + "ServerName ${V1}\n", undefined],
    ["of a sum one byte above it", chain(1, 32, mib) + "ServerName ${V1}x\n", 3],
    ["that double forty times", chain(40, 2) + "ServerName ${V40}\n", 23],
    ["that grow to the power of a hundred", chain(20, 100), 5],
    ["that are long once and used often", `${chain(0, 0, mib)}${"ServerAlias ${V0}\n".repeat(100)}`, 66],
    ["in sections", `${chain(0, 0, mib)}${"<Location ${V0}>\n</Location>\n".repeat(100)}`, 128],
  ];
  for (const [what, text, line] of cases) {
    it(`${what} ${line === undefined ? "are expanded" : "are told with their place, once, and not expanded"}`, () => {
      const found = resolved(text);
      assert.deepEqual(
        found.problems.map((problem) => [problem.file, problem.line, tooLong.test(problem.text)]),
        line === undefined ? [] : [[file, line, true]],
      );
      assert.ok(bytesOf(found) <= mostExpandedBytes + text.length);
    });
  }

  it("that would fill the memory keep a host from being changed, and nothing else is said of it", () => {
    const { obstacles } = factsOf(observeText(`${chain(40, 2)}${host("Header set X ${V40}\n")}`));
    assert.deepEqual(
      obstacles.map(({ severity, place, text }) => [severity, place, tooLong.test(text)]),
      [["problem", `${file}:23`, true]],
    );
  });

  for (const [what, text] of [
    ["a million beginnings without an end", `Header set X ${"${".repeat(mib)}\n`],
    ["a million unknown names", `Header set X ${"${X}".repeat(mib)}\n`],
    ["a million empty values", `Define E ""\nHeader set X ${"${E}".repeat(mib)}\n`],
    ["a hundred thousand definitions of one name", `Define A x\n${"Define A ${A}\n".repeat(100_000)}`],
  ] as const) {
    it(`take less than three seconds for ${what}`, () => {
      const begun = process.cpuUsage();
      assert.deepEqual(resolved(text).problems, []);
      const { user, system } = process.cpuUsage(begun);
      assert.ok((user + system) / 1e6 < 3, `${(user + system) / 1e6} s`);
    });
  }
});
