/**
 * What the provider and the CLI ask of a host, and what comes back. `provider/apache/host.ts` implements it over SSH.
 */
import type { Inputs } from "../../core/apache/inputs.ts";
import type { Change } from "../../core/apache/model.ts";
import type { Observation } from "../../core/apache/observation.ts";
import type { HostOutcome, RunOptions } from "../../core/server-kind.ts";
import type { Target } from "../../core/site/target.ts";

export interface Transaction extends Pick<Inputs, "owner" | "takeOver">, Partial<Pick<Inputs, "reloadUnstartable">> {
  /** The unique id of this run. The host stores the outcome under it. */
  readonly id: string;
  /**
   * The main configuration file that the change was planned for. If the host has another one, the change is refused.
   */
  readonly configFile: string;
  readonly change: Change;
  /** The bytes of our files by name: CA bundle, CRLs and sample certificate as PEM, and the texts of the change. */
  readonly contents: ReadonlyMap<string, Buffer>;
  /**
   * The files of probe certificates by name, for the CAs of the site. They are not part of what is wanted. Empty where
   * no probe is to be made.
   */
  readonly probes: ReadonlyMap<string, Buffer>;
  /** True when the resource is deleted: our state on the host is then removed, too. */
  readonly remove: boolean;
}

export type Judge = "shadow" | "minimal" | "syntax";

export interface Outcome extends HostOutcome<Observation> {
  readonly judge: Judge;
}

/**
 * The calls reject with a `HostError` where the host is the reason; `HostErrorKind` lists the kinds. An observation is
 * never empty.
 */
export interface Host {
  observe(target: Target, options?: RunOptions): Promise<Observation>;
  /** The host's own httpd judges the change on a copy. The host itself is not changed. */
  judge(target: Target, transaction: Transaction, options?: RunOptions): Promise<Outcome>;
  /** Makes the change. Where the connection is cut, the host is asked how the change ended. */
  apply(target: Target, transaction: Transaction, options?: RunOptions): Promise<Outcome>;
  close(): Promise<void>;
}
