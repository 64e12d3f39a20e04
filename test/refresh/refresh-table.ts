/**
 * The table of faults and moments that stands in README: each cell is what a test saw. `UPDATE=1` writes the cells
 * there.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import type { LabHostOptions } from "../../lab/options.ts";
import { answerWords, faults } from "../../lab/publisher-faults.ts";
import { listName, sourced, startRefreshSession, type RefreshSession } from "../host/refresh-session.ts";
import { fairWeathers, impatientProgram, type Effect, type Moment, type Weather } from "./refresh-moments.ts";

const readme = new URL("../../README.md", import.meta.url);
const [begin, end] = ["<!-- faults × moments: begin -->\n", "<!-- faults × moments: end -->\n"];
export const weathers: readonly Weather[] = ["ok", ...faults];

/** One test for each weather, on a host that has a list already, and while another one is new. */
export function testMoments(options: LabHostOptions, moments: Readonly<Record<string, Moment>>): void {
  let session: RefreshSession;

  before(async () => {
    session = await startRefreshSession(options, impatientProgram);
    await install();
  });
  after(() => session.stop());

  const install = async (): Promise<void> => {
    session.publisher.fault(listName, "ok");
    assert.equal((await session.apply(sourced(session.publisher))).result, "applied");
  };

  for (const [moment, run] of Object.entries(moments)) {
    for (const weather of weathers) {
      it(`${moment}, ${weather}: takes the new list or keeps the old one, and the site serves on`, async () => {
        await session.publishNew();
        session.publisher.fault(listName, weather);
        const effect = await run(session, weather);
        const canUpdate = fairWeathers.includes(weather) && !["disk full", "read-only"].includes(moment);
        assert.equal(effect, canUpdate ? "updated" : "kept");
        // Later than every list that comes after it here.
        if (weather === "secondsAhead") await session.remove().then(install);
        assertInReadme(moment, weather, effect);
      });
    }
  }
}

/** README's cell says what was seen. */
export function assertInReadme(moment: string, weather: Weather, effect: Effect): void {
  const text = readFileSync(readme, "utf8");
  const [head = "", rest = ""] = text.split(begin);
  const [table = "", tail = ""] = rest.split(end);
  const rows = table.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
  const column = rows[0]?.indexOf(moment) ?? -1;
  const row = rows.find((cells) => cells[1] === answerWords[weather]);
  assert.ok(row !== undefined && column > 0, `README's table has no cell for ${weather}, ${moment}`);
  if (process.env.UPDATE !== "1")
    return assert.equal(row[column], effect, "README's table; make it anew with UPDATE=1");
  row[column] = effect;
  const written = rows.map((cells) => cells.join(" | ").trim()).join("\n");
  writeFileSync(readme, head + begin + written + end + tail);
}
