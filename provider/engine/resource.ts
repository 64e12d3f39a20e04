/** What a kind of resource is to {@link serve}: plain calls over plain objects. No gRPC here, and no Apache. */

/** Property values as they go over the wire: JSON, without `undefined`. Unknown values are {@link unknown}. */
export type Properties = Readonly<Record<string, unknown>>;

/** How Pulumi writes a value that is not known yet, such as the address of a machine that a preview would create. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** What every call gets beside its data. */
export interface Context {
  readonly urn: string;
  /** True in a preview: judge only. */
  readonly preview: boolean;
  /** Aborted when the engine cancels, or when the resource's own time limit (`customTimeouts`) is over. */
  readonly signal: AbortSignal;
  /** Shows a step on the resource's row; the last one stays there, so end with `done: …`. */
  readonly progress: (step: string) => void;
  /** Told once per process, resource and text: Diff and Read run several times in one command. */
  readonly log: (severity: "info" | "warning" | "error", text: string) => void;
}

/** Why an input is refused. `reason` must read well alone: the engine prints little beside it. */
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

/** Changes by property path, such as `files["/etc/a"]`: shown as old output → new input. Empty = no change. */
export interface DiffResult {
  readonly detailedDiff: Readonly<Record<string, DiffKind>>;
  /** Properties whose change needs another resource. */
  readonly replaces: readonly string[];
}

export interface ReadArgs {
  readonly id: string;
  /** Both empty when a resource is imported. */
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

/** One kind of resource. `check` and `diff` run one after the other for all resources: they must not touch a host. */
export interface Resource {
  /** Type token, such as `clientcert:apache:ClientAuth`. */
  readonly type: string;
  check(args: { readonly oldInputs: Properties; readonly inputs: Properties }, context: Context): Promise<CheckResult>;
  diff(args: DiffArgs, context: Context): Promise<DiffResult>;
  create(args: { readonly inputs: Properties }, context: Context): Promise<ResourceState>;
  /** Undefined = gone. Not reachable is an error, never "gone" and never "as before". */
  read(args: ReadArgs, context: Context): Promise<ReadResult | undefined>;
  update(args: UpdateArgs, context: Context): Promise<Properties>;
  delete(args: DeleteArgs, context: Context): Promise<void>;
  /** Lets go of connections: the engine is done with us, or wants to stop. May be called twice. */
  close(): Promise<void>;
}

/** The resource exists, but is not as it should be: Pulumi saves it and plans an update next time. */
export class PartialFailure extends Error {
  constructor(
    readonly state: ResourceState,
    readonly reasons: readonly string[],
  ) {
    super(reasons.join("\n"));
  }
}
