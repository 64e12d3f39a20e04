/**
 * Checks what we run on a host as root while nobody watches: the program, the files that call it, and whether anyone
 * but root could alter them.
 */
import { createHash } from "node:crypto";
import { refreshName, stateDirectory } from "../../own-files.ts";
import type { Desired, Facts, UnattendedFacts } from "../model.ts";
import type { Observation, UnattendedFile } from "../observation.ts";

/** The absolute path of the program that refreshes the CRLs of a host, and that can undo everything there. */
export const programPath = (instance: string): string => `${stateDirectory(instance)}/program`;

/** The scripts beside the program by which a person or a timer calls it. */
const callers = ["refresh", "undo"] as const;
type Caller = (typeof callers)[number];

/** The first line of each script says what it does. */
const purposes: Readonly<Record<Caller, string>> = {
  refresh: "Downloads the CRLs of this server now, as the timer does. --help says more.",
  undo: "Takes client-certificate authentication out of this server again. Needs no Pulumi and no network.",
};

/** Renders exactly the bytes that `write_caller` of `host/posix/apache/undo.sh` writes. */
export function renderCaller(instance: string, name: Caller): string {
  const program = programPath(instance);
  // The last line of a whole program is `main "$@"`, so a program that was cut off is not run. The braces let the shell
  // read the whole script before it runs any of it.
  const lines = [
    "#!/bin/sh",
    `{ # ${purposes[name]}`,
    `if [ "$(tail -n 1 '${program}' 2>/dev/null)" = 'main "$@"' ]; then exec /bin/sh '${program}' ${name} "$@"; fi`,
    `text='${program}: is missing, empty or cut off, so nothing was done; pulumi up writes it again'`,
    'logger -t clientcert -- "$text" 2>/dev/null',
    'echo "$text" >&2',
    "exit 1",
    "}",
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/**
 * Finds the program on the host, and what is wrong with it and with the files that call it. Undefined where this was
 * not observed: on a copy of the files, and with an observation program of an earlier build.
 */
export function readUnattended({ unattended, own, server }: Observation): UnattendedFacts | undefined {
  if (unattended === undefined) return undefined;
  const directory = stateDirectory(server.instance);
  const exposed = [...unattended].flatMap(([path, file]) => {
    // The files in the state directory are only root's. The timers outside of it may be read by everybody.
    const mode = path.startsWith(directory) ? "700" : "644";
    const text = path.endsWith("/.") ? faultOfDirectory(file) : faultOfFile(file, mode);
    // The observation names a directory with `/.` at the end, which follows a link there.
    return text === undefined ? [] : [[path.replace(/\/\.$/, ""), text] as const];
  });
  const damaged = callers.flatMap((name) => {
    // Only a host that downloads CRLs, and so has the settings for it, has the script `refresh`.
    const wanted = name === "undo" || own.has(refreshName) ? renderCaller(server.instance, name) : undefined;
    const text = faultOfCaller(unattended.get(`${directory}/${name}`)?.sha256, wanted);
    return text === undefined ? [] : [[`${directory}/${name}`, text] as const];
  });
  const program = unattended.get(programPath(server.instance))?.sha256;
  return { ...(program === undefined ? {} : { program }), wrong: Object.fromEntries([...exposed, ...damaged]) };
}

/** What is wrong with the owner or the mode of a file; undefined where nothing is. */
function faultOfFile({ userId, mode }: UnattendedFile, wanted: string): string | undefined {
  if (userId !== 0) return `belongs to user ${userId}, not to root`;
  return mode === wanted ? undefined : `has mode ${mode} instead of ${wanted}`;
}

/** What lets others than root write to a directory; undefined where nothing does. */
function faultOfDirectory({ userId, mode }: UnattendedFile): string | undefined {
  if (userId !== 0) return `belongs to user ${userId}, not to root`;
  return (Number.parseInt(mode, 8) & 0o022) === 0 ? undefined : `can be written to by others than root (mode ${mode})`;
}

/** The fault of a file that another build has written. */
export const otherVersion = "is of another version";

/**
 * How a caller on the host, given by its SHA-256, differs from the wanted text; undefined where it does not. An
 * undefined hash means that the file is missing, an undefined text that there should be none.
 */
function faultOfCaller(installed: string | undefined, wanted: string | undefined): string | undefined {
  if (wanted === undefined) return installed === undefined ? undefined : "is not wanted any more";
  if (installed === undefined) return "is missing";
  return installed === createHash("sha256").update(wanted).digest("hex") ? undefined : otherVersion;
}

/** The hash of an empty file. A shell runs an empty program and reports success. */
const emptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/**
 * What is wrong with the program and with the files beside it, as far as the host alone shows; one text for each fault.
 * The text for another file begins with its path.
 */
export function unattendedStates({ unattended, server: { instance }, refresh }: Facts): readonly string[] {
  // A timer's fault is reported with the timer.
  const wrong = Object.entries(unattended?.wrong ?? {}).filter(([path]) => !(path in refresh.timers));
  return [
    ...(unattended?.program === emptySha256 ? ["is empty"] : []),
    ...wrong.map(([path, text]) => (path === programPath(instance) ? text : `${path} ${text}`)),
  ];
}

/**
 * Whether the host's program, or a file that calls it, differs from what this build would write there, in its contents,
 * owner or mode. False where this is not known, and where our configuration is not installed.
 */
export function isProgramStale({ program }: Desired, facts: Facts): boolean {
  const { unattended, own } = facts;
  if (program === undefined || unattended === undefined || own.conf === undefined) return false;
  return unattended.program !== program || unattendedStates(facts).length > 0;
}
