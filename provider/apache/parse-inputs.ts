/** Inputs of `clientcert:apache:ClientAuth`, as they come over the wire and lie in states: read, checked, compared. */
import { type Inputs, clientAuthInputs, makeInputsSchema } from "../../core/apache/inputs.ts";
import type { Desired } from "../../core/apache/model.ts";
import { describeIssue, yamlTypeWords } from "../../core/site/issues.ts";
import { renderPath } from "../../core/site/problem.ts";
import type { Target } from "../../core/site/target.ts";
import { hostProgramSha256 } from "./host-program.ts";
import type { CheckFailure, Properties } from "../engine/resource.ts";
import type { SiteFilesWanted } from "../site/pki-files.ts";

type InputName = keyof Inputs;

const { shape } = clientAuthInputs;
const inputNames = Object.keys(shape) as readonly InputName[]; // a shape has its keys and no other

/** What Check and Read add for display and for the next Check. No caller gives it, and it is never compared. */
const computedInputs: readonly string[] = ["files", "facts"];

const isObject = (value: unknown): value is Properties =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Inputs with every default filled in, and without what Check adds. What is wrong stays as it is: Check reports it. */
export function withDefaults(inputs: Properties): Properties {
  const given = Object.entries(inputs).filter(([name]) => !computedInputs.includes(name));
  const filled = inputNames.flatMap((name) => {
    const { success, data } = shape[name].safeParse(inputs[name]);
    return success && data !== undefined ? [[name, data] as const] : [];
  });
  return Object.fromEntries([...given, ...filled]);
}

const defaults = withDefaults({});

/**
 * Names of the inputs whose values differ between two property bags; a state of an earlier version lacks the newer
 * ones.
 */
export function changedInputs(a: Properties, b: Properties): readonly InputName[] {
  return inputNames.filter((name) => canonical(a[name] ?? defaults[name]) !== canonical(b[name] ?? defaults[name]));
}

/** JSON with sorted keys: the wire keeps no order of keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    isObject(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  );
}

/** What is wrong with inputs that are all known. The site file has been checked before: this is for other callers. */
export const validateInputs = (inputs: Properties): readonly CheckFailure[] => failuresOf(inputs, () => true);

/**
 * Inputs of a state, or those that Check has let through, typed. Only their form counts: an earlier build may have let
 * through what Check refuses today, and a host must be given back whatever is thought of its inputs.
 */
export function parseInputs(inputs: Properties): Inputs {
  const complete = withDefaults(inputs);
  const [failure] = failuresOf(complete, isOfForm);
  if (failure !== undefined) throw new Error(failure.reason);
  return complete as unknown as Inputs; // each field has just been looked at
}

type Issue = Parameters<typeof describeIssue>[0];

function failuresOf(inputs: Properties, counts: (issue: Issue) => boolean): readonly CheckFailure[] {
  const issues = clientAuthInputs.safeParse(inputs).error?.issues.filter(counts) ?? [];
  if (issues.length === 0) return [];
  const typeWords = { ...yamlTypeWords, array: "a list", object: "an object" };
  const context = { document: inputs, jsonSchema: makeInputsSchema(), typeWords };
  return issues
    .flatMap((issue) => describeIssue(issue, context))
    .map(({ path, text }) => ({ property: String(path[0]), reason: `${renderPath(path)}: ${text}` }));
}

/** A type that is another one, or an input that there is not; as opposed to a text or a number that breaks a rule. */
const isOfForm = ({ code, path }: Issue): boolean =>
  ["invalid_type", "invalid_union", "invalid_value"].includes(code) ||
  (code === "unrecognized_keys" && path.length === 0);

/** The part of the inputs that core plans from. */
export const desiredOf = (inputs: Inputs): Desired => ({ ...inputs, program: hostProgramSha256() });

/** The files of the site, as they are read. */
export const filesOf = (inputs: Inputs): SiteFilesWanted => ({ ...inputs, sampleCertificate: inputs.sample?.file });

export function targetOf(inputs: Inputs): Target {
  return { connection: inputs.connection, detection: inputs.detection };
}
