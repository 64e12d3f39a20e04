import assert from "node:assert/strict";
import { hostScript } from "../../provider/apache/host-program.ts";
import { startSession, type Session } from "../host/session.ts";
import { bytesOf } from "../faults/bytes.ts";
import { conf, findSteps, kill, lookAt } from "../faults/kill.ts";

const other = { organizations: ["ANOTHER CORPORATION"], crlPem: null } as const;

describe("a later run that is killed at any of its steps", function () {
  this.timeout(580_000);
  let session: Session;
  let program = hostScript();
  let clean: string;
  const use = (text: string): void => void (program = text);

  before(async () => {
    session = await startSession({ virtualHosts: 2 }, {}, () => program);
    clean = await bytesOf(session);
  });
  after(() => session.stop());

  it("leaves a later change to be put back and made by the next run", async () => {
    await session.apply();
    const applied = await bytesOf(session, conf);
    const steps = await findSteps(session, use, () => session.apply(other));
    const changed = await bytesOf(session, conf);
    let [wish, from, to] = [{}, changed, applied];
    for (const step of steps) {
      await kill(session, use, step, () => session.apply(wish));
      if ((await lookAt(session, step, from, to)) !== "valid")
        assert.equal((await session.apply(wish)).result, "applied", `step ${step}`);
      assert.equal(await bytesOf(session, conf), to, `step ${step}: after the next run`);
      [wish, from, to] = [wish === other ? {} : other, to, from];
    }
    await session.remove();
    assert.equal(await bytesOf(session), clean);
  });
});
