/** One observation of a host, and the plan that follows from it. */
import { type Diagnostic, diagnosticText, problemTexts } from "../../core/diagnostic.ts";
import type { HostPlan, KindTypes, RunOptions, ServerKind } from "../../core/server-kind.ts";
import { observeClock } from "./clock.ts";
import type { Context } from "../engine/resource.ts";

/** What a call about one host works with. */
export interface HostCall<K extends KindTypes> {
  readonly kind: ServerKind<K>;
  readonly inputs: K["inputs"];
  readonly context: Context;
}

export interface PlannedHost<K extends KindTypes> {
  readonly facts: K["facts"];
  readonly plan: HostPlan<K["change"]>;
}

/** Observes the host, and reports when its clock is wrong. */
export async function observe<K extends KindTypes>({ kind, inputs, context }: HostCall<K>): Promise<K["observation"]> {
  const { observation, diagnostics } = await observeClock(() => kind.observe(inputs, runOptions(context)));
  report(context, diagnostics);
  return observation;
}

export async function observeFacts<K extends KindTypes>(call: HostCall<K>): Promise<K["facts"]> {
  return call.kind.readFacts(await observe(call), call.inputs);
}

export const planFor = <K extends KindTypes>(
  { kind, inputs }: Pick<HostCall<K>, "kind" | "inputs">,
  facts: K["facts"],
): PlannedHost<K> => ({ facts, plan: kind.plan(inputs, facts) });

export const runOptions = ({ progress, signal }: Context): RunOptions => ({ onProgress: progress, signal });

/**
 * Logs what a plan found: notes as information, everything else as warnings. These include conflicts and problems,
 * because whether they stop the run is decided where something is changed.
 */
export function report({ log }: Context, diagnostics: readonly Diagnostic[]): void {
  for (const diagnostic of diagnostics)
    log(diagnostic.severity === "note" ? "info" : "warning", diagnosticText(diagnostic));
}

/**
 * Throws one error with every conflict and problem that forbids the change. Returns where there is none. `done` says in
 * the error what was changed all the same.
 */
export function refuseProblems<K extends KindTypes>(
  { inputs }: HostCall<K>,
  { diagnostics }: HostPlan<K["change"]>,
  done = "nothing was changed",
): void {
  const problems = problemTexts(diagnostics);
  if (problems.length > 0) throw new Error([`${inputs.connection.address}: ${done}:`, ...problems].join("\n  "));
}
