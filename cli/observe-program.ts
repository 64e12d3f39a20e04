/** `clientcert observe-program`: prints what a host needs for a user who may observe it as root and do nothing else. */
import { createHash } from "node:crypto";
import type { Inputs } from "../core/apache/inputs.ts";
import { makeTarget } from "../core/site/target.ts";
import { observationProgram, usualProgramPath } from "../provider/apache/observation-program.ts";
import { openHosts, refuse } from "./open-hosts.ts";
import { exitCode } from "./exit-code.ts";
import type { Answer } from "./output.ts";

export interface ObserveProgramOptions {
  /** The host whose overrides of the detection are built into the program. @default - nothing is overridden */
  readonly overridesFrom: { readonly site: string; readonly host: string } | undefined;
  /** The user for the sudoers line. With a user, the command prints that line in place of the program. */
  readonly sudoers: string | undefined;
  /**
   * Whether the line names the program's digest. sudo-rs refuses every line that has one ("digest specifications are
   * not supported").
   */
  readonly digest: boolean;
  readonly json: boolean;
}

/** The names that sudoers(5) accepts for a user or a group without quotes. */
const userName = /^%?[A-Za-z_][\w.-]*$/;

/**
 * Prints the program, or the line for sudoers that lets a user run it as root; with `json` it prints both. A name that
 * sudoers would not take, and a site or host that is wrong, are refused with the exit code 2.
 */
export function observeProgram({ overridesFrom, sudoers, digest, json }: ObserveProgramOptions): Answer {
  if (sudoers !== undefined && !userName.test(sudoers))
    return refuse([`--sudoers: found ${JSON.stringify(sudoers)}; write the name of a user, or %group`], json);
  const installed =
    overridesFrom === undefined
      ? { detection: {}, path: usualProgramPath }
      : installationOn(overridesFrom.site, overridesFrom.host);
  if ("problems" in installed) return refuse(installed.problems, json);
  const program = observationProgram(installed.detection);
  const sha256 = createHash("sha256").update(program).digest("hex");
  // An empty argument list (`""`) in sudoers allows no argument at all.
  const rule = `${sudoers ?? "USER"} ALL=(root) NOPASSWD: ${digest ? `sha256:${sha256} ` : ""}${installed.path} ""`;
  const { fine } = exitCode;
  if (json)
    return {
      output: `${JSON.stringify({ path: installed.path, sha256, sudoers: rule, program }, undefined, 2)}\n`,
      code: fine,
    };
  // The program is printed byte by byte, because its digest depends on every byte.
  return sudoers === undefined
    ? { output: "", bytes: Buffer.from(program), code: fine }
    : { output: `${rule}\n`, code: fine };
}

/** The program as it is installed on a host: its path, and the overrides of the detection that are built into it. */
interface Installation extends Pick<Inputs, "detection"> {
  readonly path: string;
}

/** The installation that a site file names for one of its hosts, or why there is none. */
function installationOn(site: string, name: string): Installation | { readonly problems: readonly string[] } {
  const opened = openHosts(site, [name]);
  if ("problems" in opened) return opened;
  const [host] = opened.hosts;
  if (host === undefined) throw new Error(`${name}: was found and is not there`); // openHosts found the host
  const { connection, detection } = makeTarget(host);
  return { detection, path: connection.sudo.how === "program" ? connection.sudo.path : usualProgramPath };
}
