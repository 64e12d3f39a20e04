/** What a kind of server is to the resource: one record of functions around the layer that reaches its hosts. */
import type { Diagnostic } from "./diagnostic.ts";
import type { HostStatus } from "./host-status.ts";

/** Property values as they lie in Pulumi's state. */
type Properties = Readonly<Record<string, unknown>>;

/** The types that differ from kind to kind. */
export interface KindTypes {
  readonly inputs: HostInputs;
  /** What one look at a host brings, with the customer's bytes: never stored. */
  readonly observation: HostObservation;
  /** What of it may be stored, and is all that a plan is made from. */
  readonly facts: object;
  readonly change: HostChange;
  readonly status: HostStatus;
}

/** Of the inputs what the resource itself goes by. */
export interface HostInputs {
  /** `organization/project/stack/name` of the resource. */
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
  /** The server reads nothing of it, and is neither asked to judge it nor reloaded. @default false */
  readonly isAside?: boolean;
}

/** What would be done, and everything to be told of it. */
export interface HostPlan<Change> {
  readonly diagnostics: readonly Diagnostic[];
  /** Texts to show, by path as text. */
  readonly files: Readonly<Record<string, string>>;
  /** Undefined when the host is as wanted. */
  readonly change: Change | undefined;
  /**
   * Where conflicts forbid the change: what is put back all the same, because an earlier version took it out and
   * customers' pages may be open since. Undefined where there is nothing of that kind.
   */
  readonly restore: Change | undefined;
}

/** How a transaction ended. */
export interface HostOutcome<Observation> {
  /**
   * `well`: judged only, would be fine. `refused`: the judge or a pre-check said no, nothing was touched.
   * `applied`: live and seen to be well. `stopped`: written, the server is stopped and stays so.
   * `rolledBack`: swapped, then put back.
   * `recovered`: only what an earlier, interrupted run had left half-way was put back; plan anew from the observation.
   */
  readonly result: "well" | "refused" | "applied" | "stopped" | "rolledBack" | "recovered";
  /** Which judge spoke. */
  readonly judge: string;
  /**
   * Why, in filtered words: the server's message codes and texts without the customer's lines. Of what went well, what
   * is worth telling all the same, such as a source that gave no CRL. Ready to print.
   */
  readonly reasons: readonly string[];
  readonly generation: number;
  /** The host after the change; undefined when only judged. */
  readonly observation: Observation | undefined;
}

export interface RunOptions {
  /** Called for each step, such as `judge: shadow start`. */
  readonly onProgress?: (step: string) => void;
  /** Aborted = stop before the swap; after it the host finishes by itself. */
  readonly signal?: AbortSignal;
}

/** A change with the bytes that it brings. `judge`: on a copy, by the real server, touching nothing. */
export interface Transaction<Observation> {
  judge(options: RunOptions): Promise<HostOutcome<Observation>>;
  apply(options: RunOptions): Promise<HostOutcome<Observation>>;
}

/** What a reader sees of a file, as text, and what is wrong with it although its bytes are right. */
export interface ShownFile {
  readonly text: string;
  /** In words, such as `is not enabled`. @default - nothing */
  readonly states?: readonly string[];
}

/** By path as text. Ours only, never a line of the customer's. */
export type ShownFiles = Readonly<Record<string, ShownFile>>;

/**
 * Where a function has effects it says so; all others are pure. Readers of configurations, facts and plans are a kind's
 * own: two that look alike are no duplication.
 */
export interface ServerKind<K extends KindTypes> {
  /** Part of a resource's id, so it never changes. */
  readonly name: string;
  /** As messages call the server, such as `httpd`. */
  readonly serverName: string;
  readonly inputs: KindInputs<K["inputs"]>;
  readonly facts: KindFacts<K["facts"]>;
  readonly files: KindFiles<K>;
  readonly imports: KindImports<K>;
  readonly outputs: KindOutputs<K["status"]>;

  /** One look at a host. Rejects where it cannot be looked at: an error is never an empty observation. */
  observe(inputs: K["inputs"], options: RunOptions): Promise<K["observation"]>;
  readFacts(observation: K["observation"], inputs: K["inputs"]): K["facts"];
  plan(inputs: K["inputs"], facts: K["facts"]): HostPlan<K["change"]>;
  /** Takes everything of ours away; empty where only the host's own record of us is left. */
  planRemoval(facts: K["facts"]): K["change"];
  status(inputs: K["inputs"], facts: K["facts"], plan: HostPlan<K["change"]>): K["status"];
  /** Reads files of the site, and throws where they are not fit to be installed: before a host hears of the change. */
  prepare(
    inputs: K["inputs"],
    facts: K["facts"],
    change: K["change"],
    purpose: "change" | "removal",
  ): Transaction<K["observation"]>;
  /** What a change did, one line for each thing, without a line of the customer's. */
  describeChange(change: K["change"]): readonly string[];
  /** What {@link HostPlan.restore} put back, in words. */
  describeRestored(change: K["change"]): string;
  /** Lets go of connections. May be called twice. */
  close(): Promise<void>;
}

export interface KindInputs<Inputs> {
  withDefaults(inputs: Properties): Properties;
  validate(inputs: Properties): readonly { readonly property: string; readonly reason: string }[];
  /** Throws where {@link validate} finds something. */
  parse(inputs: Properties): Inputs;
  /** Names of those whose values differ; a state of an earlier version lacks the newer ones. */
  changed(a: Properties, b: Properties): readonly string[];
  /** Names of those whose change changes nothing on a host. */
  readonly neverCompared: readonly string[];
  /**
   * Names of those that say, beside the connection, which server is meant: with another value stored facts are about
   * another one.
   */
  readonly locating: readonly string[];
}

/** Facts as they lie in the state, and what every resource asks of them. */
export interface KindFacts<Facts> {
  /** Raised whenever the facts become more, or mean something else. */
  readonly version: number;
  /** Whether a value of this version has what a plan goes by. */
  isFacts(value: Properties): value is Properties & Facts;
  /** Which server of its machine they are of, as bytes of the host. */
  serverOf(facts: Facts): string;
  /** The same of a stored value, whatever build wrote it. */
  findServer(value: Properties): string | undefined;
  /** That `now` is another server than the one that the resource covers, and what to do. */
  otherServerText(before: string, now: string): string;
  ownerOf(facts: Facts): string | undefined;
  /** Nothing of ours is there. */
  isGone(facts: Facts): boolean;
}

/** What diffs show. */
export interface KindFiles<K extends KindTypes> {
  /** What stands on the host now. */
  live(facts: K["facts"]): ShownFiles;
  /** What would stand there after a plan. A host that is as wanted keeps its view, whatever it is. */
  planned(facts: K["facts"], plan: HostPlan<K["change"]>): ShownFiles;
  /** How they differ, in words, with file and line. */
  changeTexts(live: ShownFiles, planned: ShownFiles): readonly string[];
  /** Texts that are to be read before they are there for the first time, although diffs show less. */
  readInFull(facts: K["facts"], plan: HostPlan<K["change"]>): ShownFiles;
}

export interface KindImports<K extends KindTypes> {
  /** The inputs that an import id names. Throws where it does not say how to reach the host. */
  target(id: string, owner: string): K["inputs"];
  /** Inputs that describe the host as it is, so that an import changes nothing. */
  inputs(target: K["inputs"], facts: K["facts"], observation: K["observation"]): Properties;
}

/** What outputs have beside those of every kind. */
export interface KindOutputs<Status> {
  readonly names: readonly string[];
  of(status: Status): Properties;
  /** Judges that may speak at a change. */
  readonly judges: readonly string[];
}
