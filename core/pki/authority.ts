/** What a certificate or a CRL says about the CA certificate that checks it: the extension authorityKeyIdentifier. */
import { children, contentOf, contextTag, derTag, readInteger, readWhole } from "./der.ts";
import { type Extension, extensionOid, findExtension } from "./extensions.ts";
import { readDirectoryName } from "./general-name.ts";

/** The parts of the extension. Any of them may be missing. */
export interface AuthorityKey {
  /** Hex, in the form of `Certificate.subjectKey`. */
  readonly key?: string;
  /** Hex, in the form of `Certificate.serial`. */
  readonly serial?: string;
  /** The name of the CA's own issuer, in the form of `Certificate.canonicalIssuer`. */
  readonly issuer?: string;
}

/** The parts of a CA certificate that the identifiers are compared with. */
export interface NamedAuthority {
  readonly subjectKey: string | undefined;
  readonly serial: string;
  readonly canonicalIssuer: string;
}

/**
 * Reads authorityKeyIdentifier from the extensions of a certificate or a CRL. The result is empty where there is none.
 * RFC 5280, section 4.2.1.1: [0] key identifier, [1] the CA's issuer, [2] the CA's serial number. Throws `DerError`.
 */
export function readAuthority(extensions: readonly Extension[]): AuthorityKey {
  const value = findExtension(extensions, extensionOid.authorityKeyIdentifier)?.value;
  if (value === undefined) return {};
  const parts = children(value, readWhole(value));
  const key = parts.find(({ tag }) => tag === contextTag(0, false));
  const names = parts.find(({ tag }) => tag === contextTag(1, true));
  const serial = parts.find(({ tag }) => tag === contextTag(2, false));
  // OpenSSL compares the first of these names that is a directory name.
  const issuer = names && children(value, names).flatMap((name) => readDirectoryName(value, name) ?? [])[0];
  return {
    ...(key && { key: Buffer.from(contentOf(value, key)).toString("hex") }),
    // The context tag [2] stands in the place of the tag INTEGER, which the reader demands.
    ...(serial && { serial: readInteger(value, { ...serial, tag: derTag.integer }).toString(16) }),
    ...(issuer === undefined ? {} : { issuer }),
  };
}

/**
 * Whether the CA certificate is one that the identifiers name. Each part must equal that of the CA certificate. A part
 * that is missing counts as equal, and so does a key identifier where the CA certificate has none. OpenSSL checks this
 * before it uses a CA certificate of the right name.
 *
 * @see X509_check_akid in OpenSSL's crypto/x509/v3_purp.c
 */
export const authorityFits = (authority: AuthorityKey, ca: NamedAuthority): boolean =>
  (authority.key === undefined || ca.subjectKey === undefined || authority.key === ca.subjectKey) &&
  (authority.serial === undefined || authority.serial === ca.serial) &&
  (authority.issuer === undefined || authority.issuer === ca.canonicalIssuer);
