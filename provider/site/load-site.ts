/**
 * A site for the Pulumi program: its site file and its CA and CRL files, read and checked, or everything that is wrong
 * with them.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import type { Inputs } from "../../core/apache/inputs.ts";
import type { SampleCertificateInput } from "../../core/crl-refresh/inputs.ts";
import type { Diagnostic } from "../../core/diagnostic.ts";
import { findNearest } from "../../core/site/issues.ts";
import type { Site, SiteHost } from "../../core/site/schema.ts";
import { makeCrlRefresh, makeCrlSources } from "../../core/site/crl-sources.ts";
import { makeTarget } from "../../core/site/target.ts";
import { renderProblem } from "../../core/site/problem.ts";
import { readSite } from "../../core/site/read-site.ts";
import { type SiteFiles, type SiteFilesWanted, readSiteFiles } from "./pki-files.ts";
import { type FilePlace, filePlaces, renderPlace } from "./file-places.ts";

export interface LoadedSite {
  /** The path relative to the project. */
  readonly file: string;
  /** The problems, one line each. If there is one, the fields below are empty or undefined. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  readonly site: Site | undefined;
  readonly pki: SitePki | undefined;
  /** The lines of the site file that name each thing, as `readSite` gives them. */
  readonly lines: ReadonlyMap<string, number>;
}

/** The facts about the CA and CRL files that Pulumi's state stores. */
export type SitePki = Pick<Inputs, "ca" | "crls" | "crlSha256" | "sample">;

/**
 * Reads and checks a site. Where there are problems, the result has nothing else. Never throws an error because of what
 * a file contains or lacks.
 */
export function loadSite(file: string): LoadedSite {
  const bytes = readBytes(file);
  if (bytes === undefined) return refused(file, [`${file}: ${describeUnreadable(file)}`]);
  const { site, clientAuth, undetermined, problems, warnings, lines } = readSite(bytes, file);
  if (clientAuth === undefined) return refused(file, problems.map(renderProblem));
  const { pki, ...read } = readPki(file, { ...clientAuth, undetermined }, filePlaces(file, clientAuth, lines));
  const allProblems = [...problems.map(renderProblem), ...read.problems];
  if (site === undefined || allProblems.length > 0) return refused(file, allProblems);
  return { file, problems: [], warnings: [...warnings.map(renderProblem), ...read.warnings], site, pki, lines };
}

export interface ReadPki {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  /** Only meaningful where there are no problems. */
  readonly pki: SitePki;
}

/**
 * Reads and checks the CA and CRL files of a site. `placeOf` gives the places in messages another form. Never throws an
 * error because of what a file contains or lacks.
 */
export function readPki(
  siteFile: string,
  wanted: SiteFilesWanted,
  placeOf: (place: string) => FilePlace = (place) => ({ file: place }),
): ReadPki {
  const { files, diagnostics } = readFiles(siteFile, wanted);
  const linesOf = (severity: Diagnostic["severity"]): string[] =>
    diagnostics
      .filter((diagnostic) => diagnostic.severity === severity)
      .map(({ place, text }) => `${renderPlace(placeOf(place))}: ${text}`);
  const { sha256, certificates } = files.ca;
  const crlSha256 = files.crlPem === "" ? "" : createHash("sha256").update(files.crlPem).digest("hex");
  const sample = sampleOf(files, wanted);
  const pki = { ca: { sha256, certificates }, crls: files.crls, crlSha256, ...(sample && { sample }) };
  return { problems: linesOf("problem"), warnings: linesOf("warning"), pki };
}

/** A site that cannot be used because of these problems. */
function refused(file: string, problems: readonly string[]): LoadedSite {
  return { file, problems, warnings: [], site: undefined, pki: undefined, lines: new Map() };
}

/**
 * The inputs of one host from its site file, without the owner. They contain no `undefined`, because no property may be
 * undefined.
 */
export type HostInputs = Omit<Inputs, "owner">;

/** Makes the inputs of one host, for the program and for the command line alike. */
export function hostInputs(siteFile: string, { clientAuth }: Site, host: SiteHost, pki: SitePki): HostInputs {
  const { crlSources, crlRefresh, sampleCertificate: _file, ...lists } = clientAuth;
  // The names with an underscore are left out: `makeTarget` has these values, or no input has them.
  const { name: _name, address: _address, connection: _connection, ...rest } = host;
  const { httpd: _httpd, config: _config, pidFile: _pidFile, defines: _defines, environmentFile: _, ...options } = rest;
  return {
    ...makeTarget(host),
    siteFile,
    ...lists,
    ...options,
    ...pki,
    crlSources: makeCrlSources(crlSources),
    crlRefresh: makeCrlRefresh(crlRefresh),
  };
}

/** The sample certificate in the form in which the inputs have it. Undefined where none was named or could be read. */
function sampleOf({ sample }: SiteFiles, { sampleCertificate }: SiteFilesWanted): SampleCertificateInput | undefined {
  if (sample === undefined || sampleCertificate === undefined) return undefined;
  return { sha256: sample.sha256, subject: sample.subject, file: sampleCertificate };
}

/**
 * Reads the files, with the findings that hold on every host. A date refuses only a file that would be newly installed,
 * and which files these are is known only after a host has been observed. Where there is a problem, the findings are
 * therefore made again, as if all files were installed already.
 */
function readFiles(
  file: string,
  clientAuth: SiteFilesWanted,
): Pick<SiteFiles, "diagnostics"> & { readonly files: SiteFiles } {
  const now = Date.now();
  const files = readSiteFiles(file, clientAuth, { now });
  if (!files.diagnostics.some(({ severity }) => severity === "problem"))
    return { files, diagnostics: files.diagnostics };
  const installedCa = files.ca.certificates.map(({ fingerprint }) => fingerprint);
  const { diagnostics } = readSiteFiles(file, clientAuth, { now, installedCa, installedCrls: files.crls });
  return { files, diagnostics };
}

/** The most site files that a message lists. */
const mostNames = 10;

/**
 * Why a site file cannot be read. Where it does not exist, also which site files exist beside it, and which of them has
 * a similar name.
 */
export function describeUnreadable(file: string): string {
  if (existsSync(file) && statSync(file).isDirectory()) return "is a directory; write the path of a site file in it";
  if (existsSync(file)) return "cannot be read; write the path of a site file that this user may read";
  const others = siteFilesIn(path.dirname(file));
  const folder = path.resolve(path.dirname(file));
  if (others.length === 0)
    return `does not exist, nor any other site file in ${folder}; copy stacks/example.yaml of the project, or write another path`;
  const nearest = findNearest(
    path.basename(file),
    others.map((other) => path.basename(other)),
  );
  const more = others.length > mostNames ? `, and ${others.length - mostNames} more` : "";
  const listed = `there are ${others.slice(0, mostNames).join(", ")}${more}`;
  if (nearest === undefined) return `does not exist; ${listed}`;
  return `does not exist; did you mean ${path.join(path.dirname(file), nearest)}?${others.length > 1 ? ` (${listed})` : ""}`;
}

/**
 * The paths of the site files in a folder, sorted; none where the folder cannot be read. `Pulumi.<stack>.yaml`, the
 * settings of a stack, lies beside them and is left out.
 */
function siteFilesIn(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name) && !name.startsWith("Pulumi."));
    return names.sort().map((name) => path.join(folder, name));
  } catch {
    return []; // a missing folder has no site files
  }
}

/** The bytes of a file. Undefined where it cannot be read, for whatever reason. */
function readBytes(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined; // `describeUnreadable` finds the reason
  }
}
