/** What a resource needs from a kind of server: a set of functions, implemented by the layer that reaches its hosts. */
import type { Diagnostic } from "./diagnostic.ts";
import type { HostStatus } from "./host-status.ts";

/** Property values as they are stored in Pulumi's state. */
type Properties = Readonly<Record<string, unknown>>;

/** The types that differ between kinds of servers. */
export interface KindTypes {
  readonly inputs: HostInputs;
  /** The result of one observation of a host. It has the customer's bytes and is never stored. */
  readonly observation: HostObservation;
  /** The part of the observation that may be stored; a plan is made from this alone. */
  readonly facts: object;
  readonly change: HostChange;
  readonly status: HostStatus;
}

/** The inputs that the resource itself uses. */
export interface HostInputs {
  /** The name of the resource, as `organization/project/stack/name`. */
  readonly owner: string;
  readonly connection: { readonly address: string };
  // eslint-disable-next-line inputs/declared-once -- of every kind of server
  readonly judgeInPreview: boolean;
}

export interface HostObservation {
  /** Seconds since 1970 on the host's clock. */
  readonly server: { readonly nowSeconds: number };
}

export interface HostChange {
  /**
   * Whether the server reads nothing of the change, so that the server neither judges it nor reloads for it.
   *
   * @default false
   */
  readonly isAside?: boolean;
}

/** What would be done, and all diagnostics about it. */
export interface HostPlan<Change> {
  readonly diagnostics: readonly Diagnostic[];
  /** The texts to show, by path (as text). */
  readonly files: Readonly<Record<string, string>>;
  /** Undefined when the host is as wanted. */
  readonly change: Change | undefined;
  /**
   * What is put back although conflicts forbid the change: an earlier version took it out, and customers' pages may be
   * open since. Undefined where there is nothing of that kind.
   */
  readonly restore: Change | undefined;
}

/** How a transaction ended. */
export interface HostOutcome<Observation> {
  /**
   * - `well`: the change was only judged, and it would succeed.
   * - `refused`: the judge or an earlier check said no, and nothing was touched.
   * - `applied`: the change is live, and the server was seen to be well.
   * - `stopped`: the change is written, and the server is stopped and stays so.
   * - `rolledBack`: the files were swapped and then put back.
   * - `recovered`: the host only put back what an earlier, interrupted run had left half-way. Plan again from the
   *   observation.
   */
  readonly result: "well" | "refused" | "applied" | "stopped" | "rolledBack" | "recovered";
  /** What decided whether the change is good, as one of {@link KindOutputs.judges}. */
  readonly judge: string;
  /**
   * Why, in filtered words: the server's message codes and texts, without the customer's lines. After a success, this
   * is what should be reported all the same, such as a source that gave no CRL. Each text is ready to print.
   */
  readonly reasons: readonly string[];
  readonly generation: number;
  /** The host after the change; undefined when the change was only judged. */
  readonly observation: Observation | undefined;
}

export interface RunOptions {
  /** This function is called for each step, such as `judge: shadow start`. */
  readonly onProgress?: (step: string) => void;
  /** When the signal aborts before the swap, the run stops. After the swap, the host finishes by itself. */
  readonly signal?: AbortSignal;
}

/** A change with the bytes that it brings. `judge` lets the real server check a copy and touches nothing. */
export interface Transaction<Observation> {
  judge(options: RunOptions): Promise<HostOutcome<Observation>>;
  apply(options: RunOptions): Promise<HostOutcome<Observation>>;
}

/** What a reader sees of a file, as text, and what is wrong with the file although its bytes are right. */
export interface ShownFile {
  readonly text: string;
  /** What is wrong, in words, such as `is not enabled`. @default - nothing */
  readonly states?: readonly string[];
}

/** Our files by path (as text), and never a line of the customer's. */
export type ShownFiles = Readonly<Record<string, ShownFile>>;

/**
 * The functions of a kind of server. A function with effects says so; all others are pure. Each kind has its own
 * readers of configurations, facts and plans: two readers that look alike are not duplication.
 */
export interface ServerKind<K extends KindTypes> {
  /** The name is a part of a resource's id, so it never changes. */
  readonly name: string;
  /** The name of the server in messages, such as `httpd`. */
  readonly serverName: string;
  readonly inputs: KindInputs<K["inputs"]>;
  readonly facts: KindFacts<K["facts"]>;
  readonly files: KindFiles<K>;
  readonly imports: KindImports<K>;
  readonly outputs: KindOutputs<K["status"]>;

  /** Observes a host. The promise rejects where the host cannot be observed: an error is never an empty observation. */
  observe(inputs: K["inputs"], options: RunOptions): Promise<K["observation"]>;
  readFacts(observation: K["observation"], inputs: K["inputs"]): K["facts"];
  plan(inputs: K["inputs"], facts: K["facts"]): HostPlan<K["change"]>;
  /** Plans to remove everything of ours. The plan is empty where only the host's own record of us is left. */
  planRemoval(facts: K["facts"]): K["change"];
  status(inputs: K["inputs"], facts: K["facts"], plan: HostPlan<K["change"]>): K["status"];
  /**
   * Reads files of the site, before the host hears of the change. Throws where the files are not fit to be installed.
   */
  prepare(
    inputs: K["inputs"],
    facts: K["facts"],
    change: K["change"],
    purpose: "change" | "removal",
  ): Transaction<K["observation"]>;
  /** What a change did, one line for each thing, without a line of the customer's. */
  describeChange(change: K["change"]): readonly string[];
  /** Describes what {@link HostPlan.restore} put back. */
  describeRestored(change: K["change"]): string;
  /** Closes the connections. May be called twice. */
  close(): Promise<void>;
}

export interface KindInputs<Inputs> {
  withDefaults(inputs: Properties): Properties;
  validate(inputs: Properties): readonly { readonly property: string; readonly reason: string }[];
  /** Throws where {@link validate} finds something. */
  parse(inputs: Properties): Inputs;
  /** The names of the inputs whose values differ. A state of an earlier version lacks newer inputs. */
  changed(a: Properties, b: Properties): readonly string[];
  /** The names of the inputs that change nothing on a host. */
  readonly neverCompared: readonly string[];
  /**
   * The names of the inputs that say which server is meant, beside the connection. When such a value differs, the
   * stored facts are about another server.
   */
  readonly locating: readonly string[];
}

/** Facts as they are stored in the state, and what every resource needs to know about them. */
export interface KindFacts<Facts> {
  /** The version is raised whenever the facts get more content or another meaning. */
  readonly version: number;
  /** Whether a value of this version has everything that a plan uses. */
  isFacts(value: Properties): value is Properties & Facts;
  /** Which server of its machine the facts are about, as bytes of the host. */
  serverOf(facts: Facts): string;
  /** Like {@link serverOf}, for a stored value that any build may have written. */
  findServer(value: Properties): string | undefined;
  /**
   * The message that the host now has another server than the one that the resource covers, and what to do. Both
   * arguments have the form of {@link serverOf}.
   */
  otherServerText(before: string, now: string): string;
  ownerOf(facts: Facts): string | undefined;
  /** Whether nothing of ours is on the host. */
  isGone(facts: Facts): boolean;
}

/** The files that diffs show. */
export interface KindFiles<K extends KindTypes> {
  /** The files that are on the host now. */
  live(facts: K["facts"]): ShownFiles;
  /** The files that would be there after a plan. A host that is as wanted keeps the view of its live files. */
  planned(facts: K["facts"], plan: HostPlan<K["change"]>): ShownFiles;
  /** Describes each difference between the two in words, with file and line. */
  changeTexts(live: ShownFiles, planned: ShownFiles): readonly string[];
  /** Texts that a person must read before they are installed for the first time, although diffs show less. */
  readInFull(facts: K["facts"], plan: HostPlan<K["change"]>): ShownFiles;
}

export interface KindImports<K extends KindTypes> {
  /** The inputs that an import id names. Throws where the id does not say how to reach the host. */
  target(id: string, owner: string): K["inputs"];
  /** Inputs that describe the host as it is, so that an import changes nothing. */
  inputs(target: K["inputs"], facts: K["facts"], observation: K["observation"]): Properties;
}

/** The outputs of this kind, beside the outputs that every kind has. */
export interface KindOutputs<Status> {
  readonly names: readonly string[];
  /** The values of these outputs. */
  fromStatus(status: Status): Properties;
  /** The judges that may decide about a change. */
  readonly judges: readonly string[];
}
