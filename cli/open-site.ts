/** Opens a site for any command: first the site file, then the CA and CRL files that it names. */
import { readFileSync } from "node:fs";
import { readSite } from "../core/site/read-site.ts";
import { describeUnreadable } from "../provider/site/load-site.ts";
import { type SiteFiles, readSiteFiles } from "../provider/site/pki-files.ts";
import { filePlaces, renderPlace } from "../provider/site/file-places.ts";

/** One line of a command's answer. */
export interface Message {
  readonly severity: "problem" | "warning";
  readonly file: string;
  /** The number of the line, counted from 1. Undefined where the whole file is meant. */
  readonly line?: number;
  readonly column?: number;
  /** Such as `hosts[0].port`. */
  readonly path?: string;
  /** `file:line` of the site file that names `file`. */
  readonly namedAt?: string;
  readonly text: string;
}

export interface OpenSite {
  readonly file: string;
  readonly messages: readonly Message[];
}

/**
 * Reads a site file and the files that it names, and returns everything that is wrong with them. `now` is in
 * milliseconds since 1970. The function never throws an error because of what a user wrote.
 */
export function openSite(file: string, now: number): OpenSite {
  const bytes = readBytes(file);
  if (bytes === undefined) return { file, messages: [unreadable(file)] };
  const { clientAuth, undetermined, problems, warnings, lines } = readSite(bytes, file);
  const files = clientAuth && readSiteFiles(file, { ...clientAuth, undetermined }, { now });
  const fileMessages =
    clientAuth === undefined ? [] : messagesOf(files?.diagnostics ?? [], filePlaces(file, clientAuth, lines));
  const messages = [
    ...problems.map((problem): Message => ({ severity: "problem", ...problem })),
    ...warnings.map((warning): Message => ({ severity: "warning", ...warning })),
    ...fileMessages,
  ];
  return { file, messages };
}

/**
 * The findings about CA and CRL files as messages, with the places in the site file that name these files. Whatever is
 * not a problem becomes a warning.
 */
const messagesOf = (findings: SiteFiles["diagnostics"], placeOf: ReturnType<typeof filePlaces>): Message[] =>
  findings.map(({ severity, place, text }) => {
    return { severity: severity === "problem" ? "problem" : "warning", ...placeOf(place), text };
  });

const unreadable = (file: string): Message => ({
  severity: "problem",
  file,
  text: describeUnreadable(file),
});

function readBytes(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** `file:line: path: text`, as compilers print it, so that editors and CI find the place. */
export function renderMessage({ path, text, ...place }: Message): string {
  return [renderPlace(place), ...(path ? [path] : []), text].join(": ");
}
