/** Reads a live tree into one comparable value. Two equal values prove that a run changed nothing. */
import { createHash } from "node:crypto";
import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readlinkSync, readSync, type Stats } from "node:fs";
import path from "node:path";

export interface SnapshotOptions {
  /** Absolute paths inside the host. @default {@link defaultRoots} */
  readonly roots?: readonly string[];
  /**
   * Paths inside the host that are left out, with everything below them.
   * @default {@link defaultExclusions}
   */
  readonly exclude?: readonly string[];
  /**
   * Whether a file's modification time is compared.
   * @default true
   */
  readonly times?: boolean;
}

const defaultRoots: readonly string[] = ["/usr/local/ni", "/etc", "/var/lib", "/var/spool", "/run", "/tmp", "/srv"];
/** Package databases of this machine. They have thousands of files that no run of ours can name. */
export const defaultExclusions: readonly string[] = ["/var/lib/dpkg", "/var/lib/apt", "/var/lib/postgresql"];
/**
 * Only both ends of a file above this size are read. A log of 2 GB is mostly a hole, and its length and time are
 * compared in any case.
 */
const wholeFileBytes = 8 * 1024 * 1024;
const endBytes = 1024 * 1024;

/**
 * Maps each path inside the host to its kind, mode and owner, and except for directories to its time and content, too.
 */
export type Snapshot = ReadonlyMap<string, string>;

/**
 * Reads the tree synchronously, because it makes thousands of small reads. `outside` maps a path inside the host to a
 * path that can be opened here.
 */
export function takeSnapshot(outside: (inside: string) => string, options: SnapshotOptions = {}): Snapshot {
  const found = new Map<string, string>();
  const excluded = new Set(options.exclude ?? defaultExclusions);
  const visit = (inside: string): void => {
    if (excluded.has(inside)) return;
    const stats = lstatSync(outside(inside), { throwIfNoEntry: false });
    if (stats === undefined) return;
    found.set(inside, describe(outside(inside), stats, options.times ?? true));
    if (!stats.isDirectory()) return;
    for (const name of readdirSync(outside(inside))) visit(path.posix.join(inside, name));
  };
  (options.roots ?? defaultRoots).forEach(visit);
  return found;
}

/** Returns one hash for a whole snapshot. */
export function hashSnapshot(snapshot: Snapshot): string {
  const hash = createHash("sha256");
  for (const name of [...snapshot.keys()].sort()) hash.update(`${name}\0${snapshot.get(name)}\0`);
  return hash.digest("hex");
}

/** Returns the paths that differ between two snapshots, in order. */
export function changedPaths(before: Snapshot, after: Snapshot): readonly string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => before.get(name) !== after.get(name))
    .sort();
}

/**
 * Describes one file. The time of a directory is left out: it also changes when a file appears and is removed again,
 * which leaves the tree as it was.
 */
function describe(file: string, stats: Stats, times: boolean): string {
  const metadata = `${stats.mode.toString(8)} ${stats.uid}:${stats.gid}`;
  if (stats.isDirectory()) return metadata;
  if (stats.isSymbolicLink()) return `${metadata} -> ${readlinkSync(file)}`;
  if (!stats.isFile()) return `${metadata} special ${stats.rdev}`;
  return `${metadata} ${stats.nlink} ${times ? stats.mtimeMs : "-"} ${stats.size} ${hashFile(file, stats.size)}`;
}

function hashFile(name: string, sizeBytes: number): string {
  const hash = createHash("sha256");
  if (sizeBytes <= wholeFileBytes) return hash.update(readFileSync(name)).digest("hex");
  const file = openSync(name, "r");
  try {
    const buffer = Buffer.alloc(endBytes);
    for (const position of [0, sizeBytes - endBytes]) {
      readSync(file, buffer, 0, endBytes, position);
      hash.update(buffer);
    }
    return hash.digest("hex");
  } finally {
    closeSync(file);
  }
}
