/** The table of faults and moments. It stands in README, made by this test: `UPDATE=1` writes it there. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { answerWords, faults } from "../../lab/publisher-faults.ts";
import { listName, sourced, startRefreshSession, type RefreshSession } from "../host/refresh-session.ts";
import { fairWeathers, firstChange, impatientProgram, moments, type Weather } from "./refresh-moments.ts";

const readme = new URL("../../README.md", import.meta.url);
const [begin, end] = ["<!-- faults × moments: begin -->\n", "<!-- faults × moments: end -->\n"];
const weathers: readonly Weather[] = ["ok", ...faults];
const columns = ["first up", ...Object.keys(moments)];

describe("a refresh in every weather", function () {
  this.timeout(590_000);
  const cells = new Map<string, string>();
  let session: RefreshSession;

  describe("at a first change", () => {
    before(async () => {
      session = await startRefreshSession({}, impatientProgram);
    });
    after(() => session.stop());

    for (const weather of weathers) {
      it(`${weather}: installs a good list, or leaves no trace`, async () => {
        session.publisher.fault(listName, weather);
        const effect = await firstChange(session);
        // A first list cannot be older than an installed one: nothing tells a replayed one from a new one but its dates.
        const isFair = [...fairWeathers, "older"].includes(weather);
        assert.equal(effect, isFair ? "installed" : "nothing");
        cells.set(`${weather} first up`, effect);
      });
    }
  });

  for (const shell of [undefined, "busybox"] as const) {
    describe(`with ${shell ?? "the machine's own shell"}`, () => {
      before(async () => {
        session = await startRefreshSession(shell === undefined ? {} : { shell }, impatientProgram);
        assert.equal((await session.apply(sourced(session.publisher))).result, "applied");
      });
      after(() => session.stop());

      for (const [moment, run] of Object.entries(moments)) {
        if (shell !== undefined && moment !== "timer") continue;
        for (const weather of weathers) {
          it(`${moment}, ${weather}: takes the new list or keeps the old one, and the site serves on`, async () => {
            await session.publishNew();
            session.publisher.fault(listName, weather);
            const effect = await run(session, weather);
            const canUpdate = fairWeathers.includes(weather) && !["disk full", "read-only"].includes(moment);
            assert.equal(effect, canUpdate ? "updated" : "kept");
            cells.set(`${weather} ${moment}`, effect);
          });
        }
      }
    });
  }

  // A suite of its own, because mocha runs the tests of a suite before the suites in it.
  describe("on the whole", () => {
    it("does what README's table says", () => {
      const rows = weathers.map((weather) => [
        answerWords[weather],
        ...columns.map(
          (column) => cells.get(`${weather} ${column}`) ?? assert.fail(`${weather}, ${column}: was not run`),
        ),
      ]);
      const table = [["fault", ...columns], columns.concat("").map(() => "---"), ...rows]
        .map((row) => `| ${row.join(" | ")} |\n`)
        .join("");
      const text = readFileSync(readme, "utf8");
      const [head = "", rest = ""] = text.split(begin);
      const [found = "", tail = ""] = rest.split(end);
      if (process.env.UPDATE === "1") writeFileSync(readme, `${head}${begin}${table}${end}${tail}`);
      else assert.equal(found, table, "README's table; make it anew with UPDATE=1");
    });
  });
});
