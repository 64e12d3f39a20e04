/**
 * A copy of a host's files, in which a directory stands for `/`. Nothing outside that directory is ever read or
 * written.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  type Stats,
  writeFileSync,
} from "node:fs";
import { createHash } from "node:crypto";
import type { ObservedFile } from "../core/apache/observation.ts";
import { hasWildcard, includeMatcher } from "../core/apache/config/paths.ts";

/** All paths are paths of the host: absolute, as bytes in latin1. */
export interface Tree {
  /** The path with every symlink followed inside the copy. Undefined when nothing exists there. */
  resolve(path: string): string | undefined;
  /** A regular file with its bytes. Undefined when there is no such file. */
  read(path: string): ObservedFile | undefined;
  /** The names in a directory, sorted. Empty when the path is not a directory. */
  list(path: string): readonly string[];
  /**
   * Whether the path exists. Undefined where the copy does not show it, because only the way to deeper directories was
   * copied.
   */
  has(path: string): boolean | undefined;
  /** The files that an Include of this absolute pattern reads. Throws {@link IncludeError}. */
  expand(pattern: string): readonly string[];
  /** Writes a file in place, with its earlier mode. Makes missing directories. */
  write(path: string, bytes: Buffer): void;
  remove(path: string): void;
}

/** Thrown when an Include cannot be followed to its end. The message says why. */
export class IncludeError extends Error {}

/** Linux follows as many symlinks. */
const mostSymlinks = 40;

/**
 * This is more names than any real Include meets, and as many files as are ever read. A few directories that link to
 * each other would otherwise make 2^n names.
 */
const mostNames = 10_000;

/** Opens a copy whose `/` is `directory`. Throws an error when `directory` is not a directory. */
export function openTree(directory: string): Tree {
  const root = realpathSync(directory);
  if (!lstatSync(root).isDirectory()) throw new Error(`${directory}: is no directory`);
  return {
    resolve: (path) => resolveIn(root, path),
    read: (path) => readIn(root, path),
    list: (path) => listIn(root, path),
    has: (path) => hasIn(root, path),
    expand: (pattern) => expandIn(root, pattern),
    write: (path, bytes) => writeIn(root, path, bytes),
    remove: (path) => removeIn(root, path),
  };
}

/**
 * The path on this machine of a resolved path in the copy. The names on a host are bytes. A name as latin1 text has one
 * character for each byte.
 */
const pathOnDisk = (root: string, resolved: string): Buffer =>
  Buffer.concat([Buffer.from(root), Buffer.from(resolved, "latin1")]);

const statIn = (root: string, resolved: string): Stats | undefined =>
  lstatSync(pathOnDisk(root, resolved), { throwIfNoEntry: false });

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));

/**
 * Follows every symlink of the path by hand, because an absolute link would lead out of the copy. Undefined where
 * nothing exists, and where there are more links than Linux follows.
 */
function resolveIn(root: string, path: string): string | undefined {
  // The names that are still to be walked. The next one is the last.
  const pending = path.split("/").reverse();
  let resolved = "";
  for (let links = 0; pending.length > 0;) {
    const name = pending.pop() ?? "";
    if (name === "" || name === ".") continue;
    // The parent of `/` is `/`, on the host as well as here.
    if (name === "..") resolved = parentOf(resolved);
    else {
      const next = `${resolved}/${name}`;
      const stat = statIn(root, resolved)?.isDirectory() === true ? statIn(root, next) : undefined;
      if (stat === undefined || links > mostSymlinks) return undefined;
      if (!stat.isSymbolicLink()) resolved = next;
      else {
        links++;
        const target = readlinkSync(pathOnDisk(root, next), "latin1");
        if (target.startsWith("/")) resolved = "";
        pending.push(...target.split("/").reverse());
      }
    }
  }
  return resolved === "" ? "/" : resolved;
}

function readIn(root: string, path: string): ObservedFile | undefined {
  const resolvedPath = resolveIn(root, path);
  // Reading a FIFO would block, and reading a device would never end.
  if (resolvedPath === undefined || statIn(root, resolvedPath)?.isFile() !== true) return undefined;
  const handle = openSync(pathOnDisk(root, resolvedPath), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return observedFile(resolvedPath, readFileSync(handle), fstatSync(handle));
  } finally {
    closeSync(handle);
  }
}

function listIn(root: string, path: string): readonly string[] {
  const resolved = resolveIn(root, path);
  if (resolved === undefined || statIn(root, resolved)?.isDirectory() !== true) return [];
  return readdirSync(pathOnDisk(root, resolved), "latin1").sort();
}

/**
 * Whether the path exists. A copy is seldom whole, so a file that it lacks may exist on the host. Only a directory that
 * was itself copied shows what it does not hold. A directory that holds nothing but directories may exist only as the
 * way to them, and a link may point to something that was not copied.
 */
function hasIn(root: string, path: string): boolean | undefined {
  if (resolveIn(root, path) !== undefined) return true;
  const parent = resolveIn(root, parentOf(path) || "/");
  if (parent === undefined || statIn(root, parent)?.isDirectory() !== true) return undefined;
  const names = listIn(root, parent);
  if (names.includes(path.slice(path.lastIndexOf("/") + 1))) return undefined;
  const isOnlyWay =
    names.length > 0 && names.every((name) => statIn(root, `${parent}/${name}`)?.isDirectory() === true);
  return isOnlyWay ? undefined : false;
}

/** Counts the names that one Include meets. */
interface Budget {
  left: number;
}

/**
 * Matches the pattern directory by directory, and then takes every file below what it matches. Throws {@link
 * IncludeError} where there are too many files, or a directory contains itself.
 */
function expandIn(root: string, pattern: string): readonly string[] {
  const budget = { left: mostNames };
  const components = pattern.split("/").filter((component) => component !== "");
  return components
    .reduce((paths, component) => paths.flatMap((path) => matching(root, path, component, budget)), [""])
    .flatMap((path) => below(root, { path, resolved: resolveIn(root, path), links: 0, above: [] }, budget));
}

/** The paths in the directory `path` that one component of a pattern matches. */
function matching(root: string, path: string, component: string, budget: Budget): string[] {
  const matches = includeMatcher(`/${component}`);
  const names = listIn(root, path).filter((name) => matches(`/${name}`));
  // A component without a wildcard matches one name at most, so only the others can make many paths.
  if (hasWildcard(component)) spendBudget(budget, names.length);
  return names.map((name) => `${path}/${name}`);
}

/** Takes the names from the budget. Throws an error where it does not suffice. */
function spendBudget(budget: Budget, names: number): void {
  budget.left -= names;
  if (budget.left < 0) throw new IncludeError(`this Include takes more than ${mostNames} files; narrow it`);
}

/** One name that an Include of a directory meets. */
interface Entry {
  readonly path: string;
  readonly resolved: string | undefined;
  /** How many links were followed on the way from the Include's own directory. */
  readonly links: number;
  /** The resolved directories on the way to this name. */
  readonly above: readonly string[];
}

/**
 * Every file below a path, as an Include of a directory reads them: it calls itself for each name in a directory. A
 * path that is a file gives itself; anything else gives nothing. Throws {@link IncludeError} where a directory contains
 * itself, because httpd does not start then.
 */
function below(root: string, { path, resolved, links, above }: Entry, budget: Budget): readonly string[] {
  const stat = resolved === undefined ? undefined : statIn(root, resolved);
  if (resolved === undefined || stat === undefined) return [];
  if (above.includes(resolved) || links > mostSymlinks) {
    const loop = `this Include takes ${path}, a link to a directory that it stands in, and httpd does not start`;
    throw new IncludeError(`${loop}; remove the link`);
  }
  if (!stat.isDirectory()) return stat.isFile() ? [path] : [];
  const names = listIn(root, resolved);
  spendBudget(budget, names.length);
  return names.flatMap((name) => {
    const target = resolveIn(root, `${resolved}/${name}`);
    const isLink = target !== `${resolved === "/" ? "" : resolved}/${name}`;
    const entry = { path: `${path}/${name}`, resolved: target, links: links + Number(isLink) };
    return below(root, { ...entry, above: [...above, resolved] }, budget);
  });
}

/** Writes a file, through a link where the path is one, and makes missing directories. */
function writeIn(root: string, path: string, bytes: Buffer): void {
  const newPath = `${makeDirectory(root, parentOf(path))}${path.slice(path.lastIndexOf("/"))}`;
  const existing = resolveIn(root, path);
  // A link to a file that the copy lacks is removed, because it must not be followed out of the copy.
  if (existing === undefined) rmSync(pathOnDisk(root, newPath), { force: true });
  writeFileSync(pathOnDisk(root, existing ?? newPath), bytes);
}

/** Makes the directory, and first those above it. Returns its resolved path, which is empty for `/`. */
function makeDirectory(root: string, path: string): string {
  const existing = resolveIn(root, path);
  if (existing !== undefined) return existing === "/" ? "" : existing;
  const made = `${makeDirectory(root, parentOf(path))}${path.slice(path.lastIndexOf("/"))}`;
  mkdirSync(pathOnDisk(root, made));
  return made;
}

/** Removes a file, or the link of that name and not what it points to. Does nothing where there is none. */
function removeIn(root: string, path: string): void {
  const directory = resolveIn(root, parentOf(path));
  if (directory === undefined) return;
  rmSync(pathOnDisk(root, `${directory}${path.slice(path.lastIndexOf("/"))}`), { force: true });
}

/** A file of the copy in the form in which an observation has it. */
function observedFile(resolvedPath: string, content: Buffer, stat: Stats): ObservedFile {
  return {
    resolvedPath,
    bytes: content.toString("latin1"),
    sizeBytes: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
    modifiedSeconds: Math.floor(stat.mtimeMs / 1000),
    changedSeconds: Math.floor(stat.ctimeMs / 1000),
  };
}
