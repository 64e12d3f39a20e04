/** Makes a signature that the CA could have made, judged by its form, but that does not verify. */
import type { KeyObject } from "node:crypto";
import { children, rawOf, readWhole } from "./der.ts";
import { encodeDer, encodeInteger, encodeOid, encodeSequence, encodeTagged } from "./der-write.ts";

export interface ForgedSignature {
  /** The AlgorithmIdentifier. */
  readonly algorithm: Buffer;
  readonly signature: Buffer;
}

/**
 * Makes a signature for a CA's key. The algorithm is that of `userDer`, a user's certificate from the CA, because
 * OpenSSL's security level refuses a weak digest. Without such a certificate, the algorithm is the key's own with
 * SHA-256: an old signature on the CA's own certificate says nothing about the signatures that the CA makes today.
 * Undefined for a key that signs no certificates.
 */
export function forgeSignature(key: KeyObject, userDer: Buffer | undefined): ForgedSignature | undefined {
  const form = forms[key.asymmetricKeyType ?? ""];
  if (form === undefined) return undefined;
  // Only the signature of an RSA key depends on this length.
  const { modulusLength = 2048 } = key.asymmetricKeyDetails ?? {};
  const algorithm = userDer === undefined ? form.algorithm : algorithmOf(userDer);
  return { algorithm, signature: form.signature(Math.ceil(modulusLength / 8)) };
}

/** The signature algorithm of a certificate, which stands after the signed part. */
function algorithmOf(certificate: Buffer): Buffer {
  const [, algorithm] = children(certificate, readWhole(certificate));
  if (algorithm === undefined) throw new Error("a certificate that was read has a signature algorithm");
  return Buffer.from(rawOf(certificate, algorithm));
}

interface Form {
  readonly algorithm: Buffer;
  /** `bytes` is the length of the key's modulus. */
  readonly signature: (bytes: number) => Buffer;
}

/** The parameters of some algorithms. */
const derNull = encodeDer(0x05);
const sha256 = encodeSequence(encodeOid("2.16.840.1.101.3.4.2.1"), derNull);
/** The RSASSA-PSS-params of RFC 4055: the hash, the mask generation, and the length of the salt in bytes. */
const pss = encodeSequence(
  encodeTagged(0, sha256),
  encodeTagged(1, encodeSequence(encodeOid("1.2.840.113549.1.1.8"), sha256)),
  encodeTagged(2, encodeInteger(32n)),
);

/** A number with this many bytes that is below every modulus of the same length, because its first byte is 0. */
const numberBelowModulus = (bytes: number): Buffer => Buffer.concat([Buffer.alloc(1), Buffer.alloc(bytes - 1, 1)]);
/** The two numbers of a signature by ECDSA or DSA. */
const numberPair = (): Buffer => encodeSequence(encodeInteger(1n), encodeInteger(1n));

/** The form of the signature, by the kind of the CA's key as node:crypto calls it. */
const forms: Readonly<Record<string, Form>> = {
  rsa: { algorithm: encodeSequence(encodeOid("1.2.840.113549.1.1.11"), derNull), signature: numberBelowModulus },
  "rsa-pss": { algorithm: encodeSequence(encodeOid("1.2.840.113549.1.1.10"), pss), signature: numberBelowModulus },
  ec: { algorithm: encodeSequence(encodeOid("1.2.840.10045.4.3.2")), signature: numberPair },
  dsa: { algorithm: encodeSequence(encodeOid("2.16.840.1.101.3.4.3.2")), signature: numberPair },
  ed25519: { algorithm: encodeSequence(encodeOid("1.3.101.112")), signature: () => Buffer.alloc(64, 1) },
  ed448: { algorithm: encodeSequence(encodeOid("1.3.101.113")), signature: () => Buffer.alloc(114, 1) },
};
