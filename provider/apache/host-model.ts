/**
 * What the provider and the CLI ask of a host, and what comes back. Implemented by `provider/apache/host.ts` over SSH.
 */
import type { Inputs } from "../../core/apache/inputs.ts";
import type { Change } from "../../core/apache/model.ts";
import type { Observation } from "../../core/apache/observation.ts";
import type { HostOutcome, RunOptions } from "../../core/server-kind.ts";
import type { Target } from "../../core/site/target.ts";

export type { Detection } from "../../core/apache/inputs.ts";
export type { Connection, Endpoint, Login, Sudo } from "../../core/connection/inputs.ts";
export type { Target } from "../../core/site/target.ts";

export interface Transaction extends Pick<Inputs, "owner" | "takeOver">, Partial<Pick<Inputs, "reloadUnstartable">> {
  /** Unique id of this run; the host keeps the outcome under it. */
  readonly id: string;
  /** Main configuration file that the change was planned for: another one on the host is refused. */
  readonly configFile: string;
  readonly change: Change;
  /** Bytes of own files by name: CA bundle, CRLs and sample certificate as PEM, and the texts of the change. */
  readonly contents: ReadonlyMap<string, Buffer>;
  /**
   * Files of probe certificates by name, for the CAs of the site: no part of what is wanted. Empty where none is to be
   * asked.
   */
  readonly probes: ReadonlyMap<string, Buffer>;
  /** True at delete: our state on the host goes, too. */
  readonly remove: boolean;
}

export type Judge = "shadow" | "minimal" | "syntax";

export interface Outcome extends HostOutcome<Observation> {
  readonly judge: Judge;
}

/**
 * Errors are `HostError`s: unreachable, host key, sudo, no httpd, several httpds, locked. Never an empty observation.
 */
export interface Host {
  observe(target: Target, options?: RunOptions): Promise<Observation>;
  /** The change on a copy, by the real httpd; touches nothing. */
  judge(target: Target, transaction: Transaction, options?: RunOptions): Promise<Outcome>;
  apply(target: Target, transaction: Transaction, options?: RunOptions): Promise<Outcome>;
  close(): Promise<void>;
}
