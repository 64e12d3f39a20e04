/**
 * Whether OpenSSL finds a CRL for every certificate that httpd checks. The CRL must be of the right CA and for the
 * right certificates, and it must name the certificate of the CA that OpenSSL uses.
 */
import { authorityFits } from "./authority.ts";
import { type Certificate, hasKeyUsage, isIssuedBy, isSelfSigned } from "./certificate.ts";
import type { Crl } from "./crl.ts";
import { isInScope, notForUsers } from "./crl-scope.ts";
import { type SignedCrl, isSameAuthority, nameOf } from "./crl-signer.ts";
import { type PkiDiagnostic, about, problem, warning } from "./pki-diagnostic.ts";
import { findAuthorities, findUsed } from "./installed-order.ts";

export interface CoverageOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly crlCheck: "leaf" | "chain";
  /**
   * Whether sources deliver CRLs that are not known here. Which CAs these are from is known only after the download.
   */
  readonly hasUnknownCrls?: boolean;
  /** How many such sources there are, where that is known. Each source delivers one CRL. */
  readonly unknownCrlCount?: number | undefined;
  /**
   * A user's certificate. It shows that its issuer issues to users, and its authorityKeyIdentifier decides which
   * certificate of the issuer OpenSSL uses.
   */
  readonly sample?: Certificate | undefined;
}

/**
 * All certificates of one CA (one name and one key), and whose certificates httpd checks against the CRL of this CA.
 */
interface Authority {
  readonly certificates: readonly Certificate[];
  readonly crls: readonly SignedCrl[];
  /** Which certificates of the CA are checked: those of users, and those of other CAs. */
  readonly issues: { readonly users: boolean; readonly authorities: boolean };
  /** The certificates of the CA that OpenSSL uses as issuer. */
  readonly used: readonly UsedCertificate[];
}

interface UsedCertificate {
  /** The certificate that is checked. Undefined stands for a user of whom nothing is known. */
  readonly holder: Certificate | undefined;
  /** The certificate of the CA that OpenSSL uses for the holder. */
  readonly certificate: Certificate;
}

/** The bundle in two orders. */
export interface OrderedBundle {
  /** The order of the site file. Diagnostics come in this order. */
  readonly listed: readonly Certificate[];
  /** The order of the installed file, which decides what OpenSSL does. */
  readonly installed: readonly Certificate[];
}

/**
 * Reports every CRL that is missing, every CRL that OpenSSL will not use for a certificate, and every CA that may not
 * sign CRLs. Where sources deliver CRLs, their number alone shows that one is missing. Reports nothing where only
 * users' certificates are checked and there is neither a CRL nor a source: the site then checks no revocation.
 */
export function checkCoverage(
  crls: readonly SignedCrl[],
  certificates: OrderedBundle,
  options: CoverageOptions,
): PkiDiagnostic[] {
  const { crlCheck, hasUnknownCrls = false } = options;
  if (crls.length === 0 && crlCheck === "leaf" && !hasUnknownCrls) return [];
  const authorities = describeAuthorities(crls, certificates, options);
  const isChecked = crls.length > 0 || hasUnknownCrls;
  // A CRL whose signer is only a text has its own finding, and its CA is not judged any further.
  const judged = authorities.filter(({ crls: own }) => own.every(({ signer }) => typeof signer !== "string"));
  // A CA that may not sign CRLs gets this one finding. It does not matter where no CRL is checked.
  const signing = judged.filter((authority) => !isChecked || findUnfit(authority) === undefined);
  const unfit = judged.filter((authority) => !signing.includes(authority));
  return [
    ...unfit.flatMap(describeUnfit),
    ...signing.flatMap((authority) => checkNamed(authority, options)),
    ...(hasUnknownCrls
      ? checkCount(signing, options)
      : signing.flatMap((authority) => checkMissing(authority, options))),
  ];
}

/** The CAs of the bundle, in the order of the site file. The certificates of each CA are in the installed order. */
function describeAuthorities(
  crls: readonly SignedCrl[],
  { listed, installed }: OrderedBundle,
  options: CoverageOptions,
): Authority[] {
  const cas = installed.filter(({ isCa }) => isCa);
  const groups = findAuthorities(listed).map((authority) => cas.filter((ca) => authority.includes(ca)));
  const inUse = groups.flatMap((group) => findUsed(group, options.now) ?? []);
  return groups.map((group) => describeAuthority(group, { cas, inUse, crls, options }));
}

/** What is known about the whole bundle. */
interface BundleContext {
  readonly cas: readonly Certificate[];
  /** For each CA, the certificate that OpenSSL uses. */
  readonly inUse: readonly Certificate[];
  readonly crls: readonly SignedCrl[];
  readonly options: CoverageOptions;
}

/** Describes the CA that has the certificates of `group`, which are in the installed order. */
function describeAuthority(group: readonly Certificate[], context: BundleContext): Authority {
  const { cas, inUse, crls, options } = context;
  const { crlCheck, now, sample } = options;
  const hasIssued = (certificate: Certificate): boolean => group.some((ca) => isIssuedBy(certificate, ca));
  // A CA that issued no other listed CA must issue to users. Only the sample shows that any other CA does, too.
  const isLowest = !cas.some((ca) => !group.includes(ca) && hasIssued(ca));
  const ownSample = sample !== undefined && hasIssued(sample) ? sample : undefined;
  const issuedCas = crlCheck === "chain" ? inUse.filter(hasIssued) : [];
  const issues = { users: isLowest || ownSample !== undefined, authorities: issuedCas.length > 0 };
  // `undefined` is a user of whom nothing is known.
  const users = issues.users ? [undefined, ...(ownSample === undefined ? [] : [ownSample])] : [];
  return {
    certificates: group,
    crls: crls.filter((crl) => comesFrom(crl, group)),
    issues,
    used: [...users, ...issuedCas].flatMap((holder) => {
      const certificate = findUsedFor(holder, group, now);
      return certificate === undefined ? [] : [{ holder, certificate }];
    }),
  };
}

/**
 * The certificate of the CA that OpenSSL uses for `holder`, or for a user of whom nothing is known. Undefined where the
 * CA did not issue the holder. A self-signed certificate of the CA is its own issuer: OpenSSL looks for no other one.
 */
const findUsedFor = (
  holder: Certificate | undefined,
  group: readonly Certificate[],
  now: number,
): Certificate | undefined =>
  holder !== undefined && group.includes(holder) && isSelfSigned(holder)
    ? holder
    : findUsed(holder === undefined ? group : group.filter((ca) => isIssuedBy(holder, ca)), now);

/**
 * Whether the CRL comes from the CA whose certificates these are. They share name and key, so the first one stands for
 * all. Where no CA of the bundle counts as the signer, the issuer that the CRL names decides: that CRL has a finding of
 * its own, and nothing more is reported for its CA.
 */
const comesFrom = ({ crl, signer }: SignedCrl, [ca]: readonly Certificate[]): boolean =>
  ca !== undefined &&
  (typeof signer === "string" ? crl.canonicalIssuer === ca.canonicalSubject : isSameAuthority(ca, signer));

const subjectOf = ({ certificates }: Authority): string => JSON.stringify(certificates[0]?.summary.subject);

/**
 * The first certificate without cRLSign that OpenSSL uses. Undefined where there is none. OpenSSL refuses everything
 * that such a certificate's CA issued, with any CRL.
 */
const findUnfit = ({ used }: Authority): Certificate | undefined =>
  used.map(({ certificate }) => certificate).find((certificate) => !hasKeyUsage(certificate, "cRLSign"));

/** Reports the certificate of {@link findUnfit}, or nothing. */
function describeUnfit(authority: Authority): PkiDiagnostic[] {
  const unfit = findUnfit(authority);
  if (unfit === undefined) return [];
  const remedy = authority.certificates.some((certificate) => hasKeyUsage(certificate, "cRLSign"))
    ? "list only the certificate of that CA that may"
    : "ask the issuer for a CA certificate that may, or list no CRL and no source";
  return about(unfit.summary.fingerprint, [
    problem(
      `${subjectOf(authority)} may not sign CRLs (keyUsage without cRLSign), so OpenSSL refuses every certificate that it issued while CRLs are checked; ${remedy}`,
    ),
  ]);
}

/**
 * Reports each CRL that names (authorityKeyIdentifier) another certificate of its CA than OpenSSL uses for some holder
 * (`missed`), where no other CRL serves for that holder. OpenSSL does not use such a CRL. It is only a warning where
 * the sample is accepted and only users of whom nothing is known are missed. A CA with one certificate is not checked:
 * `findSigner` has refused a CRL that names another one.
 */
function checkNamed(authority: Authority, { sample }: CoverageOptions): PkiDiagnostic[] {
  const { certificates, crls, used } = authority;
  if (certificates.length < 2) return [];
  return crls.flatMap(({ crl }) => {
    const others = crls.filter((other) => other.crl !== crl && isInsteadOf(other.crl, crl));
    const missed = used.filter(
      (one) =>
        coversKindOf(crl, one) &&
        !authorityFits(crl.authority, one.certificate) &&
        !others.some((other) => coversKindOf(other.crl, one) && authorityFits(other.crl.authority, one.certificate)),
    );
    if (missed.length === 0) return [];
    // `holder` is undefined for a user of whom nothing is known.
    const isSampleAccepted =
      sample !== undefined &&
      missed.every(({ holder }) => holder === undefined) &&
      used.some(({ holder }) => holder === sample);
    const report = isSampleAccepted ? warning : problem;
    return about(crl.summary.sha256, [report(describeMissed(authority, crl, isSampleAccepted))]);
  });
}

/** Whether the CRL is for certificates of the holder's kind: those of users, or those of CAs. */
const coversKindOf = ({ summary }: Crl, { holder }: UsedCertificate): boolean =>
  summary.scope !== (holder?.isCa === true ? "users" : "authorities");

/** Whether the other CRL can serve in place of this one: it is for the same addresses, or for all certificates. */
const isInsteadOf = ({ summary: other }: Crl, { summary }: Crl): boolean =>
  other.distributionPoint === undefined || other.distributionPoint === summary.distributionPoint;

/**
 * Says which certificate of its CA the CRL names (by the day from which that one is valid), and what to do.
 * `isSampleAccepted` is true for a warning.
 */
function describeMissed(authority: Authority, crl: Crl, isSampleAccepted: boolean): string {
  const { certificates } = authority;
  const named = certificates.find((certificate) => authorityFits(crl.authority, certificate));
  const text = `${nameOf(crl)} names the certificate of ${named?.summary.notBefore} of that CA (authorityKeyIdentifier), and OpenSSL takes the other one of ${certificates.length} that are listed`;
  return isSampleAccepted
    ? `${text} for users whose certificates name neither, and refuses them; the sample is accepted: make sure that all users' certificates name that one, too`
    : `${text}, and refuses what it issued; list only the one that the CRL names, or, if users' certificates name it, too, give one as sampleCertificate`;
}

/**
 * Reports that a CA has no CRL at all, or none for its users, for the CAs that it issued, or for one of these CAs.
 * While revocation is checked, httpd refuses every certificate below a CA whose CRL it lacks.
 */
function checkMissing(authority: Authority, { crlCheck }: CoverageOptions): PkiDiagnostic[] {
  const { crls, issues } = authority;
  const remedy = crlCheck === "chain" ? "list it too, or write crlCheck: leaf" : "list it too, or remove the CA";
  if (crls.length === 0)
    return issues.users || issues.authorities
      ? [problem(`there is no CRL of ${subjectOf(authority)}, so every certificate below it is refused; ${remedy}`)]
      : [];
  return [
    ...(issues.users ? describeMisfits(crls, "authorities", notForUsers) : []),
    ...(issues.authorities ? describeMisfits(crls, "users", notForAuthorities) : []),
    ...(issues.authorities ? describeUnaddressed(authority) : []),
  ];
}

/**
 * Reports each CA certificate that no CRL of its issuer covers, where each of these CRLs is for certificates that name
 * its address. With `chain`, the certificate of a CA is checked, too, and that of a root against the root's own CRL.
 * Such a certificate mostly names no address.
 */
function describeUnaddressed({ crls, used }: Authority): PkiDiagnostic[] {
  const parts = crls.filter(({ crl }) => crl.summary.distributionPoint !== undefined);
  if (parts.length < crls.length) return [];
  const unmet = used.flatMap(({ holder }) =>
    holder?.isCa === true && !crls.some(({ crl }) => isInScope(crl, holder)) ? [holder] : [],
  );
  return [...new Set(unmet)].map((holder) =>
    problem(
      `every CRL of ${JSON.stringify(holder.summary.issuer)} is for certificates that name its address, and the CA certificate ${JSON.stringify(holder.summary.subject)} names none of them, so with crlCheck: chain every certificate below it is refused; list the complete CRL of that CA, or write crlCheck: leaf`,
    ),
  );
}

const notForAuthorities =
  "is for user certificates only (issuingDistributionPoint), and crlCheck: chain checks those of CAs, too, so every certificate below that CA is refused; list its CRL for CA certificates, too, or write crlCheck: leaf";

/** Reports the CRLs of a CA where all of them are only for certificates of the kind `misfit`. */
const describeMisfits = (crls: readonly SignedCrl[], misfit: "users" | "authorities", text: string): PkiDiagnostic[] =>
  crls.every(({ crl }) => crl.summary.scope === misfit)
    ? crls.flatMap(({ crl }) => about(crl.summary.sha256, [problem(`${nameOf(crl)} ${text}`)]))
    : [];

/**
 * Warns where there are fewer sources than CAs whose CRL is missing from the site. Each source delivers the CRL of one
 * CA, so it is then certain that a CRL is missing. Reports nothing where the number of sources is not known.
 */
function checkCount(authorities: readonly Authority[], options: CoverageOptions): PkiDiagnostic[] {
  const { crlCheck, unknownCrlCount } = options;
  const lacking = authorities.filter((authority) => checkMissing(authority, options).length > 0);
  if (unknownCrlCount === undefined || lacking.length <= unknownCrlCount) return [];
  const names = lacking.map(subjectOf).join(" and ");
  const sources = unknownCrlCount === 1 ? "one source is" : `${unknownCrlCount} sources are`;
  return [
    warning(
      `only ${sources} listed for the CRLs of ${names}, and every certificate below a CA without one is refused; add a source for each CA, or ${crlCheck === "chain" ? "write crlCheck: leaf" : "remove the CA"}`,
    ),
  ];
}
