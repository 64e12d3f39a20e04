/** `clientcert:apache:ClientAuth`: each call is an observation, a question to core, a transaction. */
import type { Facts } from "../../core/apache/model.ts";
import { isFeasible } from "../../core/apache/plan/plan.ts";
import { problemTexts } from "../../core/diagnostic.ts";
import { shownDeep } from "../../core/shown.ts";
import { hostText } from "../../core/host-text.ts";
import { apply, judge, putBack, remove } from "./apply.ts";
import { diffTargetChanged, diffPlan, diffUnknown, isTargetChanged } from "./diff.ts";
import { coveredConfigFile, packFacts, unpackFacts } from "./packed-facts.ts";
import { fileChangeTexts, liveFiles, plannedFiles, planText } from "../apache/files.ts";
import { importedInputs, importTarget } from "../apache/import.ts";
import { validateInputs, resourceId, type Inputs, withDefaults, parseInputs } from "../apache/inputs.ts";
import {
  type PlannedHost,
  factsOf,
  isGone,
  planFor,
  observe,
  observeFacts,
  refuseProblems,
  report,
} from "./planned-host.ts";
import { lastChangeOf, noChange, outputsOf, previewOutputs, unknownOutputs } from "./outputs.ts";
import type { Host } from "../apache/host-model.ts";
import type * as Calls from "../engine/resource.ts";
import { parseUrn } from "../engine/urn.ts";
import { hasUnknown } from "../engine/values.ts";

/** The resource, around a host layer that does what it is told. */
export function clientAuth(host: Host): Calls.Resource {
  return {
    type: "clientcert:apache:ClientAuth",
    check: async (args) => check(args.oldInputs, args.inputs),
    diff: async (args, context) => diff(args, context),
    create: (args, context) => create(host, args.inputs, context),
    read: (args, context) => read(host, args, context),
    update: (args, context) => update(host, args, context),
    delete: (args, context) => destroy(host, args, context),
    close: () => host.close(),
  };
}

/** Pure. Adds what a reader should see in a diff, planned from the facts that Read mirrored into the old inputs. */
function check(oldInputs: Calls.Properties, inputs: Calls.Properties): Calls.CheckResult {
  const complete = withDefaults(inputs);
  if (hasUnknown(complete)) return { inputs: complete, failures: [] };
  const failures = validateInputs(complete);
  const facts = isTargetChanged(oldInputs, complete) ? undefined : unpackFacts(oldInputs);
  if (failures.length > 0 || facts === undefined) return { inputs: complete, failures };
  const { plan } = planFor(parseInputs(complete), facts);
  return { inputs: { ...complete, files: shownDeep(plannedFiles(facts, plan)), facts: oldInputs.facts }, failures };
}

/** Pure. Never compares facts: it asks what `up` would do about the ones in the old outputs. */
function diff(args: Calls.DiffArgs, context: Calls.Context): Calls.DiffResult {
  if (hasUnknown(args.inputs)) return diffUnknown(args);
  const facts = unpackFacts(args.oldOutputs);
  if (facts === undefined && coveredConfigFile(args.oldOutputs) !== undefined) context.log("info", otherVersionText);
  if (facts === undefined || isTargetChanged(args.oldOutputs, args.inputs)) return diffTargetChanged(args);
  const { plan } = planFor(parseInputs(args.inputs), facts);
  report(context, plan.diagnostics);
  const differences = fileChangeTexts(liveFiles(facts), plannedFiles(facts, plan));
  if (differences.length > 0) context.log("info", differences.join("\n"));
  return diffPlan(args, facts, plan);
}

const otherVersionText =
  "what the state holds of this host was read by another version of clientcert, so nothing is planned from it: the host is looked at again";

async function create(host: Host, inputs: Calls.Properties, context: Calls.Context): Promise<Calls.ResourceState> {
  if (hasUnknown(inputs)) return { id: "", outputs: unknownOutputs(withDefaults(inputs)) };
  const parsed = parseInputs(inputs);
  const planned = planFor(parsed, await observeFacts(host, parsed, context));
  refuseProblems(parsed, planned.plan, context.preview ? undefined : await putBack(host, parsed, planned, context));
  report(context, planned.plan.diagnostics);
  const id = resourceId(parsed, planned.facts);
  if (!context.preview) return { id, outputs: await apply(host, parsed, planned, id, context) };
  // No facts were known to Check, so the inputs show nothing of this yet.
  context.log("info", planText(parsed.connection.address, planned.facts, planned.plan));
  return { id, outputs: await previewed(host, parsed, planned, context) };
}

async function previewed(
  host: Host,
  inputs: Inputs,
  planned: PlannedHost,
  context: Calls.Context,
): Promise<Calls.Properties> {
  await judge(host, inputs, planned, context);
  return previewOutputs(outputsOf(inputs, planned.facts, planned.plan, noChange));
}

/** Drift goes into outputs, and into inputs too: the next Check plans from it. */
async function read(
  host: Host,
  { id, inputs, outputs }: Calls.ReadArgs,
  context: Calls.Context,
): Promise<Calls.ReadResult | undefined> {
  const isImport = Object.keys(inputs).length === 0;
  const known = isImport ? importTarget(id, ownerOf(context.urn)) : parseInputs(inputs);
  const observation = await observe(host, known, context);
  const facts = factsOf(observation, known);
  refuseOtherServer(known, outputs, facts);
  if (isGone(facts)) return undefined;
  const complete = isImport ? importedInputs(known, facts, observation) : withDefaults(inputs);
  const parsed = parseInputs(complete);
  const { plan } = planFor(parsed, facts);
  return {
    id: isImport ? resourceId(parsed, facts) : id,
    inputs: { ...complete, files: shownDeep(liveFiles(facts)), facts: packFacts(facts) },
    outputs: outputsOf(parsed, facts, plan, lastChangeOf(outputs)),
  };
}

/** As the program names it, but for the organization, which a plugin is not told: the self-managed backends' only one. */
function ownerOf(urn: string): string {
  const { project, stack, name } = parseUrn(urn);
  return ["organization", project, stack, name].join("/");
}

async function update(host: Host, args: Calls.UpdateArgs, context: Calls.Context): Promise<Calls.Properties> {
  if (hasUnknown(args.inputs)) return unknownOutputs(withDefaults(args.inputs));
  const inputs = parseInputs(args.inputs);
  // The refresh before has looked already; what changed on the host since then, the judge refuses by its hash.
  const known =
    context.preview && !isTargetChanged(args.oldOutputs, args.inputs) ? unpackFacts(args.oldOutputs) : undefined;
  const planned = planFor(inputs, known ?? (await observeFacts(host, inputs, context)));
  refuseOtherServer(inputs, args.oldOutputs, planned.facts);
  // No error: a preview of drift ends with 7, whatever the drift is.
  if (context.preview && !isFeasible(planned.plan)) {
    // What was known before, Diff has told already.
    const reasons = known === undefined ? problemTexts(planned.plan.diagnostics) : [];
    const first =
      planned.plan.restore === undefined ? "" : "put back the lines that are named above as problems, and then ";
    const text = `${inputs.connection.address}: \`pulumi up\` would ${first}refuse this change`;
    context.log(
      "warning",
      reasons.length > 0 ? [`${text}:`, ...reasons].join("\n  ") : `${text}, for the reasons given`,
    );
    return previewOutputs(outputsOf(inputs, planned.facts, planned.plan, noChange));
  }
  refuseProblems(inputs, planned.plan, context.preview ? undefined : await putBack(host, inputs, planned, context));
  if (context.preview) return previewed(host, inputs, planned, context);
  const outputs = await apply(host, inputs, planned, args.id, context);
  return planned.plan.change === undefined ? { ...outputs, ...lastChangeOf(args.oldOutputs) } : outputs;
}

/**
 * One resource covers one server. Another one on the same machine, such as the only one that runs while ours is stopped,
 * tells nothing of ours: it must be neither changed in its place nor taken for ours with everything gone.
 */
function refuseOtherServer(inputs: Inputs, oldOutputs: Calls.Properties, facts: Facts): void {
  const before = coveredConfigFile(oldOutputs);
  const now = facts.server.configFile;
  const isSameMachine = !isTargetChanged(
    { ...oldOutputs, detection: inputs.detection, port: inputs.port },
    { ...inputs },
  );
  if (before === undefined || before === now || !isSameMachine) return;
  const place = `${inputs.connection.address}: this resource covers the server of ${hostText(before)}, and ${hostText(now)} is another one`;
  const ways = [
    'start the first one, or name it with "config:"',
    "give the other one a host entry with a name of its own in the site file",
    "where the first one is gone for good: pulumi state delete",
  ];
  throw new Error(`${place}; ${ways.join("; ")}`);
}

async function destroy(host: Host, args: Calls.DeleteArgs, context: Calls.Context): Promise<void> {
  const inputs = parseInputs(args.inputs);
  const facts = await observeFacts(host, inputs, context);
  refuseOtherServer(inputs, args.outputs, facts);
  if (isGone(facts)) return context.progress("done: nothing of ours was there");
  const { owner } = facts.own;
  if (owner !== undefined && owner !== inputs.owner) {
    const text = `${inputs.connection.address}: belongs to ${owner} now, so nothing was removed`;
    return context.log("warning", text);
  }
  await remove(host, inputs, facts, context);
}
