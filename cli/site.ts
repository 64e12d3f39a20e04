/** Opens a site for any command: the site file, then the CA and CRL files that it names. */
import { readFileSync } from "node:fs";
import { type Site, readSite } from "../core/site.ts";
import { type SiteFiles, readSiteFiles } from "../provider/site-files.ts";

/** One line of a command's answer. */
export interface Message {
  readonly severity: "problem" | "warning";
  readonly file: string;
  /** 1-based; undefined where a whole file is meant. */
  readonly line?: number;
  readonly column?: number;
  /** Such as `hosts[0].port`. */
  readonly path?: string;
  readonly text: string;
}

export interface OpenSite {
  readonly file: string;
  /** Undefined when the site file itself has problems; its CA and CRL files are then not read. */
  readonly site: Site | undefined;
  readonly files: SiteFiles | undefined;
  readonly messages: readonly Message[];
}

/** `now`: milliseconds since 1970. Never throws for what a user wrote. */
export function openSite(file: string, now: number): OpenSite {
  const text = readText(file);
  if (text === undefined) return { file, site: undefined, files: undefined, messages: [unreadable(file)] };
  const { site, problems } = readSite(text, file);
  if (site === undefined) {
    const messages = problems.map((problem): Message => ({ severity: "problem", ...problem }));
    return { file, site, files: undefined, messages };
  }
  const files = readSiteFiles(file, site.clientAuth, { now });
  const messages = files.findings.map(({ severity, place, text: found }): Message => {
    return { severity: severity === "problem" ? "problem" : "warning", file: place, text: found };
  });
  return { file, site, files, messages };
}

const unreadable = (file: string): Message => ({
  severity: "problem",
  file,
  text: "cannot be read; write the path of a site file, such as stacks/example.yaml",
});

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** `file:line: path: text`, as compilers print it, so that editors and CI find the place. */
export function renderMessage({ file, line, path, text }: Message): string {
  const place = line === undefined ? file : `${file}:${line}`;
  return [place, ...(path ? [path] : []), text].join(": ");
}
