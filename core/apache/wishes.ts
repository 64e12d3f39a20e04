/** Small questions about the wishes that plan and findings both ask. */
import { compareCrls } from "../pki/crl-order.ts";
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
  facts.own.files["crl.pem"] === undefined || desired.crls.some((crl) => compareWithInstalled(facts, crl) > 0);

/** CRLs of the site file that are older than the installed ones of the same issuers. */
export const findOlderCrls = (desired: Desired, facts: Facts): CrlSummary[] =>
  desired.crls.filter((crl) => compareWithInstalled(facts, crl) < 0);

/** As {@link compareCrls}; above 0 where none of its issuer is installed. */
function compareWithInstalled({ own }: Facts, crl: CrlSummary): number {
  const installed = own.crls.find(({ issuer, authorityKey: key }) => {
    const isOtherKey = key !== undefined && crl.authorityKey !== undefined && key !== crl.authorityKey;
    return issuer === crl.issuer && !isOtherKey;
  });
  return installed === undefined ? 1 : compareCrls(crl, installed);
}
