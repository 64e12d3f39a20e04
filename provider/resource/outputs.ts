/** Outputs of `clientcert:apache:ClientAuth`: what users need to know of a host, and what the next Diff plans from. */
import { shownDeep } from "../../core/shown.ts";
import { statusOf } from "../../core/apache/status.ts";
import type { Facts, Plan } from "../../core/apache/model.ts";
import { hostText } from "../../core/host-text.ts";
import { packFacts } from "./packed-facts.ts";
import { liveFiles } from "../apache/files.ts";
import { desiredOf, type Inputs } from "../apache/inputs.ts";
import type { Judge } from "../apache/host-model.ts";
import { type Properties, unknown } from "../engine/resource.ts";

/** What an apply adds to what can be seen on the host; carried over by a refresh. */
export interface LastChange {
  /** One line for each thing that the last change did. */
  readonly lastChange: readonly string[];
  /** Which judge spoke; undefined when nothing had to be judged yet. */
  readonly judge: Judge | undefined;
}

export const noChange: LastChange = { lastChange: [], judge: undefined };

/** What the last change was, kept through a refresh and runs without a change. */
export function lastChangeOf({ lastChange, judge }: Properties): LastChange {
  const lines = Array.isArray(lastChange) ? lastChange.filter((line) => typeof line === "string") : [];
  return { lastChange: lines, judge: judges.find((known) => known === judge) };
}

const judges: readonly Judge[] = ["shadow", "minimal", "syntax"];

/** Outputs that are only known once the host has been changed. */
const computed = ["generation", "lastChange", "judge", "crlStatus", "timer"] as const;

/** Outputs that are known as soon as the host has been looked at. */
const observed = [
  "serverVersion",
  "opensslVersion",
  "php",
  "tlsRule",
  "virtualHosts",
  "caNotAfter",
  "crlNextUpdate",
] as const;

/** Outputs for a host as `facts` say it is; `plan` was made from the same facts. What the host says goes through the gate. */
export function outputsOf(inputs: Inputs, facts: Facts, plan: Plan, lastChange: LastChange): Properties {
  return { ...inputs, ...shownDeep(seenOf(inputs, facts, plan, lastChange)) };
}

function seenOf(inputs: Inputs, facts: Facts, plan: Plan, lastChange: LastChange): Properties {
  const status = statusOf(desiredOf(inputs), facts, plan);
  const { generation, serverVersion, opensslVersion, php, tlsRule, timer, warnings, problems } = status;
  return {
    files: liveFiles(facts),
    facts: packFacts(facts),
    lastChange: lastChange.lastChange,
    judge: lastChange.judge,
    ...{ generation, serverVersion, opensslVersion, php, tlsRule, timer, warnings, problems },
    virtualHosts: status.virtualHosts.map(({ serverName, file, line }) => hostText(`${serverName} (${file}:${line})`)),
    caNotAfter: status.caNotAfter.installed,
    crlNextUpdate: status.crlNextUpdate.installed,
    crlStatus: status.crlSources,
    owed: status.pendingReload,
    stopped: status.alarms[0],
  };
}

/** Outputs of a preview: what only the change itself tells is unknown. */
export function previewOutputs(outputs: Properties): Properties {
  return { ...outputs, ...Object.fromEntries(computed.map((name) => [name, unknown])) };
}

/** Outputs of a preview whose inputs are not all known, such as the address of a machine that is still to be created. */
export function unknownOutputs(inputs: Properties): Properties {
  return { ...inputs, ...Object.fromEntries([...computed, ...observed].map((name) => [name, unknown])) };
}
