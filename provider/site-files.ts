/** The one place that reads a site's CA and CRL files, for the program and the CLI. */
import { readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import type { CrlSummary, Finding } from "../core/apache/model.ts";
import { type Bundle, checkBundle, makeBundle, unique } from "../core/pki/bundle.ts";
import { type Certificate, readCertificates } from "../core/pki/certificate.ts";
import { checkCrls } from "../core/pki/crl-check.ts";
import { type Crl, encodeCrls, readCrls } from "../core/pki/crl.ts";
import type { PkiFinding } from "../core/pki/finding.ts";

export interface SiteFilesWanted {
  readonly caFiles: readonly string[];
  readonly crlFiles: readonly string[];
  readonly crlCheck: "leaf" | "chain";
}

export interface SiteFilesOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What the host already has: its dates only warn. */
  readonly installedCa?: readonly string[];
  readonly installedCrls?: readonly CrlSummary[];
}

export interface SiteFiles {
  /** Only meaningful when no finding is a `problem`. */
  readonly ca: Bundle;
  /** One per issuer, in the order in which `crlPem` holds them. */
  readonly crls: readonly CrlSummary[];
  /** What is installed as crl.pem; empty when the site has no CRL. */
  readonly crlPem: string;
  /** `place` is the file as the user knows it; severity `problem` refuses, `warning` is told. */
  readonly findings: readonly Finding[];
}

/** 1,000,000 revoked certificates are 47 MB of PEM. */
const maxFileBytes = 64 * 1024 * 1024;

/** Reads and checks them all; paths are relative to the site file. Never throws for what a file holds or lacks. */
export function readSiteFiles(siteFile: string, wanted: SiteFilesWanted, options: SiteFilesOptions): SiteFiles {
  const findings: Finding[] = [];
  const locate = (path: string): string => (isAbsolute(path) ? path : join(dirname(siteFile), path));
  const certificates: Certificate[] = [];
  for (const path of wanted.caFiles) {
    const read = readWith(locate(path), readCertificates, findings);
    if (read) certificates.push(...read.certificates);
  }
  const crls: Crl[] = [];
  for (const path of wanted.crlFiles) {
    const read = readWith(locate(path), readCrls, findings);
    if (read) crls.push(...read.crls);
  }
  const hasUnread = findings.some(({ severity }) => severity === "problem");
  const checked = checkCrls(crls, unique(certificates), {
    now: options.now,
    crlCheck: wanted.crlCheck,
    installed: options.installedCrls,
  });
  // What a file that could not be read would have added is not reported as missing.
  if (!hasUnread)
    findings.push(
      ...inFiles(siteFile, [
        ...checkBundle(certificates, { now: options.now, installed: options.installedCa }),
        ...checked.findings,
      ]),
    );
  return {
    ca: makeBundle(certificates),
    crls: checked.crls.map(({ summary }) => summary),
    crlPem: encodeCrls(checked.crls),
    findings,
  };
}

function readWith<T extends { readonly findings: readonly PkiFinding[] }>(
  file: string,
  read: (bytes: Buffer) => T,
  findings: Finding[],
): T | undefined {
  const bytes = readBytes(file);
  if (typeof bytes === "string") {
    findings.push({ severity: "problem", place: file, text: bytes });
    return undefined;
  }
  const result = read(bytes);
  findings.push(...inFiles(file, result.findings));
  return result;
}

const inFiles = (place: string, findings: readonly PkiFinding[]): Finding[] =>
  findings.map(({ severity, text }) => ({ severity, place, text }));

/** The bytes, or why there are none. */
function readBytes(file: string): Buffer | string {
  try {
    const { size, isFile } = describe(file);
    if (!isFile) return "is a directory or a special file; write the path of a file";
    if (size > maxFileBytes)
      return `has ${size} bytes, more than ${maxFileBytes}; give the issuer's plain certificate or CRL file`;
    return readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    return reasons[code] ?? `cannot be read (${code}); check the path`;
  }
}

function describe(file: string): { readonly size: number; readonly isFile: boolean } {
  const found = statSync(file);
  return { size: found.size, isFile: found.isFile() };
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "does not exist; write a path relative to the site file",
  ENOTDIR: "does not exist, a part of its path is no directory; write a path relative to the site file",
  EACCES: "may not be read by this user; change its permissions",
  EPERM: "may not be read by this user; change its permissions",
};
