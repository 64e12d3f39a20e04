/** Whether the given CRLs revoke a certificate, and where they cannot tell. */
import { type Certificate, isSelfSigned } from "../core/pki/certificate.ts";
import { type Revocation, findCriticalEntryExtension, findRevocation } from "../core/pki/crl-entries.ts";
import { namesSomeReasonsOnly, isInScope } from "../core/pki/crl-scope.ts";
import { verifyCrl } from "../core/pki/crl-signature.ts";
import { readAuthority } from "../core/pki/authority.ts";
import type { Crl } from "../core/pki/crl.ts";
import { DerError } from "../core/pki/der.ts";
import { extensionOid, findExtension } from "../core/pki/extensions.ts";

/**
 * The result of one walk through a CRL. It is kept, so that a CRL with a million entries is walked and hashed only
 * once.
 */
export interface Examined {
  readonly crl: Crl;
  /** The given CAs that have the name of the CRL's issuer. */
  readonly named: readonly Certificate[];
  /** The CAs of {@link named} whose key signed the CRL. */
  readonly signers: readonly Certificate[];
  readonly doubts: readonly Doubt[];
}

/** A reason why a CRL cannot tell whether a certificate is revoked. */
interface Doubt {
  readonly text: string;
  /** Set where not even a certificate that the CRL lists is known to be revoked. */
  readonly isOfEntries?: true;
}

export interface Status {
  /** Set only where it is certain that the certificate is revoked. */
  readonly revoked: Revocation | undefined;
  /** Why the answer is not known. Undefined where the certificate is revoked. */
  readonly doubt: string | undefined;
}

/**
 * Finds the CAs among `certificates` that have the name of the CRL's issuer, those of them that signed the CRL, and the
 * doubts that the CRL gives whichever certificate is asked about. `now` is in milliseconds since 1970. A signature that
 * no given CA could check is not a doubt.
 */
export function examine(crl: Crl, certificates: readonly Certificate[], now: number): Examined {
  const named = certificates.filter(({ isCa, canonicalSubject }) => isCa && canonicalSubject === crl.canonicalIssuer);
  const signers = named.filter(({ x509 }) => verifyCrl(crl, x509.publicKey) === "good");
  const forged = named.length > 0 && signers.length === 0;
  const doubts: Doubt[] = forged ? [{ text: "the given CA did not sign the CRL", isOfEntries: true }] : [];
  return { crl, named, signers, doubts: [...doubts, ...doubtsOfContent(crl, now)] };
}

/** The doubts that the CRL's own content gives, whichever certificate is asked about. */
function doubtsOfContent(crl: Crl, now: number): Doubt[] {
  const { nextUpdate, thisUpdate } = crl.summary;
  const doubts: Doubt[] = [];
  const extension = findCriticalEntryExtension(crl);
  if (extension !== undefined) {
    const text = `an entry of the CRL has the critical extension ${extension.oid}, so that it may be another CA's`;
    doubts.push({ text, isOfEntries: true });
  }
  if (crl.scopeMistake !== undefined) doubts.push({ text: `the CRL ${crl.scopeMistake}` });
  if (findExtension(crl.extensions, extensionOid.deltaCrlIndicator))
    doubts.push({ text: "the CRL lists changes only" });
  if (nextUpdate !== undefined && Date.parse(nextUpdate) <= now) doubts.push({ text: "the CRL has expired" });
  if (Date.parse(thisUpdate) > now) doubts.push({ text: "the CRL is from the future" });
  return doubts;
}

/**
 * Decides by one CRL about a certificate whose serial number alone is known. `cas` are the given CAs. Where there are
 * some, one of them must have the name of the CRL's issuer: the number is taken to be of one of their certificates.
 */
export function statusOfSerial(examined: Examined, serial: string, cas: readonly Certificate[]): Status {
  const isOfOtherCa = cas.length > 0 && examined.named.length === 0;
  const other: Doubt[] = isOfOtherCa
    ? [{ text: "the CRL is of another CA than the given one", isOfEntries: true }]
    : [];
  return decide(examined, serial, [...other, ...scopeDoubts(examined.crl)]);
}

/**
 * Decides by the CRLs that have the name of the certificate's issuer: the first one that revokes the certificate, else
 * the first one without a doubt, else the first one with its doubt. Undefined where there is no such CRL, and for a
 * root whose CRLs all leave a doubt.
 */
export function statusOf(certificate: Certificate, all: readonly Examined[]): Status | undefined {
  const statuses = all
    .filter(({ crl }) => crl.canonicalIssuer === certificate.canonicalIssuer)
    .map((examined) => decide(examined, certificate.serial, doubtsFor(examined, certificate)));
  return (
    statuses.find(({ revoked }) => revoked !== undefined) ??
    statuses.find(({ doubt }) => doubt === undefined) ??
    // Only a CRL that the root itself signed could tell, so a doubt about a root is not worth a line.
    (isSelfSigned(certificate) ? undefined : statuses[0])
  );
}

/**
 * The doubts whether the CRL is about this certificate: another key of its CA may have signed the CRL, the certificate
 * may want a CRL for each reason, and the CRL may cover other certificates only.
 */
function doubtsFor({ crl, named, signers }: Examined, certificate: Certificate): Doubt[] {
  const isSameKey = signers.some(({ x509 }) => certificate.x509.verify(x509.publicKey));
  // Without the CA itself, only the key identifiers of both can show that two keys were used.
  const isOtherKey = named.length > 0 ? !isSameKey : namesOtherKey(crl, certificate);
  const other: Doubt[] = isOtherKey
    ? [{ text: "another key than that of its CA signed the CRL, under the same name", isOfEntries: true }]
    : [];
  if (namesSomeReasonsOnly(certificate, crl)) other.push({ text: "the certificate names a CRL of some reasons only" });
  // A mistake in the scope is among the doubts of the CRL itself already.
  return crl.scopeMistake !== undefined || isInScope(crl, certificate) ? other : [...other, ...scopeDoubts(crl)];
}

/** Whether the CRL and the certificate name different keys of their issuer (authorityKeyIdentifier). */
function namesOtherKey({ authority }: Crl, { extensions }: Certificate): boolean {
  try {
    const { key } = readAuthority(extensions);
    return key !== undefined && authority.key !== undefined && key !== authority.key;
  } catch (error) {
    if (error instanceof DerError) return false; // a text that cannot be read names nothing
    throw error;
  }
}

/** The doubt about a CRL that covers only some certificates of its CA. */
function scopeDoubts({ summary: { scope, distributionPoint } }: Crl): Doubt[] {
  if (scope !== undefined)
    return [
      { text: `the CRL covers ${scope === "users" ? "user" : "CA"} certificates only (issuingDistributionPoint)` },
    ];
  return distributionPoint === undefined
    ? []
    : [{ text: "the CRL covers only certificates that name its address (issuingDistributionPoint)" }];
}

/**
 * Looks the serial number up in the CRL. A number that is listed is in doubt only where not even the entries can be
 * trusted. A number that is not listed is in doubt by any of the doubts.
 */
function decide({ crl, doubts }: Examined, serial: string, further: readonly Doubt[]): Status {
  const revoked = findRevocation(crl, serial);
  const all = [...doubts, ...further];
  const doubt = revoked === undefined ? all[0] : all.find(({ isOfEntries }) => isOfEntries);
  return { revoked: doubt === undefined ? revoked : undefined, doubt: doubt?.text };
}
