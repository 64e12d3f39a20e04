/** One transaction on a host, and what its outcome means to Pulumi. */
import { randomUUID } from "node:crypto";
import { type Change, type Facts, type OwnFile, emptyChange } from "../../core/apache/model.ts";
import { planRemoval } from "../../core/apache/plan/plan.ts";
import { hostText } from "../../core/host-text.ts";
import { type Inputs, filesOf, targetOf } from "../apache/inputs.ts";
import { type PlannedHost, factsOf, isGone, planFor, refuseProblems, runOptions } from "./planned-host.ts";
import { lastChangeOf, noChange, outputsOf } from "./outputs.ts";
import { HostError, type HostErrorKind } from "../remote/host-error.ts";
import type { Host, Outcome, Transaction } from "../apache/host-model.ts";
import { type Context, PartialFailure, type Properties } from "../engine/resource.ts";
import { makeProbeFiles } from "../apache/probe-files.ts";
import { type SiteFiles, readSiteFiles } from "../site/pki-files.ts";

/** Lets the real httpd judge a change on a copy. Throws with its reasons when it refuses. */
export async function judge(host: Host, inputs: Inputs, { facts, plan }: PlannedHost, context: Context): Promise<void> {
  if (plan.change === undefined) return;
  if (plan.change.isAside === true)
    return context.progress("done: planned; httpd reads nothing of it, so nothing is judged");
  // Made in every preview: it also finds CA and CRL files that cannot be installed.
  const transaction = transactionOf(inputs, facts, plan.change);
  if (!inputs.judgeInPreview) return context.progress("done: planned, not judged (judgeInPreview: false)");
  const outcome = await host.judge(targetOf(inputs), transaction, runOptions(context));
  if (outcome.result !== "well") throw refusal(inputs, outcome);
  reportNotes(inputs, outcome, context);
  context.progress(`done: judged well (${outcome.judge})`);
}

/** Interrupted runs that a change puts back before it gives up: each next one began meanwhile, and was ended by somebody. */
const mostRecoveries = 3;

/** Carries the plan out. Returns the outputs, or throws what Pulumi must know. `rounds`: how often it may still have to plan anew. */
export async function apply(
  host: Host,
  inputs: Inputs,
  planned: PlannedHost,
  id: string,
  context: Context,
  rounds = mostRecoveries,
): Promise<Properties> {
  const { facts, plan } = planned;
  const { change } = plan;
  if (change === undefined) {
    context.progress("done: as wanted already");
    return outputsOf(inputs, facts, plan, noChange);
  }
  const transaction = transactionOf(inputs, facts, change);
  const outcome = await applyKnown(host, inputs, transaction, context).catch((error: unknown) => {
    throw mayHaveChanged(error) ? unknownOutcome(inputs, planned, id, error) : error;
  });
  const recovered = recoveredFacts(inputs, outcome, context);
  if (recovered !== undefined) {
    refuseRounds(inputs, rounds);
    const anew = planFor(inputs, recovered);
    refuseProblems(inputs, anew.plan);
    return apply(host, inputs, anew, id, context, rounds - 1);
  }
  return settle(inputs, { planned, change, outcome }, context);
}

const applyKnown = (host: Host, inputs: Inputs, transaction: Transaction, context: Context): Promise<Outcome> =>
  host.apply(targetOf(inputs), transaction, runOptions(context));

/** An earlier run that was interrupted has been put back, and this one was planned on what that had left: plan anew. */
function recoveredFacts(
  inputs: Inputs,
  { result, reasons, observation }: Outcome,
  context: Context,
): Facts | undefined {
  if (result !== "recovered" || observation === undefined) return undefined;
  context.log("warning", [`${inputs.connection.address}:`, ...reasons].join("\n  "));
  return factsOf(observation, inputs);
}

function refuseRounds({ connection }: Inputs, rounds: number): void {
  if (rounds > 1) return;
  const found = `an interrupted change was put back ${mostRecoveries} times in a row, and each time another one was there`;
  const advice =
    "nothing else was changed; see what changes this server and what ends it (journalctl -t clientcert), then run again";
  throw new Error(`${connection.address}: ${found}; ${advice}`);
}

interface Applied {
  readonly planned: PlannedHost;
  readonly change: Change;
  readonly outcome: Outcome;
}

function settle(inputs: Inputs, { planned, change, outcome }: Applied, context: Context): Properties {
  if (outcome.result === "refused" || outcome.result === "rolledBack" || outcome.result === "well") {
    throw refusal(inputs, outcome);
  }
  const after = outcome.observation === undefined ? planned : planFor(inputs, factsOf(outcome.observation, inputs));
  const lastChange = lastChangeOf({ lastChange: describeChange(change), judge: outcome.judge });
  const outputs: Properties = {
    ...outputsOf(inputs, after.facts, after.plan, lastChange),
    generation: outcome.generation,
  };
  if (outcome.result === "stopped") context.log("warning", stoppedText(inputs, outcome));
  else reportNotes(inputs, outcome, context);
  const judged = change.isAside === true ? "httpd reads nothing of it" : `judged by ${outcome.judge}`;
  context.progress(`done: generation ${outcome.generation}, ${judged}`);
  return outputs;
}

/** Of a run that went well, such as a CRL source that is down while the installed list still serves. */
function reportNotes(inputs: Inputs, { reasons }: Outcome, { log }: Context): void {
  for (const reason of reasons) log("warning", `${inputs.connection.address}: ${reason}`);
}

function stoppedText(inputs: Inputs, { reasons }: Outcome): string {
  const hint = "the server is stopped and was not started; the files take effect when it is started";
  return [`${inputs.connection.address}: ${hint}`, ...reasons].join("\n  ");
}

const refusals = {
  refused: "refused, and nothing was touched",
  rolledBack: "changed, found not well, and put back as it was",
  well: "only judged, not applied",
} as const;

function refusal(inputs: Inputs, { result, judge: spoke, reasons }: Outcome): Error {
  const what = result in refusals ? refusals[result as keyof typeof refusals] : result; // just looked up
  return new Error([`${inputs.connection.address}: ${what} (judge: ${spoke}):`, ...reasons].join("\n  "));
}

/** These say that the host was left alone; after any other error it may have been changed. */
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

function mayHaveChanged(error: unknown): boolean {
  return !(error instanceof HostError && untouched.includes(error.kind));
}

/** Without facts the next Diff looks again, and with an id the state never loses a host that was configured after all. */
function unknownOutcome(inputs: Inputs, { facts, plan }: PlannedHost, id: string, error: unknown): PartialFailure {
  const reason = error instanceof Error ? error.message : String(error);
  const owed = `${reason}; whether the change was made is not known, the next run looks`;
  const outputs = outputsOf(inputs, facts, plan, noChange);
  return new PartialFailure({ id, outputs: { ...outputs, facts: undefined, owed } }, [owed]);
}

/** Removes what is ours. Throws unless it is gone and the server runs without it. */
export async function remove(
  host: Host,
  inputs: Inputs,
  facts: Facts,
  context: Context,
  rounds = mostRecoveries,
): Promise<void> {
  const change = planRemoval(facts) ?? emptyChange;
  const transaction = transactionOf(inputs, facts, change, true);
  const outcome = await applyKnown(host, inputs, transaction, context);
  const recovered = recoveredFacts(inputs, outcome, context);
  if (recovered !== undefined) {
    if (isGone(recovered)) return;
    refuseRounds(inputs, rounds);
    return remove(host, inputs, recovered, context, rounds - 1);
  }
  if (outcome.result !== "applied" && outcome.result !== "stopped") throw refusal(inputs, outcome);
  context.progress("done: removed");
}

/**
 * Puts back what an earlier version should never have taken out, although conflicts forbid everything else: customers' pages
 * may be open since. Returns what was done, in words; undefined where nothing was to be done.
 */
export async function putBack(
  host: Host,
  inputs: Inputs,
  { facts, plan }: PlannedHost,
  context: Context,
): Promise<string | undefined> {
  const { restore } = plan;
  if (restore === undefined) return undefined;
  const outcome = await applyKnown(host, inputs, transactionOf(inputs, facts, restore), context);
  if (outcome.result !== "applied" && outcome.result !== "stopped") throw refusal(inputs, outcome);
  const count = restore.edits.reduce((sum, { splices }) => sum + splices.length, 0);
  const what = count === 1 ? "a line was" : `${count} lines were`;
  context.progress(`done: generation ${outcome.generation}, judged by ${outcome.judge}`);
  return `${what} put back that an earlier version had commented out, and nothing else was changed`;
}

function transactionOf(inputs: Inputs, facts: Facts, change: Change, remove = false): Transaction {
  let known: SiteFiles | undefined;
  // Once for both: a CRL of a million entries takes seconds.
  const read = (): SiteFiles => (known ??= readFilesOf(inputs, facts));
  return {
    id: randomUUID(),
    owner: inputs.owner,
    takeOver: inputs.takeOver,
    reloadUnstartable: inputs.reloadUnstartable,
    configFile: facts.server.configFile,
    change,
    contents: contentsOf(inputs, change.write, read),
    probes: remove || change.isAside === true ? new Map() : probesOf(inputs, read()),
    remove,
  };
}

/** Bytes of the files to write, by name; `read` is asked where a site's own file is among them. Throws when those are not fit to be installed. */
export function contentsOf(
  inputs: Inputs,
  files: readonly OwnFile[],
  read: () => SiteFiles,
): ReadonlyMap<string, Buffer> {
  const needsSite = files.some((file) => file.text === undefined);
  const site: SiteTexts = needsSite ? requireSiteFiles(inputs, read()) : {};
  return new Map(
    files.flatMap(({ name, role, text = site[role] }) =>
      text === undefined ? [] : [[name, Buffer.from(text, "utf8")] as const],
    ),
  );
}

/** Files that cannot be read are told where they are needed: then nobody is asked of their CAs. */
const probesOf = (inputs: Inputs, { material }: SiteFiles): Transaction["probes"] =>
  makeProbeFiles({ ...material, urls: inputs.crlSources.flatMap(({ urls }) => urls) });

/** The site's own files as they are now. */
export const readFilesOf = (inputs: Inputs, { own }: Facts): SiteFiles =>
  readSiteFiles(inputs.siteFile, filesOf(inputs), {
    now: Date.now(),
    installedCa: own.ca.map((certificate) => certificate.fingerprint),
    installedCrls: own.crls,
  });

/** By role. */
type SiteTexts = Partial<Record<OwnFile["role"], string>>;

/** They must still be what the program read, and fit to be installed. */
function requireSiteFiles(inputs: Inputs, read: SiteFiles): SiteTexts {
  const problems = read.diagnostics.filter(({ severity }) => severity === "problem");
  if (problems.length > 0) throw new Error(problems.map(({ place, text }) => `${place}: ${text}`).join("\n"));
  const isSameSample = read.sample?.sha256 === inputs.sample?.sha256;
  const isSame = isSameSample && read.ca.sha256 === inputs.ca.sha256 && hashes(read.crls) === hashes(inputs.crls);
  if (isSame) return { ca: read.ca.pem, crl: read.crlPem, ...(read.sample && { sample: read.sample.pem }) };
  throw new Error(`${inputs.siteFile}: the files that it names changed while this command ran; run it again`);
}

const hashes = (items: readonly { readonly sha256: string }[]): string => items.map((item) => item.sha256).join();

/** What was done, one line each, without a line of the customer's. */
function describeChange({ write, edits, drop, refresh, isAside }: Change): readonly string[] {
  return [
    ...(isAside === true ? ["wrote the program that refreshes and undoes"] : []),
    ...(refresh ? ["asked the CRL sources"] : []),
    ...write.map((file) => `wrote ${file.name}`),
    ...edits.map(
      (edit) => `edited ${hostText(edit.path)} in ${edit.splices.length} place${edit.splices.length === 1 ? "" : "s"}`,
    ),
    ...drop.map((name) => `removed ${name}`),
  ];
}
