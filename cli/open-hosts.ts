/** Opens what a command works on: one site, which is checked, and the hosts of the site that the command line names. */
import { basename } from "node:path";
import { findNearest } from "../core/site/issues.ts";
import type { Site, SiteHost } from "../core/site/schema.ts";
import type { HostErrorKind } from "../provider/remote/host-error.ts";
import { type SitePki, loadSite } from "../provider/site/load-site.ts";
import { exitCode } from "./exit-code.ts";
import type { Answer } from "./output.ts";

export interface SiteHosts {
  readonly file: string;
  /** The name of the Pulumi stack: the site file's name without its ending. */
  readonly stack: string;
  readonly site: Site;
  readonly pki: SitePki;
  readonly warnings: readonly string[];
  /** The lines of the site file that name each thing, as `readSite` gives them. */
  readonly lines: ReadonlyMap<string, number>;
  /** The hosts, in the order of the site file. */
  readonly hosts: readonly SiteHost[];
}

/**
 * Reads and checks a site and selects its hosts with the names in `wanted`, or all hosts where `wanted` is empty.
 * Returns the problems where the site has any, or has no host of such a name. `name` is a path, or a stack such as
 * `example` for `stacks/example.yaml`.
 */
export function openHosts(
  name: string,
  wanted: readonly string[],
): SiteHosts | { readonly problems: readonly string[] } {
  const file = siteFileOf(name);
  const { site, pki, problems, warnings, lines } = loadSite(file);
  if (site === undefined || pki === undefined) return { problems };
  const names = site.hosts.map((host) => host.name);
  const unknown = wanted.filter((host) => !names.includes(host));
  if (unknown.length > 0) return { problems: unknown.map((host) => describeUnknown(file, host, names)) };
  const hosts = site.hosts.filter((host) => wanted.length === 0 || wanted.includes(host.name));
  return { file, stack: basename(file).replace(/\.ya?ml$/, ""), site, pki, warnings, lines, hosts };
}

/** The path of a site file. `name` is already a path, or it is a stack such as `example` for `stacks/example.yaml`. */
export const siteFileOf = (name: string): string => (/\/|\.ya?ml$/.test(name) ? name : `stacks/${name}.yaml`);

/** The most host names that a message lists. */
const mostNames = 10;

/**
 * The problem with a host name that the site file does not have. It proposes the nearest name, or lists the `names`.
 */
function describeUnknown(file: string, host: string, names: readonly string[]): string {
  const nearest = findNearest(host, names);
  const listed = names.slice(0, mostNames).join(", ");
  const more = names.length > mostNames ? `, and ${names.length - mostNames} more` : "";
  const advice = nearest === undefined ? `there are: ${listed}${more}` : `did you mean ${nearest}?`;
  return `${file}: hosts: there is no host ${JSON.stringify(host)}; ${advice}`;
}

/**
 * The `file:line` of the site file's setting that an error is about. Where the file has no such setting, it is the line
 * of the host itself, and where that is not known, the file alone.
 */
export function placeInSite({ file, site, lines }: SiteHosts, host: SiteHost, kind: HostErrorKind): string {
  const place = `hosts[${site.hosts.indexOf(host)}]`;
  const key = keysOfErrors[kind];
  const line = (key === undefined ? undefined : lines.get(`${place}.${key}`)) ?? lines.get(place);
  return line === undefined ? file : `${file}:${line}`;
}

/** The key of a host entry that an error of each kind is about. The other kinds are about the host as a whole. */
const keysOfErrors: Readonly<Partial<Record<HostErrorKind, string>>> = {
  unreachable: "address",
  hostKey: "connection.hostKey",
  login: "connection.login",
  sudo: "connection.sudo",
  noHttpd: "httpd",
  severalHttpds: "config",
};

/** The answer when a site file or a command line is wrong. */
export function refuse(problems: readonly string[], json: boolean): Answer {
  const output = json ? `${JSON.stringify({ problems }, undefined, 2)}\n` : `${problems.join("\n")}\n`;
  return { output, code: exitCode.wrongInput };
}
