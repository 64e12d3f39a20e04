import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import { HostError } from "../../provider/errors.ts";
import { hostScript } from "../../provider/host/scripts.ts";
import { startSession, type Session } from "../host/session.ts";
import { bytesOf } from "./bytes.ts";
import { distinctSteps, faultyProgram, forgetSteps, killAt, noteState, readSteps } from "./program.ts";

const conf = "/usr/local/ni/apache/conf";
const other = { organizations: ["ANOTHER CORPORATION"], crlPem: null } as const;

/** Runs once to the end, and says at which steps something on the host had changed. */
async function findSteps(
  session: Session,
  use: (program: string) => void,
  run: () => Promise<unknown>,
): Promise<number[]> {
  await session.lab.run(forgetSteps);
  use(faultyProgram({ at: noteState, unjudged: true }));
  await run();
  return distinctSteps(await session.lab.run(readSteps));
}

/** The run is killed at that step; the server goes on answering. */
async function kill(
  session: Session,
  use: (program: string) => void,
  step: number,
  run: () => Promise<unknown>,
): Promise<void> {
  await session.lab.run(forgetSteps);
  use(faultyProgram({ at: killAt(step), unjudged: true }));
  await assert.rejects(run(), HostError);
  use(faultyProgram({ unjudged: true }));
  assert.equal((await request(session.lab)).outcome, "200", `step ${step}: while nothing runs`);
}

/** What the next run has to do. Either the look tells of it, or nothing was begun, or the change was valid already. */
async function lookAt(
  session: Session,
  step: number,
  before: string,
  after: string,
): Promise<"interrupted" | "not begun" | "valid"> {
  const { owed } = (await session.look()).own;
  if (owed !== undefined) {
    assert.match(owed, /^run \S+ was interrupted; /, `step ${step}`);
    return "interrupted";
  }
  const bytes = await bytesOf(session, conf);
  assert.ok(bytes === before || bytes === after, `step ${step}: half done, and the look does not tell`);
  return bytes === after ? "valid" : "not begun";
}

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
