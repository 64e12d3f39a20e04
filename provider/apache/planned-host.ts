/** One look at a host, and what it means for what is wanted. */
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import type { Finding } from "../../core/diagnostic.ts";
import type { Facts, Plan } from "../../core/apache/model.ts";
import type { Observation } from "../../core/apache/observation.ts";
import { isBlocking } from "../../core/apache/plan/diagnostics.ts";
import { plan } from "../../core/apache/plan/plan.ts";
import { findingText } from "./diff.ts";
import { desiredOf, targetOf, type Wishes } from "./inputs.ts";
import { observeClock } from "./clock.ts";
import type { Host, RunOptions } from "./host-model.ts";
import type { Context } from "../engine/resource.ts";

export interface Look {
  readonly facts: Facts;
  readonly plan: Plan;
}

/** Tells when the host's clock is off. */
export async function observe(host: Host, wishes: Wishes, context: Context): Promise<Observation> {
  const { observation, findings } = await observeClock(host, targetOf(wishes), runOptions(context));
  tell(context, findings);
  return observation;
}

export async function observeFacts(host: Host, wishes: Wishes, context: Context): Promise<Facts> {
  return factsOf(await observe(host, wishes, context), wishes);
}

export const factsOf = (observation: Observation, { port }: Wishes): Facts => readFacts(observation, { port });

export function lookFrom(wishes: Wishes, facts: Facts): Look {
  return { facts, plan: plan(desiredOf(wishes), facts) };
}

export const runOptions = ({ progress, signal }: Context): RunOptions => ({ onProgress: progress, signal });

/** Nothing of ours is there: no file, no line, no timer, no journal. */
export function isGone({ own, refresh, virtualHosts }: Facts): boolean {
  const isIncluded = virtualHosts.some((host) => host.include !== undefined);
  const files = [...Object.keys(own.files), ...Object.keys(refresh.timers)];
  return own.owner === undefined && files.length === 0 && !isIncluded;
}

/** Tells what a plan found. Conflicts are warnings here: whether they stop the run is decided where something is changed. */
export function tell({ log }: Context, findings: readonly Finding[]): void {
  for (const finding of findings) log(finding.severity === "note" ? "info" : "warning", findingText(finding));
}

/** Throws with every conflict and problem at once; `done`: what was changed all the same. */
export function refuseProblems(wishes: Wishes, plan: Plan, done = "nothing was changed"): void {
  const problems = problemTexts(plan);
  if (problems.length > 0) throw new Error([`${wishes.connection.address}: ${done}:`, ...problems].join("\n  "));
}

/** What keeps a change from being made, one line each. */
export const problemTexts = ({ findings }: Plan): string[] => findings.filter(isBlocking).map(findingText);
