/**
 * Finds cron jobs that download a CRL into a file that httpd reads, such as the daily `wget` of the vendor's manual.
 */
import { endOfPhysicalLine } from "../config/lines.ts";
import type { UnmanagedDirective } from "./unmanaged-model.ts";
import type { AdoptedLine, CrlJobFacts } from "../model.ts";
import type { ObservedFile, Observation } from "../observation.ts";
import { absolutePath } from "../config/paths.ts";
import type { Resolved } from "../config/resolve-model.ts";
import { readWords } from "../config/arguments.ts";

/** What the search for cron jobs needs. */
interface Surroundings {
  readonly observation: Observation;
  readonly resolved: Resolved;
  readonly foreign: readonly UnmanagedDirective[];
  readonly adopted: readonly AdoptedLine[];
  /** The absolute path of our own CRL file. */
  readonly ownCrl: string;
}

/**
 * Finds every line of a crontab or cron script that names a CRL file of httpd by its absolute path, except comments. A
 * crontab that is reachable by two names counts once.
 */
export function findCrlJobs(context: Surroundings): CrlJobFacts[] {
  const targets = findTargets(context);
  const crontabs = new Map(
    [...context.observation.crontabs].map(([path, file]) => [file.resolvedPath, { path, file }]),
  );
  return [...crontabs.values()].flatMap(({ path, file }) => jobsIn(path, file, targets));
}

/**
 * The CRL files that httpd reads now, or would read again after a removal, by absolute path. Each has the virtual hosts
 * for which a directive that names it is effective, as indexes.
 */
function findTargets({
  observation,
  resolved,
  foreign,
  adopted,
  ownCrl,
}: Surroundings): Map<string, readonly number[]> {
  const { serverRoot } = observation.server;
  const resolvedPath = (file: string): string => observation.files.get(file)?.resolvedPath ?? file;
  const hostsByPlace = new Map(foreign.map(({ file, line, virtualHosts }) => [`${file}:${line}`, virtualHosts]));
  const files = new Map([...observation.files.values()].map((file) => [file.resolvedPath, file.bytes]));
  // Our own CRL file has no virtual hosts here, so excludeVirtualHosts never leaves a job alone that writes it.
  const targets = new Map<string, Set<number>>([[ownCrl, new Set()]]);
  for (const { file, offset, length } of adopted) {
    const target = crlFileOf(files.get(file) ?? "", offset + length);
    if (target !== undefined) targets.set(absolutePath(serverRoot, target), new Set());
  }
  const seen = new Set<string>();
  for (const directive of resolved.effective) {
    const [argument] = directive.arguments;
    if (directive.name !== "sslcarevocationfile" || argument === undefined) continue;
    const path = absolutePath(serverRoot, argument);
    const hosts = targets.get(path) ?? new Set();
    targets.set(path, hosts);
    const place = `${resolvedPath(directive.file)}:${directive.node.line}`;
    // A file that every virtual host includes has its directive once for each of them, and each time the virtual hosts
    // are the same.
    if (seen.has(`${place} ${path}`)) continue;
    seen.add(`${place} ${path}`);
    for (const host of hostsByPlace.get(place) ?? []) hosts.add(host);
  }
  return new Map([...targets].map(([path, hosts]) => [path, [...hosts]]));
}

/**
 * The file that an SSLCARevocationFile names in the line at `offset`, which is behind our mark; undefined for any other
 * directive. Its cron job may have been put back although the directive was not.
 */
function crlFileOf(text: string, offset: number): string | undefined {
  const [name, argument] = readWords(text.slice(offset, endOfPhysicalLine(text, offset)));
  return name?.toLowerCase() === "sslcarevocationfile" ? argument : undefined;
}

/** Whether the file is a program that cron runs, rather than a crontab. */
const isScript = (path: string): boolean => /^\/etc\/cron\.(hourly|daily|weekly|monthly)\//.test(path);

/** Whether the line is `NAME = value`: other lines of the crontab may need it. */
const isVariable = (line: string): boolean => /^[ \t]*["']?\w+["']?[ \t]*=/.test(line);

/**
 * Finds the jobs of one crontab or script that name a target: `targets` are the CRL files with their virtual hosts. A
 * crontab has no continuation lines: each physical line is a job.
 */
function jobsIn(path: string, file: ObservedFile, targets: ReadonlyMap<string, readonly number[]>): CrlJobFacts[] {
  const { bytes, resolvedPath } = file;
  const jobs: CrlJobFacts[] = [];
  let line = 1;
  for (let offset = 0; offset < bytes.length; line++) {
    const end = endOfPhysicalLine(bytes, offset);
    const text = bytes.slice(offset, end);
    const named = /^[ \t]*#/.test(text) ? [] : [...targets].filter(([target]) => text.includes(target));
    const [first, ...others] = named;
    if (first !== undefined) {
      // One file has a shortcut, because a thousand jobs may download one file for ten thousand virtual hosts.
      const virtualHosts = others.length === 0 ? first[1] : [...new Set(named.flatMap(([, hosts]) => hosts))];
      const mayCommentOut = !isScript(path) && !isVariable(text);
      jobs.push({ file: resolvedPath, line, virtualHosts, ...(mayCommentOut && { offset }) });
    }
    offset = end;
  }
  return jobs;
}
