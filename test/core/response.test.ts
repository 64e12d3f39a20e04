/** What a run's answer says while it arrives. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { stepReader } from "../../provider/remote/response.ts";

describe("the steps that a run names while its answer arrives", () => {
  const mark = "--mark 1";
  const answer = `\n${mark} step judge\nbytes\n${mark} step reload and look\n x${mark} step not this\n${mark} done\n${"y".repeat(5000)}\n${mark} step end\n`;

  it("are read whole and once, wherever the answer is cut into chunks", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(answer.length), { maxLength: 8 }), (cuts) => {
        const read = stepReader(mark);
        const places = [0, ...cuts.sort((a, b) => a - b), answer.length];
        const chunks = places.slice(1).map((end, index) => Buffer.from(answer.slice(places[index], end), "latin1"));
        assert.deepEqual(chunks.flatMap(read), ["judge", "reload and look", "end"]);
      }),
    );
  });

  it("are kept short, and cost a fixed amount of memory for a line without an end", () => {
    const read = stepReader(mark);
    for (let count = 0; count < 1000; count++) assert.deepEqual(read(Buffer.alloc(65536, "z")), []);
    assert.deepEqual(
      read(Buffer.from(`\n${mark} step ${"a".repeat(5000)}\n`)).map(({ length }) => length < 1001),
      [true],
    );
  });
});
