/** Which CRLs of a site may be installed, and what is wrong with the others. */
import type { CrlSummary } from "./summary.ts";
import type { Certificate } from "./certificate.ts";
import type { Crl } from "./crl.ts";
import { type CoverageOptions, checkCoverage } from "./crl-coverage.ts";
import { findCriticalEntryExtension } from "./crl-entries.ts";
import { compareByDate, isOfSamePart, isSameCrl } from "./crl-order.ts";
import { notForUsers } from "./crl-scope.ts";
import { type SignedCrl, checkRollover, findSigner, isSameAuthority, nameOf } from "./crl-signer.ts";
import { dayMilliseconds } from "./days.ts";
import { extensionOid, findExtension } from "./extensions.ts";
import { type PkiDiagnostic, about, problem, warning } from "./pki-diagnostic.ts";
import { type OrderOptions, inInstalledOrder } from "./installed-order.ts";

/**
 * The number of days for which a CRL must still be valid when it is newly installed, because nothing renews it by
 * itself.
 */
const minimumCrlDays = 7;

export interface CrlOptions extends CoverageOptions {
  /** The CRLs that the host already has. Their dates only cause warnings, because a refusal would change nothing. */
  readonly installed?: readonly CrlSummary[];
  /**
   * The SHA-256 of first lists. A first list is a CRL that a source replaces on the host. It is therefore accepted even
   * if it expires soon.
   */
  readonly firstLists?: readonly string[];
  /** The options by which the order of the installed bundle was chosen. */
  readonly order?: OrderOptions;
}

export interface CheckedCrls {
  /**
   * The newest CRL of each CA and part ({@link isOfSamePart}), in a fixed order, even where a diagnostic is about it.
   * CRLs that no CA of the bundle counts as the signer of, CRLs that are not needed, and first lists that have expired
   * are left out.
   */
  readonly crls: readonly Crl[];
  readonly diagnostics: readonly PkiDiagnostic[];
}

/**
 * Chooses the CRLs to install, and reports what is wrong with each given CRL. `certificates` is the CA bundle in the
 * order of the site file. Dates and form are only checked for CRLs that the signer and the scope do not rule out.
 */
export function checkCrls(
  crls: readonly Crl[],
  certificates: readonly Certificate[],
  options: CrlOptions,
): CheckedCrls {
  const bundle = inInstalledOrder(certificates, options.order);
  const all = crls.map((crl): SignedCrl => ({ crl, signer: findSigner(crl, bundle) }));
  const unsigned = all.filter(({ signer }) => typeof signer === "string");
  const signed = all.filter(({ signer }) => typeof signer !== "string");
  const unneeded = signed.filter(({ crl }) => isUnneeded(crl, options));
  const newest = takeNewest(signed.filter((one) => !unneeded.includes(one)));
  const withoutOlder = [...unsigned, ...unneeded, ...newest.signed];
  const coverage = checkCoverage(withoutOlder, { listed: certificates, installed: bundle }, options);
  return {
    crls: newest.signed.map(({ crl }) => crl).filter((crl) => !isEndedFirstList(crl, options)),
    diagnostics: [
      ...unsigned.flatMap(describeUnsigned),
      ...unneeded.flatMap(({ crl }) => describeUnneeded(crl, coverage, options)),
      ...newest.diagnostics,
      ...newest.signed.flatMap((one) => [
        ...about(one.crl.summary.sha256, [...checkDates(one.crl, options), ...checkForm(one.crl)]),
        ...checkRollover(one, certificates),
      ]),
      ...coverage,
    ],
  };
}

/** Reports a CRL that no CA of the bundle signed, or that OpenSSL does not use. `signer` is then the reason. */
const describeUnsigned = ({ crl, signer }: SignedCrl): PkiDiagnostic[] =>
  typeof signer === "string" ? about(crl.summary.sha256, [problem(signer)]) : [];

/** Whether no certificate is checked against the CRL: it is for CA certificates only, and only users' are checked. */
const isUnneeded = ({ summary }: Crl, { crlCheck }: CrlOptions): boolean =>
  crlCheck === "leaf" && summary.scope === "authorities";

/**
 * Reports a CRL that is not needed, unless `coverage` already has a finding about it. It is a problem for a first list,
 * because a host refuses such a CRL from a source at each download anew, and otherwise a warning.
 */
function describeUnneeded(crl: Crl, coverage: readonly PkiDiagnostic[], options: CrlOptions): PkiDiagnostic[] {
  const { sha256 } = crl.summary;
  if (coverage.some((diagnostic) => diagnostic.about === sha256)) return [];
  return about(sha256, [
    isFirstList(crl, options)
      ? problem(`${nameOf(crl)} ${notForUsers}`)
      : warning(
          `${nameOf(crl)} is left out, because it is for CA certificates only and crlCheck: leaf checks those of users; remove it, or write crlCheck: chain`,
        ),
  ]);
}

const isFirstList = ({ summary }: Crl, { firstLists = [] }: CrlOptions): boolean => firstLists.includes(summary.sha256);

/**
 * Whether the CRL is a first list that has expired. It is never sent to a host: until its source answers, a host
 * without a CRL is better than a host whose CRL locks everybody out.
 */
function isEndedFirstList(crl: Crl, options: CrlOptions): boolean {
  const { nextUpdate } = crl.summary;
  return isFirstList(crl, options) && nextUpdate !== undefined && Date.parse(nextUpdate) <= options.now;
}

/**
 * Reports a CRL that is from the future, never expires, has expired or, where it is no first list, expires within
 * `minimumCrlDays`. Dates only cause warnings where the host already has this CRL. A first list that has expired only
 * causes a warning that it is left out.
 */
function checkDates(crl: Crl, options: CrlOptions): PkiDiagnostic[] {
  const { now, installed = [] } = options;
  const { thisUpdate, nextUpdate } = crl.summary;
  if (isEndedFirstList(crl, options)) {
    const text = `${nameOf(crl)} expired on ${nextUpdate} and is left out, so the host begins with what the source has`;
    return [warning(`${text}; put the current one in its place, or remove file:`)];
  }
  const report = installed.some((other) => isSameCrl(other, crl.summary)) ? warning : problem;
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

/**
 * The critical extensions that OpenSSL accepts in a CRL (crl_cb and crl_set_issuers in crypto/x509/x_crl.c). For any
 * other critical extension it refuses every certificate.
 */
const criticalOids: readonly string[] = [extensionOid.issuingDistributionPoint, extensionOid.authorityKeyIdentifier];

/**
 * Reports the first of these in a CRL: a date with a fraction of a second, a list of changes only, an unknown critical
 * extension, an unusable scope. OpenSSL, or this product, cannot use such a CRL at any time. Otherwise warns of a CRL
 * that is one part of several.
 */
function checkForm(crl: Crl): PkiDiagnostic[] {
  if (!crl.hasExactDates)
    return [
      problem(
        `${nameOf(crl)} has a date with a fraction of a second, for which OpenSSL refuses every certificate of that CA; ask the issuer for a CRL with dates as RFC 5280 has them`,
      ),
    ];
  if (findExtension(crl.extensions, extensionOid.deltaCrlIndicator))
    return [problem(`${nameOf(crl)} is a delta CRL, which lists changes only; download the complete CRL`)];
  const critical = crl.extensions.find((extension) => extension.critical && !criticalOids.includes(extension.oid));
  if (critical) return [problem(`${nameOf(crl)} has the critical extension ${critical.oid}, ${criticalRemedy}`)];
  const inEntry = findCriticalEntryExtension(crl);
  if (inEntry)
    return [problem(`${nameOf(crl)} has an entry with the critical extension ${inEntry.oid}, ${criticalRemedy}`)];
  if (crl.scopeMistake !== undefined) return [problem(`${nameOf(crl)} ${crl.scopeMistake}`)];
  return crl.summary.distributionPoint === undefined
    ? []
    : [
        warning(
          `${nameOf(crl)} is one part of several (issuingDistributionPoint): httpd refuses certificates that name another part; make sure that all users' certificates name this one`,
        ),
      ];
}

const criticalRemedy = "for which OpenSSL refuses every certificate of that CA; ask the issuer for a plain CRL";

/**
 * Keeps the newest CRL of each CA and part ({@link isOfSamePart}), sorted by {@link sortKeyOf}, and warns of each other
 * one. httpd goes by the date, and of two CRLs with one date it uses the first, even when that one has a lower number.
 * httpd must therefore never get two CRLs of one part.
 */
function takeNewest(all: readonly SignedCrl[]): {
  readonly signed: SignedCrl[];
  readonly diagnostics: PkiDiagnostic[];
} {
  const signed: SignedCrl[] = [];
  const diagnostics: PkiDiagnostic[] = [];
  for (const one of [...all].sort((a, b) => compareByDate(b.crl.summary, a.crl.summary))) {
    const newer = signed.find((other) => isOfOnePart(other, one));
    if (newer === undefined) signed.push(one);
    else diagnostics.push(...about(one.crl.summary.sha256, [warning(describeLeftOut(one.crl, newer.crl))]));
  }
  return { signed: signed.sort((a, b) => (sortKeyOf(a.crl) < sortKeyOf(b.crl) ? -1 : 1)), diagnostics };
}

/**
 * Whether two CRLs are of one CA and for the same of its certificates. False where no CA of the bundle counts as the
 * signer of one of them.
 */
const isOfOnePart = (a: SignedCrl, b: SignedCrl): boolean =>
  typeof a.signer !== "string" &&
  typeof b.signer !== "string" &&
  isSameAuthority(a.signer, b.signer) &&
  isOfSamePart(a.crl.summary, b.crl.summary);

/**
 * The text by which CRLs are sorted: by the name of the CA, then by its key, by the addresses that the CRL is for, and
 * by its scope.
 */
const sortKeyOf = ({ canonicalIssuer, authority, summary: { distributionPoint, scope } }: Crl): string =>
  [canonicalIssuer, authority.key ?? "", distributionPoint ?? "", scope ?? ""].join(" ");

/** Says why a CRL is left out: `newer` has the same bytes, or is at least as new. */
const describeLeftOut = (crl: Crl, newer: Crl): string =>
  crl.summary.sha256 === newer.summary.sha256
    ? `${nameOf(crl)} is listed twice; remove one`
    : `${nameOf(crl)} of ${crl.summary.thisUpdate} is left out because a newer one is listed; remove it`;
