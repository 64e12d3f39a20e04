/** Decides which virtual hosts the site file excludes. */
import { hostBytes } from "../../host-text.ts";
import type { Desired, VirtualHostFacts } from "../model.ts";

/**
 * Whether the site file excludes this virtual host, by its ServerName or by ServerName:port. Names are compared without
 * regard to case.
 */
export function isExcluded({ excludeVirtualHosts }: Desired, host: VirtualHostFacts): boolean {
  if (excludeVirtualHosts.length === 0) return false;
  const excluded = lowerCaseSetOf(excludeVirtualHosts);
  return namesOf(host).some((name) => excluded.has(name));
}

/**
 * A function that tests whether one of `hosts` has a name, as ServerName or ServerName:port. It is made once for many
 * names.
 */
export function nameMatcher(hosts: readonly VirtualHostFacts[]): (name: string) => boolean {
  const names = new Set(hosts.flatMap(namesOf));
  return (name) => names.has(hostBytes(name).toLowerCase());
}

/** All names that a virtual host may have in the site file, in lower case. */
function namesOf({ serverName, addresses }: VirtualHostFacts): string[] {
  const name = serverName.toLowerCase();
  return [name, ...addresses.map(({ port }) => `${name}:${port}`)];
}

/**
 * The names in lower case, by the site file's array. Each plan compares that array with thousands of virtual hosts,
 * several times.
 */
const lowerCaseSets = new WeakMap<readonly string[], ReadonlySet<string>>();

/** The set of {@link lowerCaseSets} for an array, which is made when it is first needed. */
function lowerCaseSetOf(names: readonly string[]): ReadonlySet<string> {
  const lowerCaseSet = lowerCaseSets.get(names) ?? new Set(names.map((name) => hostBytes(name).toLowerCase()));
  lowerCaseSets.set(names, lowerCaseSet);
  return lowerCaseSet;
}
