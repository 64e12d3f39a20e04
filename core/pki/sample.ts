/** The sample certificate of a site: one user's, which every new CRL must still accept before it is installed on a host. */
import { type Certificate, isIssuedBy } from "./certificate.ts";
import type { Crl } from "./crl.ts";
import { findRevocation } from "./crl-entries.ts";
import { dayMilliseconds } from "./days.ts";
import { type PkiFinding, problem, warning } from "./finding.ts";

export interface SampleOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The CA bundle. */
  readonly bundle: readonly Certificate[];
  /** Those that are known without a host. */
  readonly crls: readonly Crl[];
}

/** From its end on the host would refuse every new CRL: a month to ask a user for a newer certificate. */
const warnSampleDays = 30;

/** What keeps the certificates of a file from being a sample: it is one user's, issued below the bundle, and accepted today. */
export function checkSample(certificates: readonly Certificate[], options: SampleOptions): PkiFinding[] {
  const [sample, ...others] = certificates;
  if (sample === undefined || others.length > 0)
    return [
      problem(`holds ${certificates.length} certificates; give the certificate of one user alone, without its CAs`),
    ];
  return [...checkKind(sample, options), ...checkDates(sample, options.now), ...checkRevocation(sample, options)];
}

const nameOf = ({ summary }: Certificate): string => JSON.stringify(summary.subject);

function checkKind(sample: Certificate, { bundle }: SampleOptions): PkiFinding[] {
  if (sample.isCa) return [problem(`${nameOf(sample)} is a CA certificate; give the certificate of a user`)];
  const { issuer } = sample.summary;
  if (!bundle.some((ca) => ca.isCa && isIssuedBy(sample, ca)))
    return [
      problem(
        `${nameOf(sample)} was issued by ${JSON.stringify(issuer)}, and no CA of caFiles signed it; give a user's certificate of a listed CA`,
      ),
    ];
  return sample.allowsClientAuth
    ? []
    : [
        problem(
          `${nameOf(sample)} is not for clients (extended key usage without clientAuth); give the certificate of a user`,
        ),
      ];
}

function checkDates({ summary }: Certificate, now: number): PkiFinding[] {
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

function checkRevocation(sample: Certificate, { crls }: SampleOptions): PkiFinding[] {
  const issued = crls.filter(({ canonicalIssuer }) => canonicalIssuer === sample.canonicalIssuer);
  const revocation = issued.map((crl) => findRevocation(crl, sample.serial)).find((found) => found !== undefined);
  if (revocation === undefined) return [];
  const since = revocation.date === undefined ? "" : ` since ${revocation.date}`;
  return [
    problem(`${nameOf(sample)} is revoked${since}; give a certificate that is in use, or remove sampleCertificate`),
  ];
}
