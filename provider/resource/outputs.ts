/** Outputs of `clientcert:apache:ClientAuth`: what users need to know of a host, and what the next Diff plans from. */
import { isTls12Only, phpVersion } from "../../core/apache/php-rule.ts";
import { shownDeep } from "../../core/shown.ts";
import { findPendingReload } from "../../core/apache/facts/stopped.ts";
import { type Diagnostic, alarmTexts, diagnosticText, isBlocking, problemTexts } from "../../core/diagnostic.ts";
import type { Facts, Plan } from "../../core/apache/model.ts";
import { hostText } from "../../core/host-text.ts";
import { packFacts } from "./packed-facts.ts";
import { liveFiles } from "../apache/files.ts";
import { desiredOf, type Inputs } from "../apache/inputs.ts";
import type { Judge } from "../apache/host-model.ts";
import { type Properties, unknown } from "../engine/resource.ts";
import { crlStatusOf, timerStatusOf } from "../../core/crl-refresh/refresh-status.ts";

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
  return {
    files: liveFiles(facts),
    facts: packFacts(facts),
    generation: facts.own.generation,
    lastChange: lastChange.lastChange,
    judge: lastChange.judge,
    serverVersion: facts.server.version,
    opensslVersion: facts.server.openssl,
    php: facts.php && `${facts.php.version} (${facts.php.source})`,
    tlsRule: tlsRule(facts, inputs),
    virtualHosts: facts.virtualHosts.map((host) => hostText(`${host.serverName} (${host.file}:${host.line})`)),
    caNotAfter: earliest(facts.own.ca.map((certificate) => certificate.notAfter)),
    crlNextUpdate: earliest(facts.own.crls.map((crl) => crl.nextUpdate)),
    crlStatus: crlStatusOf(inputs, facts),
    timer: timerStatusOf(inputs, facts),
    warnings: plan.diagnostics.filter(isWarning).map(diagnosticText),
    problems: problemTexts(plan.diagnostics),
    owed: findPendingReload(facts),
    stopped: alarmTexts(plan.diagnostics)[0],
  };
}

/** What the next change mends stands in its way no more than a warning. */
const isWarning = (diagnostic: Diagnostic): boolean =>
  diagnostic.severity === "warning" || (diagnostic.severity === "problem" && !isBlocking(diagnostic));

/** Outputs of a preview: what only the change itself tells is unknown. */
export function previewOutputs(outputs: Properties): Properties {
  return { ...outputs, ...Object.fromEntries(computed.map((name) => [name, unknown])) };
}

/** Outputs of a preview whose inputs are not all known, such as the address of a machine that is still to be created. */
export function unknownOutputs(inputs: Properties): Properties {
  return { ...inputs, ...Object.fromEntries([...computed, ...observed].map((name) => [name, unknown])) };
}

/** The vendor's rule depends on PHP alone. */
export function tlsRule(facts: Facts, inputs: Inputs): string {
  const desired = desiredOf(inputs);
  const version = phpVersion(desired, facts);
  const source = inputs.phpVersion === undefined ? facts.php?.source : "site file";
  const reason = version === undefined ? "no PHP was found" : `PHP ${version} (${source ?? "unknown"})`;
  return isTls12Only(desired, facts) ? `TLS 1.2 only: ${reason}` : `TLS versions as the server has them: ${reason}`;
}

/** Of times in ISO 8601. */
export function earliest(times: readonly (string | undefined)[]): string | undefined {
  return times.filter((time) => time !== undefined).sort()[0];
}
