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

const purposes: Readonly<Record<Caller, string>> = {
  refresh: "Downloads the CRLs of this server now, as the timer does. --help says more.",
  undo: "Takes client-certificate authentication out of this server again. Needs no Pulumi and no network.",
};

/** Renders exactly the bytes that `write_caller` of `host/posix/apache/undo.sh` writes. */
export function renderCaller(instance: string, name: Caller): string {
  const program = programPath(instance);
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
 * Undefined where this was not observed: on a copy of the files, and with an observation program of an earlier build.
 */
export function readUnattended({ unattended, own, server }: Observation): UnattendedFacts | undefined {
  if (unattended === undefined) return undefined;
  const directory = stateDirectory(server.instance);
  const opened = [...unattended].flatMap(([path, file]) => {
    const text = path.endsWith("/.") ? openDirectory(file) : openFile(file, path.startsWith(directory) ? "700" : "644");
    // The observation names a directory with `/.` at the end, which follows a link there.
    return text === undefined ? [] : [[path.replace(/\/\.$/, ""), text] as const];
  });
  const damaged = callers.flatMap((name) => {
    const wanted = name === "undo" || own.has(refreshName) ? renderCaller(server.instance, name) : undefined;
    const text = damagedCaller(unattended.get(`${directory}/${name}`)?.sha256, wanted);
    return text === undefined ? [] : [[`${directory}/${name}`, text] as const];
  });
  const program = unattended.get(programPath(server.instance))?.sha256;
  return { ...(program === undefined ? {} : { program }), wrong: Object.fromEntries([...opened, ...damaged]) };
}

function openFile({ userId, mode }: UnattendedFile, wanted: string): string | undefined {
  if (userId !== 0) return `belongs to user ${userId}, not to root`;
  return mode === wanted ? undefined : `has mode ${mode} instead of ${wanted}`;
}

function openDirectory({ userId, mode }: UnattendedFile): string | undefined {
  if (userId !== 0) return `belongs to user ${userId}, not to root`;
  return (Number.parseInt(mode, 8) & 0o022) === 0 ? undefined : `can be written to by others than root (mode ${mode})`;
}

export const otherVersion = "is of another version";

function damagedCaller(found: string | undefined, wanted: string | undefined): string | undefined {
  if (wanted === undefined) return found === undefined ? undefined : "is not wanted any more";
  if (found === undefined) return "is missing";
  return found === createHash("sha256").update(wanted).digest("hex") ? undefined : otherVersion;
}

/** The hash of an empty file. A shell runs an empty program and reports success. */
const emptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/**
 * What is wrong with the program and with the files beside it, as far as the host alone shows; one text for each fault.
 * The text for another file begins with its path.
 */
export function unattendedStates({ unattended, server: { instance }, refresh }: Facts): readonly string[] {
  const wrong = Object.entries(unattended?.wrong ?? {}).filter(([path]) => !(path in refresh.timers));
  return [
    ...(unattended?.program === emptySha256 ? ["is empty"] : []),
    ...wrong.map(([path, text]) => (path === programPath(instance) ? text : `${path} ${text}`)),
  ];
}

/** Whether the host's program, or a file that calls it, differs from what this build would write there. */
export function isProgramStale({ program }: Desired, facts: Facts): boolean {
  const { unattended, own } = facts;
  if (program === undefined || unattended === undefined || own.conf === undefined) return false;
  return unattended.program !== program || unattendedStates(facts).length > 0;
}
