/**
 * The programs that the lab and the tests run, and the Debian packages that hold them. This is the only such list:
 * set-up installs from it, and prints it for people on other systems, who install by hand.
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { findProgram, requireSuccess, run, step } from "./steps.mjs";

/**
 * `for` is the purpose: the demo needs the package, or the tests need it as well, or only the comparison of ways to
 * refresh CRLs. `services` are those that the package would start at the next boot of this machine.
 */
const packages = [
  { name: "apache2-bin", programs: ["apache2"], for: "demo", why: "Apache httpd: every lab host runs one" },
  {
    name: "openssh-server",
    programs: ["sshd"],
    for: "demo",
    why: "the way into a lab host",
    services: ["ssh"],
  },
  { name: "openssh-client", programs: ["ssh", "ssh-keygen", "ssh-agent"], for: "demo", why: "keys of the lab; probes" },
  { name: "openssl", programs: ["openssl"], for: "demo", why: "certificates and CRLs; the look at a live server" },
  { name: "curl", programs: ["curl"], for: "demo", why: "clients with and without a certificate" },
  {
    name: "util-linux",
    programs: ["unshare", "nsenter", "setsid", "flock"],
    for: "demo",
    why: "lab hosts and shadow start",
  },
  { name: "bsdutils", programs: ["logger"], for: "demo", why: "the audit line of each run" },
  { name: "mount", programs: ["mount", "umount"], for: "demo", why: "a tree of its own for each lab host" },
  { name: "iproute2", programs: ["ip"], for: "demo", why: "the shadow's own network" },
  { name: "cron", programs: ["cron"], for: "demo", why: "runs the refresh on a lab host", services: ["cron"] },
  { name: "procps", programs: ["ps"], for: "test", why: "tests that nothing is left running" },
  { name: "sudo", programs: ["sudo"], for: "test", why: "hosts where root may not log in" },
  { name: "busybox", programs: ["busybox"], for: "test", why: "the host scripts under a second shell, ash" },
  { name: "mksh", programs: ["mksh"], for: "test", why: "the host scripts under a third shell" },
  { name: "yash", programs: ["yash"], for: "test", why: "a shell in which the host scripts do not run, and say so" },
  { name: "posh", programs: ["posh"], for: "test", why: "another one" },
  { name: "e2fsprogs", programs: ["chattr"], for: "test", why: "immutable files" },
  {
    name: "slapd",
    programs: ["slapd", "slapadd"],
    for: "test",
    why: "a CA that publishes its CRL by LDAP",
    services: ["slapd"],
  },
  { name: "shellcheck", programs: ["shellcheck"], for: "test", why: "lint of the host scripts" },
  { name: "wget", programs: ["wget"], for: "compare", why: "the manual's way to fetch a CRL" },
  {
    name: "fetch-crl",
    programs: ["fetch-crl"],
    for: "compare",
    why: "another tool that refreshes CRLs",
    services: ["fetch-crl-boot", "fetch-crl-cron"],
  },
];

/** Each purpose also needs the packages of the purposes before it. */
const purposes = ["demo", "test", "compare"];

/**
 * Makes sure that the programs are installed. On Debian and Ubuntu it installs the missing ones, if it runs as root.
 * Else it fails, and the error says what to install by hand. Returns whether there was something to do.
 *
 * @param {"demo" | "test" | "compare"} purpose
 */
export async function installPackages(purpose) {
  const missing = findMissing(purpose);
  if (missing.length === 0) return false;
  if (process.getuid?.() !== 0 || findProgram("apt-get") === undefined) throw new Error(byHand(missing));
  const names = missing.map(({ name }) => name);
  await step(`Debian packages ${names.join(" ")}`, "up to a minute", () => installWithApt(missing));
  const stillMissing = findMissing(purpose);
  if (stillMissing.length > 0) throw new Error(byHand(stillMissing));
  return true;
}

function findMissing(purpose) {
  const needed = packages.filter((entry) => purposes.indexOf(entry.for) <= purposes.indexOf(purpose));
  return needed.filter(({ programs }) => programs.some((program) => findProgram(program) === undefined));
}

function byHand(missing) {
  const width = Math.max(...missing.map(({ name }) => name.length));
  const lines = missing.map(({ name, programs, why }) => `  ${name.padEnd(width)}  ${programs.join(", ")}: ${why}`);
  const names = missing.map(({ name }) => name).join(" ");
  return [
    "set-up: programs are missing that only root on Debian or Ubuntu can be given by this script:",
    ...lines,
    `On Debian or Ubuntu: sudo apt-get install --no-install-recommends ${names}`,
    "Elsewhere install what holds these programs, then run this again.",
  ].join("\n");
}

async function installWithApt(missing) {
  const restorePolicy = forbidServices();
  const stop = () => {
    restorePolicy();
    process.exit(1);
  };
  for (const signal of endSignals) process.on(signal, stop);
  try {
    await installOrUpdate(missing.map(({ name }) => name));
    // The policy works only for now, and this works for the next boot: our tests must not give an SSH server to a
    // machine that had none.
    for (const service of missing.flatMap(({ services = [] }) => services))
      await run("update-rc.d", [service, "disable"]);
  } finally {
    restorePolicy();
    for (const signal of endSignals) process.off(signal, stop);
  }
}

const endSignals = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Installs packages. A first failure mostly means that the package lists are missing or old, so it is not shown. A
 * second failure is shown.
 */
async function installOrUpdate(names) {
  const { status } = await apt(run, ["install", ...names]);
  if (status === 0) return;
  await apt(requireQuietly, ["update"]);
  await apt(requireQuietly, ["install", ...names]);
}

const requireQuietly = (command, args, options) => requireSuccess("set-up", command, args, options);

/**
 * Runs apt so that it asks no question, replaces no customized file, and restarts no running service for a new library.
 */
function apt(runner, args) {
  const quiet = [
    "-y",
    "--no-install-recommends",
    "-o",
    "Dpkg::Options::=--force-confold",
    "-o",
    "DPkg::Lock::Timeout=120",
  ];
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_SUSPEND: "1" };
  return runner("apt-get", [...quiet, ...args], { env });
}

const policyFile = "/usr/sbin/policy-rc.d";
const savedPolicyFile = `${policyFile}.before-clientcert`;
/**
 * Debian's exit status for "action forbidden by policy". With it packages are installed without starting their service.
 */
const forbiddenByPolicy = 101;

/**
 * Keeps packages from starting services while they are installed. Returns a function that restores the machine's own
 * policy.
 * @see https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt
 */
function forbidServices() {
  // A run that was killed may have left our policy here, and perhaps the machine's own policy beside it.
  if (!existsSync(savedPolicyFile) && existsSync(policyFile) && !isOurs()) renameSync(policyFile, savedPolicyFile);
  writeFileSync(policyFile, `#!/bin/sh\n${ourMark}\nexit ${forbiddenByPolicy}\n`, { mode: 0o755 });
  return () => {
    rmSync(policyFile, { force: true });
    if (existsSync(savedPolicyFile)) renameSync(savedPolicyFile, policyFile);
  };
}

const ourMark = "# By clientcert's set-up, for the time of one installation.";
const isOurs = () => readFileSync(policyFile, "utf8").includes(ourMark);
