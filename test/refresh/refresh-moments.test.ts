/** Every fault of a CA's server, at every moment that is no accident of the refresh itself. */
import { accidents, moments } from "./refresh-moments.ts";
import { testMoments } from "./refresh-table.ts";

describe("a refresh in every weather", function () {
  this.timeout(120_000);
  testMoments({}, moments);
});

describe("a refresh in every weather, with an accident in the middle", function () {
  this.timeout(580_000);
  testMoments({}, accidents);
});
