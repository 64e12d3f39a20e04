/** The program that runs on hosts: small shell files, one step each, joined when sent. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** In the order in which they are joined; `main.sh` runs, the others define. */
const hostScriptFiles = [
  "shell.sh",
  "words.sh",
  "request.sh",
  "quoting.sh",
  "time-limit.sh",
  "tools.sh",
  "resources.sh",
  "processes.sh",
  "server.sh",
  "stopped.sh",
  "observe.sh",
  "state.sh",
  "stage.sh",
  "ask.sh",
  "compare.sh",
  "shadow.sh",
  "deadly.sh",
  "crl.sh",
  "sources.sh",
  "parts.sh",
  "sample.sh",
  "collect.sh",
  "record.sh",
  "timer.sh",
  "probe.sh",
  "judge.sh",
  "swap.sh",
  "live.sh",
  "undo.sh",
  "refresh.sh",
  "room.sh",
  "recover.sh",
  "run.sh",
  "carrier.sh",
  "main.sh",
] as const;

/** SHA-256 of the file that a change leaves on a host: the text without the line ends at its end, which a shell drops, and one. */
export function hostProgramSha256(): string {
  hash ??= createHash("sha256")
    .update(`${hostScript().replace(/\n+$/, "")}\n`)
    .digest("hex");
  return hash;
}

let hash: string | undefined;

/** Only what looks: for hosts whose sudoers rule allows one root-owned program, and for tests. */
const observationScriptFiles = [
  "shell.sh",
  "words.sh",
  "request.sh",
  "quoting.sh",
  "time-limit.sh",
  "tools.sh",
  "resources.sh",
  "processes.sh",
  "server.sh",
  "stopped.sh",
  "observe.sh",
  "state.sh",
  "timer.sh",
  "main-observe.sh",
] as const;

let joined: string | undefined;

/** The whole program, comments and indentation left out: it travels with every run. */
export function hostScript(): string {
  joined ??= joinScripts(hostScriptFiles);
  return joined;
}

let joinedLook: string | undefined;

/** What a look needs of it, a third of the bytes: a fleet is looked at far more often than it is changed. */
export function lookScript(): string {
  // The overrides of a request are its own where the login may run anything.
  joinedLook ??= withOverrides("fixed_overrides() { :; }\n");
  return joinedLook;
}

/** The observation alone, with `overrides` (the function `fixed_overrides`) before its last file, which runs it. */
export function withOverrides(overrides: string): string {
  const last = observationScriptFiles.length - 1;
  return (
    joinScripts(observationScriptFiles.slice(0, last)) + overrides + joinScripts(observationScriptFiles.slice(last))
  );
}

export function joinScripts(names: readonly string[]): string {
  const directory = join(packageRoot(), "provider", "host", "posix");
  return names.map((name) => withoutComments(readFileSync(join(directory, name), "utf8"))).join("");
}

function withoutComments(text: string): string {
  return text.replace(/^\s*#(?!!).*\n/gm, "").replace(/^\n/gm, "");
}

/** The package's folder, found upwards from here, because this file also runs inside a bundle in `build/`. */
function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, "provider", "host", "posix"))) {
    const parent = dirname(directory);
    if (parent === directory)
      throw new Error("provider/host/posix: not found above the program; install the whole package");
    directory = parent;
  }
  return directory;
}
