/** The CA bundle for httpd: what is wrong with it, and its one normal form. */
import { createHash } from "node:crypto";
import type { CaBundle } from "./summary.ts";
import { checkChains, findChains, isSpare } from "./bundle-chains.ts";
import { type Certificate, findWeakness, hasKeyUsage, hasSameKey, nameOf } from "./certificate.ts";
import { dayMilliseconds } from "./days.ts";
import { extensionOid, findExtension, findUnknownCritical, hasRepeats } from "./extensions.ts";
import { type PkiDiagnostic, about, problem, warning } from "./pki-diagnostic.ts";
import { type OrderOptions, inInstalledOrder, unique } from "./installed-order.ts";
import { encodePem } from "./pem.ts";

export interface Bundle extends CaBundle {
  /** The text that is installed: PEM, with one block for each certificate. */
  readonly pem: string;
}

export interface BundleOptions extends OrderOptions {
  readonly now: number;
  /**
   * The fingerprints of the certificates that the host already has. Their dates only cause warnings, because a refusal
   * would change nothing.
   */
  readonly installed?: readonly string[];
}

/** An issuer needs some weeks to send a successor, and the site needs some more to list it. */
const warnCaDays = 90;

/**
 * Makes the PEM text that is installed, its SHA-256 and its summaries: each certificate once, in the order of
 * {@link inInstalledOrder}.
 */
export function makeBundle(certificates: readonly Certificate[], options: OrderOptions = {}): Bundle {
  const sorted = inInstalledOrder(certificates, options);
  const pem = sorted.map(({ der }) => encodePem("CERTIFICATE", der)).join("");
  return {
    pem,
    sha256: createHash("sha256").update(pem).digest("hex"),
    certificates: sorted.map(({ summary }) => summary),
  };
}

/**
 * Reports everything that would make httpd refuse certificates of this bundle's CAs, and everything that deserves a
 * warning.
 */
export function checkBundle(certificates: readonly Certificate[], options: BundleOptions): PkiDiagnostic[] {
  if (certificates.length === 0)
    return [problem("there is no CA certificate; list the issuing CA and its root under caFiles")];
  const distinct = unique(certificates);
  const chains = findChains(distinct, options);
  const diagnostics = distinct.flatMap((certificate) =>
    about(certificate.summary.fingerprint, [
      ...checkAuthority(certificate),
      ...checkDates(certificate, options, isSpare(certificate, chains, distinct)),
    ]),
  );
  return [
    ...findDuplicates(certificates, distinct),
    ...diagnostics,
    ...checkNamesakes(distinct),
    ...checkChains(chains, distinct, options),
  ];
}

/** Warns of certificates that are listed more than once. */
function findDuplicates(certificates: readonly Certificate[], distinct: readonly Certificate[]): PkiDiagnostic[] {
  const repeated = distinct.filter(
    ({ summary }) => certificates.filter((other) => other.summary.fingerprint === summary.fingerprint).length > 1,
  );
  return repeated.flatMap((certificate) =>
    about(certificate.summary.fingerprint, [
      warning(`${nameOf(certificate)} is listed more than once; remove the repetition`),
    ]),
  );
}

/**
 * Reports why a certificate may not stand in the bundle at all: its form, or that it is no CA, or none that issues to
 * clients. Warns of name constraints, and of a weak key or signature. A certificate that is no CA is not checked any
 * further.
 */
function checkAuthority(certificate: Certificate): PkiDiagnostic[] {
  const name = nameOf(certificate);
  const { isCa, noCaReason, allowsClientAuth, extensions } = certificate;
  const formMistake = findFormMistake(certificate);
  const diagnostics = formMistake === undefined ? [] : [problem(`${name} ${formMistake}`)];
  if (!isCa)
    return [
      ...diagnostics,
      problem(`${name} is no CA certificate (${noCaReason}); list the certificate of the CA that issued it`),
    ];
  if (!hasKeyUsage(certificate, "keyCertSign"))
    diagnostics.push(
      problem(
        `${name} may not sign certificates (keyUsage without keyCertSign); list the CA that issues the client certificates`,
      ),
    );
  if (!allowsClientAuth)
    diagnostics.push(
      problem(
        `${name} is not allowed to issue client certificates (extended key usage without clientAuth), so OpenSSL refuses them; list the issuer's CA for clients`,
      ),
    );
  if (findExtension(extensions, extensionOid.nameConstraints))
    diagnostics.push(
      warning(
        `${name} has name constraints, so OpenSSL refuses users whose names it does not permit; make sure that it permits those of all your users`,
      ),
    );
  const weakness = findWeakness(certificate);
  if (weakness !== undefined)
    diagnostics.push(
      warning(`${name} has ${weakness}, which newer OpenSSL versions refuse; ask the issuer for its successor`),
    );
  return diagnostics;
}

/**
 * The first thing in a CA's certificate whose form OpenSSL never accepts: its verification errors 34, 41, 94 and 13 to
 * 16, in this order. The text follows the name of the certificate. Undefined where there is nothing.
 */
function findFormMistake({ extensions, hasExplicitCurve, hasExactDates }: Certificate): string | undefined {
  const remedy = "so OpenSSL refuses every certificate below it; ask the issuer for another CA certificate";
  const unknown = findUnknownCritical(extensions);
  if (unknown) return `has the critical extension ${unknown.oid}, which OpenSSL does not know, ${remedy}`;
  if (hasRepeats(extensions)) return `has an extension twice, ${remedy}`;
  if (hasExplicitCurve)
    return `has a key that names all parameters of its elliptic curve instead of the curve, ${remedy}`;
  return hasExactDates ? undefined : `has a date with a fraction of a second, ${remedy}`;
}

/**
 * Reports a certificate that has expired or is not valid yet, and warns of one that expires within `warnCaDays`. A
 * wrong date is only a warning where a refusal would change nothing: OpenSSL does not use the certificate (`isUnused`),
 * or the host has it already.
 */
function checkDates(certificate: Certificate, options: BundleOptions, isUnused: boolean): PkiDiagnostic[] {
  const { now, installed = [] } = options;
  const { notBefore, notAfter, fingerprint } = certificate.summary;
  const report = isUnused || installed.includes(fingerprint) ? warning : problem;
  const name = nameOf(certificate);
  if (Date.parse(notAfter) <= now) {
    const remedy = isUnused
      ? ", and OpenSSL goes another way up without it; remove it"
      : "; replace it by the issuer's current CA certificate";
    return [report(`${name} expired on ${notAfter}${remedy}`)];
  }
  if (Date.parse(notBefore) > now) {
    const advice = isUnused
      ? "until then OpenSSL goes by the other one of that CA; list both"
      : "list it from that day on";
    return [report(`${name} is not valid before ${notBefore}; ${advice}, or check this machine's clock`)];
  }
  return Date.parse(notAfter) - now < warnCaDays * dayMilliseconds && !isUnused
    ? [
        warning(
          `${name} expires on ${notAfter}, in less than ${warnCaDays} days, and then every certificate below it is refused; ask the issuer for its successor and list both`,
        ),
      ]
    : [];
}

/**
 * Reports each CA that has the name of another listed CA with another key, and no key identifier of its own that
 * differs. OpenSSL tells such CAs apart by their key identifiers. Without identifiers it tries only one of the CAs.
 */
function checkNamesakes(all: readonly Certificate[]): PkiDiagnostic[] {
  const mixedUp = all.filter((ca) =>
    all.some(
      (other) =>
        ca.isCa &&
        other.isCa &&
        ca.canonicalSubject === other.canonicalSubject &&
        !hasSameKey(ca, other) &&
        (ca.subjectKey === undefined || ca.subjectKey === other.subjectKey),
    ),
  );
  return mixedUp.flatMap((ca) =>
    about(ca.summary.fingerprint, [
      problem(
        `${nameOf(ca)} is listed with two different keys, and no subjectKeyIdentifier tells them apart, so OpenSSL refuses the certificates of one of them; list only the CA that is in use`,
      ),
    ]),
  );
}
