/** OpenSSL's answers depend on the order of the installed bundle: judge in that, whatever the order of the site file. */
import { makeBundle } from "./bundle.ts";
import { type Certificate, isIssuedBy } from "./certificate.ts";

/** Each once, in the order in which they are installed. */
export function inInstalledOrder(certificates: readonly Certificate[]): Certificate[] {
  const byFingerprint = new Map(certificates.map((certificate) => [certificate.summary.fingerprint, certificate]));
  return makeBundle(certificates).certificates.flatMap(({ fingerprint }) => byFingerprint.get(fingerprint) ?? []);
}

/**
 * Of several certificates that could have issued another one, that which OpenSSL takes: the first that is valid now, else the one
 * that expires last. `candidates` in the order of the installed bundle.
 *
 * @see X509_STORE_CTX_get1_issuer in OpenSSL's crypto/x509/x509_lu.c
 */
export function findTaken(candidates: readonly Certificate[], now: number): Certificate | undefined {
  const isValid = ({ summary }: Certificate): boolean =>
    Date.parse(summary.notBefore) <= now && now < Date.parse(summary.notAfter);
  const byEnd = [...candidates].sort((a, b) => Date.parse(b.summary.notAfter) - Date.parse(a.summary.notAfter));
  return candidates.find(isValid) ?? byEnd[0];
}

/** The CAs above a certificate that OpenSSL takes, nearest first; `bundle` in the installed order. */
export function findChain(certificate: Certificate, bundle: readonly Certificate[], now: number): Certificate[] {
  const chain: Certificate[] = [];
  for (let below = certificate; ;) {
    const issuers = bundle.filter((ca) => ca.isCa && isIssuedBy(below, ca));
    const taken = findTaken(issuers, now);
    if (taken === undefined || taken === below || chain.includes(taken)) return chain;
    chain.push(taken);
    below = taken;
  }
}
