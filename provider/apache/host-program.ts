/**
 * The program that runs on hosts. It consists of small shell files with one step each, which are joined when they are
 * sent.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { namedContents } from "../../core/apache/named-files.ts";

/**
 * The files with which both programs begin, in the order in which they are joined. They refuse an unfit shell, set up
 * the other shells, and define functions.
 */
const observingFiles = [
  "lib/shell.sh",
  "lib/words.sh",
  "lib/request.sh",
  "lib/quoting.sh",
  "lib/time-limit.sh",
  "lib/tools.sh",
  "lib/resources.sh",
  "lib/processes.sh",
  "apache/server.sh",
  "apache/stopped.sh",
  "apache/files.sh",
  "apache/observe.sh",
  "lib/state.sh",
] as const;

/** The files of the whole program. The last one, `main.sh`, starts the work; the others define what it needs. */
const hostScriptFiles = [
  ...observingFiles,
  "apache/stage.sh",
  "apache/ask.sh",
  "apache/compare.sh",
  "apache/shadow.sh",
  "apache/deadly.sh",
  "crl/crl.sh",
  "crl/sources.sh",
  "crl/parts.sh",
  "crl/sample.sh",
  "crl/collect.sh",
  "crl/accept.sh",
  "crl/assemble.sh",
  "crl/record.sh",
  "crl/timer.sh",
  "apache/probe.sh",
  "apache/judge.sh",
  "apache/swap.sh",
  "apache/reload.sh",
  "apache/start.sh",
  "apache/health.sh",
  "apache/rollback.sh",
  "apache/undo.sh",
  "crl/refresh.sh",
  "lib/room.sh",
  "apache/recover.sh",
  "apache/run.sh",
  "apache/detach.sh",
  "lib/carrier.sh",
  "main.sh",
] as const;

/**
 * The SHA-256 of the program file that a change leaves on a host. The file is the text with exactly one line end at its
 * end, because a shell drops all line ends there.
 */
export function hostProgramSha256(): string {
  programSha256 ??= createHash("sha256")
    .update(`${hostScript().replace(/\n+$/, "")}\n`)
    .digest("hex");
  return programSha256;
}

let programSha256: string | undefined;

/**
 * The files of the program that only observes. It is sent for every observation. It is also installed on hosts whose
 * sudoers rule allows one root-owned program.
 */
const observationScriptFiles = [...observingFiles, "crl/timer.sh", "main-observe.sh"] as const;

let joinedWhole: string | undefined;

/** The whole program without comments and empty lines, because it is sent with every run. */
export function hostScript(): string {
  joinedWhole ??= joinScripts(hostScriptFiles);
  return joinedWhole;
}

let joinedObservation: string | undefined;

/**
 * The part of the program that an observation needs. It has a third of the bytes, and a fleet is observed far more
 * often than it is changed.
 */
export function observationScript(): string {
  // Where the login may run anything, the overrides come from the request, so this function does nothing.
  joinedObservation ??= joinObservationScript("fixed_overrides() { :; }\n");
  return joinedObservation;
}

/**
 * Joins the program that only observes. `overrides` (the function `fixed_overrides`) stands before the last file, which
 * runs the program.
 */
export function joinObservationScript(overrides: string): string {
  const texts = readScripts(observationScriptFiles);
  return [directivesText, ...texts.slice(0, -1), overrides, ...texts.slice(-1)].join("");
}

/** The texts of shell files of `host/posix`, joined in the given order after the table of directives. */
export const joinScripts = (names: readonly string[]): string => [directivesText, ...readScripts(names)].join("");

/** The texts of shell files of `host/posix`, without comments and empty lines. */
function readScripts(names: readonly string[]): string[] {
  const directory = join(packageRoot(), "host", "posix");
  return names.map((name) => withoutComments(readFileSync(join(directory, name), "utf8")));
}

/** The table that `host/posix/apache/files.sh` reads: a shell variable with `DIRECTIVE=CONTENTS`, split by blanks. */
const directivesText = `file_directives='${Object.entries(namedContents)
  .map(([directive, contents]) => `${directive}=${contents}`)
  .join(" ")}'\n`;

/** Removes the comment lines and then the empty lines. A line that begins with `#!` stays. */
function withoutComments(text: string): string {
  return text.replace(/^\s*#(?!!).*\n/gm, "").replace(/^\n/gm, "");
}

/**
 * The package's folder: the nearest one, from this file upwards, that contains the host's program. It is searched,
 * because this file also runs inside a bundle in `build/`. Throws an error where there is none.
 */
function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, "host", "posix", "main.sh"))) {
    const parent = dirname(directory);
    if (parent === directory) throw new Error("host/posix: not found above the program; install the whole package");
    directory = parent;
  }
  return directory;
}
