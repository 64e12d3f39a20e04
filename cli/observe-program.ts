/** `clientcert observe-program`: what a host needs for a user who may look as root and do nothing else. */
import { createHash } from "node:crypto";
import type { Inputs } from "../core/apache/inputs.ts";
import { makeTarget } from "../core/site/read-site.ts";
import { observationProgram, usualProgramPath } from "../provider/apache/observation-program.ts";
import { openHosts, refuse } from "./open-hosts.ts";
import { type Answer, exitCode } from "./output.ts";

export interface ObserveProgramOptions {
  /** The host whose overrides of detection are built in. @default - none is overridden */
  readonly of: { readonly site: string; readonly host: string } | undefined;
  /** User for the sudoers line, which is then printed in place of the program. */
  readonly sudoers: string | undefined;
  /**
   * Whether the line names the program's digest: sudo-rs refuses every line that does ("digest specifications are not
   * supported").
   */
  readonly digest: boolean;
  readonly json: boolean;
}

/** What sudoers(5) takes for a user or a group without quotes. */
const userName = /^%?[A-Za-z_][\w.-]*$/;

export function observeProgram({ of, sudoers, digest, json }: ObserveProgramOptions): Answer {
  if (sudoers !== undefined && !userName.test(sudoers))
    return refuse([`--sudoers: found ${JSON.stringify(sudoers)}; write the name of a user, or %group`], json);
  const found = of === undefined ? { detection: {}, path: usualProgramPath } : placeOf(of.site, of.host);
  if ("problems" in found) return refuse(found.problems, json);
  const program = observationProgram(found.detection);
  const sha256 = createHash("sha256").update(program).digest("hex");
  const rule = `${sudoers ?? "USER"} ALL=(root) NOPASSWD: ${digest ? `sha256:${sha256} ` : ""}${found.path} ""`;
  const { fine } = exitCode;
  if (json)
    return {
      output: `${JSON.stringify({ path: found.path, sha256, sudoers: rule, program }, undefined, 2)}\n`,
      code: fine,
    };
  // The program byte by byte: its digest counts.
  return sudoers === undefined
    ? { output: "", bytes: Buffer.from(program), code: fine }
    : { output: `${rule}\n`, code: fine };
}

interface Place extends Pick<Inputs, "detection"> {
  readonly path: string;
}

function placeOf(site: string, name: string): Place | { readonly problems: readonly string[] } {
  const opened = openHosts(site, [name]);
  if ("problems" in opened) return opened;
  const [host] = opened.hosts;
  if (host === undefined) throw new Error(`${name}: was found and is not there`); // openHosts has looked
  const { connection, detection } = makeTarget(host);
  return { detection, path: connection.sudo.how === "program" ? connection.sudo.path : usualProgramPath };
}
