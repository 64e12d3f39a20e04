/** Makes an {@link Observation} from the parts of an answer. */
import { createHash } from "node:crypto";
import type {
  NamedFile,
  ObservedFile,
  Observation,
  PhpObservation,
  ServerObservation,
  UnattendedFile,
} from "../../core/apache/observation.ts";
import { hostText } from "../../core/host-text.ts";
import { asOneLine, HostError } from "../remote/host-error.ts";
import type { Message } from "../remote/response.ts";

/** The longest version text of a program, in characters. */
const longestVersion = 200;

/**
 * The observation in an answer. Undefined where the answer has none, or an incomplete one. Throws an error where the
 * name of a file contains a tab.
 */
export function readObservation(parts: readonly Message[]): Observation | undefined {
  const server = parts.find((part) => part.kind === "server");
  const dump = parts.find((part) => part.kind === "dump");
  if (server === undefined || dump === undefined || parts.at(-1)?.kind !== "done") return undefined;
  const values = readValues(server.body);
  const hashes = readHashes(parts, "own-hashes");
  return {
    server: readServer(values),
    dump: dump.body,
    files: new Map(filesOf(parts, "file")),
    own: new Map(
      // The bytes of a large file of ours are not sent, so its hash is the one that the host has computed.
      filesOf(parts, "own").map(([path, file]) => [
        baseName(path),
        { ...file, sha256: hashes.get(path) ?? file.sha256 },
      ]),
    ),
    journal: readJournal(parts, values),
    loadedHashes: readHashes(parts, "loaded-hashes"),
    php: parts.filter((part) => part.kind === "php").map(readPhp),
    namedFiles: readNamedFiles(parts),
    crontabs: new Map(filesOf(parts, "crontab")),
    scheduler: schedulers.find((known) => known === values.get("scheduler")) ?? "none",
    isTimerEnabled: values.get("timer-enabled") === "yes",
    timerDropIns: [...server.body.matchAll(/^timer-drop-ins (.*)$/gm)].flatMap(([, paths = ""]) =>
      // Other drop-ins are for all units. They belong to the distribution and do not show that somebody changes our
      // units.
      paths.split(" ").filter((path) => /\/clientcert-[0-9a-f]+\.(timer|service)\.d\//.test(path)),
    ),
    timers: new Map(filesOf(parts, "timer")),
    ...readUnattended(parts, hashes),
    refreshRecord: parts.find((part) => part.kind === "refresh-record")?.body ?? "",
  };
}

const schedulers = ["systemd", "cron"] as const;

/** Reads lines of `key value`. A line without a blank is a key with an empty value. */
function readValues(text: string): Map<string, string> {
  return new Map(
    text.split("\n").map((line) => {
      const space = line.indexOf(" ");
      return space < 0 ? [line, ""] : [line.slice(0, space), line.slice(space + 1)];
    }),
  );
}

/** Reads the lines of the part `server`. */
function readServer(values: ReadonlyMap<string, string>): ServerObservation {
  const text = (key: string): string => values.get(key) ?? "";
  return {
    nowSeconds: Number(text("now")),
    version: asOneLine(text("version"), longestVersion),
    // The text ends with the version of the library. It is left out where it is the same.
    openssl: asOneLine(text("openssl"), longestVersion).replace(/^(.*) \(Library: \1\)$/, "$1"),
    ...(/^[0-5]$/.test(text("security-level")) && { securityLevel: Number(text("security-level")) }),
    serverRoot: text("server-root"),
    configFile: text("config"),
    // The host has put tabs between the arguments, because an argument may contain blanks.
    defines: definesOf(text("arguments").split("\t")),
    isRunning: text("parent") !== "",
    ...(text("starter") !== "" && { starter: text("starter") }),
    loadedSeconds: text("loaded") === "" ? undefined : Number(text("loaded")),
    instance: text("instance"),
  };
}

/** The names that httpd's command line defines, by `-DNAME` or `-D NAME`. */
function definesOf(words: readonly string[]): string[] {
  return words.flatMap((word, index) => {
    if (word === "-D") return words[index + 1] ?? [];
    return word.startsWith("-D") ? word.slice(2) : [];
  });
}

/**
 * Reads the parts of one kind that hold a file, with its path on the host. Their arguments are `SIZE MODIFIED CHANGED`,
 * a tab, the resolved path, a tab, the path. The hash is that of the bytes in the part, which may be fewer than `SIZE`.
 * Throws an error where the path contains a tab.
 */
function filesOf(parts: readonly Message[], kind: string): [string, ObservedFile][] {
  return parts
    .filter((part) => part.kind === kind)
    .map((part) => {
      const [stat = "", resolvedPath = "", path = "", ...more] = part.argument.split("\t");
      if (more.length > 0)
        throw new HostError(
          "answer",
          `${hostText(resolvedPath)}…: the name of this ${kind} holds a tabulator; rename it`,
        );
      const [size = "0", modified = "0", changed = "0"] = stat.split(" ");
      return [
        path,
        {
          resolvedPath,
          bytes: part.body,
          sizeBytes: Number(size),
          sha256: createHash("sha256").update(part.body, "latin1").digest("hex"),
          modifiedSeconds: Number(modified),
          changedSeconds: Number(changed),
        },
      ];
    });
}

/**
 * The hashes by path in the part of this kind, as sha256sum printed them on the host. They are of our own files,
 * because a large CRL is not sent, and of the files with our lines. A backslash before a line shows that the
 * backslashes in the name are doubled.
 */
function readHashes(parts: readonly Message[], kind: string): Map<string, string> {
  const text = parts.find((part) => part.kind === kind)?.body ?? "";
  return new Map(
    [...text.matchAll(/^(\\?)([0-9a-f]{64}) [ *](.+)$/gm)].map(([, isEscaped, hash = "", path = ""]) => [
      isEscaped ? path.replaceAll("\\\\", "\\") : path,
      hash,
    ]),
  );
}

/**
 * Reads the part about the program that stays on the host and the files around it. Its lines are `USER MODE SIZE PATH`,
 * with the user's id and the mode in octal. Empty where the answer has no such part.
 */
function readUnattended(
  parts: readonly Message[],
  hashes: ReadonlyMap<string, string>,
): Pick<Observation, "unattended"> {
  const part = parts.find(({ kind }) => kind === "unattended");
  if (part === undefined) return {};
  const files = [...part.body.matchAll(/^(\d+) ([0-7]+) (\d+) (\/.*)$/gm)].map(
    ([, userId, mode = "", sizeBytes, path = ""]): [string, UnattendedFile] => [
      path,
      { userId: Number(userId), mode, sizeBytes: Number(sizeBytes), sha256: hashes.get(path) },
    ],
  );
  return { unattended: new Map(files) };
}

/**
 * The journal by key, with three changes that come from the part `server`. `owed` is left out where httpd has read its
 * files since. `running` is the id of a change that is being made. `owed` also says that a run was interrupted.
 */
function readJournal(parts: readonly Message[], server: ReadonlyMap<string, string>): Map<string, string> {
  const journal = readValues(parts.find((part) => part.kind === "journal")?.body ?? "");
  journal.delete(""); // the key of empty lines
  // Without an entry in the journal, the comparison with NaN is false.
  const isLater = (key: string, than: string): boolean =>
    Number(server.get(key) || 0) > Number(journal.get(than) ?? NaN);
  // `loaded` is in whole seconds, so it is not later than a change in the same second. `started` is in clock ticks
  // since boot, which show such a start. After a reboot the ticks are few, and the seconds decide.
  if (isLater("loaded", "changed") || isLater("started", "changed-at")) journal.delete("owed");
  const [state, id] = (server.get("state") ?? "idle").split(" ");
  // The journal cannot show this: the first change of a host writes it last.
  if (state === "running") journal.set("running", id ?? "");
  if (state === "interrupted")
    journal.set("owed", `run ${id ?? ""} was interrupted; the next change puts its part back first`);
  return journal;
}

/**
 * Reads a part whose argument is `SOURCE INODE.TIME.SIZE VERSION`, a tab, the path of PHP. A source other than `module`
 * and `fpm` counts as `cli`.
 */
function readPhp(part: Message): PhpObservation {
  const [head = "", path = ""] = part.argument.split("\t");
  const [source, , version = ""] = head.split(" ");
  return {
    source: source === "module" || source === "fpm" ? source : "cli",
    path,
    version: asOneLine(version, longestVersion),
  };
}

/**
 * Reads the part about files that the configuration names. Its lines are `MODIFIED CHANGED`, a tab, the directive, a
 * tab, the path. What was read of a file comes from another part of the answer, where there is one.
 */
function readNamedFiles(parts: readonly Message[]): NamedFile[] {
  const ownCas = filesOf(parts, "own").filter(([path]) => baseName(path).startsWith("ca-"));
  const kinds = ["certificates", "crl", "server-certificates"].flatMap((kind) => [...filesOf(parts, kind)]);
  const contents = new Map([...ownCas, ...kinds]);
  const lines = (parts.find((part) => part.kind === "named")?.body ?? "").split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [times = "", , path = ""] = line.split("\t");
    const [modified = "0", changed = "0"] = times.split(" ");
    const content = contents.get(path);
    return {
      path,
      modifiedSeconds: Number(modified),
      changedSeconds: Number(changed),
      ...(content === undefined ? {} : { bytes: content.bytes, sizeBytes: content.sizeBytes }),
    };
  });
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
