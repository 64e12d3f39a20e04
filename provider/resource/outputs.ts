/** Outputs of a resource: what users need to know of a host, and what the next Diff plans from. */
import type { KindTypes, ServerKind } from "../../core/server-kind.ts";
import { shownDeep } from "../../core/shown.ts";
import { type Properties, unknown } from "../engine/resource.ts";
import { packFacts } from "./packed-facts.ts";
import type { HostCall, PlannedHost } from "./planned-host.ts";
import { textsOf } from "./shown-files.ts";

/** What an apply adds to what can be seen on the host; carried over by a refresh. */
export interface LastChange {
  /** One line for each thing that the last change did. */
  readonly lastChange: readonly string[];
  /** Which judge spoke; undefined when nothing had to be judged yet. */
  readonly judge: string | undefined;
}

export const noChange: LastChange = { lastChange: [], judge: undefined };

/** What the last change was, kept through a refresh and runs without a change. */
export function lastChangeOf<K extends KindTypes>(
  { outputs: { judges } }: Pick<ServerKind<K>, "outputs">,
  { lastChange, judge }: Properties,
): LastChange {
  const lines = Array.isArray(lastChange) ? lastChange.filter((line) => typeof line === "string") : [];
  return { lastChange: lines, judge: judges.find((known) => known === judge) };
}

/** Outputs that are only known once the host has been changed. */
const computed = ["generation", "lastChange", "judge", "crlStatus", "timer"] as const;

/** Outputs that are known as soon as the host has been looked at, beside those of the kind. */
const observed = ["serverVersion", "caNotAfter", "crlNextUpdate"] as const;

/** Outputs for a host as its facts say it is. What the host says goes through the gate. */
export function outputsOf<K extends KindTypes>(
  { kind, inputs }: Pick<HostCall<K>, "kind" | "inputs">,
  { facts, plan }: PlannedHost<K>,
  lastChange: LastChange,
): Properties {
  const status = kind.status(inputs, facts, plan);
  const { generation, serverVersion, caNotAfter, crlNextUpdate, crlStatus, timer, warnings, problems } = status;
  const seen = {
    files: textsOf(kind.files.live(facts)),
    facts: packFacts(kind.facts, facts),
    ...{ generation, serverVersion, timer, warnings, problems },
    caNotAfter: caNotAfter.installed,
    crlNextUpdate: crlNextUpdate.installed,
    crlStatus: crlStatus,
    owed: status.pendingReload,
    stopped: status.alarms[0],
    ...kind.outputs.of(status),
    ...lastChange,
  };
  const asked: object = inputs;
  return { ...asked, ...shownDeep(seen) };
}

/** Outputs of a preview: what only the change itself tells is unknown. */
export function previewOutputs(outputs: Properties): Properties {
  return { ...outputs, ...unknowns(computed) };
}

/**
 * Outputs of a preview whose inputs are not all known, such as the address of a machine that is still to be created.
 */
export function unknownOutputs<K extends KindTypes>(
  kind: Pick<ServerKind<K>, "inputs" | "outputs">,
  inputs: Properties,
): Properties {
  return { ...kind.inputs.withDefaults(inputs), ...unknowns([...computed, ...observed, ...kind.outputs.names]) };
}

const unknowns = (names: readonly string[]): Properties => Object.fromEntries(names.map((name) => [name, unknown]));
