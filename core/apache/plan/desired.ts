/** Small questions about the wishes that plan and findings both ask. */
import { hostBytes } from "../../host-text.ts";
import { compareCrls, isOfSamePart } from "../../pki/crl-order.ts";
import type { CrlSummary } from "../../pki/summary.ts";
import type { Desired, Facts, VirtualHostFacts } from "../model.ts";

/** Whether the site file leaves this virtual host alone. Host names are compared without regard to case. */
export function isExcluded({ excludeVirtualHosts }: Desired, host: VirtualHostFacts): boolean {
  if (excludeVirtualHosts.length === 0) return false;
  const excluded = lowerCaseSetOf(excludeVirtualHosts);
  return namesOf(host).some((name) => excluded.has(name));
}

/** Whether one of `hosts` has a name: as ServerName, or ServerName:port. Made once for many names. */
export function nameMatcher(hosts: readonly VirtualHostFacts[]): (name: string) => boolean {
  const names = new Set(hosts.flatMap(namesOf));
  return (name) => names.has(hostBytes(name).toLowerCase());
}

/** All that a virtual host may be called in the site file, in lower case. */
function namesOf({ serverName, addresses }: VirtualHostFacts): string[] {
  const name = serverName.toLowerCase();
  return [name, ...addresses.map(({ port }) => `${name}:${port}`)];
}

/** By the list of the site file, which is asked of each of thousands of virtual hosts, several times a plan. */
const lowerCaseSets = new WeakMap<readonly string[], ReadonlySet<string>>();

function lowerCaseSetOf(names: readonly string[]): ReadonlySet<string> {
  const known = lowerCaseSets.get(names) ?? new Set(names.map((name) => hostBytes(name).toLowerCase()));
  lowerCaseSets.set(names, known);
  return known;
}

/** Whether revoked certificates are to be refused. */
export const hasRevocation = ({ crls, crlSources }: Desired): boolean => crls.length + crlSources.length > 0;

/** Whether the site's CRL of some issuer is newer than the installed one, or none is installed. */
export const hasNewerCrl = (desired: Desired, facts: Facts): boolean =>
  facts.own.files["crl.pem"] === undefined || desired.crls.some((crl) => compareWithInstalled(desired, facts, crl) > 0);

/** CRLs of the site file that are older than the installed ones of the same issuers. */
export const findOlderCrls = (desired: Desired, facts: Facts): CrlSummary[] =>
  desired.crls.filter((crl) => compareWithInstalled(desired, facts, crl) < 0);

/** Whether an older CRL would be installed if `acceptOlderCrls` named it: only its number is what is wrong. */
export const isAcceptable = (desired: Desired, facts: Facts, crl: CrlSummary): boolean =>
  compareWithInstalled({ ...desired, acceptOlderCrls: [crl.sha256] }, facts, crl) > 0;

/** As {@link compareCrls}; above 0 where none of its issuer and part is installed. */
function compareWithInstalled({ acceptOlderCrls }: Desired, { own }: Facts, crl: CrlSummary): number {
  const installed = own.crls.find((known) => isOfSameCa(known, crl) && isOfSamePart(known, crl));
  // A source that delivers the accepted one is the host's matter: what replaced that on the host since is newer than a first list.
  const accepted = crl.isFirstList === true ? [] : acceptOlderCrls;
  return installed === undefined ? 1 : compareCrls(crl, installed, { accepted });
}

/** By name, and by key where both say it. */
export const isOfSameCa = (a: CrlSummary, b: CrlSummary): boolean =>
  a.issuer === b.issuer &&
  (a.authorityKey === undefined || b.authorityKey === undefined || a.authorityKey === b.authorityKey);
