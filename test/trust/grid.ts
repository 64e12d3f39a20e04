/**
 * Every cell of the grid with both answers: what we say of a site's files, and what OpenSSL says of the holder once
 * they are installed.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unique } from "../../core/pki/installed-order.ts";
import { checkBundle, makeBundle } from "../../core/pki/bundle.ts";
import { type Certificate, readCertificate } from "../../core/pki/certificate.ts";
import { checkCrls } from "../../core/pki/crl-check.ts";
import { type Crl, encodeCrls, readCrl } from "../../core/pki/crl.ts";
import { DerError } from "../../core/pki/der.ts";
import type { PkiDiagnostic } from "../../core/pki/pki-diagnostic.ts";
import { checkSample } from "../../core/pki/sample.ts";
import { testNow } from "../fixtures/pki.ts";
import { type Authorities, type Order, authorities } from "./authorities.ts";
import { crlSets, holderNames, makeHolder } from "./revocations.ts";

export const dimensions = ["ca", "crl", "holder", "order", "check"] as const;
export type Cell = Readonly<Record<(typeof dimensions)[number], string>>;

export interface Answer {
  readonly cell: Cell;
  /** What we say keeps the holder out, or the files from being installed; empty where we let them in. */
  readonly ours: readonly string[];
  /** Of these, what the files alone show. */
  readonly files: readonly string[];
  /** Number and words of OpenSSL's first error; empty where it lets the holder in. */
  readonly openssl: string;
}

/** How OpenSSL is run, such as in a chroot. */
export type Openssl = (args: readonly string[], folder: string) => readonly [string, readonly string[]];

const here: Openssl = (args) => ["openssl", args];

const values = {
  ca: Object.keys(authorities),
  crl: Object.keys(crlSets),
  order: ["first", "last"] as const satisfies readonly Order[],
  check: ["leaf", "chain"] as const,
};

/** All cells; OpenSSL is asked once for all holders of the same files, by two processes at a time. */
export async function fillGrid(openssl: Openssl = here): Promise<Answer[]> {
  const folder = mkdtempSync(join(tmpdir(), "clientcert-grid-"));
  try {
    const sites = values.ca.flatMap((ca) => ordersOf(ca).flatMap((order) => sitesOf(ca, order)));
    const answers: Answer[] = [];
    const work = async (): Promise<void> => {
      for (let site = sites.shift(); site !== undefined; site = sites.shift())
        answers.push(...(await askSite(site, folder, openssl)));
    };
    await Promise.all([work(), work()]);
    return answers;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Only where two certificates of one name compete is there another order to try. */
const ordersOf = (ca: string): readonly Order[] => (authorities[ca]?.length === 0 ? ["first"] : values.order);

interface SiteCell {
  readonly ca: string;
  readonly order: Order;
  readonly crl: string;
  readonly check: "leaf" | "chain";
  readonly cas: Authorities;
  readonly bundle: readonly Certificate[];
  readonly holders: ReadonlyMap<string, string>;
}

function sitesOf(ca: string, order: Order): SiteCell[] {
  const cas = authorities[ca]?.(order);
  if (cas === undefined) throw new Error(`${ca}: there are no such authorities`);
  const bundle = unique(cas.listed.map(({ der }) => readCertificate(der)));
  const holders = new Map(holderNames.map((called) => [called, makeHolder(called, cas).pem]));
  return values.crl.flatMap((crl) => values.check.map((check) => ({ ca, order, crl, check, cas, bundle, holders })));
}

async function askSite(site: SiteCell, folder: string, openssl: Openssl): Promise<Answer[]> {
  const crls = (crlSets[site.crl]?.(site.cas) ?? []).map((der) => readCrl(Buffer.from(der)));
  const { listed, installed } = judge(site, crls);
  const files = { ca: makeBundle(site.bundle, orderOf(crls)).pem, crl: encodeCrls(installed) };
  const said = await ask(site, files, folder, openssl);
  return [...site.holders].map(([holder, pem]) => ({
    cell: { ca: site.ca, crl: site.crl, holder, order: site.order, check: site.check },
    files: listed,
    ours: [...listed, ...judgeHolder(site, crls, pem)],
    openssl: said.get(holder) ?? "",
  }));
}

const isRefusal = ({ severity }: PkiDiagnostic): boolean => severity === "problem";

/** What decides how the certificates of one name are sorted. */
const orderOf = (crls: readonly Crl[]) => ({ now: testNow, crls, hasUnknownCrls: false });

/**
 * As provider/site/pki-files.ts puts them together, without a sample. What a problem keeps from being installed is
 * installed here all the same.
 */
function judge({ bundle, check }: SiteCell, crls: readonly Crl[]): { listed: string[]; installed: readonly Crl[] } {
  const order = orderOf(crls);
  const checked = checkCrls(crls, bundle, { now: testNow, crlCheck: check, order });
  const found = [...checkBundle(bundle, order), ...checked.diagnostics].filter(isRefusal);
  return { listed: found.map(({ text }) => text), installed: found.length > 0 ? crls : checked.crls };
}

/** The holder as the sample of the site: what it shows besides, revocation included. */
function judgeHolder({ bundle, check }: SiteCell, crls: readonly Crl[], pem: string): string[] {
  const sample = read(pem);
  if (sample === undefined) return ["it cannot be read"];
  const order = orderOf(crls);
  const checked = checkCrls(crls, bundle, { now: testNow, crlCheck: check, sample, order });
  const found = checkSample([sample], { now: testNow, bundle, crls: checked.crls, order });
  return found.filter((finding) => isRefusal(finding) || / is revoked/.test(finding.text)).map(({ text }) => text);
}

function read(pem: string): Certificate | undefined {
  try {
    return readCertificate(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64"));
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** PEM. */
interface InstalledFiles {
  readonly ca: string;
  readonly crl: string;
}

let asked = 0;

/** By holder, the first error. httpd asks in this way; security level 0, because hosts differ. */
async function ask(
  site: SiteCell,
  files: InstalledFiles,
  folder: string,
  openssl: Openssl,
): Promise<Map<string, string>> {
  const number = asked++;
  const put = (called: string, text: string): string => {
    writeFileSync(join(folder, `${number}-${called}`), text);
    return `${number}-${called}`;
  };
  const checks = site.check === "chain" ? ["-crl_check", "-crl_check_all"] : ["-crl_check"];
  const crls = files.crl === "" ? [] : [...checks, "-CRLfile", put("crl", files.crl)];
  const holders = [...site.holders].map(([holder, pem], index) => ({ holder, file: put(`user${index}`, pem) }));
  const common = ["verify", "-attime", String(testNow / 1000), "-purpose", "sslclient", "-CAfile", put("ca", files.ca)];
  const said = await run(openssl([...common, ...crls, ...holders.map(({ file }) => file)], folder), folder);
  return new Map(holders.map(({ holder, file }) => [holder, firstError(said, file)]));
}

/** openssl prints the errors of a file, then `error FILE: verification failed`, or `FILE: OK`. */
function firstError(said: string, file: string): string {
  const lines = said.split("\n");
  const end = lines.findIndex((line) => line === `error ${file}: verification failed`);
  if (end < 0) return lines.includes(`${file}: OK`) ? "" : "it said nothing";
  const before = lines.slice(0, end);
  const start = before.reduce((last, line, index) => (/: verification failed$|: OK$/.test(line) ? index : last), -1);
  return before.slice(start + 1).find((line) => line.startsWith("error ")) ?? "an error without a number";
}

/** Both streams in one, as they come. */
function run([program, args]: readonly [string, readonly string[]], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", '"$@" 2>&1', "sh", program, ...args], {
      cwd,
      stdio: ["ignore", "pipe", "ignore"],
    });
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    child.on("error", reject);
    child.on("close", () => resolve(said));
  });
}
