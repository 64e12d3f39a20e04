/** The one place that reads a site's CA and CRL files, for the program and the CLI. */
import { readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import type { CrlSummary, Finding } from "../core/apache/model.ts";
import { type Bundle, checkBundle, makeBundle, unique } from "../core/pki/bundle.ts";
import { readCertificates } from "../core/pki/certificate.ts";
import { checkCrls } from "../core/pki/crl-check.ts";
import { encodeCrls, readCrls } from "../core/pki/crl.ts";
import { type PkiFinding, problem } from "../core/pki/finding.ts";

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
  /** One per CA, in the order in which `crlPem` holds them. */
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
  const files = new Map<string, string>();
  const certificates = readAll(siteFile, wanted.caFiles, readCertificates, findings).flatMap(({ file, result }) => {
    for (const { summary } of result.certificates) files.set(summary.fingerprint, file);
    return result.certificates;
  });
  const crls = readAll(siteFile, wanted.crlFiles, readCrls, findings).flatMap(({ file, result }) => {
    for (const { summary } of result.crls) files.set(summary.sha256, file);
    return result.crls;
  });
  if (wanted.crlFiles.length === 0) findings.push(noCrl(siteFile));
  const isUnread = findings.some(({ severity }) => severity === "problem");
  const { now, installedCa, installedCrls } = options;
  const checked = checkCrls(crls, unique(certificates), { now, crlCheck: wanted.crlCheck, installed: installedCrls });
  const together = [...checkBundle(certificates, { now, installed: installedCa }), ...checked.findings];
  for (const { severity, text, about } of together) {
    // What a file that could not be read would have added is not reported as missing.
    if (about !== undefined || !isUnread) findings.push({ severity, text, place: files.get(about ?? "") ?? siteFile });
  }
  return {
    ca: makeBundle(certificates),
    crls: checked.crls.map(({ summary }) => summary),
    crlPem: encodeCrls(checked.crls),
    findings,
  };
}

const noCrl = (siteFile: string): Finding => ({
  severity: "warning",
  place: siteFile,
  text: "clientAuth.crlFiles: names no CRL, so revoked certificates are accepted; name the issuing CA's",
});

/** What each readable file holds; the findings of the others are added to `findings`. */
function readAll<T extends { readonly findings: readonly PkiFinding[] }>(
  siteFile: string,
  paths: readonly string[],
  read: (bytes: Buffer) => T,
  findings: Finding[],
): { readonly file: string; readonly result: T }[] {
  return paths.flatMap((path) => {
    const file = isAbsolute(path) ? path : join(dirname(siteFile), path);
    const bytes = readFileBytes(file);
    const result = typeof bytes === "string" ? undefined : read(bytes);
    const found = result === undefined ? [problem(String(bytes))] : result.findings;
    findings.push(...found.map(({ severity, text }) => ({ severity, text, place: file })));
    return result === undefined ? [] : [{ file, result }];
  });
}

/** The bytes, or why there are none: not a file, too large, unreadable. */
export function readFileBytes(file: string): Buffer | string {
  try {
    const found = statSync(file);
    if (!found.isFile()) return "is a directory or a special file; write the path of a file";
    if (found.size > maxFileBytes)
      return `has ${found.size} bytes, more than ${maxFileBytes}; give the issuer's plain certificate or CRL file`;
    return readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    return reasons[code] ?? `cannot be read (${code}); check the path`;
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "does not exist; check the path (in a site file it starts at the folder of that file)",
  ENOTDIR: "does not exist, a part of its path is no directory; check the path",
  EACCES: "may not be read by this user; change its permissions",
  EPERM: "may not be read by this user; change its permissions",
};
