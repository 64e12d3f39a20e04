/** CRLs of the lab's CAs: good ones, and each kind of bad CRL that a host can meet. */
import "reflect-metadata"; // @peculiar/x509 refuses to load without it
import * as x509 from "@peculiar/x509";
import { encodeDer, encodeSequence, encodeTagged } from "../core/pki/der-write.ts";

const hourMilliseconds = 3_600_000;

export interface CrlAuthority {
  readonly subject: string;
  readonly signingKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

export interface CrlOptions {
  /**
   * The CA that issues the CRL. `forger` has a key of its own under the issuing CA's name.
   * @default "issuing"
   */
  readonly ca?: "issuing" | "root" | "foreign" | "forger";
  /** CRL number. @default 1 */
  readonly number?: number;
  /** Hours from now. @default -1 */
  readonly thisUpdateHours?: number;
  /** Hours from now; null leaves nextUpdate out. @default 30 days */
  readonly nextUpdateHours?: number | null;
  /**
   * Serials to revoke, hexadecimal.
   * @default - what the PKI has revoked so far, for the issuing CA and its forger only
   */
  readonly serials?: readonly string[];
  /**
   * `delta` holds only the changes since CRL 1; `indirect` may hold certificates of other issuers; `authorities` is for
   * CA certificates only; `users` is for users' certificates only. None of these is a full CRL of its issuer.
   * `critical` has a critical extension that OpenSSL knows and does not accept in a CRL.
   * @default "full"
   */
  readonly kind?: "full" | "delta" | "indirect" | "authorities" | "users" | "critical";
  /**
   * The CA whose key the authority key identifier names.
   * @default - the signer's
   */
  readonly keyOf?: "issuing" | "root" | "foreign" | "forger";
  /**
   * The authority key identifier also names this serial number of the CA's certificate, which the root issued.
   * @default - none
   */
  readonly namesSerial?: number;
  /**
   * The CRL is one of several, for certificates that name this address.
   * @default - for all
   */
  readonly point?: string;
}

/** Signs one CRL and returns it in PEM. */
export async function issueCrl(
  authorities: Readonly<Record<NonNullable<CrlOptions["ca"]>, CrlAuthority>>,
  options: CrlOptions,
): Promise<string> {
  const name = options.ca ?? "issuing";
  const ca = authorities[name];
  const isIssuing = name === "issuing" || name === "forger";
  const nextUpdateHours = options.nextUpdateHours === undefined ? 30 * 24 : options.nextUpdateHours;
  const crl = await x509.X509CrlGenerator.create({
    issuer: ca.subject,
    thisUpdate: hoursFromNow(options.thisUpdateHours ?? -1),
    nextUpdate: nextUpdateHours === null ? undefined : hoursFromNow(nextUpdateHours),
    entries: (isIssuing ? (options.serials ?? []) : []).map((serialNumber) => ({
      serialNumber,
      revocationDate: hoursFromNow(-2),
    })),
    extensions: [
      await authorityKey(authorities[options.keyOf ?? name].publicKey, authorities.root.subject, options.namesSerial),
      crlNumber(options.number ?? 1),
      ...kindExtensions(options),
    ],
    signingKey: ca.signingKey,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
  });
  return crlToPem(Buffer.from(crl.rawData));
}

/** Converts a CRL from PEM to DER, in which issuers publish it over HTTP. */
export function crlToDer(pem: string): Buffer<ArrayBuffer> {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
}

/** Converts a CRL from DER to PEM. */
export function crlToPem(der: Uint8Array<ArrayBuffer>): string {
  return x509.PemConverter.encode(der, "X509 CRL") + "\n"; // its own label, `CRL`, is none that OpenSSL reads
}

/** Returns the same CRL, in PEM, with the last bit of its signature flipped. */
export function tamperWithCrl(pem: string): string {
  return crlToPem(flipLastBit(crlToDer(pem)));
}

/** Returns a copy with its last bit flipped. In a CRL this bit is the end of the signature. */
export function flipLastBit(der: Uint8Array): Buffer<ArrayBuffer> {
  const copy = Buffer.from(der);
  copy.writeUInt8(copy.readUInt8(copy.length - 1) ^ 1, copy.length - 1);
  return copy;
}

/**
 * The extensions of each kind. RFC 5280, 5.2.4 and 5.2.5, makes those of delta and partial CRLs critical. `critical`
 * gets a key usage, which belongs into certificates.
 */
function kindExtensions({ kind = "full", point }: CrlOptions): x509.Extension[] {
  if (kind === "delta") return [new x509.Extension("2.5.29.27", true, Buffer.from("020101", "hex"))];
  if (kind === "critical") return [new x509.Extension("2.5.29.15", true, Buffer.from("03020106", "hex"))];
  const parts = [
    ...(point === undefined ? [] : [distributionPoint(point)]),
    ...(kind === "full" ? [] : [encodeDer(scopeTags[kind], Buffer.from([0xff]))]),
  ];
  return parts.length === 0 ? [] : [new x509.Extension("2.5.29.28", true, Buffer.from(encodeSequence(...parts)))];
}

/** Flags of an issuingDistributionPoint. */
const scopeTags = { users: 0x81, authorities: 0x82, indirect: 0x84 } as const;

/**
 * RFC 5280, 4.2.1.1: [0] is the key identifier. Where a serial number is named, [1] is the issuer and [2] is that
 * number.
 */
async function authorityKey(key: CryptoKey, issuer: string, serial: number | undefined): Promise<x509.Extension> {
  const plain = await x509.AuthorityKeyIdentifierExtension.create(key);
  if (serial === undefined) return plain;
  const keyId = encodeDer(0x80, Buffer.from(plain.keyId ?? "", "hex"));
  const directoryName = encodeTagged(4, Buffer.from(new x509.Name(issuer).toArrayBuffer()));
  const value = encodeSequence(keyId, encodeTagged(1, directoryName), encodeDer(0x82, Buffer.from([serial])));
  return new x509.Extension(plain.type, false, Buffer.from(value));
}

/** RFC 5280, 5.2.5: the full name of the distribution point. */
function distributionPoint(address: string): Uint8Array {
  return encodeTagged(0, encodeTagged(0, encodeDer(0x86, Buffer.from(address))));
}

/** Reads the CRL number of a CRL in DER that this PKI has made. */
export function crlNumberOf(der: Buffer<ArrayBuffer>): number {
  const value = new x509.X509Crl(der).extensions.find(({ type }) => type === "2.5.29.20")?.value;
  return value === undefined ? 0 : Number.parseInt(Buffer.from(value).subarray(2).toString("hex"), 16);
}

/** RFC 5280, 5.2.3: an INTEGER of at most 20 bytes. */
function crlNumber(number: number): x509.Extension {
  const hex = number.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  const bytes = Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, "hex"); // a leading one bit would read as a negative number
  return new x509.Extension("2.5.29.20", false, Buffer.concat([Buffer.from([2, bytes.length]), bytes]));
}

const hoursFromNow = (hours: number): Date => new Date(Date.now() + hours * hourMilliseconds);
