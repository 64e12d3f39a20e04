/** One look at a host, and what it means for what is wanted. */
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import { type Diagnostic, diagnosticText, problemTexts } from "../../core/diagnostic.ts";
import type { Facts, Plan } from "../../core/apache/model.ts";
import type { Observation } from "../../core/apache/observation.ts";
import { plan } from "../../core/apache/plan/plan.ts";
import { desiredOf, targetOf, type Inputs } from "../apache/inputs.ts";
import { observeClock } from "./clock.ts";
import type { Host, RunOptions } from "../apache/host-model.ts";
import type { Context } from "../engine/resource.ts";

export interface PlannedHost {
  readonly facts: Facts;
  readonly plan: Plan;
}

/** Tells when the host's clock is off. */
export async function observe(host: Host, inputs: Inputs, context: Context): Promise<Observation> {
  const { observation, diagnostics } = await observeClock(host, targetOf(inputs), runOptions(context));
  report(context, diagnostics);
  return observation;
}

export async function observeFacts(host: Host, inputs: Inputs, context: Context): Promise<Facts> {
  return factsOf(await observe(host, inputs, context), inputs);
}

export const factsOf = (observation: Observation, { port }: Inputs): Facts => readFacts(observation, { port });

export function planFor(inputs: Inputs, facts: Facts): PlannedHost {
  return { facts, plan: plan(desiredOf(inputs), facts) };
}

export const runOptions = ({ progress, signal }: Context): RunOptions => ({ onProgress: progress, signal });

/** Nothing of ours is there: no file, no line, no timer, no journal. */
export function isGone({ own, refresh, virtualHosts }: Facts): boolean {
  const isIncluded = virtualHosts.some((host) => host.include !== undefined);
  const files = [...Object.keys(own.files), ...Object.keys(refresh.timers)];
  return own.owner === undefined && files.length === 0 && !isIncluded;
}

/** Tells what a plan found. Conflicts are warnings here: whether they stop the run is decided where something is changed. */
export function report({ log }: Context, diagnostics: readonly Diagnostic[]): void {
  for (const diagnostic of diagnostics)
    log(diagnostic.severity === "note" ? "info" : "warning", diagnosticText(diagnostic));
}

/** Throws with every conflict and problem at once; `done`: what was changed all the same. */
export function refuseProblems(inputs: Inputs, plan: Plan, done = "nothing was changed"): void {
  const problems = problemTexts(plan.diagnostics);
  if (problems.length > 0) throw new Error([`${inputs.connection.address}: ${done}:`, ...problems].join("\n  "));
}
