/**
 * Finds the Pulumi engine, or gets it. The user's own engine comes first, then the official download, then a build from
 * its Go module. This file is plain Node without dependencies, because it runs before anything is installed.
 */
import { execFile } from "node:child_process";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { cacheDirectory, isMain, main, requireSuccess, say, step } from "./steps.mjs";

const run = promisify(execFile);

/** The engine that this project is tested with. A `pulumi` on PATH of any 3.x version is used as it is. */
export const engineVersion = "3.259.0";

const toolsFolder = fileURLToPath(new URL("../tools/engine/", import.meta.url));
const downloadTimeoutSeconds = 20;

/**
 * Returns the engine and the environment to run it in. `env` is the environment of the caller with the engine's folder
 * first on PATH. The stand-in language host comes last on PATH, and only where no language host is installed.
 *
 * @returns {Promise<{pulumi: string, source: "PATH" | "cache" | "download" | "build", env: NodeJS.ProcessEnv}>}
 */
export async function requireEngine() {
  const onPath = findOnPath("pulumi", process.env.PATH);
  if (onPath !== undefined) return engineAt(onPath, "PATH");
  const cached = join(cacheFolder(), "pulumi");
  if (existsSync(cached)) return engineAt(cached, "cache");
  if (await download()) return engineAt(cached, "download");
  await build(cached);
  return engineAt(cached, "build");
}

/** The folder of a downloaded or built engine. It lies outside the checkout, so that a second clone starts at once. */
export function cacheFolder() {
  return join(cacheDirectory, "engine", engineVersion);
}

function engineAt(pulumi, source) {
  const path = [dirname(pulumi), ...(process.env.PATH ?? "").split(delimiter)].join(delimiter);
  // The engine searches for a language host in its own folder first, then on PATH.
  const hasLanguageHost = findOnPath("pulumi-language-nodejs", path) !== undefined;
  const env = { ...process.env, PATH: hasLanguageHost ? path : path + delimiter + join(toolsFolder, "bin") };
  return { pulumi, source, env };
}

function findOnPath(program, path = "") {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, program)).find((file) => existsSync(file));
}

/** Downloads Pulumi's own archive, which holds its own language host. Returns false when the download fails. */
async function download() {
  const platform = { linux: "linux", darwin: "darwin" }[process.platform];
  if (platform === undefined || !["x64", "arm64"].includes(process.arch)) return false;
  const url = `https://get.pulumi.com/releases/sdk/pulumi-v${engineVersion}-${platform}-${process.arch}.tar.gz`;
  say(`set-up: engine: no pulumi on PATH; trying ${url} (at most ${downloadTimeoutSeconds} s to answer)`);
  const folder = await mkdtemp(join(tmpdir(), "clientcert-engine-"));
  try {
    await fetchFile(url, join(folder, "engine.tar.gz"));
    await run("tar", ["-xzf", join(folder, "engine.tar.gz"), "-C", folder]);
    await install(join(folder, "pulumi"));
    return true;
  } catch (error) {
    say(`set-up: engine: the download failed: ${error.cause?.message ?? error.message}`);
    return false;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fetchFile(url, file) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error("no answer in time")), downloadTimeoutSeconds * 1000);
  const response = await fetch(url, { signal: controller.signal }).finally(() => clearTimeout(timer));
  if (!response.ok || response.body === null) throw new Error(`HTTP status ${response.status}`);
  await pipeline(Readable.fromWeb(response.body), createWriteStream(file));
}

/**
 * Copies every program of the unpacked archive to the cache. It uses `cp`, because /tmp is often another file system.
 */
async function install(folder) {
  const target = cacheFolder();
  await mkdir(dirname(target), { recursive: true });
  await run("cp", ["-R", folder, `${target}.new`]);
  await rm(target, { recursive: true, force: true });
  await rename(`${target}.new`, target);
}

async function build(pulumi) {
  await requireGo();
  await mkdir(dirname(pulumi), { recursive: true });
  const version = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${engineVersion}`;
  const partial = `${pulumi}.${process.pid}`;
  const program = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
  const args = ["build", "-trimpath", "-ldflags", `-s -w ${version}`, "-o", partial, program];
  // The output is collected, because go prints a line for each of its two hundred downloads.
  await step(`engine: Pulumi ${engineVersion}, built from its Go module`, "about four minutes, once", () =>
    requireSuccess("set-up: engine", "go", args, { cwd: toolsFolder }),
  );
  await rename(partial, pulumi);
}

async function requireGo() {
  try {
    await run("go", ["version"]);
  } catch {
    throw new Error(
      `engine: no pulumi on PATH, its download failed, and there is no Go to build it with; ` +
        `install Pulumi (https://www.pulumi.com/docs/iac/download-install/) or Go 1.25.11 or later`,
    );
  }
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const engine = await requireEngine();
    say(`${engine.pulumi} (${engine.source})`);
  });
}
