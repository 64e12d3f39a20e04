/**
 * Reads, checks and compares the inputs of `clientcert:apache:ClientAuth`, as the engine sends them and states store
 * them.
 */
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

/**
 * The inputs that Check and Read add for display and for the next Check. No caller gives them. They are never compared.
 */
const computedInputs: readonly string[] = ["files", "facts"];

const isObject = (value: unknown): value is Properties =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The inputs with every default, and without those that Check adds. Wrong values stay as they are: Check reports them.
 */
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
 * The names of the inputs whose values differ. A state of an earlier version lacks newer inputs, so the default counts
 * where an input is missing.
 */
export function changedInputs(a: Properties, b: Properties): readonly InputName[] {
  return inputNames.filter((name) => canonical(a[name] ?? defaults[name]) !== canonical(b[name] ?? defaults[name]));
}

/** The value as JSON with sorted keys. The engine does not keep the order of keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    isObject(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  );
}

/**
 * Every mistake in the inputs, whose values must all be known. A site file was checked before, so this is for inputs of
 * other programs.
 */
export const validateInputs = (inputs: Properties): readonly CheckFailure[] => failuresOf(inputs, () => true);

/**
 * Gives their type to inputs that come from a state or that Check has accepted, and fills in the defaults. Throws an
 * error with the first mistake of the form. Nothing else is checked: an earlier build may have accepted values that
 * Check refuses today, and `pulumi destroy` must work even so.
 */
export function parseInputs(inputs: Properties): Inputs {
  const complete = withDefaults(inputs);
  const [failure] = failuresOf(complete, isOfForm);
  if (failure !== undefined) throw new Error(failure.reason);
  return complete as unknown as Inputs; // the form of each field was just checked
}

/** A mistake as the schema library reports it. */
type Issue = Parameters<typeof describeIssue>[0];

/** The mistakes that `isCounted` chooses, each with the name of its input and a sentence for the user. */
function failuresOf(inputs: Properties, isCounted: (issue: Issue) => boolean): readonly CheckFailure[] {
  const issues = clientAuthInputs.safeParse(inputs).error?.issues.filter(isCounted) ?? [];
  if (issues.length === 0) return [];
  const typeWords = { ...yamlTypeWords, array: "a list", object: "an object" };
  const context = { document: inputs, jsonSchema: makeInputsSchema(), typeWords };
  return issues
    .flatMap((issue) => describeIssue(issue, context))
    .map(({ path, text }) => ({ property: String(path[0]), reason: `${renderPath(path)}: ${text}` }));
}

/**
 * Whether the mistake is in the form: a value of another type, a value that is none of the listed ones, or an input
 * that does not exist. A text or a number that breaks a rule is not a mistake of the form, nor is an unknown key inside
 * of an input.
 */
const isOfForm = ({ code, path }: Issue): boolean =>
  ["invalid_type", "invalid_union", "invalid_value"].includes(code) ||
  (code === "unrecognized_keys" && path.length === 0);

/** What core plans from: the inputs, and the hash of the program that this build installs. */
export const desiredOf = (inputs: Inputs): Desired => ({ ...inputs, program: hostProgramSha256() });

/** The part of the inputs that says which files of the site to read. */
export const filesOf = (inputs: Inputs): SiteFilesWanted => ({ ...inputs, sampleCertificate: inputs.sample?.file });

/** The part of the inputs that says how to reach the host and its server. */
export function targetOf(inputs: Inputs): Target {
  return { connection: inputs.connection, detection: inputs.detection };
}
