/**
 * The probe certificate: it carries a CA's name, key identifier and signature algorithm, and a signature that does not
 * verify, so nobody needs the CA's key for it. OpenSSL looks at extensions, strength and revocation before the
 * signature: a server on which holders of that CA's certificates get in answers `decrypt error`, and any other alert
 * means that all of them are refused.
 *
 * What it cannot show stands in docs/revocation.md.
 */
import { createHash } from "node:crypto";
import { type Certificate, isIssuedBy } from "./certificate.ts";
import type { Crl } from "./crl.ts";
import { isSameAuthority } from "./crl-signer.ts";
import { contextTag, derTag } from "./der.ts";
import {
  encodeBits,
  encodeDer,
  encodeExtension,
  encodeInteger,
  encodeOid,
  encodeSequence,
  encodeTagged,
  encodeTime,
} from "./der-write.ts";
import { extensionOid, findExtension } from "./extensions.ts";
import { forgeSignature } from "./probe-signature.ts";

export interface Probe {
  /** Twelve hexadecimal digits, the same for every certificate of one CA's name and key. */
  readonly id: string;
  /** The CA's subject, as its summary has it. */
  readonly ca: string;
  /** The CA's certificate, PEM's content. */
  readonly der: Buffer;
  /** Whether the CA is known to issue to users; else only a CRL of it that is not for CA certificates alone tells. */
  readonly issuesToUsers: boolean;
  /** Whether {@link der} names the distribution points that a user's certificate has. */
  readonly hasUsersPoints: boolean;
}

/** What is known of a site without a host. */
export interface ProbeMaterial {
  /** The CA bundle, without repetitions. */
  readonly bundle: readonly Certificate[];
  /** Those of the site file. */
  readonly crls: readonly Crl[];
  /** A user's certificate. */
  readonly sample: Certificate | undefined;
  /** Addresses of CRL sources: users' certificates mostly name the same. */
  readonly urls: readonly string[];
}

/**
 * One for each CA of the bundle. `publicKey` is a SubjectPublicKeyInfo whose private key the caller has: it opens
 * nothing. A CA with a key of a kind that signs no certificates gets none.
 */
export function makeProbes(material: ProbeMaterial, publicKey: Uint8Array): Probe[] {
  const probes = material.bundle.filter(({ isCa }) => isCa).map((ca) => makeProbe(ca, material, publicKey));
  return [...new Map(probes.flatMap((probe) => (probe === undefined ? [] : [[probe.id, probe]]))).values()];
}

function makeProbe(ca: Certificate, material: ProbeMaterial, publicKey: Uint8Array): Probe | undefined {
  const users = material.sample !== undefined && isIssuedBy(material.sample, ca) ? material.sample : undefined;
  const forged = forgeSignature(ca.x509.publicKey, users?.der);
  if (forged === undefined) return undefined;
  const tbs = encodeSequence(
    encodeTagged(0, encodeInteger(2n)),
    serialNumber,
    forged.algorithm,
    ca.subjectDer,
    encodeSequence(encodeTime(new Date("2000-01-01T00:00:00Z")), encodeTime(new Date("9999-12-31T23:59:59Z"))),
    ownSubject,
    publicKey,
    encodeTagged(3, encodeSequence(...purposes, ...authorityOf(ca), ...pointsOf(ca, users, material))),
  );
  return {
    id: createHash("sha256").update(ca.subjectDer).update(keyOf(ca)).digest("hex").slice(0, 12),
    ca: ca.summary.subject,
    der: encodeSequence(tbs, forged.algorithm, encodeBits(forged.signature)),
    issuesToUsers: users !== undefined || isUserIssuer(ca, material),
    hasUsersPoints: users !== undefined,
  };
}

/** It signed no other listed CA, or a CRL of the site says that it revokes others than CAs. */
function isUserIssuer(ca: Certificate, { bundle, crls }: ProbeMaterial): boolean {
  const isAbove = bundle.some((other) => other.isCa && !isSameAuthority(other, ca) && isIssuedBy(other, ca));
  return (
    !isAbove || crls.some((crl) => crl.canonicalIssuer === ca.canonicalSubject && crl.summary.scope !== "authorities")
  );
}

/** "clientcert-probe": no CA has given this number to anybody. */
const serialNumber = encodeDer(derTag.integer, Buffer.from("clientcert-probe"));

const commonName = encodeSequence(encodeOid("2.5.4.3"), encodeDer(0x0c, Buffer.from("clientcert-probe")));
const ownSubject = encodeSequence(encodeDer(derTag.set, commonName));

/** A user's: digitalSignature, clientAuth. */
const purposes = [
  encodeExtension(extensionOid.keyUsage, encodeDer(derTag.bitString, Buffer.from([7, 0x80])), true),
  encodeExtension(extensionOid.extendedKeyUsage, encodeSequence(encodeOid("1.3.6.1.5.5.7.3.2"))),
];

/** What tells two CAs of one name apart. */
const keyOf = (ca: Certificate): Buffer => ca.x509.publicKey.export({ type: "spki", format: "der" });

function authorityOf({ subjectKey }: Certificate): Buffer[] {
  if (subjectKey === undefined) return [];
  const key = encodeDer(contextTag(0, false), Buffer.from(subjectKey, "hex"));
  return [encodeExtension(extensionOid.authorityKeyIdentifier, encodeSequence(key))];
}

/** OpenSSL counts a CRL with an issuingDistributionPoint only for certificates that name it. */
function pointsOf(ca: Certificate, users: Certificate | undefined, { crls, urls }: ProbeMaterial): Buffer[] {
  if (users !== undefined) {
    const own = findExtension(users.extensions, extensionOid.crlDistributionPoints);
    return own === undefined ? [] : [encodeExtension(own.oid, own.value, own.critical)];
  }
  const issued = crls.filter(({ canonicalIssuer }) => canonicalIssuer === ca.canonicalSubject);
  const partitions = issued.flatMap(({ summary }) => summary.distributionPoint?.split(" ") ?? []);
  const addresses = [...new Set([...partitions, ...urls])];
  return addresses.length === 0
    ? []
    : [encodeExtension(extensionOid.crlDistributionPoints, encodeSequence(...addresses.map(encodePoint)))];
}

/** DistributionPoint with one URI as its full name. RFC 5280, section 4.2.1.13. */
const encodePoint = (url: string): Buffer =>
  encodeSequence(encodeTagged(0, encodeTagged(0, encodeDer(contextTag(6, false), Buffer.from(url, "latin1")))));
