/** `clientcert pki` on a CRL of a million entries beside `openssl crl`, each as a whole process. */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeAuthorities, makeCrl, toPem } from "../test/fixtures/pki.ts";
import { programOf, type Build } from "./build.ts";
import { measureMemory } from "./measure.ts";
import type { Comparison } from "./starts.ts";

const entries = 1_000_000;

interface Files {
  readonly der: string;
  readonly pem: string;
  /** A revoked one, from the middle of the list. */
  readonly serial: string;
}

let made: Files | undefined;

/** Made once, when the first row asks: 35 MB of DER and 47 MB of PEM that no repository should hold. */
function files(): Files {
  return (made ??= makeFiles());
}

function makeFiles(): Files {
  const folder = mkdtempSync(join(tmpdir(), "clientcert-bench-pki-"));
  process.once("exit", () => rmSync(folder, { recursive: true }));
  const random = randomBytes(entries * 16);
  const revoked = Array.from({ length: entries }, (_, index) =>
    BigInt(`0x5${random.toString("hex", index * 16, index * 16 + 16).slice(1)}`),
  );
  const crl = makeCrl(makeAuthorities("rsa").issuing, { revoked });
  const [der, pem] = [join(folder, "crl.der"), join(folder, "crl.pem")];
  writeFileSync(der, crl);
  writeFileSync(pem, toPem("X509 CRL", crl));
  return { der, pem, serial: `0x${(revoked[entries >> 1] ?? 0n).toString(16)}` };
}

function time(command: string, args: readonly string[], status: number): number {
  const begun = performance.now();
  const run = spawnSync(command, args, { stdio: "ignore" });
  if (run.status !== status) throw new Error(`bench: ${command} ended with ${run.status}, not with ${status}`);
  return (performance.now() - begun) / 1000;
}

const argumentsOf = (file: string, serial?: string): readonly string[] => [
  "pki",
  file,
  ...(serial === undefined ? [] : ["--serial", serial]),
];

/** 7: revoked. */
const ours = (program: string, file: string, serial?: string): number =>
  time(program, argumentsOf(file, serial), serial === undefined ? 0 : 7);

const memoryOf = async (program: string, file: string, serial?: string): Promise<number> =>
  (await measureMemory({ program, args: argumentsOf(file, serial) })).wholeMib;

const openssl = (file: string, form: "DER" | "PEM"): number =>
  time("openssl", ["crl", "-inform", form, "-in", file, "-noout", "-issuer", "-nextupdate", "-crlnumber"], 0);

/** Rows for the table; the programs must be built. */
export function pkiOf(build: Build): readonly Comparison[] {
  const program = programOf(build, "cli/clientcert");
  return [
    {
      name: "pki, CRL of 1,000,000 entries, DER; ratio to openssl crl",
      sample: async () => ours(program, files().der),
      baseline: async () => openssl(files().der, "DER"),
      memoryMib: () => memoryOf(program, files().der),
    },
    {
      name: "pki, CRL of 1,000,000 entries, PEM; ratio to openssl crl",
      sample: async () => ours(program, files().pem),
      baseline: async () => openssl(files().pem, "PEM"),
      memoryMib: () => memoryOf(program, files().pem),
    },
    {
      name: "pki --serial, CRL of 1,000,000 entries, DER; ratio to openssl crl",
      sample: async () => ours(program, files().der, files().serial),
      baseline: async () => openssl(files().der, "DER"),
      memoryMib: () => memoryOf(program, files().der, files().serial),
    },
  ];
}
