/** The program for a sudoers rule that lets a user observe a host as root and do nothing else. */
import type { Detection } from "../../core/apache/inputs.ts";
import { joinObservationScript } from "./host-program.ts";

/** The path that the rule names by default. Any other path will do when the site file names it. */
export const usualProgramPath = "/usr/local/sbin/clientcert-observe";

/**
 * The program: a fixed text that takes no argument and reads its request from standard input. The overrides are part of
 * the text. If a request could choose the httpd program or its configuration, its sender could run anything as root.
 */
export function observationProgram(detection: Detection): string {
  return `#!/bin/sh\n${safePath}${joinObservationScript(fixedOverrides(detection))}`;
}

/** Sets PATH, because sudo without secure_path keeps the caller's PATH. */
const safePath = "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nexport PATH\n";

/** The shell function that sets the overrides of the detection. An override that is not given is set to nothing. */
function fixedOverrides({ httpd, config, pidFile, environmentFile, defines = [] }: Detection): string {
  const values = {
    want_httpd: httpd ?? "",
    want_config: config ?? "",
    want_pid_file: pidFile ?? "",
    want_environment: environmentFile ?? "",
    want_defines: defines.map((name) => `${name}\n`).join(""),
  };
  const lines = Object.entries(values).map(([name, value]) => `${name}=${quote(value)}\n`);
  return `fixed_overrides() {\n${lines.join("")}}\n`;
}

/** A text in single quotes for the shell. A quote in it ends the quotes, is escaped, and begins them again. */
const quote = (text: string): string => `'${text.replace(/'/g, "'\\''")}'`;
