import assert from "node:assert/strict";
import { grown } from "../../bench/revocation/resources.ts";
import { soak, taskOf } from "../../bench/revocation/soak-run.ts";
import { faults } from "../../lab/publisher-faults.ts";
import { impatientProgram } from "./refresh-moments.ts";

describe("a soak of refreshes, `npm run soak` in short", function () {
  this.timeout(590_000);

  it("fails no request, takes every new list, and grows nothing", async () => {
    const soaked = await soak({ refreshes: 27, settledAt: 4, program: impatientProgram });
    assert.deepEqual([soaked.failedRequests, soaked.wrong], [[], []]);
    assert.equal(soaked.changes, 9);
    assert.ok(soaked.requests > 100, String(soaked.requests));
    // The memory needs more reloads to settle than these.
    const growing = grown(soaked.early ?? assert.fail(), soaked.late, 5).filter((name) => name !== "memoryKib");
    assert.deepEqual(growing, []);
  });

  it("meets every fault twenty times in a thousand, and installs 300 new lists", () => {
    const tasks = Array.from({ length: 1000 }, (_, index) => taskOf(index));
    const count = (wanted: string): number => tasks.filter((task) => task === wanted).length;
    assert.ok(count("change") >= 300);
    for (const fault of faults) assert.ok(count(fault) >= 20, fault);
  });
});
