import assert from "node:assert/strict";
import { nextRefresh } from "../../cli/next-refresh.ts";
import { defaultCrlRefresh } from "../../core/crl-refresh/inputs.ts";

const next = (now: string, times: readonly string[], timeZone: string | undefined): string | undefined =>
  nextRefresh({ ...defaultCrlRefresh, times, timeZone }, Date.parse(now));

describe("the next refresh", () => {
  it("is the first time of the day in its time zone, or the first one of the next day", () => {
    const times = ["00:30", "06:30", "12:30", "18:30"];
    assert.equal(next("2026-11-23T00:00:00Z", times, "Asia/Tokyo"), "2026-11-23T03:30:00Z");
    assert.equal(next("2026-11-23T09:30:01Z", times, "Asia/Tokyo"), "2026-11-23T15:30:00Z");
    assert.equal(next("2026-11-23T09:30:00Z", times, "Asia/Tokyo"), "2026-11-23T09:30:00Z");
  });

  it("leaves out a time that the change of the clocks leaves out", () => {
    // In Berlin 02:30 does not exist on 2027-03-28.
    assert.equal(next("2027-03-27T23:00:00Z", ["02:30", "05:00"], "Europe/Berlin"), "2027-03-28T03:00:00Z");
  });

  it("is not known where the times are the host's own", () => {
    assert.equal(next("2026-11-23T00:00:00Z", ["00:30"], undefined), undefined);
  });
});
