/** A resource for one server of any kind. Each call is an observation, a question to core, and a transaction. */
import { problemTexts } from "../../core/diagnostic.ts";
import { hostText } from "../../core/host-text.ts";
import type { KindTypes, ServerKind } from "../../core/server-kind.ts";
import { shownDeep } from "../../core/shown.ts";
import type * as Calls from "../engine/resource.ts";
import { parseUrn } from "../engine/urn.ts";
import { hasUnknown } from "../engine/values.ts";
import { apply, judge, putBack, remove } from "./apply.ts";
import { diffPlan, diffTargetChanged, diffUnknown, isTargetChanged } from "./diff.ts";
import { lastChangeOf, noChange, outputsOf, previewOutputs, unknownOutputs } from "./outputs.ts";
import { coveredServer, packFacts, unpackFacts } from "./packed-facts.ts";
import {
  type HostCall,
  type PlannedHost,
  observe,
  observeFacts,
  planFor,
  refuseProblems,
  report,
} from "./planned-host.ts";
import { planText, textsOf } from "./shown-files.ts";

/** The resource with the type token `type`, for servers of one kind. */
export function serverResource<K extends KindTypes>(type: string, kind: ServerKind<K>): Calls.Resource {
  return {
    type,
    check: async (args) => check(kind, args.oldInputs, args.inputs),
    diff: async (args, context) => diff(kind, args, context),
    create: (args, context) => create(kind, args.inputs, context),
    read: (args, context) => read(kind, args, context),
    update: (args, context) => update(kind, args, context),
    delete: (args, context) => destroy(kind, args, context),
    close: () => kind.close(),
  };
}

/**
 * Fills in the defaults, validates the inputs, and adds the planned files, which a diff shows. The plan is made from
 * the facts that Read copied into the old inputs, so no host is reached. Inputs that are not all known are not
 * validated. Without facts of this server, and with mistakes, no files are added.
 */
function check<K extends KindTypes>(
  kind: ServerKind<K>,
  oldInputs: Calls.Properties,
  inputs: Calls.Properties,
): Calls.CheckResult {
  const complete = kind.inputs.withDefaults(inputs);
  if (hasUnknown(complete)) return { inputs: complete, failures: [] };
  const failures = kind.inputs.validate(complete);
  const facts = isTargetChanged(kind.inputs, oldInputs, complete) ? undefined : unpackFacts(kind.facts, oldInputs);
  if (failures.length > 0 || facts === undefined) return { inputs: complete, failures };
  const { plan } = planFor({ kind, inputs: kind.inputs.parse(complete) }, facts);
  const files = shownDeep(textsOf(kind.files.planned(facts, plan)));
  return { inputs: { ...complete, files, facts: oldInputs.facts }, failures };
}

/**
 * Plans from the facts in the old outputs and returns what `up` would change. It connects to no host. Where no plan can
 * be made (unknown inputs, no facts of this version, another server), the inputs and the old outputs are compared.
 */
function diff<K extends KindTypes>(
  kind: ServerKind<K>,
  args: Calls.DiffArgs,
  context: Calls.Context,
): Calls.DiffResult {
  if (hasUnknown(args.inputs)) return diffUnknown(kind.inputs, args);
  const facts = unpackFacts(kind.facts, args.oldOutputs);
  if (facts === undefined && coveredServer(kind.facts, args.oldOutputs) !== undefined)
    context.log("info", otherVersionText);
  if (facts === undefined || isTargetChanged(kind.inputs, args.oldOutputs, args.inputs))
    return diffTargetChanged(kind.inputs, args);
  const planned = planFor({ kind, inputs: kind.inputs.parse(args.inputs) }, facts);
  report(context, planned.plan.diagnostics);
  const differences = kind.files.changeTexts(kind.files.live(facts), kind.files.planned(facts, planned.plan));
  if (differences.length > 0) context.log("info", differences.join("\n"));
  return diffPlan(kind, args, planned);
}

const otherVersionText =
  "what the state holds of this host was read by another version of clientcert, so nothing is planned from it: the host is looked at again";

/**
 * Configures a host that this resource does not cover yet. A preview only plans and lets the host judge. Throws an
 * error where problems forbid the change; only what {@link putBack} does is then done.
 */
async function create<K extends KindTypes>(
  kind: ServerKind<K>,
  properties: Calls.Properties,
  context: Calls.Context,
): Promise<Calls.ResourceState> {
  // Only a preview has unknown inputs, and Pulumi does not use its id.
  if (hasUnknown(properties)) return { id: "", outputs: unknownOutputs(kind, properties) };
  const call = { kind, inputs: kind.inputs.parse(properties), context };
  const planned = planFor(call, await observeFacts(call));
  refuseProblems(call, planned.plan, context.preview ? undefined : await putBack(call, planned));
  report(context, planned.plan.diagnostics);
  const id = idOf(call, planned.facts);
  if (!context.preview) return { id, outputs: await apply(call, planned, id) };
  // Check knew no facts, so the inputs show nothing of this yet.
  context.log("info", planText(call.inputs.connection.address, kind.files, planned));
  return { id, outputs: await judgedPreview(call, planned) };
}

/** The id of a resource in the state: `address|kind|server`, such as `192.0.2.10|apache|/etc/httpd/conf/httpd.conf`. */
function idOf<K extends KindTypes>({ kind, inputs }: HostCall<K>, facts: K["facts"]): string {
  return [inputs.connection.address, kind.name, hostText(kind.facts.serverOf(facts))].join("|");
}

/** The outputs of a preview, after the host has judged the change. Throws an error where the host refuses it. */
async function judgedPreview<K extends KindTypes>(
  call: HostCall<K>,
  planned: PlannedHost<K>,
): Promise<Calls.Properties> {
  await judge(call, planned);
  return previewOutputs(outputsOf(call, planned, noChange));
}

/**
 * Observes the host for a refresh, or for an import, which gives nothing but an id. Drift is written to the outputs,
 * and also to the inputs, because the next Check plans from these. Undefined where nothing of ours is on the host.
 * Throws an error where the host cannot be observed, or shows another server than the resource covers.
 */
async function read<K extends KindTypes>(
  kind: ServerKind<K>,
  { id, inputs, outputs }: Calls.ReadArgs,
  context: Calls.Context,
): Promise<Calls.ReadResult | undefined> {
  const isImport = Object.keys(inputs).length === 0;
  const target = isImport ? kind.imports.target(id, ownerOf(context.urn)) : kind.inputs.parse(inputs);
  const observation = await observe({ kind, inputs: target, context });
  const facts = kind.readFacts(observation, target);
  refuseOtherServer({ kind, inputs: target, context }, outputs, facts);
  if (kind.facts.isGone(facts)) return undefined;
  const complete = isImport ? kind.imports.inputs(target, facts, observation) : kind.inputs.withDefaults(inputs);
  const call = { kind, inputs: kind.inputs.parse(complete), context };
  return {
    id: isImport ? idOf(call, facts) : id,
    inputs: { ...complete, files: shownDeep(textsOf(kind.files.live(facts))), facts: packFacts(kind.facts, facts) },
    outputs: outputsOf(call, planFor(call, facts), lastChangeOf(kind, outputs)),
  };
}

/**
 * The owner's name as the program makes it, except for the organization. A plugin does not get its name, so the only
 * organization of self-managed backends is used.
 */
function ownerOf(urn: string): string {
  const { project, stack, name } = parseUrn(urn);
  return ["organization", project, stack, name].join("/");
}

/**
 * Brings the host to the new inputs. A preview only plans and lets the host judge, and reports problems that forbid the
 * change as a warning. Otherwise they throw an error; only what {@link putBack} does is then done.
 */
async function update<K extends KindTypes>(
  kind: ServerKind<K>,
  args: Calls.UpdateArgs,
  context: Calls.Context,
): Promise<Calls.Properties> {
  if (hasUnknown(args.inputs)) return unknownOutputs(kind, args.inputs);
  const call = { kind, inputs: kind.inputs.parse(args.inputs), context };
  // A preview plans from the stored facts of the last refresh. If something has changed on the host since then, the
  // judge notices it by the hash and refuses.
  const mayUseStored = context.preview && !isTargetChanged(kind.inputs, args.oldOutputs, args.inputs);
  const storedFacts = mayUseStored ? unpackFacts(kind.facts, args.oldOutputs) : undefined;
  const planned = planFor(call, storedFacts ?? (await observeFacts(call)));
  refuseOtherServer(call, args.oldOutputs, planned.facts);
  if (context.preview) {
    // This is not an error: a preview of drift ends with 7, whatever the drift is.
    if (problemTexts(planned.plan.diagnostics).length === 0) return judgedPreview(call, planned);
    context.log("warning", refusalText(call, planned, storedFacts !== undefined));
    return previewOutputs(outputsOf(call, planned, noChange));
  }
  refuseProblems(call, planned.plan, await putBack(call, planned));
  const outputs = await apply(call, planned, args.id);
  // Where nothing was to be changed, the outputs still say what the last change did.
  return planned.plan.change === undefined ? { ...outputs, ...lastChangeOf(kind, args.oldOutputs) } : outputs;
}

/**
 * What a preview reports about a change that would not be made. `isReported` means that Diff has already reported
 * the problems, because it had the same facts.
 */
function refusalText<K extends KindTypes>(
  { inputs }: HostCall<K>,
  { plan: { restore, diagnostics } }: PlannedHost<K>,
  isReported: boolean,
): string {
  const first = restore === undefined ? "" : "put back the lines that are named above as problems, and then ";
  const text = `${inputs.connection.address}: \`pulumi up\` would ${first}refuse this change`;
  return isReported ? `${text}, for the reasons given` : [`${text}:`, ...problemTexts(diagnostics)].join("\n  ");
}

/**
 * Throws an error where the machine shows another server than the one that the resource covers. This happens when the
 * covered server is stopped and another one runs. The other server must not be changed in its place, and the covered
 * server must not count as removed. Returns where the state names no server, or where the inputs name another machine.
 */
function refuseOtherServer<K extends KindTypes>(
  { kind, inputs }: HostCall<K>,
  oldOutputs: Calls.Properties,
  facts: K["facts"],
): void {
  const covered = coveredServer(kind.facts, oldOutputs);
  const observed = kind.facts.serverOf(facts);
  // Without `locating`, only the machine is compared. The error also holds where the inputs name another server on it.
  const machineOnly = { ...kind.inputs, locating: [] };
  const asked: object = inputs;
  const isOtherMachine = isTargetChanged(machineOnly, oldOutputs, { ...asked });
  if (covered === undefined || covered === observed || isOtherMachine) return;
  throw new Error(`${inputs.connection.address}: ${kind.facts.otherServerText(covered, observed)}`);
}

/**
 * Removes what is ours from the host. A host that belongs to another owner by now is left alone, with a warning. Throws
 * an error where the host shows another server than the resource covers, or where the removal fails.
 */
async function destroy<K extends KindTypes>(
  kind: ServerKind<K>,
  args: Calls.DeleteArgs,
  context: Calls.Context,
): Promise<void> {
  const call = { kind, inputs: kind.inputs.parse(args.inputs), context };
  const facts = await observeFacts(call);
  refuseOtherServer(call, args.outputs, facts);
  if (kind.facts.isGone(facts)) return context.progress("done: nothing of ours was there");
  const owner = kind.facts.ownerOf(facts);
  if (owner !== undefined && owner !== call.inputs.owner) {
    const text = `${call.inputs.connection.address}: belongs to ${owner} now, so nothing was removed`;
    return context.log("warning", text);
  }
  await remove(call, facts);
}
