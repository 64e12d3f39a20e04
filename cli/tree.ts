/** A copy of a host's files, where a directory stands for `/`: nothing outside of it is ever read or written. */
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

/** All paths are the host's: absolute, as bytes in latin1. */
export interface Tree {
  /** The path with every symlink followed inside the copy; undefined when nothing is there. */
  resolve(path: string): string | undefined;
  /** A regular file with its bytes; undefined when there is none. */
  read(path: string): ObservedFile | undefined;
  /** Names in a directory, sorted; none when it is no directory. */
  list(path: string): readonly string[];
  /**
   * Whether it is there; undefined where the copy does not tell, because only the way to deeper directories was copied.
   */
  has(path: string): boolean | undefined;
  /** Files that an Include of this absolute pattern takes; throws {@link IncludeError}. */
  expand(pattern: string): readonly string[];
  /** Writes a file in place, with the mode it had; makes missing directories. */
  write(path: string, bytes: Buffer): void;
  remove(path: string): void;
}

/** An Include that cannot be followed to its end; the message says why. */
export class IncludeError extends Error {}

/** As many as Linux follows. */
const mostSymlinks = 40;

/**
 * More names than any real Include meets, and as many files as are ever read; a few directories that link to each other
 * make 2^n.
 */
const mostNames = 10_000;

/** Throws when `directory` is none. */
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

/** Names on a host are bytes; a name as latin1 text has one character for each of them. */
const outside = (root: string, resolved: string): Buffer =>
  Buffer.concat([Buffer.from(root), Buffer.from(resolved, "latin1")]);

const statIn = (root: string, resolved: string): Stats | undefined =>
  lstatSync(outside(root, resolved), { throwIfNoEntry: false });

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));

function resolveIn(root: string, path: string): string | undefined {
  const pending = path.split("/").reverse();
  let resolved = "";
  for (let links = 0; pending.length > 0;) {
    const name = pending.pop() ?? "";
    if (name === "" || name === ".") continue;
    // Above `/` is `/`, on the host as here.
    if (name === "..") resolved = parentOf(resolved);
    else {
      const next = `${resolved}/${name}`;
      const stat = statIn(root, resolved)?.isDirectory() === true ? statIn(root, next) : undefined;
      if (stat === undefined || links > mostSymlinks) return undefined;
      if (!stat.isSymbolicLink()) resolved = next;
      else {
        links++;
        const target = readlinkSync(outside(root, next), "latin1");
        if (target.startsWith("/")) resolved = "";
        pending.push(...target.split("/").reverse());
      }
    }
  }
  return resolved === "" ? "/" : resolved;
}

function readIn(root: string, path: string): ObservedFile | undefined {
  const resolvedPath = resolveIn(root, path);
  // A FIFO would block, a device never end.
  if (resolvedPath === undefined || statIn(root, resolvedPath)?.isFile() !== true) return undefined;
  const handle = openSync(outside(root, resolvedPath), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return observed(resolvedPath, readFileSync(handle), fstatSync(handle));
  } finally {
    closeSync(handle);
  }
}

function listIn(root: string, path: string): readonly string[] {
  const resolved = resolveIn(root, path);
  if (resolved === undefined || statIn(root, resolved)?.isDirectory() !== true) return [];
  return readdirSync(outside(root, resolved), "latin1").sort();
}

/**
 * A copy is seldom whole, so what it lacks may be on the host: only a directory that was itself copied tells what it
 * does not hold. One that has nothing but directories may be there because of those, and a link may lead to what was
 * not copied.
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

function expandIn(root: string, pattern: string): readonly string[] {
  const budget = { left: mostNames };
  const components = pattern.split("/").filter((component) => component !== "");
  return components
    .reduce((paths, component) => paths.flatMap((path) => matching(root, path, component, budget)), [""])
    .flatMap((path) => below(root, { path, resolved: resolveIn(root, path), links: 0, above: [] }, budget));
}

function matching(root: string, path: string, component: string, budget: Budget): string[] {
  const matches = includeMatcher(`/${component}`);
  const names = listIn(root, path).filter((name) => matches(`/${name}`));
  if (hasWildcard(component)) spend(budget, names.length);
  return names.map((name) => `${path}/${name}`);
}

function spend(budget: Budget, names: number): void {
  budget.left -= names;
  if (budget.left < 0) throw new IncludeError(`this Include takes more than ${mostNames} files; narrow it`);
}

/** What an Include of a directory meets. */
interface Entry {
  readonly path: string;
  readonly resolved: string | undefined;
  /** How many links were followed to it since the Include's own directory. */
  readonly links: number;
  /** Directories that it was reached through, resolved. */
  readonly above: readonly string[];
}

/** Every file of a directory, as an Include of it takes them; httpd does not start where one stands in itself. */
function below(root: string, { path, resolved, links, above }: Entry, budget: Budget): readonly string[] {
  const stat = resolved === undefined ? undefined : statIn(root, resolved);
  if (resolved === undefined || stat === undefined) return [];
  if (above.includes(resolved) || links > mostSymlinks) {
    const found = `this Include takes ${path}, a link to a directory that it stands in, and httpd does not start`;
    throw new IncludeError(`${found}; remove the link`);
  }
  if (!stat.isDirectory()) return stat.isFile() ? [path] : [];
  const names = listIn(root, resolved);
  spend(budget, names.length);
  return names.flatMap((name) => {
    const target = resolveIn(root, `${resolved}/${name}`);
    const isLink = target !== `${resolved === "/" ? "" : resolved}/${name}`;
    const entry = { path: `${path}/${name}`, resolved: target, links: links + Number(isLink) };
    return below(root, { ...entry, above: [...above, resolved] }, budget);
  });
}

function writeIn(root: string, path: string, bytes: Buffer): void {
  const fresh = `${makeDirectory(root, parentOf(path))}${path.slice(path.lastIndexOf("/"))}`;
  const existing = resolveIn(root, path);
  // A link to a file that the copy lacks must not be followed out of the copy.
  if (existing === undefined) rmSync(outside(root, fresh), { force: true });
  writeFileSync(outside(root, existing ?? fresh), bytes);
}

/** The directory's resolved path, empty for `/`. */
function makeDirectory(root: string, path: string): string {
  const existing = resolveIn(root, path);
  if (existing !== undefined) return existing === "/" ? "" : existing;
  const made = `${makeDirectory(root, parentOf(path))}${path.slice(path.lastIndexOf("/"))}`;
  mkdirSync(outside(root, made));
  return made;
}

function removeIn(root: string, path: string): void {
  const directory = resolveIn(root, parentOf(path));
  if (directory === undefined) return;
  rmSync(outside(root, `${directory}${path.slice(path.lastIndexOf("/"))}`), { force: true });
}

function observed(resolvedPath: string, content: Buffer, stat: Stats): ObservedFile {
  return {
    resolvedPath,
    bytes: content.toString("latin1"),
    sizeBytes: content.length,
    sha256: createHash("sha256").update(content).digest("hex"),
    modifiedSeconds: Math.floor(stat.mtimeMs / 1000),
    changedSeconds: Math.floor(stat.ctimeMs / 1000),
  };
}
