/**
 * Certificates, CRLs and bundles of CAs with only the facts that a plan needs. They are plain data and may be stored in
 * Pulumi's state.
 */

/** The SSLVerifyDepth in the vendor's manual: how many CAs may stand above a user's certificate, including the root. */
export const defaultVerifyDepth = 4;
/** No issuer has so many CAs in a row. */
export const maxVerifyDepth = 10;

export interface CaBundle {
  /** The SHA-256 of the PEM text that is installed. Its first 8 digits are part of the file's name. */
  readonly sha256: string;
  readonly certificates: readonly CertificateSummary[];
}

export interface CertificateSummary {
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  readonly subject: string;
  readonly issuer: string;
  /** ISO 8601, UTC. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** Security bits of the key and of the signature, as OpenSSL counts them. Missing in what an earlier build read. */
  readonly strength?: CertificateStrength;
}

/** @see https://docs.openssl.org/3.0/man3/SSL_CTX_set_security_level/ */
export interface CertificateStrength {
  readonly keyBits: number;
  /** @default - nobody checks the signature, because the CA is self-signed */
  readonly signatureBits?: number;
}

export interface CrlSummary {
  /** The SHA-256 of the DER. Empty where a large CRL was observed without its middle. */
  readonly sha256: string;
  readonly issuer: string;
  readonly thisUpdate: string;
  readonly nextUpdate: string | undefined;
  /** The CRL number, in decimal. */
  readonly number: string | undefined;
  /**
   * The key identifier of the CA in hex, where the CRL has one. A CA that changed its key has two CRLs of one issuer.
   */
  readonly authorityKey?: string;
  /**
   * Set where the CA has several CRLs: the addresses in the issuingDistributionPoint of this one, joined by blanks.
   *
   * @default - the CRL is for all
   */
  readonly distributionPoint?: string;
  /** The certificates that the CRL covers, where it does not cover all of its CA. @default - all */
  readonly scope?: "users" | "authorities";
  /** The number of entries. 0 where `sha256` is empty, because they were not counted. */
  readonly entries: number;
  /** Set for a CRL of the site that is only the first one: a source renews it on the host. */
  readonly isFirstList?: boolean;
}
