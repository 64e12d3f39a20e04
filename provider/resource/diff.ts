/** What would `up` change? The answer comes from the facts in the old outputs alone, without a host. */
import { type Diagnostic, alarmTexts, problemTexts } from "../../core/diagnostic.ts";
import type { KindInputs, KindTypes, ServerKind } from "../../core/server-kind.ts";
import { shownLines } from "../../core/shown.ts";
import type { DiffArgs, DiffKind, DiffResult, Properties } from "../engine/resource.ts";
import type { PlannedHost } from "./planned-host.ts";
import { fileChanges } from "./shown-files.ts";

/** What differs, by the path of the property. */
type Detailed = Readonly<Record<string, DiffKind>>;
/** The parts of a kind's inputs that a diff needs. */
type Compared = Pick<KindInputs<unknown>, "changed" | "neverCompared" | "locating">;

/** True when the facts of the old outputs are not about the server that the inputs name. */
export function isTargetChanged(compared: Compared, old: Properties, inputs: Properties): boolean {
  return Object.keys(targetChanges(compared, old, inputs)).length > 0;
}

/** The inputs that name another server than before: the address, the host key, and those of `locating`. */
function targetChanges({ changed, locating }: Compared, old: Properties, inputs: Properties): Detailed {
  const connection = ["address", "hostKey"].filter(
    (name) => field(old.connection, name) !== field(inputs.connection, name),
  );
  const others = changed(old, inputs).filter((name) => locating.includes(name));
  return updates([...connection.map((name) => `connection.${name}`), ...others]);
}

/** A field of an object from the state. Undefined where the value is not an object, or has no such field of its own. */
function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}

/**
 * The properties whose change needs another resource: address and host key where both are different, otherwise none.
 * Only then is it another machine. The same key at another address is the same machine, which has moved. The same
 * address with another key is a machine that was set up anew, and it has nothing left to delete. If both have changed
 * on the same machine after all, no harm is done: the deletion dials the old address and pins the old key, so it cannot
 * remove what the creation has just written.
 */
function replacesOf(changed: Detailed): readonly string[] {
  const both = ["connection.address", "connection.hostKey"];
  return both.every((path) => path in changed) ? both : [];
}

/**
 * The diff for inputs that are not all known yet: every input that differs and may change the host, and the outputs
 * that should disappear.
 */
export function diffUnknown(compared: Compared, args: DiffArgs): DiffResult {
  return {
    detailedDiff: { ...unhealthyOutputs(args.oldOutputs), ...updates(comparedChanges(compared, args)) },
    replaces: [],
  };
}

/** The names of the inputs that differ and may change the host. The old outputs contain the inputs of the last run. */
const comparedChanges = ({ changed, neverCompared }: Compared, { inputs, oldOutputs }: DiffArgs): readonly string[] =>
  changed(oldOutputs, inputs).filter((name) => !neverCompared.includes(name));

/**
 * The diff where the facts are about another server, or where there are none, because the last run did not find out
 * what became of the host or another build wrote them. Where nothing else differs, `facts` does, so that `up` runs.
 */
export function diffTargetChanged(compared: Compared, { inputs, oldOutputs }: DiffArgs): DiffResult {
  const target = targetChanges(compared, oldOutputs, inputs);
  const changed = { ...unhealthyOutputs(oldOutputs), ...target };
  const detailedDiff: Detailed = Object.keys(changed).length > 0 ? changed : { facts: "update" };
  return { detailedDiff, replaces: replacesOf(target) };
}

/**
 * The diff of a plan: what it would change, and what keeps the host from being healthy. Without a change and without
 * new problems, only the latter.
 */
export function diffPlan<K extends KindTypes>(
  { inputs, files }: Pick<ServerKind<K>, "inputs" | "files">,
  args: DiffArgs,
  { facts, plan }: PlannedHost<K>,
): DiffResult {
  const alarms = { ...newAlarm(plan.diagnostics), ...unhealthyOutputs(args.oldOutputs) };
  // New problems count as a difference even where nothing is to be changed, so that `up` runs and refuses them.
  if (plan.change === undefined && newProblems(args.oldOutputs, plan.diagnostics).length === 0) {
    return { detailedDiff: alarms, replaces: [] };
  }
  // Another way to the same host changes nothing on the host.
  const changed = comparedChanges(inputs, args).filter((name) => name !== "connection");
  const detailedDiff = {
    ...alarms,
    ...updates(changed),
    ...fileChanges(files.live(facts), files.planned(facts, plan), args),
  };
  // Some changes are shown by nothing above, such as a reload that is owed. Every change raises `generation`, so this
  // output is shown instead.
  return { detailedDiff: Object.keys(detailedDiff).length > 0 ? detailedDiff : { generation: "update" }, replaces: [] };
}

/** The problems that the outputs do not show yet. */
function newProblems(outputs: Properties, diagnostics: readonly Diagnostic[]): readonly string[] {
  const stored: readonly unknown[] = Array.isArray(outputs.problems) ? outputs.problems : [];
  // The stored texts have been made safe for a terminal, so the new texts are made safe before the comparison.
  return problemTexts(diagnostics).filter((text) => !stored.includes(shownLines(text)));
}

/**
 * `stopped` as an addition where the plan has an alarm: a server that should run and does not. The outputs do not have
 * it yet where the site file no longer says that the server is stopped on purpose (`mayBeStopped`). Where they have it,
 * {@link unhealthyOutputs} takes this place.
 */
const newAlarm = (diagnostics: readonly Diagnostic[]): Detailed =>
  alarmTexts(diagnostics).length > 0 ? { stopped: "add" } : {};

/**
 * The outputs that should disappear, shown as deletions: problems, an owed reload, and a server that should run and
 * does not. As differences, they make a preview end with exit status 7, with a refresh and without it.
 */
function unhealthyOutputs({ problems, owed, stopped }: Properties): Detailed {
  const hasProblems = Array.isArray(problems) && problems.length > 0;
  const texts = Object.entries({ owed, stopped }).filter(([, text]) => typeof text === "string" && text !== "");
  const shown = texts.map(([name]) => [name, "delete"] as const);
  return { ...(hasProblems ? { problems: "delete" } : {}), ...Object.fromEntries(shown) };
}

/** The names, each with the kind `update`. */
function updates(names: readonly string[]): Detailed {
  return Object.fromEntries(names.map((name) => [name, "update"]));
}
