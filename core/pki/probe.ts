/**
 * Makes the probe certificate. It carries a CA's name, key identifier and signature algorithm, and a signature that
 * does not verify, so nobody needs the CA's key to make it. OpenSSL checks extensions, strength and revocation before
 * the signature. A server that accepts the certificates of that CA therefore answers `decrypt error`, and any other
 * alert means that it refuses all of them.
 *
 * docs/revocation.md says what the probe cannot show.
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
  /** Twelve hexadecimal digits. They are the same for every certificate with one CA's name and key. */
  readonly id: string;
  /** The CA's subject, in the form of its summary. */
  readonly ca: string;
  /** The probe certificate as DER, which is the content of its PEM. */
  readonly der: Buffer;
  /**
   * Whether the CA is known to issue to users. Where this is not known, a CRL of the CA that is not for CA certificates
   * alone is the only sign of it.
   */
  readonly issuesToUsers: boolean;
  /** Whether {@link der} names the distribution points of a user's certificate. */
  readonly hasUsersPoints: boolean;
}

/** What is known about a site without a host. */
export interface ProbeMaterial {
  /** The CA bundle, without repetitions. */
  readonly bundle: readonly Certificate[];
  /** The CRLs of the site file. */
  readonly crls: readonly Crl[];
  /** A user's certificate. */
  readonly sample: Certificate | undefined;
  /** The addresses of CRL sources. Users' certificates mostly name the same addresses. */
  readonly urls: readonly string[];
}

/**
 * Makes one probe for each CA of the bundle, even where the bundle has several certificates of it. `publicKey` is a
 * SubjectPublicKeyInfo, and the caller has its private key, which opens nothing. A CA gets no probe where its key is of
 * a kind that signs no certificates.
 */
export function makeProbes(material: ProbeMaterial, publicKey: Uint8Array): Probe[] {
  const probes = material.bundle.filter(({ isCa }) => isCa).map((ca) => makeProbe(ca, material, publicKey));
  return [...new Map(probes.flatMap((probe) => (probe === undefined ? [] : [[probe.id, probe]]))).values()];
}

/**
 * Makes the probe of a CA: a TBSCertificate, its algorithm and a signature. RFC 5280, section 4.1. Undefined where the
 * CA's key is of a kind that signs no certificates.
 */
function makeProbe(ca: Certificate, material: ProbeMaterial, publicKey: Uint8Array): Probe | undefined {
  const user = material.sample !== undefined && isIssuedBy(material.sample, ca) ? material.sample : undefined;
  const forged = forgeSignature(ca.x509.publicKey, user?.der);
  if (forged === undefined) return undefined;
  const tbs = encodeSequence(
    encodeTagged(0, encodeInteger(2n)), // version 3
    serialNumber,
    forged.algorithm,
    ca.subjectDer,
    encodeSequence(encodeTime(new Date("2000-01-01T00:00:00Z")), encodeTime(new Date("9999-12-31T23:59:59Z"))),
    ownSubject,
    publicKey,
    encodeTagged(3, encodeSequence(...purposes, ...authorityOf(ca), ...pointsOf(ca, user, material))),
  );
  return {
    id: createHash("sha256").update(ca.subjectDer).update(keyOf(ca)).digest("hex").slice(0, 12),
    ca: ca.summary.subject,
    der: encodeSequence(tbs, forged.algorithm, encodeBits(forged.signature)),
    issuesToUsers: user !== undefined || isUserIssuer(ca, material),
    hasUsersPoints: user !== undefined,
  };
}

/**
 * Whether the CA issues to users: it signed no other listed CA, or a CRL of the site shows that it revokes not only
 * CAs.
 */
function isUserIssuer(ca: Certificate, { bundle, crls }: ProbeMaterial): boolean {
  const isAbove = bundle.some((other) => other.isCa && !isSameAuthority(other, ca) && isIssuedBy(other, ca));
  return (
    !isAbove || crls.some((crl) => crl.canonicalIssuer === ca.canonicalSubject && crl.summary.scope !== "authorities")
  );
}

/** The bytes of the text "clientcert-probe". No CA has given this number to anybody. */
const serialNumber = encodeDer(derTag.integer, Buffer.from("clientcert-probe"));

const commonName = encodeSequence(encodeOid("2.5.4.3"), encodeDer(0x0c, Buffer.from("clientcert-probe")));
const ownSubject = encodeSequence(encodeDer(derTag.set, commonName));

/** The purposes of a user's certificate: digitalSignature, which is one bit beside 7 unused ones, and clientAuth. */
const purposes = [
  encodeExtension(extensionOid.keyUsage, encodeDer(derTag.bitString, Buffer.from([7, 0x80])), true),
  encodeExtension(extensionOid.extendedKeyUsage, encodeSequence(encodeOid("1.3.6.1.5.5.7.3.2"))),
];

/** The bytes of the CA's key, which tell two CAs of one name apart. */
const keyOf = (ca: Certificate): Buffer => ca.x509.publicKey.export({ type: "spki", format: "der" });

/** The extension by which a certificate names its CA's key. Empty where the CA's certificate has no key identifier. */
function authorityOf({ subjectKey }: Certificate): Buffer[] {
  if (subjectKey === undefined) return [];
  const key = encodeDer(contextTag(0, false), Buffer.from(subjectKey, "hex"));
  return [encodeExtension(extensionOid.authorityKeyIdentifier, encodeSequence(key))];
}

/**
 * The extension with the distribution points of the probe: those of a user's certificate from this CA, or else the
 * addresses of the CA's CRLs and of all sources. Empty where there are none. OpenSSL uses a CRL with an
 * issuingDistributionPoint only for certificates that name that point.
 */
function pointsOf(ca: Certificate, user: Certificate | undefined, { crls, urls }: ProbeMaterial): Buffer[] {
  if (user !== undefined) {
    const points = findExtension(user.extensions, extensionOid.crlDistributionPoints);
    return points === undefined ? [] : [encodeExtension(points.oid, points.value, points.critical)];
  }
  const issued = crls.filter(({ canonicalIssuer }) => canonicalIssuer === ca.canonicalSubject);
  const partitions = issued.flatMap(({ summary }) => summary.distributionPoint?.split(" ") ?? []);
  const addresses = [...new Set([...partitions, ...urls])];
  return addresses.length === 0
    ? []
    : [encodeExtension(extensionOid.crlDistributionPoints, encodeSequence(...addresses.map(encodePoint)))];
}

/** A DistributionPoint with one URI as its full name. RFC 5280, section 4.2.1.13. */
const encodePoint = (url: string): Buffer =>
  encodeSequence(encodeTagged(0, encodeTagged(0, encodeDer(contextTag(6, false), Buffer.from(url, "latin1")))));
