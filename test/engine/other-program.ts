/** A folder of another Pulumi program, with this project's package installed in it as its users do. */
import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const thisCheckout = path.resolve(import.meta.dirname, "../..");

/**
 * Without the caller's NODE_OPTIONS: what they load lies in this checkout. Types are checked once, by
 * {@link compile}. ts-node would leave its cache among the temporary files.
 */
export const otherEnvironment = { NODE_OPTIONS: "", PULUMI_NODEJS_TRANSPILE_ONLY: "true", TS_NODE_CACHE: "false" };
const env = { ...process.env, ...otherEnvironment };

/** Packs this checkout and installs the result in `folder`, with its project file. */
export async function fillOther(folder: string): Promise<void> {
  await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: thisCheckout, env });
  await writeFile(path.join(folder, "package.json"), JSON.stringify({ name: "other", private: true }));
  await writeFile(path.join(folder, "Pulumi.yaml"), projectFile);
  await install(folder, "clientcert-0.1.0.tgz");
  // What such a program has itself; 250 packages are not fetched for it.
  for (const name of ["@pulumi", "@types", "undici-types", "typescript"]) await linkModule(folder, name);
}

/** As README tells it, for a program in TypeScript. */
export const projectFile = `name: other
runtime: nodejs
stackConfigDir: stacks
plugins:
  providers:
    - name: clientcert
      path: node_modules/clientcert/build/provider
`;

async function install(folder: string, archive: string): Promise<void> {
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=0"];
  const options = ["--prefer-offline", "--ignore-scripts", "--legacy-peer-deps"];
  try {
    await run("npm", ["install", ...options, ...quiet, `./${archive}`], { cwd: folder, env });
  } catch (error) {
    const isCutOff = /ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|ENOTCACHED/.test(String(error));
    if (!isCutOff) throw error;
    await unpack(folder, archive);
  }
}

/** The same without a registry: its dependencies are those of this checkout. */
async function unpack(folder: string, archive: string): Promise<void> {
  const target = path.join(folder, "node_modules/clientcert");
  await mkdir(target, { recursive: true });
  await run("tar", ["-xzf", path.join(folder, archive), "-C", target, "--strip-components=1"]);
  const manifest = JSON.parse(await readFile(path.join(target, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  for (const name of Object.keys(manifest.dependencies)) await linkModule(folder, name);
}

const linkModule = (folder: string, name: string): Promise<void> =>
  symlink(path.join(thisCheckout, "node_modules", name), path.join(folder, "node_modules", name));

/** What the compiler says of the program; empty when it is right. */
export async function compile(folder: string): Promise<string> {
  const ended = await run(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "."], { cwd: folder, env }).catch(
    (error: { readonly stdout: string }) => error,
  );
  return ended.stdout;
}
