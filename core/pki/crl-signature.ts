/** Whether a CA signed a CRL, checked on the CRL's own bytes. */
import { type KeyObject, type VerifyKeyObjectInput, constants, verify } from "node:crypto";
import { type Tlv, DerError, children, contextTag, readInteger, readOid, readTlv } from "./der.ts";
import type { Crl } from "./crl.ts";

export type SignatureResult = "good" | "bad" | "unknownAlgorithm";

const pkcs1 = "1.2.840.113549.1.1.";
const ecdsa = "1.2.840.10045.4.";

/**
 * The digest of each signature algorithm. `null` means that the algorithm has its own digest. The table holds
 * everything that httpd's OpenSSL accepts for CRLs, except MD5.
 */
const digests: Readonly<Record<string, string | null>> = {
  [`${pkcs1}5`]: "sha1",
  [`${pkcs1}14`]: "sha224",
  [`${pkcs1}11`]: "sha256",
  [`${pkcs1}12`]: "sha384",
  [`${pkcs1}13`]: "sha512",
  [`${ecdsa}1`]: "sha1",
  [`${ecdsa}3.1`]: "sha224",
  [`${ecdsa}3.2`]: "sha256",
  [`${ecdsa}3.3`]: "sha384",
  [`${ecdsa}3.4`]: "sha512",
  "1.3.101.112": null,
  "1.3.101.113": null,
};

const pssOid = `${pkcs1}10`;
const hashes: Readonly<Record<string, string>> = {
  "1.3.14.3.2.26": "sha1",
  "2.16.840.1.101.3.4.2.1": "sha256",
  "2.16.840.1.101.3.4.2.2": "sha384",
  "2.16.840.1.101.3.4.2.3": "sha512",
};

/**
 * Checks the signature with `key`. The result is `unknownAlgorithm` where the algorithm is not supported, and `bad`
 * where the signature is wrong or the key has another type than the algorithm.
 */
export function verifyCrl({ signed }: Crl, key: KeyObject): SignatureResult {
  // RFC 5280, section 5.1.1.2: the algorithm stands inside and outside the signed part, and both must agree.
  if (!Buffer.from(signed.algorithm).equals(signed.innerAlgorithm)) return "bad";
  const algorithm = readScheme(signed.algorithm);
  if (algorithm === undefined) return "unknownAlgorithm";
  try {
    return verify(algorithm.digest, signed.tbs, { key, ...algorithm.options }, signed.signature) ? "good" : "bad";
  } catch {
    // node:crypto throws an error when the key cannot have made such a signature at all.
    return "bad";
  }
}

interface Scheme {
  readonly digest: string | null;
  readonly options: Omit<VerifyKeyObjectInput, "key">;
}

/** How to verify signatures of an AlgorithmIdentifier. Undefined where it is malformed or not supported. */
function readScheme(algorithm: Uint8Array): Scheme | undefined {
  try {
    const [oid, parameters] = children(algorithm, readTlv(algorithm, 0, algorithm.length));
    if (oid === undefined) return undefined;
    const name = readOid(algorithm, oid);
    if (name === pssOid) return readPss(algorithm, parameters);
    const digest = digests[name];
    return digest === undefined ? undefined : { digest, options: {} };
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/**
 * How to verify an RSASSA-PSS signature with these parameters. Undefined where the hash is not supported.
 * RSASSA-PSS-params, RFC 4055: [0] hash, default SHA-1; [1] mask generation, for which node:crypto takes the same hash;
 * [2] salt length, default 20.
 */
function readPss(bytes: Uint8Array, parameters: Tlv | undefined): Scheme | undefined {
  const parts = parameters ? children(bytes, parameters) : [];
  const findTagged = (number: number): Tlv | undefined => {
    const tagged = parts.find((part) => part.tag === contextTag(number, true));
    return tagged && readTlv(bytes, tagged.content, tagged.end);
  };
  const hash = findTagged(0);
  const hashOid = hash && children(bytes, hash)[0];
  const digest = hash ? hashOid && hashes[readOid(bytes, hashOid)] : "sha1";
  const salt = findTagged(2);
  const saltLength = salt ? Number(readInteger(bytes, salt)) : 20;
  return digest === undefined
    ? undefined
    : { digest, options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength } };
}
