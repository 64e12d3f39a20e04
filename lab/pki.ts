/**
 * A throw-away PKI for the lab, made in this process: root CA → issuing CA → clients, a server certificate, and CRLs in
 * every state.
 */
import "reflect-metadata"; // @peculiar/x509 refuses to load without it
import * as x509 from "@peculiar/x509";
import { KeyObject, sign as signBytes, webcrypto } from "node:crypto";
import { issueCrl, type CrlAuthority, type CrlOptions } from "./pki-crl.ts";

const ec = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
/**
 * The server's key is RSA, as most customers' keys are. With it a cipher list for ECDSA only breaks every handshake.
 */
const rsa = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
} as const;
const dayMilliseconds = 86_400_000;

/** The subjects of the client certificates below the issuing CA, and their validity in days from now. */
const clientSubjects = {
  good: { subject: "C=JP, O=ABC CORPORATION, CN=good client" },
  revoked: { subject: "C=JP, O=ABC CORPORATION, CN=revoked client" },
  expired: { subject: "C=JP, O=ABC CORPORATION, CN=expired client", fromDays: -30, toDays: -2 },
  notYetValid: { subject: "C=JP, O=ABC CORPORATION, CN=client of tomorrow", fromDays: 2, toDays: 365 },
  wrongOrganization: { subject: "C=JP, O=OTHER CORPORATION, CN=other organization" },
  wrongCountry: { subject: "C=US, O=ABC CORPORATION, CN=other country" },
  lowercaseOrganization: { subject: "C=JP, O=abc corporation, CN=lower case" },
  noOrganization: { subject: "CN=no organization and no country" },
} as const satisfies Record<string, { subject: string; fromDays?: number; toDays?: number }>;

/** `foreign` has the subject of `good`, but an issuer that nobody trusts. */
export type ClientName = keyof typeof clientSubjects | "foreign";
export const clientNames: readonly ClientName[] = [
  ...(Object.keys(clientSubjects) as (keyof typeof clientSubjects)[]),
  "foreign",
]; // as: keys of a const literal

/** PEM texts; `chain` is the certificate followed by its issuing CA, as a client sends it. */
export interface Identity {
  readonly certificate: string;
  readonly chain: string;
  readonly key: string;
  /** Hexadecimal. */
  readonly serial: string;
}

export interface LabPki {
  readonly root: string;
  readonly issuing: string;
  readonly foreign: string;
  /** A CA certificate with the issuing CA's name and another key, as after a change of keys: the `forger` of CRLs. */
  readonly renewed: string;
  /** Issuing CA and root CA: what a site's CA file holds. */
  readonly caBundle: string;
  readonly server: Identity;
  readonly clients: Readonly<Record<ClientName, Identity>>;
  /**
   * Issues a CRL in PEM. By default the issuing CA issues it, its number is 1, it is fresh, and it revokes client
   * `revoked`.
   */
  crl(options?: CrlOptions): Promise<string>;
  /** Signs as the issuing CA (ecdsa-with-SHA256), for CRLs that {@link crl} cannot make. */
  sign(bytes: Uint8Array): Buffer;
  /** Issues a good user's certificate that names this address for the CRL of its issuer. */
  userNaming(address: string): Promise<Identity>;
  /**
   * Issues another certificate of the server, from an intermediate CA below the root. The certificate of that CA
   * follows in `chain`.
   */
  chainedServer(): Promise<Identity>;
  /** Revokes one more serial permanently, and returns the issuing CA's CRL with the next number. */
  revoke(serial: string): Promise<string>;
}

interface Authority extends CrlAuthority {
  readonly certificate: x509.X509Certificate;
}

interface Wish {
  readonly subject: string;
  readonly issuer?: Authority;
  readonly algorithm?: typeof ec | typeof rsa;
  readonly fromDays?: number;
  readonly toDays?: number;
  readonly extensions: readonly x509.Extension[];
}

let shared: Promise<LabPki> | undefined;

/** The PKI of this process. It is made once, at the first call. */
export function labPki(): Promise<LabPki> {
  shared ??= createPki();
  return shared;
}

/** Makes a separate PKI, for tests that revoke. */
export async function createPki(): Promise<LabPki> {
  x509.cryptoProvider.set(webcrypto as Crypto); // as: Node's class, typed apart from the browser's
  const root = await createAuthority("C=JP, O=Lab Trust Services, CN=Lab Root CA");
  const issuing = await createAuthority("C=JP, O=Lab Trust Services, CN=Lab Issuing CA", root);
  const foreign = await createAuthority("C=JP, O=Foreign Trust, CN=Foreign CA");
  const forger = await createAuthority("C=JP, O=Lab Trust Services, CN=Lab Issuing CA");
  const clients = await createClients(issuing, foreign);
  let number = 1;
  const revoked = [clients.revoked.serial];
  const crl = (options: CrlOptions = {}) =>
    issueCrl({ root, issuing, foreign, forger }, { serials: revoked, ...options });
  return {
    root: pem(root.certificate),
    issuing: pem(issuing.certificate),
    foreign: pem(foreign.certificate),
    renewed: pem(forger.certificate),
    caBundle: pem(issuing.certificate) + pem(root.certificate),
    server: await createServer(root),
    clients,
    crl,
    userNaming: (address) =>
      createClient(clientSubjects.good, issuing, [new x509.CRLDistributionPointsExtension([address])]),
    sign: (bytes) => signBytes("sha256", bytes, KeyObject.from(issuing.signingKey)),
    chainedServer: async () =>
      createServer(await createAuthority("C=JP, O=Lab Trust Services, CN=Lab Server CA", root)),
    revoke(serial) {
      revoked.push(serial);
      number += 1;
      return crl({ number });
    },
  };
}

async function createClients(issuing: Authority, foreign: Authority): Promise<LabPki["clients"]> {
  const entries = Object.entries(clientSubjects).map(
    async ([name, wish]) => [name, await createClient(wish, issuing)] as const,
  );
  const identities = Object.fromEntries(await Promise.all(entries)) as Record<keyof typeof clientSubjects, Identity>; // as: same keys
  return { ...identities, foreign: await createClient(clientSubjects.good, foreign) };
}

function createClient(
  wish: { subject: string; fromDays?: number; toDays?: number },
  issuer: Authority,
  more: readonly x509.Extension[] = [],
): Promise<Identity> {
  const extensions = [
    new x509.BasicConstraintsExtension(false),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
    ...more,
  ];
  return createIdentity({ ...wish, issuer, extensions });
}

function createServer(issuer: Authority): Promise<Identity> {
  const names = ["*.lab.test", "a.lab.test", "b.lab.test", "localhost"].map((value) => ({
    type: "dns" as const,
    value,
  }));
  const extensions = [
    new x509.BasicConstraintsExtension(false),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension([...names, { type: "ip", value: "127.0.0.1" }]),
  ];
  return createIdentity({ subject: "C=JP, O=Lab, CN=localhost", issuer, algorithm: rsa, extensions });
}

async function createIdentity(wish: Wish & { readonly issuer: Authority }): Promise<Identity> {
  const { certificate, keys } = await sign(wish);
  const key =
    x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY") + "\n";
  return {
    certificate: pem(certificate),
    chain: pem(certificate) + pem(wish.issuer.certificate),
    key,
    serial: certificate.serialNumber,
  };
}

async function createAuthority(subject: string, issuer?: Authority): Promise<Authority> {
  const extensions = [
    new x509.BasicConstraintsExtension(true, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
  ];
  const { certificate, keys } = await sign({ subject, issuer, toDays: 3650, extensions });
  return { certificate, subject, signingKey: keys.privateKey, publicKey: keys.publicKey };
}

async function sign(wish: Wish): Promise<{ certificate: x509.X509Certificate; keys: CryptoKeyPair }> {
  const keys = await webcrypto.subtle.generateKey(wish.algorithm ?? ec, true, ["sign", "verify"]);
  const issuer = wish.issuer ?? { subject: wish.subject, signingKey: keys.privateKey, publicKey: keys.publicKey };
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: wish.subject,
    issuer: issuer.subject,
    notBefore: daysFromNow(wish.fromDays ?? -1),
    notAfter: daysFromNow(wish.toDays ?? 365),
    publicKey: keys.publicKey,
    signingKey: issuer.signingKey,
    signingAlgorithm: ec, // every CA of ours has an EC key
    extensions: [
      ...wish.extensions,
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return { certificate, keys };
}

const daysFromNow = (days: number): Date => new Date(Date.now() + days * dayMilliseconds);

/** The serial is positive and has no leading zero byte, so that every tool prints it in the same way. */
function newSerial(): string {
  return "40" + Buffer.from(webcrypto.getRandomValues(new Uint8Array(9))).toString("hex");
}

const pem = (certificate: x509.X509Certificate): string => certificate.toString("pem") + "\n";
