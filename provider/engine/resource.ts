/**
 * What a kind of resource is for {@link serve}: plain calls over plain objects. This file knows nothing about gRPC or
 * Apache.
 */

/**
 * Property values in the form in which they are sent: JSON without `undefined`. Values that are not known are
 * {@link unknown}.
 */
export type Properties = Readonly<Record<string, unknown>>;

/**
 * The text that stands for a value that is not known yet, such as the address of a machine that a preview would create.
 * Pulumi defines it.
 */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** What every call gets beside its data. */
export interface Context {
  readonly urn: string;
  /** True in a preview, which only judges. */
  readonly preview: boolean;
  /** Aborted when the engine cancels, or when the resource's own time limit (`customTimeouts`) has passed. */
  readonly signal: AbortSignal;
  /** Shows a step on the resource's row. The last step stays there, so the work should end with `done: …`. */
  readonly progress: (step: string) => void;
  /** Logs each text once for each process and resource, because Diff and Read run several times in one command. */
  readonly log: (severity: "info" | "warning" | "error", text: string) => void;
}

/** Why an input is refused. `reason` must be clear by itself, because the engine prints little beside it. */
export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}

export interface CheckResult {
  readonly inputs: Properties;
  readonly failures: readonly CheckFailure[];
}

export interface DiffArgs {
  readonly id: string;
  readonly oldInputs: Properties;
  readonly oldOutputs: Properties;
  readonly inputs: Properties;
}

export type DiffKind = "add" | "delete" | "update";

/**
 * The changes by property path, such as `files["/etc/a"]`. They are shown as old output → new input. Empty means that
 * nothing changes.
 */
export interface DiffResult {
  readonly detailedDiff: Readonly<Record<string, DiffKind>>;
  /** The properties whose change needs another resource. */
  readonly replaces: readonly string[];
}

export interface ReadArgs {
  readonly id: string;
  /** Inputs and outputs are both empty when a resource is imported. */
  readonly inputs: Properties;
  readonly outputs: Properties;
}

export interface ResourceState {
  readonly id: string;
  readonly outputs: Properties;
}

export interface ReadResult extends ResourceState {
  readonly inputs: Properties;
}

export interface UpdateArgs {
  readonly id: string;
  readonly oldInputs: Properties;
  readonly oldOutputs: Properties;
  readonly inputs: Properties;
}

export interface DeleteArgs {
  readonly id: string;
  readonly inputs: Properties;
  readonly outputs: Properties;
}

/**
 * One kind of resource. `check` and `diff` run one after the other for all resources, so they must not connect to a
 * host.
 */
export interface Resource {
  /** The type token, such as `clientcert:apache:ClientAuth`. */
  readonly type: string;
  check(args: { readonly oldInputs: Properties; readonly inputs: Properties }, context: Context): Promise<CheckResult>;
  diff(args: DiffArgs, context: Context): Promise<DiffResult>;
  create(args: { readonly inputs: Properties }, context: Context): Promise<ResourceState>;
  /**
   * Undefined means that the resource no longer exists. A host that cannot be reached is an error: it means neither
   * that the resource is gone nor that it is unchanged.
   */
  read(args: ReadArgs, context: Context): Promise<ReadResult | undefined>;
  update(args: UpdateArgs, context: Context): Promise<Properties>;
  delete(args: DeleteArgs, context: Context): Promise<void>;
  /** Closes the connections, because the engine needs the plugin no longer or wants to stop. May be called twice. */
  close(): Promise<void>;
}

/** Thrown when the resource exists but is not as it should be. Pulumi then saves it and plans an update next time. */
export class PartialFailure extends Error {
  constructor(
    readonly state: ResourceState,
    readonly reasons: readonly string[],
  ) {
    super(reasons.join("\n"));
  }
}
