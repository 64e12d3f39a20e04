/** What of ours runs on a host as root without anybody looking on: the program, what calls it, and who could alter that. */
import { createHash } from "node:crypto";
import { refreshName, stateDirectory } from "./conf.ts";
import type { Desired, Facts, UnattendedFacts } from "./model.ts";
import type { Observation, UnattendedFile } from "./observation.ts";

/** Absolute path of the program that refreshes the CRLs of a host, and undoes everything there. */
export const programPath = (instance: string): string => `${stateDirectory(instance)}/program`;

/** The scripts beside the program by which a person or a timer calls it. */
const callers = ["refresh", "undo"] as const;
type Caller = (typeof callers)[number];

const purposes: Readonly<Record<Caller, string>> = {
  refresh: "Downloads the CRLs of this server now, as the timer does. --help says more.",
  undo: "Takes client-certificate authentication out of this server again. Needs no Pulumi and no network.",
};

/** Byte by byte what `write_caller` of `provider/host/posix/undo.sh` writes. */
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

/** Undefined where nobody looked: on a copy of the files, and by an observation program of an earlier build. */
export function readUnattended({ unattended, server: { instance } }: Observation): UnattendedFacts | undefined {
  if (unattended === undefined) return undefined;
  const directory = stateDirectory(instance);
  const hashes = ["program", ...callers].flatMap((name) => {
    const sha256 = unattended.get(`${directory}/${name}`)?.sha256;
    return sha256 === undefined ? [] : [[name, sha256] as const];
  });
  const open = [...unattended].flatMap(([path, file]) => {
    const text = isDirectory(path) ? openDirectory(file) : openFile(file, path.startsWith(directory) ? "700" : "644");
    return text === undefined ? [] : [[path, text] as const];
  });
  return { hashes: Object.fromEntries(hashes), open: Object.fromEntries(open) };
}

/** As they are observed: with what a link there leads to. */
const isDirectory = (path: string): boolean => path.endsWith("/.");

function openFile({ userId, mode }: UnattendedFile, wanted: string): string | undefined {
  if (userId !== 0) return `belongs to user ${userId}, not to root`;
  return mode === wanted ? undefined : `has mode ${mode} instead of ${wanted}`;
}

function openDirectory({ userId, mode }: UnattendedFile): string | undefined {
  if (userId !== 0) return `belongs to user ${userId}, not to root`;
  return (Number.parseInt(mode, 8) & 0o022) === 0 ? undefined : `can be written to by others than root (mode ${mode})`;
}

/** Of no byte: a shell runs it, and ends well. */
const emptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const sha256 = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex");

/** What is wrong with the program, and by path with what lies beside it, as far as the host alone tells; one text each. */
export function unattendedStates(facts: Facts): readonly string[] {
  const { unattended, server, own } = facts;
  if (unattended === undefined || own.conf === undefined) return [];
  const { hashes, open } = unattended;
  const isWanted = (name: Caller): boolean => name === "undo" || own.files[refreshName] !== undefined;
  const directory = stateDirectory(server.instance);
  const opened = Object.entries(open).filter(([path]) => isBesideProgram(facts, path));
  return [
    ...(hashes.program === emptySha256 ? ["is empty"] : []),
    ...opened.map(([path, text]) =>
      path === programPath(server.instance) ? text : `${path.replace(/\/\.$/, "")} ${text}`,
    ),
    ...callers.flatMap((name) => {
      const found = hashes[name];
      if (!isWanted(name)) return found === undefined ? [] : [`${directory}/${name} is not wanted any more`];
      if (found === undefined) return [`${directory}/${name} is missing`];
      return found === sha256(renderCaller(server.instance, name))
        ? []
        : [`${directory}/${name} is of another version`];
    }),
  ];
}

/** A timer is a file of its own, and is written for itself. */
const isBesideProgram = ({ server: { instance } }: Facts, path: string): boolean =>
  path.startsWith(stateDirectory(instance)) || isDirectory(path);

/** Whether the host's program, or what calls it, is not what this build would leave there. */
export function isProgramStale({ program }: Desired, facts: Facts): boolean {
  const { unattended, own } = facts;
  if (program === undefined || unattended === undefined || own.conf === undefined) return false;
  return unattended.hashes.program !== program || unattendedStates(facts).length > 0;
}
