/** Runs one transaction on a host, and turns its outcome into what Pulumi needs. */
import type { HostInputs, HostOutcome, KindTypes } from "../../core/server-kind.ts";
import { type Context, PartialFailure, type Properties } from "../engine/resource.ts";
import { HostError, type HostErrorKind } from "../remote/host-error.ts";
import { lastChangeOf, noChange, outputsOf } from "./outputs.ts";
import { type HostCall, type PlannedHost, planFor, refuseProblems, runOptions } from "./planned-host.ts";

/**
 * Lets the real server judge a change on a copy, for a preview. Throws an error with the reasons when the server
 * refuses the change. Without a change, with one of which the server reads nothing, and with `judgeInPreview: false`,
 * nothing is judged.
 */
export async function judge<K extends KindTypes>(
  { kind, inputs, context }: HostCall<K>,
  { facts, plan: { change } }: PlannedHost<K>,
): Promise<void> {
  if (change === undefined) return;
  if (change.isAside === true)
    return context.progress(`done: planned; ${kind.serverName} reads nothing of it, so nothing is judged`);
  // The transaction is made in every preview, because this also finds CA and CRL files that cannot be installed.
  const transaction = kind.prepare(inputs, facts, change, "change");
  if (!inputs.judgeInPreview) return context.progress("done: planned, not judged (judgeInPreview: false)");
  const outcome = await transaction.judge(runOptions(context));
  if (outcome.result !== "well") throw refusal(inputs, outcome);
  reportNotes(inputs, outcome, context);
  context.progress(`done: judged well (${outcome.judge})`);
}

/**
 * The number of interrupted runs that a change puts back before it gives up. Each further run began meanwhile, and
 * somebody stopped it.
 */
const mostRecoveries = 3;

/**
 * Carries out the plan and returns the outputs. Throws an error unless the change is on the host, and a
 * {@link PartialFailure} where this is not known. Where the host has only put back an interrupted run, the change is
 * planned again from there and carried out; `recoveriesLeft` is the number of runs that may still be put back.
 */
export async function apply<K extends KindTypes>(
  call: HostCall<K>,
  planned: PlannedHost<K>,
  id: string,
  recoveriesLeft = mostRecoveries,
): Promise<Properties> {
  const { kind, inputs, context } = call;
  const { facts, plan } = planned;
  const { change } = plan;
  if (change === undefined) {
    context.progress("done: as wanted already");
    return outputsOf(call, planned, noChange);
  }
  const transaction = kind.prepare(inputs, facts, change, "change");
  const outcome = await transaction.apply(runOptions(context)).catch((error: unknown) => {
    throw mayHaveChanged(error) ? unknownOutcome(call, planned, id, error) : error;
  });
  const recovered = recoveredFacts(call, outcome);
  if (recovered !== undefined) {
    requireRecoveryLeft(inputs, recoveriesLeft);
    const replanned = planFor(call, recovered);
    refuseProblems(call, replanned.plan);
    return apply(call, replanned, id, recoveriesLeft - 1);
  }
  return settle(call, { planned, change, outcome });
}

/**
 * The facts after an earlier, interrupted run was put back, which is reported as a warning. This run was planned on
 * what the interrupted run had left, so it needs a new plan. Undefined where no run was put back.
 */
function recoveredFacts<K extends KindTypes>(
  { kind, inputs, context }: HostCall<K>,
  { result, reasons, observation }: HostOutcome<K["observation"]>,
): K["facts"] | undefined {
  if (result !== "recovered" || observation === undefined) return undefined;
  context.log("warning", [`${inputs.connection.address}:`, ...reasons].join("\n  "));
  return kind.readFacts(observation, inputs);
}

/** Throws an error where the run that was just put back was the last one that may be; `recoveriesLeft` counts it. */
function requireRecoveryLeft({ connection }: HostInputs, recoveriesLeft: number): void {
  if (recoveriesLeft > 1) return;
  const cause = `an interrupted change was put back ${mostRecoveries} times in a row, and each time another one was there`;
  const advice =
    "nothing else was changed; see what changes this server and what ends it (journalctl -t clientcert), then run again";
  throw new Error(`${connection.address}: ${cause}; ${advice}`);
}

interface Applied<K extends KindTypes> {
  readonly planned: PlannedHost<K>;
  readonly change: K["change"];
  readonly outcome: HostOutcome<K["observation"]>;
}

/**
 * Turns the outcome of a run into outputs. Throws an error where the change was refused, put back, or only judged. A
 * server that is stopped and was not started is only a warning. The outputs come from the observation at the end of the
 * run, where there is one, and otherwise from the facts before it.
 */
function settle<K extends KindTypes>(call: HostCall<K>, { planned, change, outcome }: Applied<K>): Properties {
  const { kind, inputs, context } = call;
  if (outcome.result === "refused" || outcome.result === "rolledBack" || outcome.result === "well") {
    throw refusal(inputs, outcome);
  }
  const { observation, generation } = outcome;
  const after = observation === undefined ? planned : planFor(call, kind.readFacts(observation, inputs));
  const lastChange = lastChangeOf(kind, { lastChange: kind.describeChange(change), judge: outcome.judge });
  const outputs: Properties = { ...outputsOf(call, after, lastChange), generation };
  if (outcome.result === "stopped") context.log("warning", stoppedText(inputs, outcome));
  else reportNotes(inputs, outcome, context);
  const judged = change.isAside === true ? `${kind.serverName} reads nothing of it` : `judged by ${outcome.judge}`;
  context.progress(`done: generation ${generation}, ${judged}`);
  return outputs;
}

/** The part of an outcome that is reported. */
type ReportedOutcome = Pick<HostOutcome<unknown>, "result" | "judge" | "reasons">;

/**
 * Reports the notes of a run that went well, such as a CRL source that is down while the installed CRL still serves.
 */
function reportNotes(inputs: HostInputs, { reasons }: ReportedOutcome, { log }: Context): void {
  for (const reason of reasons) log("warning", `${inputs.connection.address}: ${reason}`);
}

/** The warning about a change whose server is stopped. */
function stoppedText(inputs: HostInputs, { reasons }: ReportedOutcome): string {
  const hint = "the server is stopped and was not started; the files take effect when it is started";
  return [`${inputs.connection.address}: ${hint}`, ...reasons].join("\n  ");
}

/** What each outcome means that is not a success, in words. */
const refusals = {
  refused: "refused, and nothing was touched",
  rolledBack: "changed, found not well, and put back as it was",
  well: "only judged, not applied",
} as const;

/** The error about an outcome that is not a success, with its reasons. */
function refusal(inputs: HostInputs, { result, judge: decidedBy, reasons }: ReportedOutcome): Error {
  const what = result in refusals ? refusals[result as keyof typeof refusals] : result; // the key is in the table
  return new Error([`${inputs.connection.address}: ${what} (judge: ${decidedBy}):`, ...reasons].join("\n  "));
}

/** Errors of these kinds mean that the host was left alone. After any other error the host may have been changed. */
const untouched: readonly HostErrorKind[] = [
  "unreachable",
  "hostKey",
  "login",
  "sudo",
  "noHttpd",
  "severalHttpds",
  "locked",
  "refused",
];

/** Whether the host may have been changed although the run ended with this error. */
function mayHaveChanged(error: unknown): boolean {
  return !(error instanceof HostError && untouched.includes(error.kind));
}

/**
 * The error where the outcome is not known. Its outputs have no facts, so the next Diff shows a difference, and the
 * update observes the host again. It has an id, so the state does not lose a host that was configured after all.
 */
function unknownOutcome<K extends KindTypes>(
  call: HostCall<K>,
  planned: PlannedHost<K>,
  id: string,
  error: unknown,
): PartialFailure {
  const reason = error instanceof Error ? error.message : String(error);
  const owed = `${reason}; whether the change was made is not known, the next run looks`;
  const outputs = outputsOf(call, planned, noChange);
  return new PartialFailure({ id, outputs: { ...outputs, facts: undefined, owed } }, [owed]);
}

/**
 * Removes our configuration from the host. Where the run first put back an earlier one that was interrupted, the
 * removal begins again from there. Throws an error unless everything is removed, and the server runs without it or was
 * stopped before.
 */
export async function remove<K extends KindTypes>(
  call: HostCall<K>,
  facts: K["facts"],
  recoveriesLeft = mostRecoveries,
): Promise<void> {
  const { kind, inputs, context } = call;
  const transaction = kind.prepare(inputs, facts, kind.planRemoval(facts), "removal");
  const outcome = await transaction.apply(runOptions(context));
  const recovered = recoveredFacts(call, outcome);
  if (recovered !== undefined) {
    if (kind.facts.isGone(recovered)) return;
    requireRecoveryLeft(inputs, recoveriesLeft);
    return remove(call, recovered, recoveriesLeft - 1);
  }
  if (outcome.result !== "applied" && outcome.result !== "stopped") throw refusal(inputs, outcome);
  context.progress("done: removed");
}

/**
 * Puts back the lines that an earlier version should never have commented out, even where conflicts forbid everything
 * else: customers' pages may have been open since. Returns what was done, in words. Undefined where nothing was to be
 * done. Throws an error where the host did not do it.
 */
export async function putBack<K extends KindTypes>(
  { kind, inputs, context }: HostCall<K>,
  { facts, plan: { restore } }: PlannedHost<K>,
): Promise<string | undefined> {
  if (restore === undefined) return undefined;
  const outcome = await kind.prepare(inputs, facts, restore, "change").apply(runOptions(context));
  if (outcome.result !== "applied" && outcome.result !== "stopped") throw refusal(inputs, outcome);
  context.progress(`done: generation ${outcome.generation}, judged by ${outcome.judge}`);
  return `${kind.describeRestored(restore)}, and nothing else was changed`;
}
