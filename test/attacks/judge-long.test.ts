/** The program that runs on hosts grows: above 128 KiB the kernel takes it neither as an argument nor as a variable. */
import assert from "node:assert/strict";
import { startSession, type Session } from "../host/session.ts";
import { faultyProgram } from "../faults/program.ts";

describe("a program of more than 128 KiB", function () {
  this.timeout(60_000);
  let session: Session;
  const padding = `: ${"x".repeat(60)}\n`.repeat(2400);

  before(async () => {
    session = await startSession({}, {}, () => faultyProgram({ more: padding }));
  });
  after(() => session.stop());

  it("has its change judged by the shadow, in a preview and at a change", async () => {
    assert.deepEqual(await session.judge().then(({ result, judge }) => [result, judge]), ["well", "shadow"]);
    assert.deepEqual(await session.apply().then(({ result, judge }) => [result, judge]), ["applied", "shadow"]);
  });
});
