/** Every fault of a CA's server, at a first change and, under busybox, at the timer. */
import assert from "node:assert/strict";
import { listName, startRefreshSession, type RefreshSession } from "../host/refresh-session.ts";
import { fairWeathers, firstChange, impatientProgram, timerMoment } from "./refresh-moments.ts";
import { assertInReadme, testMoments, weathers } from "./refresh-table.ts";

describe("a first change that needs a CRL", function () {
  this.timeout(120_000);
  let session: RefreshSession;

  before(async () => {
    session = await startRefreshSession({}, impatientProgram);
  });
  after(() => session.stop());

  for (const weather of weathers) {
    it(`${weather}: installs a good list, or leaves no trace`, async () => {
      session.publisher.fault(listName, weather);
      const effect = await firstChange(session);
      // A first list cannot be older than an installed one: nothing tells a replayed one from a new one but its dates.
      const isFair = [...fairWeathers, "older", "numberBack"].includes(weather);
      assert.equal(effect, isFair ? "installed" : "nothing");
      assertInReadme("first up", weather, effect);
    });
  }
});

describe("a refresh in every weather, with busybox", function () {
  this.timeout(120_000);
  testMoments({ shell: "busybox" }, timerMoment);
});
