/** An earlier build of this project, out of its own history, for tests of what becomes of its hosts and its state. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const thisCheckout = resolve(import.meta.dirname, "../..");

/** Whether the history has it: a shallow clone lacks it, and so does a package. */
export function hasCommit(commit: string): boolean {
  try {
    execFileSync("git", ["cat-file", "-e", `${commit}^{commit}`], { cwd: thisCheckout, stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Folder of its checkout, built, with the dependencies of today. */
export function buildEarlier(commit: string): string {
  const folder = mkdtempSync(join(tmpdir(), "clientcert-earlier-"));
  const archive = execFileSync("git", ["archive", commit], { cwd: thisCheckout, maxBuffer: 1 << 30 });
  execFileSync("tar", ["-x", "-C", folder], { input: archive });
  symlinkSync(join(thisCheckout, "node_modules"), join(folder, "node_modules"));
  execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: folder, stdio: "ignore" });
  return folder;
}

export const removeEarlier = (folder: string): void => rmSync(folder, { recursive: true, force: true });

/** The links by which a project's folder has a build. */
const links = ["package.json", "tsconfig.json", "components", "core", "provider", "build", "node_modules", "index.ts"];

/** From now on the project runs with the build of this checkout. */
export function useThisCheckout(folder: string): void {
  for (const name of links) {
    unlinkSync(join(folder, name));
    symlinkSync(join(thisCheckout, name), join(folder, name));
  }
}
