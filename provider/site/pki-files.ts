/**
 * Reads a site's CA and CRL files and its sample certificate. It is the only place that does so, for the program and
 * the CLI.
 */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import type { CrlSummary } from "../../core/pki/summary.ts";
import type { Diagnostic } from "../../core/diagnostic.ts";
import { unique } from "../../core/pki/installed-order.ts";
import type { SiteClientAuth } from "../../core/site/schema.ts";
import { type Bundle, checkBundle, makeBundle } from "../../core/pki/bundle.ts";
import { type Certificate, readCertificates } from "../../core/pki/certificate.ts";
import { checkCrls } from "../../core/pki/crl-check.ts";
import { type Crl, encodeCrls, readCrls } from "../../core/pki/crl.ts";
import { proposeCrlUrls } from "../../core/pki/distribution-points.ts";
import { type PkiDiagnostic, problem } from "../../core/pki/pki-diagnostic.ts";
import { checkIssuer } from "../../core/pki/issuer.ts";
import { encodePem, isPemText } from "../../core/pki/pem.ts";
import type { ProbeMaterial } from "../../core/pki/probe.ts";
import { type SampleOptions, checkSample } from "../../core/pki/sample.ts";

/**
 * The parts of the site file on which its files depend. `undetermined` holds the keys whose value is not wholly known.
 */
export type SiteFilesWanted = Pick<SiteClientAuth, "caFiles" | "crlFiles" | "crlCheck"> &
  Partial<Pick<SiteClientAuth, "crlSources" | "sampleCertificate" | "issuers" | "verifyDepth">> & {
    readonly undetermined?: ReadonlySet<string>;
  };

export interface SiteFilesOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What the host already has. Its dates only cause warnings. */
  readonly installedCa?: readonly string[];
  readonly installedCrls?: readonly CrlSummary[];
}

export interface SiteFiles {
  /** Only meaningful where no finding is a `problem`. */
  readonly ca: Bundle;
  /** One CRL for each CA and part of its CRL, in the order of `crlPem`. */
  readonly crls: readonly CrlSummary[];
  /** The text that is installed as crl.pem. Empty when the site has no CRL. */
  readonly crlPem: string;
  readonly sample: SiteSample | undefined;
  /** The material for probe certificates, except `urls`, which come from the site's sources. */
  readonly material: Omit<ProbeMaterial, "urls">;
  /** `place` is the file as the user knows it. The severity `problem` refuses the files; `warning` is only reported. */
  readonly diagnostics: readonly Diagnostic[];
}

/** A user's certificate, in the form in which it is installed. */
export interface SiteSample {
  readonly pem: string;
  /** The SHA-256 of the PEM text. */
  readonly sha256: string;
  readonly subject: string;
}

/** The largest file that is read. A CRL with 1,000,000 revoked certificates has 47 MB of PEM. */
const maxFileBytes = 64 * 1024 * 1024;

/**
 * Reads and checks all files. Paths are relative to the folder of the site file. Never throws an error because of what
 * a file contains or lacks.
 */
export function readSiteFiles(siteFile: string, wanted: SiteFilesWanted, options: SiteFilesOptions): SiteFiles {
  const { certificates, crls, firstLists, holderOf, diagnostics } = readLists(siteFile, wanted);
  const { isCaUnread, isCrlUnread } = findUnread(siteFile, wanted, diagnostics);
  const { now, installedCa, installedCrls } = options;
  const bundle = unique(certificates);
  const sample = readSample(siteFile, wanted);
  const sources = describeSources(wanted);
  const { verifyDepth } = wanted;
  const orderOptions = { now, verifyDepth, crls: [...crls, ...firstLists], hasUnknownCrls: sources.hasUnknownCrls };
  const checked = checkCrls([...crls, ...firstLists], bundle, {
    order: orderOptions,
    now,
    crlCheck: wanted.crlCheck,
    installed: installedCrls,
    firstLists: firstLists.map(({ summary }) => summary.sha256),
    ...sources,
    sample: sample.certificate,
  });
  // `diagnostics` already has the findings about each file alone. Those about several files together follow.
  const add = (findings: readonly PkiDiagnostic[], isUnread: boolean): number =>
    diagnostics.push(...locate(findings, isUnread, holderOf, siteFile));
  add(checkBundle(certificates, { ...orderOptions, installed: installedCa }), isCaUnread);
  add(checked.diagnostics, isCaUnread || isCrlUnread);
  // A CRL that could not be read may be the one of the sample's CA.
  const hasUnknownCrls = sources.hasUnknownCrls || isCrlUnread;
  const sampleOptions = { now, bundle, crls: checked.crls, hasUnknownCrls, order: orderOptions };
  // A CA that could not be read may be the issuer of the sample.
  const sampleFindings = isCaUnread ? [] : sample.check(sampleOptions);
  return {
    ca: makeBundle(certificates, orderOptions),
    crls: summariesOf(checked.crls, firstLists),
    crlPem: encodeCrls(checked.crls),
    sample: sample.certificate && sampleOf(sample.certificate),
    material: { bundle, crls: checked.crls, sample: sample.certificate },
    diagnostics: withoutRepeats([
      ...diagnostics,
      ...sample.diagnostics,
      ...sampleFindings,
      // A name under `issuers` may be that of a CA that could not be read.
      ...(isCaUnread ? [] : findIssuers(siteFile, wanted, bundle)),
      ...(isUndetermined(wanted, crlKeys) ? [] : findMissingSources(siteFile, wanted, bundle, sample.certificate)),
    ]),
  };
}

/**
 * Gives each finding its place: the file that contains the certificate or CRL that the finding is about, otherwise the
 * site file. Where `isUnread`, the findings about no certificate or CRL are left out, because they may say that
 * something is missing which stands in the file that could not be read.
 */
const locate = (
  findings: readonly PkiDiagnostic[],
  isUnread: boolean,
  holderOf: ReadonlyMap<string, string>,
  siteFile: string,
): Diagnostic[] =>
  findings
    .filter(({ about }) => about !== undefined || !isUnread)
    .map(({ severity, text, about }) => ({ severity, text, place: holderOf.get(about ?? "") ?? siteFile }));

const crlKeys = ["crlFiles", "crlSources"];

/** Whether the value of one of the keys is not wholly known. */
const isUndetermined = ({ undetermined }: SiteFilesWanted, keys: readonly string[]): boolean =>
  keys.some((key) => undetermined?.has(key) ?? false);

/**
 * Whether some of the CAs, or some of the CRLs, that the author wants are not known: one of their files has a problem,
 * or their key in the site file is not wholly known.
 */
function findUnread(siteFile: string, wanted: SiteFilesWanted, diagnostics: readonly Diagnostic[]) {
  const bad = new Set(diagnostics.flatMap(({ severity, place }) => (severity === "problem" ? [place] : [])));
  const isBad = (paths: readonly string[]): boolean => paths.some((path) => bad.has(fileOf(siteFile, path)));
  const { caFiles, crlFiles, crlSources = [] } = wanted;
  return {
    isCaUnread: isBad(caFiles) || isUndetermined(wanted, ["caFiles"]),
    isCrlUnread:
      isBad([...crlFiles, ...crlSources.flatMap(({ file }) => file ?? [])]) || isUndetermined(wanted, crlKeys),
  };
}

/** The facts about the CRLs, with a mark for those that a source will renew. */
const summariesOf = (crls: readonly Crl[], firstLists: readonly Crl[]): CrlSummary[] =>
  crls.map(({ summary }) =>
    firstLists.some((first) => first.summary.sha256 === summary.sha256) ? { ...summary, isFirstList: true } : summary,
  );

/** The place of a key such as `clientAuth.issuers[0]`, until its line is known. */
export const keyPlace = (siteFile: string, key: string): string => `${siteFile}:${key}`;

/** The findings about the names under `issuers`, each at the place of its key. */
const findIssuers = (siteFile: string, wanted: SiteFilesWanted, bundle: readonly Certificate[]): Diagnostic[] =>
  (wanted.issuers ?? []).flatMap((issuer, i) =>
    (isWritten(issuer) ? checkIssuer(issuer, bundle) : []).map(({ severity, text }) => ({
      severity,
      text,
      place: keyPlace(siteFile, `clientAuth.issuers[${i}]`),
    })),
  );

/** Removes repeated findings: a file that is named twice is read twice, but reported once. */
const withoutRepeats = (diagnostics: readonly Diagnostic[]): Diagnostic[] =>
  diagnostics.filter(
    ({ place, text }, index) => diagnostics.findIndex((one) => one.place === place && one.text === text) === index,
  );

/**
 * What the files of CAs and CRLs contain. `firstLists` are the CRLs that the sources of the site file name as files.
 */
interface Lists {
  readonly certificates: readonly Certificate[];
  readonly crls: readonly Crl[];
  readonly firstLists: readonly Crl[];
  /** The file that holds each CA, by fingerprint, and each CRL, by SHA-256. */
  readonly holderOf: ReadonlyMap<string, string>;
  /** The caller adds its own findings. */
  readonly diagnostics: Diagnostic[];
}

/** Reads the files of CAs and CRLs, and notes which file contains each of them. */
function readLists(siteFile: string, { caFiles, crlFiles, crlSources = [] }: SiteFilesWanted): Lists {
  const diagnostics: Diagnostic[] = [];
  const holderOf = new Map<string, string>();
  const certificates = readAll(siteFile, caFiles, readCertificates, diagnostics).flatMap(({ file, result }) => {
    for (const { summary } of result.certificates) holderOf.set(summary.fingerprint, file);
    return result.certificates;
  });
  const crlsIn = (paths: readonly string[]): Crl[] =>
    readAll(siteFile, paths, readCrls, diagnostics).flatMap(({ file, result }) => {
      for (const { summary } of result.crls) holderOf.set(summary.sha256, file);
      return result.crls;
    });
  const crls = crlsIn(crlFiles);
  const firstLists = crlsIn(crlSources.flatMap(({ file }) => file ?? []));
  return { certificates, crls, firstLists, holderOf, diagnostics };
}

/**
 * The warning about a site without `crlSources`. Without any CRL, it is always given, because revoked certificates are
 * let in. With `crlFiles`, it is given only where certificates name addresses from which CRLs can be downloaded.
 */
function findMissingSources(
  place: string,
  { crlFiles, crlSources = [], crlCheck }: SiteFilesWanted,
  bundle: readonly Certificate[],
  sample: Certificate | undefined,
): Diagnostic[] {
  if (crlSources.length > 0) return [];
  // A CA's certificate names the CRL of the CA above it. That CRL matters only when the whole chain is checked.
  const named = proposeCrlUrls([...(sample ? [sample] : []), ...(crlCheck === "chain" ? bundle : [])]);
  const addresses = named.map(({ issuer, urls }) => `for ${JSON.stringify(issuer)} ${urls.join(" or ")}`).join("; ");
  const remedy =
    named.length > 0
      ? `write crlSources with the addresses that the certificates name: ${addresses}`
      : "write crlSources with the address of the issuing CA's, which npx clientcert pki FILE shows for a user's certificate";
  const text = "clientAuth.crlSources: names no CRL, so revoked certificates are accepted";
  if (crlFiles.length === 0) return [{ severity: "warning", place, text: `${text}; ${remedy}` }];
  return named.length === 0
    ? []
    : [{ severity: "warning", place, text: `clientAuth.crlFiles: nothing renews these lists; ${remedy}` }];
}

/** How many CRLs are not known before hosts download them: one from each source without a first list. */
function describeSources({ crlSources = [] }: SiteFilesWanted): {
  readonly hasUnknownCrls: boolean;
  readonly unknownCrlCount: number;
} {
  const unknownCrlCount = crlSources.filter(({ file }) => file === undefined).length;
  return { hasUnknownCrls: unknownCrlCount > 0, unknownCrlCount };
}

interface ReadSample {
  /** Set only for a file that holds certificates and nothing else. */
  readonly certificate: Certificate | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly check: (options: SampleOptions) => Diagnostic[];
}

/**
 * Reads the file of the sample certificate. Its checks come later (`check`), because they need the CAs and CRLs. Where
 * the file has several certificates, the first one is returned, and `check` reports the others.
 */
function readSample(siteFile: string, { sampleCertificate }: SiteFilesWanted): ReadSample {
  const none: ReadSample = { certificate: undefined, diagnostics: [], check: () => [] };
  if (sampleCertificate === undefined) return none;
  const diagnostics: Diagnostic[] = [];
  const [read] = readAll(siteFile, [sampleCertificate], readCertificates, diagnostics);
  if (read === undefined || diagnostics.length > 0) return { ...none, diagnostics };
  const { file, result } = read;
  return {
    certificate: result.certificates[0],
    diagnostics,
    check: (options) =>
      checkSample(result.certificates, options).map(({ severity, text }) => ({ severity, text, place: file })),
  };
}

/** The sample in the form in which it is installed. */
function sampleOf({ der, summary }: Certificate): SiteSample {
  const pem = encodePem("CERTIFICATE", der);
  return { pem, sha256: createHash("sha256").update(pem).digest("hex"), subject: summary.subject };
}

/**
 * What each readable file contains, by `read`. The findings of `read`, and why other files cannot be read, are added to
 * `diagnostics`. Empty paths are left out.
 */
function readAll<T extends { readonly diagnostics: readonly PkiDiagnostic[] }>(
  siteFile: string,
  paths: readonly string[],
  read: (bytes: Buffer) => T,
  diagnostics: Diagnostic[],
): { readonly file: string; readonly result: T }[] {
  return paths.filter(isWritten).flatMap((path) => {
    const file = fileOf(siteFile, path);
    // Bytes, or a text that says why there are none.
    const bytes = isPemText(path) ? readPemText(path) : readFileBytes(file);
    const result = typeof bytes === "string" ? undefined : read(bytes);
    const findings = result === undefined ? [problem(String(bytes))] : result.diagnostics;
    diagnostics.push(...findings.map(({ severity, text }) => ({ severity, text, place: file })));
    return result === undefined ? [] : [{ file, result }];
  });
}

/** False for the empty text that stands in the place of a text that is wrong in the site file. */
const isWritten = (text: string): boolean => text !== "";

/** A path of the site file in the form in which it is opened, or the name that messages use for PEM text. */
export function fileOf(siteFile: string, path: string): string {
  if (isPemText(path)) return shownFile(path);
  return isAbsolute(path) ? path : join(dirname(siteFile), path);
}

/**
 * What messages and the state show of a path or PEM text. A path stays as it is. PEM text is named by its hash, because
 * any part of it could belong to a private key that was given by mistake.
 */
export const shownFile = (path: string): string =>
  isPemText(path) ? `PEM text of SHA-256 ${createHash("sha256").update(path).digest("hex").slice(0, 8)}…` : path;

/** The limit for PEM text. Such text is stored in the state, which is read and written as a whole at each change. */
const maxPemTextBytes = 1024 * 1024;

/** The bytes of PEM text, or why it is refused. */
function readPemText(text: string): Buffer | string {
  const bytes = Buffer.from(text);
  return bytes.length > maxPemTextBytes
    ? `has ${bytes.length} bytes, more than ${maxPemTextBytes}, and would lie in the state; write the path of a file`
    : bytes;
}

/** The bytes of a file, or why there are none: it is not a file, it is too large, or it cannot be read. */
export function readFileBytes(file: string): Buffer | string {
  try {
    const stat = statSync(file);
    if (!stat.isFile()) return "is a directory or a special file; write the path of a file";
    if (stat.size > maxFileBytes)
      return `has ${stat.size} bytes, more than ${maxFileBytes}; give the issuer's plain certificate or CRL file`;
    return readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    return reasons[code] ?? `cannot be read (${code}); check the path`;
  }
}

/** What the system's error codes mean, and what to do. */
const reasons: Readonly<Record<string, string>> = {
  ENOENT: "does not exist; check the path (in a site file it starts at the folder of that file)",
  ENOTDIR: "does not exist, a part of its path is no directory; check the path",
  EACCES: "may not be read by this user; change its permissions",
  EPERM: "may not be read by this user; change its permissions",
};
