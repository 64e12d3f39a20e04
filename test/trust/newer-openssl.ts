/** The OpenSSL of Debian's next release, unpacked into a folder: nothing of this machine changes. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Openssl } from "./grid.ts";

const release = "trixie";
const packages = ["openssl", "libssl3t64", "libc6", "libzstd1", "zlib1g"];
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
const minutes = 2;

export interface NewerOpenssl {
  readonly openssl: Openssl;
  /** As `openssl version` says it. */
  readonly version: string;
  readonly remove: () => void;
}

/** Or why there is none. */
export function fetchNewerOpenssl(): NewerOpenssl | string {
  const folder = mkdtempSync(join(tmpdir(), "clientcert-openssl-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const fetched = fetchInto(folder);
  if (typeof fetched !== "string") return { ...fetched, remove };
  remove();
  return `no OpenSSL of Debian's ${release}: ${fetched}`;
}

function fetchInto(folder: string): Omit<NewerOpenssl, "remove"> | string {
  const mirror = run("apt-get", ["indextargets", "--format", "$(REPO_URI)"], folder);
  const address = mirror.out.split("\n").find((line) => /\/debian\/?$/.test(line));
  if (address === undefined) return "this machine's apt names no mirror of Debian";
  for (const part of ["lists/partial", "cache/archives/partial"]) mkdirSync(join(folder, part), { recursive: true });
  writeFileSync(join(folder, "sources.list"), `deb [signed-by=${keyring}] ${address} ${release} main\n`);
  for (const args of [["update"], ["download", ...packages]]) {
    const { status, out } = run("apt-get", [...aptOptions(folder), ...args], folder);
    if (status !== 0) return `apt-get ${args[0]} ended with ${status}: ${out.trim().split("\n").pop()}`;
  }
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".deb")))
    if (run("dpkg-deb", ["-x", file, "root"], folder).status !== 0) return `${file} cannot be unpacked`;
  return start(join(folder, "root"), folder);
}

const aptOptions = (folder: string): string[] =>
  [
    ...[`Dir::Etc::sourcelist=${folder}/sources.list`, "Dir::Etc::sourceparts=/dev/null"],
    ...[`Dir::State::lists=${folder}/lists`, `Dir::Cache=${folder}/cache`],
    ...["Acquire::Languages=none", "APT::Sandbox::User=root"],
  ].flatMap((option) => ["-o", option]);

/** By its own loader, since this machine's C library is older. */
function start(root: string, folder: string): Omit<NewerOpenssl, "remove"> | string {
  const libraries = run("sh", ["-c", `echo ${root}/usr/lib/*-linux-gnu*`], folder).out.trim();
  const loader = readdirSync(libraries).find((name) => /^ld-linux.*\.so\.\d+$/.test(name));
  if (loader === undefined) return "its loader is not where Debian keeps it";
  const openssl: Openssl = (args) => [
    join(libraries, loader),
    ["--library-path", libraries, join(root, "usr/bin/openssl"), ...args],
  ];
  const { status, out } = run(...openssl(["version"], folder), folder);
  return status === 0 ? { openssl, version: out.trim() } : `it does not run: ${out.trim()}`;
}

function run(program: string, args: readonly string[], cwd: string): { status: number; out: string } {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    ...{ cwd, encoding: "utf8", timeout: minutes * 60_000, stdio: ["ignore", "pipe", "pipe"] },
  });
  return error === undefined ? { status: status ?? -1, out: stdout + stderr } : { status: -1, out: error.message };
}
