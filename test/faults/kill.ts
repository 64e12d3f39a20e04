/** Kills a run at each of its steps, and what has to be found afterwards. */
import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import { HostError } from "../../provider/remote/host-error.ts";
import type { Outcome } from "../../provider/apache/host-model.ts";
import type { Session } from "../host/session.ts";
import { bytesOf } from "./bytes.ts";
import {
  distinctSteps,
  faultyProgram,
  forgetSteps,
  killAt,
  noteState,
  readLastFunction,
  readSteps,
} from "./program.ts";

export const conf = "/usr/local/ni/apache/conf";

/** The lock of a run that was killed stays behind, unless the run took away the directory that it lies in. */
const isLockHeld =
  "[ ! -d /var/lib/clientcert ] || ls -d /var/lib/clientcert/*/lock* >/dev/null 2>&1 && echo yes || echo no";

/** What the process does that hands a change to another one, and its answer back. */
const inTheReceiver: readonly string[] = ["run_apply", "leave_nothing", "sweep_judges"];

/** Runs once to the end, and says at which steps something on the host had changed. */
export async function findSteps(
  session: Session,
  use: (program: string) => void,
  run: () => Promise<unknown>,
): Promise<number[]> {
  await session.lab.run(forgetSteps);
  use(faultyProgram({ at: noteState, unjudged: true }));
  await run();
  return distinctSteps(await session.lab.run(readSteps));
}

/**
 * The run is killed at that step, at the latest while it gives the lock back, when its end is told; the server goes on
 * answering.
 */
export async function kill(
  session: Session,
  use: (program: string) => void,
  step: number,
  run: () => Promise<Outcome>,
): Promise<void> {
  await session.lab.run(forgetSteps);
  use(faultyProgram({ at: killAt(step), unjudged: true }));
  const told = await run().catch((error: unknown) => {
    assert.ok(error instanceof HostError, `step ${step}: ${String(error)}`);
  });
  if (told !== undefined) {
    assert.equal(told.result, "applied", `step ${step}`);
    const isCarrier = !inTheReceiver.includes((await session.lab.run(readLastFunction)).trim());
    if (isCarrier) assert.equal(await session.lab.run(isLockHeld), "yes\n", `step ${step}: nothing was killed`);
  }
  use(faultyProgram({ unjudged: true }));
  assert.equal((await request(session.lab)).outcome, "200", `step ${step}: while nothing runs`);
}

/** What the next run has to do. Either the look tells of it, or nothing was begun, or the change was valid already. */
export async function lookAt(
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
