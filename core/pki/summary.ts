/**
 * Certificates, CRLs and bundles of CAs in as many words as a plan needs: plain data, may be stored in Pulumi's state.
 */

/** The vendor's manual's SSLVerifyDepth: how many CAs may stand above a user's certificate, the root included. */
export const defaultVerifyDepth = 4;
/** No issuer has as many CAs in a row. */
export const maxVerifyDepth = 10;

export interface CaBundle {
  /** SHA-256 of the PEM text that is installed; its first 8 digits are part of the file's name. */
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
  /** Security bits of key and signature, as OpenSSL counts them; missing in what an earlier build read. */
  readonly strength?: CertificateStrength;
}

/** @see https://docs.openssl.org/3.0/man3/SSL_CTX_set_security_level/ */
export interface CertificateStrength {
  readonly keyBits: number;
  /** @default - nobody checks the signature: that of a self-signed CA */
  readonly signatureBits?: number;
}

export interface CrlSummary {
  /** SHA-256 of the DER; empty where a large CRL was observed without its middle. */
  readonly sha256: string;
  readonly issuer: string;
  readonly thisUpdate: string;
  readonly nextUpdate: string | undefined;
  /** CRL number, decimal. */
  readonly number: string | undefined;
  /** Key identifier of the CA, hex, when the CRL has one: a CA that changed its key has two CRLs of one issuer. */
  readonly authorityKey?: string;
  /**
   * Of one of several of its CA: the addresses of its issuingDistributionPoint, joined by blanks. @default - for all
   */
  readonly distributionPoint?: string;
  /** Certificates that it speaks of, where not all of its CA. @default - all */
  readonly scope?: "users" | "authorities";
  /** 0 where `sha256` is empty: not counted. */
  readonly entries: number;
  /** Of the site's: a source renews it on the host, this is only what to begin with. */
  readonly isFirstList?: boolean;
}
