/** Small questions about the wishes that plan and findings both ask. */
import type { CrlSummary, Desired, Facts, VirtualHostFacts } from "./model.ts";

/** Whether the site file leaves this virtual host alone. Host names are compared without regard to case. */
export const isExcluded = (desired: Desired, host: VirtualHostFacts): boolean =>
  desired.excludeVirtualHosts.some((name) => isNamed(host, name));

/** Whether `name` is the host's ServerName, or ServerName:port. */
export function isNamed(host: VirtualHostFacts, name: string): boolean {
  const wanted = name.toLowerCase();
  const serverName = host.serverName.toLowerCase();
  return wanted === serverName || host.addresses.some(({ port }) => wanted === `${serverName}:${port}`);
}

/** Whether revoked certificates are to be refused. */
export const hasRevocation = ({ crls, crlSources }: Desired): boolean => crls.length + crlSources.length > 0;

/** Whether the site's CRL of some issuer is newer than the installed one, or none is installed. */
export const hasNewerCrl = (desired: Desired, facts: Facts): boolean =>
  facts.own.files["crl.pem"] === undefined ||
  desired.crls.some((crl) => compareCrls(crl, findInstalled(facts, crl)) > 0);

/** CRLs of the site file that are older than the installed ones of the same issuers. */
export const findOlderCrls = (desired: Desired, facts: Facts): CrlSummary[] =>
  desired.crls.filter((crl) => compareCrls(crl, findInstalled(facts, crl)) < 0);

const findInstalled = (facts: Facts, crl: CrlSummary): CrlSummary | undefined =>
  facts.own.crls.find(({ issuer, authorityKey: key }) => {
    const isOtherKey = key !== undefined && crl.authorityKey !== undefined && key !== crl.authorityKey;
    return issuer === crl.issuer && !isOtherKey;
  });

/** Above 0 when `crl` is newer: by CRL number where both have one, then by thisUpdate. */
function compareCrls(crl: CrlSummary, installed: CrlSummary | undefined): number {
  if (installed === undefined) return 1;
  if (crl.number !== undefined && installed.number !== undefined && crl.number !== installed.number) {
    return BigInt(crl.number) > BigInt(installed.number) ? 1 : -1;
  }
  return Date.parse(crl.thisUpdate) - Date.parse(installed.thisUpdate);
}
