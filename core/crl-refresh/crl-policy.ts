/**
 * What a site's CRLs must be, and what those of a host are: whose is needed, whose is missing, which are old, who
 * renews them.
 */
import { crlName } from "../own-files.ts";
import { comparable, isSameName } from "../pki/same-name.ts";
import { compareCrls, isOfSamePart } from "../pki/crl-order.ts";
import type { CrlSummary } from "../pki/summary.ts";
import type { CrlFacts, CrlInputs } from "./refresh-model.ts";

/** Whether revoked certificates are to be refused. */
export const hasRevocation = ({ crls, crlSources }: CrlInputs): boolean => crls.length + crlSources.length > 0;

/** Whether the site's CRL of some issuer is newer than the installed one, or none is installed. */
export const hasNewerCrl = (desired: CrlInputs, facts: CrlFacts): boolean =>
  facts.own.files[crlName] === undefined || desired.crls.some((crl) => compareWithInstalled(desired, facts, crl) > 0);

/** CRLs of the site file that are older than the installed ones of the same issuers. */
export const findOlderCrls = (desired: CrlInputs, facts: CrlFacts): CrlSummary[] =>
  desired.crls.filter((crl) => compareWithInstalled(desired, facts, crl) < 0);

/** Whether an older CRL would be installed if `acceptOlderCrls` named it: only its number is what is wrong. */
export const isAcceptable = (desired: CrlInputs, facts: CrlFacts, crl: CrlSummary): boolean =>
  compareWithInstalled({ ...desired, acceptOlderCrls: [crl.sha256] }, facts, crl) > 0;

/** As {@link compareCrls}; above 0 where none of its issuer and part is installed. */
function compareWithInstalled({ acceptOlderCrls }: CrlInputs, { own }: CrlFacts, crl: CrlSummary): number {
  const installed = own.crls.find((known) => isOfSameCa(known, crl) && isOfSamePart(known, crl));
  // A source that delivers the accepted one is the host's matter: what replaced that on the host since is newer than a
  // first list.
  const accepted = crl.isFirstList === true ? [] : acceptOlderCrls;
  return installed === undefined ? 1 : compareCrls(crl, installed, { accepted });
}

/** By name, and by key where both say it. */
export const isOfSameCa = (a: CrlSummary, b: CrlSummary): boolean =>
  isSameName(a.issuer, b.issuer) &&
  (a.authorityKey === undefined || b.authorityKey === undefined || a.authorityKey === b.authorityKey);

/** CRLs that came with the site and that no source renews. */
const fixedCrls = ({ crls }: CrlInputs): CrlSummary[] => crls.filter(({ isFirstList }) => isFirstList !== true);

/** Whether another CA of the bundle is below one of this name. */
const isAbove = ({ ca: { certificates } }: CrlInputs, name: string): boolean =>
  certificates.some(({ issuer, subject }) => isSameName(issuer, name) && !isSameName(subject, name));

/** Names of the CAs without whose CRL httpd would refuse certificates: with `leaf` those that no other CA is below. */
export function findNeeded(desired: CrlInputs): string[] {
  const { ca, crlCheck } = desired;
  const needed = ca.certificates.filter(({ subject }) => crlCheck === "chain" || !isAbove(desired, subject));
  return [...new Set(needed.map(({ subject }) => subject))];
}

/**
 * Those of {@link findNeeded} that issued none of `crls` for all certificates that httpd checks: users', with `chain`
 * those of CAs.
 */
export function findLacking(desired: CrlInputs, crls: readonly CrlSummary[]): string[] {
  return findNeeded(desired).filter((name) => {
    const isSelfIssued = desired.ca.certificates.some(
      ({ issuer, subject }) => isSameName(subject, name) && isSameName(issuer, name),
    );
    const misfits = [
      ...(isAbove(desired, name) ? [] : ["authorities"]),
      ...(desired.crlCheck === "chain" && (isAbove(desired, name) || isSelfIssued) ? ["users"] : []),
    ];
    const own = crls.filter(({ issuer }) => isSameName(issuer, name));
    return misfits.some((misfit) => own.every(({ scope }) => scope === misfit));
  });
}

/** Those of `names` that issued none of `crls`. */
export function findUncovered(names: readonly string[], crls: readonly CrlSummary[]): string[] {
  const issuers = new Set(crls.map(({ issuer }) => comparable(issuer)));
  return names.filter((name) => !issuers.has(comparable(name)));
}

/** How a CRL is called: by its CA, and by its part where there are several. */
export const crlNameOf = ({ issuer, distributionPoint }: CrlSummary): string =>
  distributionPoint === undefined ? issuer : `${issuer} for ${distributionPoint}`;

/** Whether an installed CRL is one that no source renews. */
export const isFixed = (desired: CrlInputs, crl: CrlSummary): boolean =>
  fixedCrls(desired).some((fixed) => isSameName(fixed.issuer, crl.issuer) && isOfSamePart(fixed, crl));

/** Whether sources must keep an installed CRL current; that of a retired CA goes with the next refresh. */
export function isRefreshed(desired: CrlInputs, crl: CrlSummary): boolean {
  const isOfBundle = desired.ca.certificates.some(({ subject }) => isSameName(subject, crl.issuer));
  return isOfBundle && !isFixed(desired, crl);
}

/**
 * Whether an installed CRL is left of a kind that its CA issues no more, for all or for one address, since it began to
 * part its CRL or ceased to: kept while it counts, and renewed by nobody.
 */
export const isOutlived = ({ own }: CrlFacts, crl: CrlSummary): boolean =>
  own.crls.some(
    (newer) =>
      isSameName(newer.issuer, crl.issuer) &&
      newer.authorityKey === crl.authorityKey &&
      (newer.distributionPoint === undefined) !== (crl.distributionPoint === undefined) &&
      Date.parse(newer.thisUpdate) > Date.parse(crl.thisUpdate),
  );

/** Seconds from the look at the host until a CRL ends, 0 or less afterwards; undefined where that is not known. */
export function secondsLeft({ refresh: { nowSeconds } }: CrlFacts, { nextUpdate }: CrlSummary): number | undefined {
  return nextUpdate === undefined || nowSeconds === undefined ? undefined : Date.parse(nextUpdate) / 1000 - nowSeconds;
}

/**
 * Whether the host must download now, because what its timer keeps is not there or has ended. A CRL that is merely
 * another one than before is what the timer is for. Without an owner our directory of state was deleted, and with it
 * the timer's program.
 */
export function isRefreshDue(desired: CrlInputs, facts: CrlFacts): boolean {
  const { crls, files, owner } = facts.own;
  if (desired.crlSources.length === 0) return false;
  return (
    (owner === undefined && facts.server.source === "httpd") ||
    files[crlName] === undefined ||
    findUncovered(findNeeded(desired), crls).length > 0 ||
    crls.some((crl) => isRefreshed(desired, crl) && !isOutlived(facts, crl) && (secondsLeft(facts, crl) ?? 1) <= 0)
  );
}
