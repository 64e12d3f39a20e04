/** What the extensions of a certificate say: whether it is a CA, of which key, and what it may be used for. */
import { children, derTag, readInteger, readOid, readWhole, requireTlv } from "./der.ts";
import { type Extension, extensionOid, findExtension, hasBit } from "./extensions.ts";

const clientAuthOid = "1.3.6.1.5.5.7.3.2";

/** What basicConstraints says. */
export interface Constraints {
  readonly isCa: boolean;
  /** Set only for a CA. */
  readonly pathLength: number | undefined;
}

/**
 * Reads basicConstraints. Undefined where there is none. Throws `DerError`. BasicConstraints ::= SEQUENCE { cA BOOLEAN
 * DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }
 */
export function readConstraints(extensions: readonly Extension[]): Constraints | undefined {
  const value = findExtension(extensions, extensionOid.basicConstraints)?.value;
  if (value === undefined) return undefined;
  const [flag, length] = children(value, readWhole(value));
  // OpenSSL takes every value but 0 as TRUE. Where `cA` is left out, the first part is no BOOLEAN.
  const isCa = flag?.tag === derTag.boolean && value[flag.content] !== 0;
  return { isCa, pathLength: isCa && length ? Number(readInteger(value, length)) : undefined };
}

/** What decides whether a certificate is a CA. */
export interface CaFields {
  readonly extensions: readonly Extension[];
  /** Whether the certificate names its version. One that does not is of version 1. */
  readonly isVersioned: boolean;
}

/**
 * Why a certificate is not a CA. Undefined where it is one. `isTop` is true for a certificate that is its own issuer.
 * Without basicConstraints, OpenSSL accepts old kinds of roots as CAs: those of version 1, those with keyCertSign, and,
 * without keyUsage, those with Netscape's type of a CA.
 *
 * @see check_ca in OpenSSL's crypto/x509/v3_purp.c; check_extensions in x509_vfy.c accepts these only at the top of a
 * chain
 */
export function findNoCaReason({ extensions, isVersioned }: CaFields, isTop: boolean): string | undefined {
  const constraints = readConstraints(extensions);
  if (constraints !== undefined) return constraints.isCa ? undefined : "basicConstraints without CA:TRUE";
  const usage = findExtension(extensions, extensionOid.keyUsage);
  const type = findExtension(extensions, extensionOid.netscapeType);
  // Bit 5 of keyUsage is keyCertSign, and bit 5 of Netscape's type is the CA of TLS certificates.
  const isOldKind = !isVersioned || (usage ? hasBit(usage.value, 5) : type !== undefined && hasBit(type.value, 5));
  if (isOldKind && isTop) return undefined;
  if (!isVersioned) return "version 1, which OpenSSL takes as a CA only where it is self-signed";
  return isOldKind
    ? "no basicConstraints, which only a self-signed CA may leave out"
    : "neither basicConstraints nor keyUsage with keyCertSign";
}

/** The subject key identifier in hexadecimal; undefined where there is none. */
export function readSubjectKey(extensions: readonly Extension[]): string | undefined {
  const value = findExtension(extensions, extensionOid.subjectKeyIdentifier)?.value;
  if (value === undefined) return undefined;
  const key = requireTlv(value, 0, value.length, derTag.octetString, "the subject key identifier");
  return Buffer.from(value.subarray(key.content, key.end)).toString("hex");
}

/** Whether extendedKeyUsage, where there is one, allows client authentication. */
export function readAllowsClientAuth(extensions: readonly Extension[]): boolean {
  const value = findExtension(extensions, extensionOid.extendedKeyUsage)?.value;
  return (
    value === undefined || children(value, readWhole(value)).some((usage) => readOid(value, usage) === clientAuthOid)
  );
}
