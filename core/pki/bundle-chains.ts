/**
 * The chains from each CA of the bundle up to its root, made of the certificates that OpenSSL uses when the bundle is
 * in its installed order.
 */
import { defaultVerifyDepth, maxVerifyDepth } from "./summary.ts";
import { authorityFits } from "./authority.ts";
import { type Certificate, isIssuedBy, nameOf } from "./certificate.ts";
import { isSameAuthority } from "./crl-signer.ts";
import { type PkiDiagnostic, about, problem, warning } from "./pki-diagnostic.ts";
import {
  type Chain,
  type OrderOptions,
  endOf,
  findAuthorities,
  findExceededLimit,
  findUsed,
  findUnsigned,
  inInstalledOrder,
  isValid,
  buildChain,
} from "./installed-order.ts";

export interface ChainOptions extends OrderOptions {
  readonly now: number;
  /** The fingerprints of the certificates that the host already has. */
  readonly installed?: readonly string[];
}

/**
 * Returns one chain for each CA (one name and one key), in the order of the site file. A chain begins with the
 * certificate of the CA that OpenSSL uses.
 */
export function findChains(listed: readonly Certificate[], options: ChainOptions): readonly Chain[] {
  const installed = inInstalledOrder(listed, options);
  return findAuthorities(listed).flatMap((authority) => {
    const inOrder = installed.filter((ca) => authority.includes(ca));
    const used = findUsed(inOrder, options.now);
    return used === undefined ? [] : [buildChain(used, installed, options.now)];
  });
}

/**
 * Whether the bundle can do without this CA certificate. This is so where no chain has it. It is also so where only one
 * chain has it (normally its own), and it issued a listed CA certificate that no chain has. False for a certificate
 * that is no CA.
 */
export function isSpare(certificate: Certificate, chains: readonly Chain[], listed: readonly Certificate[]): boolean {
  if (!certificate.isCa) return false;
  const itsChains = chains.filter((chain) => chain.includes(certificate));
  if (itsChains.length === 0) return true;
  const isUnused = (ca: Certificate): boolean => ca.isCa && !chains.some((chain) => chain.includes(ca));
  // The one chain is normally the certificate's own, so no other CA goes up by it.
  return itsChains.length === 1 && listed.some((ca) => isUnused(ca) && isIssuedBy(ca, certificate));
}

/**
 * Reports each gap in a chain, each chain that is too deep for SSLVerifyDepth or a pathLenConstraint, each CA
 * certificate that is used although a valid one could replace it, and each one that no chain needs. OpenSSL accepts no
 * partial chain, so from each CA the bundle must reach a self-signed root. A chain with a gap is not checked any
 * further.
 */
export function checkChains(
  chains: readonly Chain[],
  listed: readonly Certificate[],
  options: ChainOptions,
): PkiDiagnostic[] {
  const { verifyDepth = defaultVerifyDepth } = options;
  // Several CAs below one gap are reported as one mistake.
  const gaps = [...new Set(chains.flatMap((chain) => findGap(chain) ?? []))];
  const complete = chains.filter((chain) => findGap(chain) === undefined);
  return [
    ...gaps.flatMap((end) => about(end.summary.fingerprint, [problem(describeGap(end, listed))])),
    ...findUnneeded(listed, chains),
    ...complete.flatMap((chain) => [
      ...about(chain[0].summary.fingerprint, [...checkDepth(chain, verifyDepth), ...checkPathLength(chain)]),
      ...checkNamedExpired(chain, listed, options),
    ]),
  ];
}

/**
 * The first certificate of a chain that the one above it did not sign, or else the last one where it is not its own
 * issuer. Undefined where the chain is complete. A listed CA with the issuer's name and another key closes no gap.
 */
const findGap = (chain: Chain): Certificate | undefined =>
  findUnsigned(chain) ?? (endOf(chain).isTop ? undefined : endOf(chain));

/** Says why OpenSSL finds no issuer for `end`, which is the result of {@link findGap}. */
function describeGap(end: Certificate, listed: readonly Certificate[]): string {
  const issuer = JSON.stringify(end.summary.issuer);
  // The issuer is listed and made the signature, but the identifiers of `end` name another certificate of it.
  const namesOther = listed.some(
    (ca) =>
      ca.canonicalSubject === end.canonicalIssuer &&
      !authorityFits(end.authority, ca) &&
      end.x509.verify(ca.x509.publicKey),
  );
  return namesOther
    ? `${nameOf(end)} names another certificate of its CA ${issuer} than the listed one (authorityKeyIdentifier), so OpenSSL does not take that one; ask the issuer for a new certificate of ${nameOf(end)}, or for the certificate of its CA that it names`
    : `${nameOf(end)} was issued by ${issuer}, which is not listed, and without a chain up to its root every certificate is refused; list that CA, too`;
}

/**
 * Warns of each CA certificate that OpenSSL does not need and whose issuer is not listed, such as a cross-certificate
 * without its root beside the root of the same CA.
 */
const findUnneeded = (listed: readonly Certificate[], chains: readonly Chain[]): PkiDiagnostic[] =>
  listed
    .filter((ca) => isSpare(ca, chains, listed) && !ca.isTop && !listed.some((upper) => isIssuedBy(ca, upper)))
    .flatMap((ca) => {
      const issuer = JSON.stringify(ca.summary.issuer);
      const why = listed.some((upper) => upper.canonicalSubject === ca.canonicalIssuer)
        ? `names another certificate of its CA ${issuer} than the listed one`
        : `is listed with a certificate by ${issuer}, which is not listed`;
      const text = `${nameOf(ca)} ${why}, and OpenSSL goes another way up without it; remove it`;
      return about(ca.summary.fingerprint, [warning(text)]);
    });

/** Reports a chain that has more CAs, including the root, than SSLVerifyDepth allows. */
function checkDepth(chain: Chain, verifyDepth: number): PkiDiagnostic[] {
  const { length } = chain;
  if (length <= verifyDepth) return [];
  const remedy =
    length > maxVerifyDepth
      ? "list only CAs that are nearer to their root"
      : `write verifyDepth: ${length} under clientAuth`;
  return [
    problem(`${nameOf(chain[0])} stands ${length} CAs deep, and SSLVerifyDepth allows ${verifyDepth}; ${remedy}`),
  ];
}

/** Reports a chain in which a CA allows fewer CAs below itself than there are (pathLenConstraint). */
function checkPathLength(chain: Chain): PkiDiagnostic[] {
  const limiting = findExceededLimit(chain);
  return limiting === undefined
    ? []
    : [
        problem(
          `${nameOf(chain[0])} stands deeper below ${nameOf(limiting)} than that CA allows (pathLenConstraint ${limiting.pathLength}), so OpenSSL refuses its certificates; list the CA that the issuer names for clients`,
        ),
      ];
}

/**
 * Reports each certificate of the chain that names (authorityKeyIdentifier) a CA certificate that is not valid now,
 * although a valid one of the same CA is listed. This is only a warning where the host already has the certificate. The
 * invalid CA certificate has its own finding, but the remedy of that finding alone would not help.
 */
function checkNamedExpired(chain: Chain, listed: readonly Certificate[], options: ChainOptions): PkiDiagnostic[] {
  const { now, installed = [] } = options;
  return chain.flatMap((below, index) => {
    const upper = chain[index + 1];
    if (upper === undefined || isValid(upper, now)) return [];
    const isRenewed = listed.some(
      (ca) => isValid(ca, now) && isSameAuthority(ca, upper) && !authorityFits(below.authority, ca),
    );
    const report = installed.includes(below.summary.fingerprint) ? warning : problem;
    return isRenewed
      ? about(below.summary.fingerprint, [
          report(
            `${nameOf(below)} names the certificate of ${nameOf(upper)} that is not valid now (authorityKeyIdentifier), so OpenSSL does not take the valid one that is listed; ask the issuer for a new certificate of ${nameOf(below)}`,
          ),
        ])
      : [];
  });
}
