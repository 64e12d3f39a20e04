/** The mutations of `npm run mutate` still fit the code: they take an hour, so that nobody runs them with each change. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { mutations } from "../../scripts/mutations.mjs";

const pathOf = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

describe("each mutation", () => {
  for (const { name, folder = "host/posix", file, from, to, test } of mutations) {
    it(`alters one place of the code, and names a test that exists: ${name}`, () => {
      assert.equal(readFileSync(pathOf(`${folder}/${file}`), "utf8").split(from).length - 1, 1, from);
      assert.notEqual(from, to);
      assert.ok(existsSync(pathOf(`test/${test.includes("/") ? test : `faults/${test}`}.test.ts`)), test);
    });
  }
});
