/**
 * What the CRLs of a site must be, and what those of a host are: which CAs need a CRL, which CRLs are missing or old,
 * and who renews them.
 */
import { crlName } from "../own-files.ts";
import { comparable, isSameName } from "../pki/same-name.ts";
import { compareCrls, isOfSamePart } from "../pki/crl-order.ts";
import type { CrlSummary } from "../pki/summary.ts";
import type { CrlFacts, CrlInputs } from "./refresh-model.ts";

/** Whether revoked certificates are to be refused. */
export const hasRevocation = ({ crls, crlSources }: CrlInputs): boolean => crls.length + crlSources.length > 0;

/**
 * Whether the host has no file of CRLs, or some CRL of the site is newer than the installed one of the same CA and
 * part, or has no such CRL to replace.
 */
export const hasNewerCrl = (desired: CrlInputs, facts: CrlFacts): boolean =>
  facts.own.files[crlName] === undefined || desired.crls.some((crl) => compareWithInstalled(desired, facts, crl) > 0);

/** The CRLs of the site file that are older than the installed ones of the same CAs and parts. */
export const findOlderCrls = (desired: CrlInputs, facts: CrlFacts): CrlSummary[] =>
  desired.crls.filter((crl) => compareWithInstalled(desired, facts, crl) < 0);

/**
 * Whether an older CRL would be installed if `acceptOlderCrls` named it. This is true where only its number is lower.
 * It is false where its date is earlier, and for a first list.
 */
export const isAcceptable = (desired: CrlInputs, facts: CrlFacts, crl: CrlSummary): boolean =>
  compareWithInstalled({ ...desired, acceptOlderCrls: [crl.sha256] }, facts, crl) > 0;

/**
 * Compares the CRL with the installed one of the same CA and part as {@link compareCrls} does. The result is above 0
 * where no such CRL is installed, or the CRL is to replace it.
 */
function compareWithInstalled({ acceptOlderCrls }: CrlInputs, { own }: CrlFacts, crl: CrlSummary): number {
  const installed = own.crls.find((other) => isOfSameCa(other, crl) && isOfSamePart(other, crl));
  // A first list is never accepted here. The host itself accepts the CRL when a source delivers it, and whatever has
  // replaced that CRL on the host since is newer than a first list.
  const accepted = crl.isFirstList === true ? [] : acceptOlderCrls;
  return installed === undefined ? 1 : compareCrls(crl, installed, { accepted });
}

/** Whether two CRLs are of the same CA: by its name, and by its key where both CRLs name one. */
export const isOfSameCa = (a: CrlSummary, b: CrlSummary): boolean =>
  isSameName(a.issuer, b.issuer) &&
  (a.authorityKey === undefined || b.authorityKey === undefined || a.authorityKey === b.authorityKey);

/** The CRLs that came with the site and that no source renews. */
const fixedCrls = ({ crls }: CrlInputs): CrlSummary[] => crls.filter(({ isFirstList }) => isFirstList !== true);

/** Whether another CA of the bundle is below a CA of this name. */
const isAbove = ({ ca: { certificates } }: CrlInputs, name: string): boolean =>
  certificates.some(({ issuer, subject }) => isSameName(issuer, name) && !isSameName(subject, name));

/**
 * The names of the CAs without whose CRL httpd would refuse certificates, each once. With `chain` these are all CAs,
 * and with `leaf` those that have no other CA below them.
 */
export function findNeeded(desired: CrlInputs): string[] {
  const { ca, crlCheck } = desired;
  const needed = ca.certificates.filter(({ subject }) => crlCheck === "chain" || !isAbove(desired, subject));
  return [...new Set(needed.map(({ subject }) => subject))];
}

/**
 * The CAs of {@link findNeeded} that have no CRL among `crls` for one kind of certificates that httpd checks: those of
 * users, where no other CA is below the CA, and with `chain` those of CAs, where the CA issued another one or itself.
 */
export function findLacking(desired: CrlInputs, crls: readonly CrlSummary[]): string[] {
  return findNeeded(desired).filter((name) => {
    const isSelfIssued = desired.ca.certificates.some(
      ({ issuer, subject }) => isSameName(subject, name) && isSameName(issuer, name),
    );
    // For each kind that is checked, the scope of a CRL that covers none of it.
    const misfits = [
      ...(isAbove(desired, name) ? [] : ["authorities"]),
      ...(desired.crlCheck === "chain" && (isAbove(desired, name) || isSelfIssued) ? ["users"] : []),
    ];
    const own = crls.filter(({ issuer }) => isSameName(issuer, name));
    // `every` is also true where the CA has no CRL at all.
    return misfits.some((misfit) => own.every(({ scope }) => scope === misfit));
  });
}

/** Returns those names of CAs that are not the issuer of any of the CRLs. */
export function findUncovered(names: readonly string[], crls: readonly CrlSummary[]): string[] {
  const issuers = new Set(crls.map(({ issuer }) => comparable(issuer)));
  return names.filter((name) => !issuers.has(comparable(name)));
}

/** The name of a CRL in messages: the name of its CA, and the part where the CA has several CRLs. */
export const crlNameOf = ({ issuer, distributionPoint }: CrlSummary): string =>
  distributionPoint === undefined ? issuer : `${issuer} for ${distributionPoint}`;

/** Whether an installed CRL is of a CA and part whose CRL came with the site, so that no source renews it. */
export const isFixed = (desired: CrlInputs, crl: CrlSummary): boolean =>
  fixedCrls(desired).some((fixed) => isOfSameCa(fixed, crl) && isOfSamePart(fixed, crl));

/**
 * Whether sources must keep an installed CRL current: its CA is in the bundle, and no CRL of the same CA and part came
 * with the site. The CRL of a retired CA is removed by the next refresh.
 */
export function isRefreshed(desired: CrlInputs, crl: CrlSummary): boolean {
  const isOfBundle = desired.ca.certificates.some(({ subject }) => isSameName(subject, crl.issuer));
  return isOfBundle && !isFixed(desired, crl);
}

/**
 * Whether the installed CRL is for one address and a newer one of its CA and key is for all certificates, or the other
 * way round. A CA may start to issue one CRL for each address, or stop doing so; its last CRL of the earlier kind is
 * kept while it counts, and nobody renews it.
 */
export const isLeftOver = ({ own }: CrlFacts, crl: CrlSummary): boolean =>
  own.crls.some(
    (newer) =>
      isSameName(newer.issuer, crl.issuer) &&
      newer.authorityKey === crl.authorityKey &&
      // One of the two is for one address, and the other for all certificates.
      (newer.distributionPoint === undefined) !== (crl.distributionPoint === undefined) &&
      Date.parse(newer.thisUpdate) > Date.parse(crl.thisUpdate),
  );

/**
 * The seconds from the observation of the host until a CRL expires: 0 or less once it has expired. Undefined where this
 * is not known.
 */
export function secondsLeft({ refresh: { nowSeconds } }: CrlFacts, { nextUpdate }: CrlSummary): number | undefined {
  return nextUpdate === undefined || nowSeconds === undefined ? undefined : Date.parse(nextUpdate) / 1000 - nowSeconds;
}

/**
 * Whether the host must download now: a needed CRL does not exist, one that sources keep current has expired and is not
 * left over, or a live host has no owner. Such a host has lost our directory of state, and with it the timer's program.
 * A newer CRL at a source is left to the timer. False for a site without sources.
 */
export function isRefreshDue(desired: CrlInputs, facts: CrlFacts): boolean {
  const { crls, files, owner } = facts.own;
  if (desired.crlSources.length === 0) return false;
  return (
    (owner === undefined && facts.server.source === "httpd") ||
    files[crlName] === undefined ||
    findUncovered(findNeeded(desired), crls).length > 0 ||
    // `?? 1`: where the time is not known, the CRL counts as valid.
    crls.some((crl) => isRefreshed(desired, crl) && !isLeftOver(facts, crl) && (secondsLeft(facts, crl) ?? 1) <= 0)
  );
}
