/** Which CRLs of a site may be installed, and what is wrong with the others. */
import type { CrlSummary } from "../apache/model.ts";
import { type Certificate, isIssuedBy, isSelfSigned } from "./certificate.ts";
import type { Crl } from "./crl.ts";
import { findCriticalEntryExtension } from "./crl-entries.ts";
import { compareByDate } from "./crl-order.ts";
import { type SignedCrl, checkRollover, findSigner, isCoveredBy, isSameAuthority, nameOf } from "./crl-signer.ts";
import { dayMilliseconds } from "./days.ts";
import { DerError, children, contextTag, readWhole } from "./der.ts";
import { type Extension, extensionOid, findExtension } from "./extensions.ts";
import { type PkiFinding, about, problem, warning } from "./finding.ts";

/** A CRL must still be good for this long when it is newly installed: nothing renews it by itself. */
const minimumCrlDays = 7;

export interface CrlOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly crlCheck: "leaf" | "chain";
  /** CRLs that the host already has: their dates only warn, because refusing them would change nothing. */
  readonly installed?: readonly CrlSummary[];
  /** SHA-256 of first lists, which a source replaces on the host: an end that is near refuses none of them. */
  readonly renewed?: readonly string[];
  /** Whether sources deliver more CRLs: of which CAs is only known when they have been downloaded. */
  readonly hasMore?: boolean;
}

export interface CheckedCrls {
  /** The newest good one of each CA, in a fixed order. */
  readonly crls: readonly Crl[];
  readonly findings: readonly PkiFinding[];
}

/** `certificates` is the CA bundle. */
export function checkCrls(
  crls: readonly Crl[],
  certificates: readonly Certificate[],
  options: CrlOptions,
): CheckedCrls {
  const all = crls.map((crl): SignedCrl => ({ crl, signer: findSigner(crl, certificates) }));
  const unsigned = all.flatMap(({ crl, signer }) =>
    typeof signer === "string" ? about(crl.summary.sha256, [problem(signer)]) : [],
  );
  const newest = takeNewest(all.filter(({ signer }) => typeof signer !== "string"));
  const chosen = newest.signed.flatMap((signed) => [
    ...about(signed.crl.summary.sha256, [...checkDates(signed.crl, options), ...checkExtensions(signed.crl)]),
    ...checkRollover(signed, certificates),
  ]);
  return {
    crls: newest.signed.map(({ crl }) => crl).filter((crl) => !isEndedFirstList(crl, options)),
    findings: [...unsigned, ...newest.findings, ...chosen, ...checkCoverage(all, certificates, options)],
  };
}

/** The hash of a large installed CRL is not known: then what its issuer counts must do. */
const isSame = (known: CrlSummary, { sha256, issuer, number, thisUpdate }: CrlSummary): boolean =>
  known.sha256 === "" || sha256 === ""
    ? known.issuer === issuer && known.number === number && known.thisUpdate === thisUpdate
    : known.sha256 === sha256;

const isFirstList = ({ summary }: Crl, { renewed = [] }: CrlOptions): boolean => renewed.includes(summary.sha256);

/** Never sent to a host: until its source answers, no CRL is better there than one that locks everybody out. */
function isEndedFirstList(crl: Crl, options: CrlOptions): boolean {
  const { nextUpdate } = crl.summary;
  return isFirstList(crl, options) && nextUpdate !== undefined && Date.parse(nextUpdate) <= options.now;
}

function checkDates(crl: Crl, options: CrlOptions): PkiFinding[] {
  const { now, installed = [] } = options;
  const { thisUpdate, nextUpdate } = crl.summary;
  if (isEndedFirstList(crl, options)) {
    const found = `${nameOf(crl)} expired on ${nextUpdate} and is left out, so the host begins with what the source has`;
    return [warning(`${found}; put the current one in its place, or remove file:`)];
  }
  const report = installed.some((known) => isSame(known, crl.summary)) ? warning : problem;
  if (Date.parse(thisUpdate) > now)
    return [
      report(
        `${nameOf(crl)} is from the future (${thisUpdate}), so every certificate is refused until then; check this machine's clock, or download it again`,
      ),
    ];
  if (nextUpdate === undefined)
    return [
      warning(
        `${nameOf(crl)} never expires (no nextUpdate), so an old one cannot be told from a current one; ask the issuer for a CRL with nextUpdate`,
      ),
    ];
  const left = Date.parse(nextUpdate) - now;
  if (left <= 0)
    return [
      report(
        `${nameOf(crl)} expired on ${nextUpdate}, and httpd then refuses every certificate of that CA; download the current one`,
      ),
    ];
  if (left < minimumCrlDays * dayMilliseconds && !isFirstList(crl, options)) {
    return [
      report(
        `${nameOf(crl)} locks certificate holders out on ${nextUpdate}, in less than ${minimumCrlDays} days; download a newer one`,
      ),
    ];
  }
  return [];
}

/** What OpenSSL takes as critical (crl_cb and crl_set_issuers in crypto/x509/x_crl.c); for any other it refuses every certificate. */
const criticalOids: readonly string[] = [extensionOid.issuingDistributionPoint, extensionOid.authorityKeyIdentifier];

function checkExtensions(crl: Crl): PkiFinding[] {
  if (findExtension(crl.extensions, extensionOid.deltaCrlIndicator))
    return [problem(`${nameOf(crl)} is a delta CRL, which lists changes only; download the complete CRL`)];
  const critical = crl.extensions.find((extension) => extension.critical && !criticalOids.includes(extension.oid));
  if (critical) return [problem(`${nameOf(crl)} has the critical extension ${critical.oid}, ${criticalRemedy}`)];
  const inEntry = findCriticalEntryExtension(crl);
  if (inEntry)
    return [problem(`${nameOf(crl)} has an entry with the critical extension ${inEntry.oid}, ${criticalRemedy}`)];
  const partition = findExtension(crl.extensions, extensionOid.issuingDistributionPoint);
  return partition ? checkPartition(crl, partition) : [];
}

const criticalRemedy = "for which OpenSSL refuses every certificate of that CA; ask the issuer for a plain CRL";

/** IssuingDistributionPoint, RFC 5280, section 5.2.5: [0] where, [1] user certificates only, [2] CAs only, [3] reasons, [4] indirect, [5] attributes only. */
function checkPartition(crl: Crl, { value }: Extension): PkiFinding[] {
  const has = readTags(value);
  if (has === undefined) return [problem(`${nameOf(crl)} has a malformed issuingDistributionPoint; download it again`)];
  if (has.some((tag) => tag === contextTag(2, false) || tag === contextTag(5, false)))
    return [
      problem(`${nameOf(crl)} is not for user certificates (issuingDistributionPoint); download the one for users`),
    ];
  if (has.some((tag) => tag === contextTag(3, false) || tag === contextTag(4, false)))
    return [
      problem(
        `${nameOf(crl)} covers some reasons only or other CAs' certificates (issuingDistributionPoint), which httpd does not use; download the complete CRL`,
      ),
    ];
  if (has.includes(contextTag(0, true)))
    return [
      warning(
        `${nameOf(crl)} is one part of several (issuingDistributionPoint): httpd refuses certificates that name another part; make sure that all users' certificates name this one`,
      ),
    ];
  return [];
}

function readTags(value: Uint8Array): number[] | undefined {
  try {
    return children(value, readWhole(value)).map(({ tag }) => tag);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** httpd goes by the date, and takes the first of two with one date, even with a lower number: it must never see two of one CA. */
function takeNewest(all: readonly SignedCrl[]): { readonly signed: SignedCrl[]; readonly findings: PkiFinding[] } {
  const signed: SignedCrl[] = [];
  const findings: PkiFinding[] = [];
  for (const one of [...all].sort((a, b) => compareByDate(b.crl.summary, a.crl.summary))) {
    const newer = signed.find(({ signer }) => isOfOneCa(signer, one.signer));
    if (newer === undefined) signed.push(one);
    else findings.push(...about(one.crl.summary.sha256, [warning(describeLeftOut(one.crl, newer.crl))]));
  }
  return { signed: signed.sort((a, b) => (orderOf(a.crl) < orderOf(b.crl) ? -1 : 1)), findings };
}

const isOfOneCa = (a: SignedCrl["signer"], b: SignedCrl["signer"]): boolean =>
  typeof a !== "string" && typeof b !== "string" && isSameAuthority(a, b);

/** By name, and the CRLs of two keys of one name by key. */
const orderOf = ({ canonicalIssuer, authority }: Crl): string => `${canonicalIssuer} ${authority.key ?? ""}`;

const describeLeftOut = (crl: Crl, newer: Crl): string =>
  crl.summary.sha256 === newer.summary.sha256
    ? `${nameOf(crl)} is listed twice; remove one`
    : `${nameOf(crl)} of ${crl.summary.thisUpdate} is left out because a newer one is listed; remove it`;

/** With a check switched on, httpd refuses every certificate below a CA whose CRL it lacks. */
function checkCoverage(
  crls: readonly SignedCrl[],
  certificates: readonly Certificate[],
  { crlCheck, hasMore = false }: CrlOptions,
): PkiFinding[] {
  if (hasMore || (crls.length === 0 && crlCheck === "leaf")) return [];
  const uncovered = certificates.filter(
    (ca) =>
      ca.isCa && !crls.some((crl) => isCoveredBy(ca, crl)) && (crlCheck === "chain" || isLowest(ca, certificates)),
  );
  const remedy = crlCheck === "chain" ? "list it too, or write crlCheck: leaf" : "list it too, or remove the CA";
  return uncovered.map((ca) =>
    problem(
      `there is no CRL of ${JSON.stringify(ca.summary.subject)}, so every certificate below it is refused; ${remedy}`,
    ),
  );
}

/** No other CA of the bundle is below it, so it issues the users' certificates. */
const isLowest = (ca: Certificate, certificates: readonly Certificate[]): boolean =>
  !certificates.some((other) => other !== ca && other.isCa && !isSelfSigned(other) && isIssuedBy(other, ca));
