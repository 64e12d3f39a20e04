/** CRLs of the lab's CAs: good ones, and each kind of bad one that a host can meet. */
import "reflect-metadata"; // @peculiar/x509 refuses to load without it
import * as x509 from "@peculiar/x509";

const hourMilliseconds = 3_600_000;

export interface CrlAuthority {
  readonly subject: string;
  readonly signingKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

export interface CrlOptions {
  /** Whose CRL; `forger` is a key of its own under the issuing CA's name. @default "issuing" */
  readonly ca?: "issuing" | "root" | "foreign" | "forger";
  /** CRL number. @default 1 */
  readonly number?: number;
  /** Hours from now. @default -1 */
  readonly thisUpdateHours?: number;
  /** Hours from now; null leaves nextUpdate out. @default 30 days */
  readonly nextUpdateHours?: number | null;
  /** Serials to revoke, hexadecimal. @default - what the PKI has revoked so far, for the issuing CA and its forger only */
  readonly serials?: readonly string[];
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
    extensions: [await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey), crlNumber(options.number ?? 1)],
    signingKey: ca.signingKey,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
  });
  return x509.PemConverter.encode(crl.rawData, "X509 CRL") + "\n"; // its own label, `CRL`, is none that OpenSSL reads
}

/** DER of a CRL in PEM: what issuers publish over HTTP. */
export function crlToDer(pem: string): Buffer<ArrayBuffer> {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
}

/** The same CRL with the last bit of its signature flipped. */
export function tamperWithCrl(pem: string): string {
  const der = crlToDer(pem);
  der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
  return x509.PemConverter.encode(der, "X509 CRL") + "\n";
}

/** RFC 5280, 5.2.3: an INTEGER of at most 20 bytes. */
function crlNumber(number: number): x509.Extension {
  const hex = number.toString(16);
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  const bytes = Buffer.from(/^[89a-f]/.test(even) ? `00${even}` : even, "hex"); // a leading one bit would read as a negative number
  return new x509.Extension("2.5.29.20", false, Buffer.concat([Buffer.from([2, bytes.length]), bytes]));
}

const hoursFromNow = (hours: number): Date => new Date(Date.now() + hours * hourMilliseconds);
