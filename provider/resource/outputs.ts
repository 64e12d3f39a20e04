/** The outputs of a resource: what users need to know of a host, and the facts from which the next Diff plans. */
import type { KindTypes, ServerKind } from "../../core/server-kind.ts";
import { shownDeep } from "../../core/shown.ts";
import { type Properties, unknown } from "../engine/resource.ts";
import { packFacts } from "./packed-facts.ts";
import type { HostCall, PlannedHost } from "./planned-host.ts";
import { textsOf } from "./shown-files.ts";

/** What an apply adds to what can be observed on the host. A refresh keeps it. */
export interface LastChange {
  /** One line for each thing that the last change did. */
  readonly lastChange: readonly string[];
  /** The judge that decided. Undefined when nothing had to be judged yet. */
  readonly judge: string | undefined;
}

/** For a call that changed nothing, or whose outcome is not known. */
export const noChange: LastChange = { lastChange: [], judge: undefined };

/**
 * The last change from `lastChange` and `judge` of the outputs, without values of another form. It is kept through a
 * refresh, and through runs that change nothing.
 */
export function lastChangeOf<K extends KindTypes>(
  { outputs: { judges } }: Pick<ServerKind<K>, "outputs">,
  { lastChange, judge }: Properties,
): LastChange {
  const lines = Array.isArray(lastChange) ? lastChange.filter((line) => typeof line === "string") : [];
  return { lastChange: lines, judge: judges.find((known) => known === judge) };
}

/** Outputs that are known only after the host has been changed. */
const computed = ["generation", "lastChange", "judge", "crlStatus", "timer"] as const;

/** Outputs that are known as soon as the host has been observed, in addition to those of the kind. */
const observed = ["serverVersion", "caNotAfter", "crlNextUpdate"] as const;

/** The outputs for a host, made from its facts. Text from the host is made safe for a terminal. */
export function outputsOf<K extends KindTypes>(
  { kind, inputs }: Pick<HostCall<K>, "kind" | "inputs">,
  { facts, plan }: PlannedHost<K>,
  lastChange: LastChange,
): Properties {
  const status = kind.status(inputs, facts, plan);
  const { generation, serverVersion, caNotAfter, crlNextUpdate, crlStatus, timer, warnings, problems } = status;
  const onHost = {
    files: textsOf(kind.files.live(facts)),
    facts: packFacts(kind.facts, facts),
    generation,
    serverVersion,
    crlStatus,
    timer,
    warnings,
    problems,
    caNotAfter: caNotAfter.installed,
    crlNextUpdate: crlNextUpdate.installed,
    owed: status.pendingReload,
    stopped: status.alarms[0], // a plan has at most one alarm
    ...kind.outputs.fromStatus(status),
    ...lastChange,
  };
  // Widened, because the type of the inputs depends on the kind, and a spread of it would not be `Properties`.
  const asked: object = inputs;
  return { ...asked, ...shownDeep(onHost) };
}

/** The outputs of a preview. What only the change itself shows is unknown. */
export function previewOutputs(outputs: Properties): Properties {
  return { ...outputs, ...unknowns(computed) };
}

/**
 * The outputs of a preview whose inputs are not all known, such as the address of a machine that is yet to be created.
 */
export function unknownOutputs<K extends KindTypes>(
  kind: Pick<ServerKind<K>, "inputs" | "outputs">,
  inputs: Properties,
): Properties {
  return { ...kind.inputs.withDefaults(inputs), ...unknowns([...computed, ...observed, ...kind.outputs.names]) };
}

const unknowns = (names: readonly string[]): Properties => Object.fromEntries(names.map((name) => [name, unknown]));
