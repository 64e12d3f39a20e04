/** The places where the site file names a file for which there is a finding. */
import { fileOf, keyPlace, type SiteFilesWanted } from "./pki-files.ts";

export interface FilePlace {
  readonly file: string;
  /** The number of the line, counted from 1, where `file` is the site file. */
  readonly line?: number;
  /**
   * Set where `file` is another file: `file:line` of the site file that names it, or `file:2 and 6` where it does so
   * twice.
   */
  readonly namedAt?: string;
}

/**
 * Makes the function that turns the place of a finding of `readSiteFiles` into a place that an editor can open. `lines`
 * are those of `readSite`. A key becomes its line in the site file, and the site file the line of `clientAuth`. Any
 * other file stays, with the lines that name it.
 */
export function filePlaces(
  siteFile: string,
  wanted: SiteFilesWanted,
  lines: ReadonlyMap<string, number>,
): (place: string) => FilePlace {
  // The lines of the site file that name this file. A file may be named in several ways, such as `a.pem` and `./a.pem`.
  const linesNaming = (place: string): readonly number[] =>
    pathsOf(wanted).flatMap(([path, key]) =>
      fileOf(siteFile, path) === place ? (lines.get(`clientAuth.${key}`) ?? []) : [],
    );
  const keys = new Map([...lines].map(([key, line]) => [keyPlace(siteFile, key), line]));
  return (place) => {
    const keyLine = keys.get(place);
    if (keyLine !== undefined) return { file: siteFile, line: keyLine };
    const line = lines.get("clientAuth");
    if (place === siteFile) return line === undefined ? { file: place } : { file: place, line };
    const named = linesNaming(place);
    return named.length === 0 ? { file: place } : { file: place, namedAt: `${siteFile}:${named.join(" and ")}` };
  };
}

/** A file that the site file names, and the key under which it does so. */
type Named = readonly [path: string, key: string];

/** Every file that the site file names. */
function pathsOf({ caFiles, crlFiles, crlSources = [], sampleCertificate }: SiteFilesWanted): Named[] {
  return [
    ...caFiles.map((path, i): Named => [path, `caFiles[${i}]`]),
    ...crlFiles.map((path, i): Named => [path, `crlFiles[${i}]`]),
    ...crlSources.flatMap(({ file }, i): Named[] => (file === undefined ? [] : [[file, `crlSources[${i}].file`]])),
    ...(sampleCertificate === undefined ? [] : ([[sampleCertificate, "sampleCertificate"]] as const)),
  ];
}

/** A text of the form `file:line`, `file (site file:line)`, or `file` where no line is known. */
export function renderPlace({ file, line, namedAt }: FilePlace): string {
  if (namedAt !== undefined) return `${file} (${namedAt})`;
  return line === undefined ? file : `${file}:${line}`;
}
