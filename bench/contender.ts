/** What is measured against the bare probe: every contender does the same job, or looks whether it is done. */
import path from "node:path";
import type { Fleet } from "./fleet.ts";
import type { Command } from "./measure.ts";

export interface Contender {
  readonly name: string;
  /** Why it cannot be measured here. */
  readonly unavailable?: string;
  /** Brings the hosts to the state in which {@link command} changes nothing. */
  readonly prepare: (fleet: Fleet) => Promise<void>;
  /** A run that changes nothing. */
  readonly command: (fleet: Fleet) => Promise<Command>;
  /** What it is compared with. @default - {@link probe} */
  readonly baseline?: (fleet: Fleet) => Promise<Command>;
  /** What its state takes on the controller. @default - it has none */
  readonly stateKib?: (fleet: Fleet) => Promise<number>;
  /** Whether its output says that nothing was changed: a run that failed half-way would be fast. */
  readonly isUnchanged: (output: string) => boolean;
}

const script = path.join(import.meta.dirname, "probe.sh");

/** The floor: one cold `ssh` per host, ten at a time. */
export async function probe(fleet: Fleet): Promise<Command> {
  const names = fleet.hosts.map((_, index) => fleet.name(index));
  const [only = ""] = names;
  if (names.length === 1) return { program: "ssh", args: ["-F", fleet.sshConfig, only, "sh -s"], input: script };
  const each = 'printf "%s\\n" "$@" | xargs -P10 -I{} sh -c "ssh -F \\"$CONFIG\\" {} sh -s <\\"$SCRIPT\\""';
  const env = { CONFIG: fleet.sshConfig, SCRIPT: script };
  return { program: "sh", args: ["-c", each, "probe", ...names], env };
}

/** The floor itself, for its own row. */
export const bareProbe: Contender = {
  name: "bare ssh probe",
  prepare: async () => {},
  command: probe,
  isUnchanged: () => true,
};
