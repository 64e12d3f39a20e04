/**
 * The sample certificate of a site: the certificate of one user, which every new CRL must still accept before it is
 * installed on a host.
 */
import { type Certificate, findWeakness, isIssuedBy } from "./certificate.ts";
import type { Crl } from "./crl.ts";
import { findRevocation } from "./crl-entries.ts";
import { namesSomeReasonsOnly, isInScope } from "./crl-scope.ts";
import { authorityFits } from "./authority.ts";
import { dayMilliseconds } from "./days.ts";
import { type PkiDiagnostic, problem, warning } from "./pki-diagnostic.ts";
import { type OrderOptions, findChain, inInstalledOrder } from "./installed-order.ts";
import { findForbiddenNames } from "./name-constraints.ts";
import { findRefusals } from "./user-check.ts";

export interface SampleOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The CA bundle. */
  readonly bundle: readonly Certificate[];
  /** The CRLs that are known without a host. */
  readonly crls: readonly Crl[];
  /** Whether there are CRLs that are not known here, such as those that sources deliver. */
  readonly hasUnknownCrls?: boolean;
  /** The options by which the order of the installed bundle was chosen. */
  readonly order?: OrderOptions;
}

/**
 * Once the sample has expired, the host refuses every new CRL. A month is enough to ask a user for a newer certificate.
 */
const warnSampleDays = 30;

/**
 * Reports why the certificates of a file cannot be a sample, and warns of one that is weak, expires soon or is revoked.
 * A sample is the certificate of one user, was issued below the bundle, and is accepted today.
 */
export function checkSample(certificates: readonly Certificate[], options: SampleOptions): readonly PkiDiagnostic[] {
  const [sample, ...others] = certificates;
  if (sample === undefined || others.length > 0)
    return [
      problem(`holds ${certificates.length} certificates; give the certificate of one user alone, without its CAs`),
    ];
  const refusals = findRefusals(sample).map((refusal) => problem(`${nameOf(sample)} ${refusal}; ${otherSample}`));
  const kind = checkKind(sample, options);
  // OpenSSL finds no issuer for a certificate that it cannot read to its end. The reason for that is reported first.
  if (kind.length > 0) return isSignedByBundle(sample, options) ? explainUnissued(sample, refusals) : kind;
  return [
    ...refusals,
    ...checkNames(sample, options),
    ...checkWeakness(sample),
    ...checkDates(sample, options.now),
    ...checkCrls(sample, options),
  ];
}

/** Whether a listed CA made the signature of the sample, even if OpenSSL does not find that CA. */
const isSignedByBundle = (sample: Certificate, { bundle }: SampleOptions): boolean =>
  !sample.isCa &&
  bundle.some((ca) => ca.canonicalSubject === sample.canonicalIssuer && sample.x509.verify(ca.x509.publicKey));

/**
 * Explains why OpenSSL finds no issuer for a sample that a listed CA signed: OpenSSL cannot read the sample to its end,
 * or the sample names another certificate of that CA.
 */
const explainUnissued = (sample: Certificate, refusals: readonly PkiDiagnostic[]): readonly PkiDiagnostic[] =>
  refusals.length > 0
    ? refusals
    : [
        problem(
          `${nameOf(sample)} names another certificate of ${JSON.stringify(sample.summary.issuer)} than those in caFiles (authorityKeyIdentifier), so OpenSSL finds no issuer for it; list the CA certificate that the issuer gave out with it`,
        ),
      ];

const otherSample = "give the certificate of a user";

const nameOf = ({ summary }: Certificate): string => JSON.stringify(summary.subject);

/** Reports a sample that is itself a CA, or that no listed CA issued. */
function checkKind(sample: Certificate, { bundle }: SampleOptions): PkiDiagnostic[] {
  if (sample.isCa) return [problem(`${nameOf(sample)} is a CA certificate; give the certificate of a user`)];
  const { issuer } = sample.summary;
  if (!bundle.some((ca) => ca.isCa && isIssuedBy(sample, ca)))
    return [
      problem(
        `${nameOf(sample)} was issued by ${JSON.stringify(issuer)}, and no CA of caFiles signed it; give a user's certificate of a listed CA`,
      ),
    ];
  return [];
}

/**
 * Reports each name of the sample that the name constraints of a CA above it forbid. A CA with such constraints refuses
 * more users than this one, and no CA file shows which.
 */
const checkNames = (sample: Certificate, { bundle, now, order }: SampleOptions): PkiDiagnostic[] =>
  findChain(sample, inInstalledOrder(bundle, order), now).flatMap((ca) =>
    findForbiddenNames(sample, ca).map((what) =>
      problem(
        `${nameOf(sample)} is refused by OpenSSL: the name constraints of ${nameOf(ca)} do not permit ${what}, and other users may fare the same; ask the issuer for certificates that keep to them`,
      ),
    ),
  );

/** Warns of a weak key or signature of the sample. */
function checkWeakness(sample: Certificate): PkiDiagnostic[] {
  const weakness = findWeakness(sample);
  return weakness === undefined
    ? []
    : [
        warning(
          `${nameOf(sample)} has ${weakness}, which newer OpenSSL versions refuse; ask its issuer for stronger ones`,
        ),
      ];
}

/** Reports a sample that has expired or is not valid yet, and warns of one that expires within `warnSampleDays`. */
function checkDates({ summary }: Certificate, now: number): PkiDiagnostic[] {
  const { notBefore, notAfter } = summary;
  const why = "and no new CRL is installed while the sample is refused";
  if (Date.parse(notAfter) <= now)
    return [problem(`expired on ${notAfter}, ${why}; give a user's current certificate, or remove sampleCertificate`)];
  if (Date.parse(notBefore) > now)
    return [problem(`is not valid before ${notBefore}, ${why}; give a certificate that is valid now`)];
  return Date.parse(notAfter) - now < warnSampleDays * dayMilliseconds
    ? [warning(`expires on ${notAfter}, and from then on no new CRL is installed; give a newer one before`)]
    : [];
}

/**
 * Reports that no known CRL covers the sample, or that OpenSSL counts none for it, and warns of a revoked sample. The
 * CRLs are those of the sample's CA that name a certificate of the bundle.
 */
function checkCrls(sample: Certificate, { bundle, crls, hasUnknownCrls = false }: SampleOptions): PkiDiagnostic[] {
  const issuers = bundle.filter((ca) => ca.isCa && isIssuedBy(sample, ca));
  const ofIssuer = crls.filter((crl) =>
    issuers.some((ca) => crl.canonicalIssuer === ca.canonicalSubject && authorityFits(crl.authority, ca)),
  );
  const applicable = ofIssuer.filter((crl) => isInScope(crl, sample));
  return [
    ...(applicable.length === 0 && !hasUnknownCrls
      ? ofIssuer.slice(0, 1).flatMap((crl) => describeOtherPart(sample, crl))
      : []),
    ...checkReasons(sample, applicable, hasUnknownCrls),
    ...checkRevocation(sample, applicable),
  ];
}

/**
 * Reports that the sample names none of the addresses that the CRLs of its CA are for, of which the given one is an
 * example. A CRL for no address is only for CA certificates, and has another finding.
 */
function describeOtherPart(sample: Certificate, { summary: { distributionPoint } }: Crl): PkiDiagnostic[] {
  if (distributionPoint === undefined) return [];
  const text = `${nameOf(sample)} names none of the addresses for which there is a CRL of its CA, such as ${distributionPoint}`;
  return [problem(`${text}, so httpd refuses it; list the CRL of the address that it names, or the complete one`)];
}

/**
 * Reports a sample for which OpenSSL counts no CRL, because the sample names a CRL for some reasons only. `applicable`
 * is the CRLs that cover the sample otherwise.
 */
function checkReasons(sample: Certificate, applicable: readonly Crl[], hasUnknownCrls: boolean): PkiDiagnostic[] {
  const isRefused =
    applicable.length === 0
      ? hasUnknownCrls && namesSomeReasonsOnly(sample)
      : applicable.every((crl) => namesSomeReasonsOnly(sample, crl));
  return isRefused
    ? [
        problem(
          `${nameOf(sample)} names a CRL for some reasons only (crlDistributionPoints), and then OpenSSL counts none; ask the issuer for certificates that name the complete CRL`,
        ),
      ]
    : [];
}

/** Warns of a sample that one of the CRLs revokes. This is not a mistake of the CRL, which must come to the host. */
function checkRevocation(sample: Certificate, applicable: readonly Crl[]): PkiDiagnostic[] {
  const revocation = applicable.map((crl) => findRevocation(crl, sample.serial)).find((entry) => entry !== undefined);
  if (revocation === undefined) return [];
  const since = revocation.date === undefined ? "" : ` since ${revocation.date}`;
  return [
    warning(
      `${nameOf(sample)} is revoked${since}: the CRL is right, and the sample shows nothing any more; give the certificate of another user, or remove sampleCertificate`,
    ),
  ];
}
