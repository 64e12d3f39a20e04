/** Which CA of the bundle signed a CRL, and whether OpenSSL will find the same one. */
import { authorityFits } from "./authority.ts";
import { type Certificate, hasKeyUsage, hasSameKey } from "./certificate.ts";
import type { Crl } from "./crl.ts";
import { verifyCrl } from "./crl-signature.ts";
import { type PkiDiagnostic, about, problem } from "./pki-diagnostic.ts";

/**
 * A CRL, and the CA that signed it or the text of {@link findSigner} that says why no CA of the bundle counts as it.
 */
export interface SignedCrl {
  readonly crl: Crl;
  readonly signer: Certificate | string;
}

/** The name of a CRL in diagnostics. */
export const nameOf = (crl: Crl): string => `the CRL of ${JSON.stringify(crl.summary.issuer)}`;

/**
 * Finds the CA that signed the CRL among `certificates`, which is the bundle. Of several certificates of that CA,
 * returns the first one that the CRL names. Returns a text that says why, where no CA is seen to have signed the CRL,
 * where the CRL names none of its CA's certificates, or where none of these may sign CRLs.
 */
export function findSigner(crl: Crl, certificates: readonly Certificate[]): Certificate | string {
  const named = certificates.filter((certificate) => certificate.canonicalSubject === crl.canonicalIssuer);
  if (named.length === 0)
    return `${nameOf(crl)} comes from none of the CAs of caFiles; list that CA, or remove the CRL`;
  const results = named.map((certificate) => ({ certificate, result: verifyCrl(crl, certificate.x509.publicKey) }));
  const signers = results.filter(({ result }) => result === "good").map(({ certificate }) => certificate);
  if (signers.length === 0) {
    return results.some(({ result }) => result === "unknownAlgorithm")
      ? `${nameOf(crl)} is signed with an algorithm that is not supported; ask the issuer for one signed with SHA-256 or better`
      : `${nameOf(crl)} is not signed by the listed CA of that name (damaged, forged, or the CA has a new key); download it again, or list the CA's new certificate`;
  }
  const signerNamed = signers.find((signer) => authorityFits(crl.authority, signer));
  if (signerNamed === undefined)
    return `${nameOf(crl)} names another CA certificate than the listed one (authorityKeyIdentifier), so OpenSSL does not use it; list the CA certificate that the issuer publishes with this CRL`;
  return signers.some((signer) => hasKeyUsage(signer, "cRLSign"))
    ? signerNamed
    : `${nameOf(crl)}: its CA may not sign CRLs (keyUsage without cRLSign), so OpenSSL refuses it; ask the issuer which CRL to use`;
}

/** Whether both certificates have one name and one key. A CA that was renewed or cross-signed is still the same CA. */
export const isSameAuthority = (a: Certificate, b: Certificate): boolean =>
  a.canonicalSubject === b.canonicalSubject && hasSameKey(a, b);

/**
 * Reports a CRL that OpenSSL could also take for that of another listed CA of the same name. A CA that changed its key
 * keeps its name, and each key has its own CRL. OpenSSL tells the two CRLs apart only by key identifiers. Without
 * identifiers, OpenSSL uses one CRL for both keys and refuses everybody ("CRL signature failure").
 */
export function checkRollover({ crl, signer }: SignedCrl, certificates: readonly Certificate[]): PkiDiagnostic[] {
  if (typeof signer === "string") return [];
  const mixedUp = certificates.some(
    (other) =>
      other.canonicalSubject === signer.canonicalSubject &&
      !hasSameKey(other, signer) &&
      authorityFits(crl.authority, other),
  );
  return mixedUp
    ? about(crl.summary.sha256, [
        problem(
          `${nameOf(crl)} has no key identifier that tells it from the CRL of the other listed CA of that name, so OpenSSL mixes them up and refuses every certificate; list only the CA that is in use, and its CRL`,
        ),
      ])
    : [];
}
