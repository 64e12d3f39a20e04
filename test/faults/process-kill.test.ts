import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { startSession, type Session } from "../host/session.ts";
import { bytesOf } from "./bytes.ts";
import { conf, findSteps, kill, lookAt } from "./kill.ts";

describe("a run that is killed at any of its steps", function () {
  this.timeout(580_000);
  let session: Session;
  let program = hostScript();
  let clean: string;
  let cleanConf: string;
  const use = (text: string): void => void (program = text);

  before(async () => {
    session = await startSession({ virtualHosts: 2 }, {}, () => program);
    [clean, cleanConf] = [await bytesOf(session), await bytesOf(session, conf)];
  });
  after(() => session.stop());

  it("leaves a first change, or a removal, to be put back and made by the next run", async () => {
    const steps = await findSteps(session, use, () => session.apply());
    const applied = await bytesOf(session, conf);
    const removalSteps = await findSteps(session, use, () => session.remove());
    let interrupted = 0;
    for (const index of Array(Math.max(steps.length, removalSteps.length)).keys()) {
      const step = steps[index] ?? 1;
      await kill(session, use, step, () => session.apply());
      const found = await lookAt(session, step, cleanConf, applied);
      if (found !== "valid") assert.equal((await session.apply()).result, "applied", `step ${step}`);
      assert.equal(await bytesOf(session, conf), applied, `step ${step}: after the next run`);
      assert.equal((await request(session.lab, { certificate: "revoked" })).outcome, "refused", `step ${step}`);

      const removalStep = removalSteps[index] ?? 1;
      await kill(session, use, removalStep, () => session.remove());
      const foundThen = await lookAt(session, removalStep, applied, cleanConf);
      interrupted += [found, foundThen].filter((one) => one === "interrupted").length;
      if (foundThen !== "valid")
        assert.equal((await session.remove()).result, "applied", `removal step ${removalStep}`);
      assert.equal(await bytesOf(session), clean, `removal step ${removalStep}: after the next run`);
      assert.equal(
        (await request(session.lab, { certificate: "revoked" })).outcome,
        "200",
        `removal step ${removalStep}`,
      );
    }
    assert.ok(interrupted >= 16, `only ${interrupted} kills fell into a swap`);
  });
});
