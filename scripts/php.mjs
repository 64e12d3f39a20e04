/**
 * Gets a real PHP for lab hosts from Debian's packages. Nothing is installed and no service is started: the packages
 * are unpacked into the cache. This file is plain Node without dependencies, because set-up calls it.
 */
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cacheDirectory, findProgram, isMain, main, requireSuccess, say, step } from "./steps.mjs";

/** The release of Debian that has each PHP. */
const releases = { 8.2: "bookworm", 8.4: "trixie" };

/** The programs that lab hosts run, by their paths in Debian's packages. */
const programsOf = (version) => [
  `/usr/sbin/php-fpm${version}`,
  `/usr/bin/php-cgi${version}`,
  `/usr/lib/apache2/modules/libphp${version}.so`,
];
const packagesOf = (version) => [`php${version}-fpm`, `php${version}-cgi`, `libapache2-mod-php${version}`];

/**
 * Returns a folder with php-fpm, php-cgi and httpd's module, and with all libraries that they are linked with. The
 * folder is laid out like the root of a Debian. Where this PHP cannot be fetched, the error says why in plain words.
 *
 * @param {"8.2" | "8.4"} version
 * @returns {Promise<string>}
 */
export async function requirePhp(version) {
  const folder = cacheFolder(version);
  if (existsSync(folder)) return folder;
  requireTools();
  return step(`PHP ${version} from Debian's packages, unpacked for lab hosts`, "half a minute, once", () =>
    build(version, folder),
  );
}

const cacheFolder = (version) => join(cacheDirectory, "php", version);

/**
 * Prepares each PHP for set-up. A PHP that cannot be fetched is reported, and does not stop what works without it.
 *
 * @returns {Promise<boolean>} whether there was something to do
 */
export async function preparePhp() {
  const missing = Object.keys(releases).filter((version) => !existsSync(cacheFolder(version)));
  for (const version of missing) {
    await requirePhp(version).catch((error) =>
      say(`set-up: lab hosts do without PHP ${version}: ${error.message.replace(/\s+/g, " ")}`, "yellow"),
    );
  }
  return missing.length > 0;
}

function requireTools() {
  const missing = ["apt-get", "dpkg-deb"].find((name) => findProgram(name) === undefined);
  if (missing !== undefined) throw new Error(`PHP: this machine has no ${missing} to fetch Debian's packages with`);
}

/** Three processes may do this at once. Each works in a folder of its own, and the first rename wins. */
async function build(version, target) {
  await mkdir(dirname(target), { recursive: true });
  const work = await mkdtemp(`${target}.`);
  try {
    const env = await privateApt(work, releases[version]);
    const all = join(work, "all");
    await unpack(await download(work, packagesOf(version), env), all);
    await keepLinked(all, programsOf(version), join(work, "kept"));
    await rename(join(work, "kept"), target).catch((error) => {
      if (!existsSync(target)) throw error;
    });
    return target;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * Makes settings for an apt that knows one release and no installed package, and that writes only below `work`. Returns
 * the environment that this apt needs.
 */
async function privateApt(work, release) {
  for (const name of ["lists/partial", "cache/archives/partial", "none"])
    await mkdir(join(work, name), { recursive: true });
  await writeFile(join(work, "status"), "");
  const source = `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${await findMirror()} ${release} main\n`;
  await writeFile(join(work, "sources.list"), source);
  const settings = `Dir::Etc::sourcelist "${work}/sources.list";
Dir::Etc::sourceparts "${work}/none";
Dir::State::lists "${work}/lists";
Dir::State::status "${work}/status";
Dir::Cache "${work}/cache";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "20";
APT::Install-Recommends "false";
APT::Sandbox::User "root";
`; // apt's own user may not enter a home directory
  await writeFile(join(work, "apt.conf"), settings);
  const env = { ...process.env, APT_CONFIG: join(work, "apt.conf") };
  await requireSuccess("PHP", "apt-get", ["-qq", "update"], { env });
  return env;
}

/** Finds the mirror of Debian that this machine's apt uses. */
async function findMirror() {
  const format = "$(ORIGIN) $(CODENAME) $(REPO_URI)";
  const lines = await requireSuccess("PHP", "apt-get", ["indextargets", "--format", format, "Created-By: Packages"]);
  const mirror = /^Debian [a-z]+ (\S+)$/m.exec(lines)?.[1];
  if (mirror === undefined) throw new Error("PHP: this machine's apt has no mirror of Debian");
  return mirror;
}

/**
 * Fetches the packages, and of the packages that they depend on those with libraries. Returns the folder that they are
 * in.
 */
async function download(work, packages, env) {
  const plan = await requireSuccess("PHP", "apt-get", ["install", "-qq", "-y", "--print-uris", ...packages], { env });
  const names = [...plan.matchAll(/^'[^']+' ([^_\s]+)_/gm)].map((match) => match[1]);
  const folder = join(work, "packages");
  await mkdir(folder);
  const wanted = names.filter((name) => packages.includes(name) || /^(lib|zlib)/.test(name));
  await requireSuccess("PHP", "apt-get", ["download", "-qq", ...wanted], { env, cwd: folder });
  return folder;
}

async function unpack(folder, target) {
  await mkdir(target);
  for (const name of await readdir(folder)) await requireSuccess("PHP", "dpkg-deb", ["-x", join(folder, name), target]);
}

/** Copies the programs, the libraries that they are linked with, and the loader. */
async function keepLinked(all, programs, target) {
  const found = await requireSuccess("PHP", "find", [all, "-name", "ld-linux*.so.*", "-o", "-name", "libc.so.6"]);
  const [libc, loader] = ["libc.so.6", "ld-linux"].map((name) => found.split("\n").find((file) => file.includes(name)));
  const folders = [dirname(libc), dirname(libc).replace(all, `${all}/usr`), dirname(libc).replace(`${all}/usr`, all)];
  const kept = new Set();
  for (const program of programs) {
    kept.add(join(all, program));
    const list = await requireSuccess("PHP", loader, ["--library-path", folders.join(":"), "--list", all + program]);
    for (const [, file] of list.matchAll(/=> (\/\S+) \(/g)) kept.add(file);
  }
  for (const file of kept) await cp(file, file.replace(all, target), { dereference: true });
  // A current Debian has /lib and /lib64 as symlinks. In this folder the loader lies where programs search for it.
  await cp(loader, join(target, "lib64", loader.split("/").at(-1)), { dereference: true });
}

if (isMain(import.meta.url)) await main(preparePhp);
