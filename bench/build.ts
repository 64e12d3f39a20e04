/** The builds that are measured: this checkout, and another one that it is compared with. */
import { existsSync, readFileSync, realpathSync, symlinkSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { requireSuccess, root, say, since } from "../scripts/steps.mjs";
import type { Product } from "../test/host/session.ts";

/** A checkout with its programs in `build/`. */
export interface Build {
  /** Absolute path. */
  readonly root: string;
}

/** This checkout. */
export const thisBuild: Build = { root };

/** The command line, or the resource plugin. */
export const programOf = (
  { root: checkout }: Build,
  name: "cli/clientcert" | "provider/pulumi-resource-clientcert",
): string => path.join(checkout, "build", name);

/** Exports of modules of that checkout, with the types of this one: what it lacks shows when it is used. */
export async function loadFrom<Exports>({ root: checkout }: Build, files: readonly string[]): Promise<Exports> {
  const urls = files.map((file) => pathToFileURL(placeIn(checkout, file)).href);
  const modules = await Promise.all(urls.map((url) => import(url) as Promise<Partial<Exports>>)); // as: see above
  return Object.assign({}, ...modules) as Exports; // as: together they have all of it
}

/** Where builds have a module that they keep elsewhere than this one. */
const earlierPlaces: Readonly<Record<string, string>> = {
  "provider/apache/host.ts": "provider/host/host.ts",
  "provider/apache/host-program.ts": "provider/host/scripts.ts",
  "provider/remote/pool.ts": "provider/ssh.ts",
  "core/apache/facts/read-facts.ts": "core/apache/facts.ts",
  "core/apache/plan/plan.ts": "core/apache/plan.ts",
  "core/apache/config/splices.ts": "core/apache/edit.ts",
};

function placeIn(checkout: string, file: string): string {
  const place = path.join(checkout, file);
  const earlier = earlierPlaces[file];
  return existsSync(place) || earlier === undefined ? place : path.join(checkout, earlier);
}

/** What works on a host, to be put into a session of this checkout's lab. */
export const productOf = (build: Build): Promise<Product> =>
  loadFrom<Product>(build, [
    ...["provider/apache/host.ts", "provider/apache/host-program.ts", "provider/remote/pool.ts"],
    ...["core/apache/facts/read-facts.ts", "core/apache/plan/plan.ts"],
  ]);

/** Another checkout, ready to be measured: with its libraries, and built. */
export async function openBuild(directory: string): Promise<Build> {
  const script = path.join(directory, "scripts/build.mjs");
  if (!existsSync(script))
    throw new Error(
      `--against ${directory}: is not a checkout of this project; make one, such as: git worktree add ${directory} COMMIT`,
    );
  const other = { root: realpathSync(directory) };
  const begun = performance.now();
  say(`bench: building ${other.root} …`, "dim");
  await addLibraries(other);
  await requireSuccess(`--against ${directory}`, process.execPath, [script], { cwd: other.root });
  say(`bench: built in ${since(begun)}`, "dim");
  return other;
}

/** The same ones are shared; others are installed. */
async function addLibraries({ root: checkout }: Build): Promise<void> {
  const folder = path.join(checkout, "node_modules");
  if (existsSync(folder)) return;
  const lockOf = (place: string): string => readFileSync(path.join(place, "package-lock.json"), "utf8");
  if (lockOf(checkout) === lockOf(root)) symlinkSync(realpathSync(path.join(root, "node_modules")), folder);
  else {
    say("bench: its libraries are other ones: npm ci (up to a minute) …", "dim");
    const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    await requireSuccess("bench", "npm", args, { cwd: checkout });
  }
}
