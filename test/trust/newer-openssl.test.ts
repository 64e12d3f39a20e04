/** The same grid, put to the OpenSSL of Debian's next release. */
import assert from "node:assert/strict";
import { skipBecause } from "../skip.ts";
import { agrees, describeAnswer, disagreements } from "./disagreements.ts";
import { fillGrid } from "./grid.ts";
import { type NewerOpenssl, fetchNewerOpenssl } from "./newer-openssl.ts";

describe("lint and a newer OpenSSL on the same files", function () {
  this.timeout(1_200_000);
  let newer: NewerOpenssl | undefined;

  before(function () {
    const fetched = fetchNewerOpenssl();
    if (typeof fetched === "string") skipBecause(this, fetched);
    newer = fetched;
  });

  after(() => newer?.remove());

  it("agree but for what is known", async () => {
    assert.match(newer?.version ?? "", /^OpenSSL 3\.([5-9]|\d\d)/);
    const answers = await fillGrid(newer?.openssl);
    const unknown = answers.filter((answer) => !agrees(answer) && !disagreements.some(({ holds }) => holds(answer)));
    assert.equal(unknown.length, 0, `${unknown.length} cells:\n${unknown.slice(0, 20).map(describeAnswer).join("\n")}`);
  });
});
