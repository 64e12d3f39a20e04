/**
 * Security bits of keys and signatures, as OpenSSL counts them for its security level. The warnings about the site file
 * and the check of a host's own level use the same table.
 */
import type { KeyObject } from "node:crypto";

/**
 * The security bits of a public key. 0 for a kind of key or a curve for which OpenSSL counts nothing.
 *
 * @see https://docs.openssl.org/3.0/man3/EVP_PKEY_get_size/ (EVP_PKEY_get_security_bits)
 */
export function keySecurityBits(key: KeyObject): number {
  const { modulusLength = 0, divisorLength = 0, namedCurve = "" } = key.asymmetricKeyDetails ?? {};
  const type = key.asymmetricKeyType ?? "";
  if (type === "rsa" || type === "rsa-pss") return rsaSecurityBits(modulusLength);
  // The second size is that of q, which counts half.
  if (type === "dsa") return Math.min(stepBelow(dsaSteps, modulusLength), divisorLength >> 1);
  if (type === "ec") return curveSecurityBits(findCurveBits(namedCurve));
  return edwardsBits[type] ?? 0;
}

const edwardsBits: Readonly<Record<string, number>> = { ed25519: 128, ed448: 224 };

/**
 * The size of a curve in bits. Every curve has its size in its name, such as prime192v1, except SM2. 0 for a name
 * without a size.
 */
export const findCurveBits = (curve: string): number => (curve === "SM2" ? 256 : Number(/\d{3}/.exec(curve)?.[0] ?? 0));

/**
 * The bits of the largest step that is not above `size`. 0 where all steps are above it. The largest step comes first.
 */
const stepBelow = (steps: readonly (readonly [size: number, bits: number])[], size: number): number =>
  steps.find(([minimum]) => size >= minimum)?.[1] ?? 0;

/** The steps of BN_security_bits in crypto/bn/bn_lib.c, by the size of p. */
const dsaSteps = [
  [15360, 256],
  [7680, 192],
  [3072, 128],
  [2048, 112],
  [1024, 80],
] as const;

/** The steps of ec_security_bits in crypto/ec/ec_ameth.c, by the size of the order. */
const curveSteps = [
  [512, 256],
  [384, 192],
  [256, 128],
  [224, 112],
  [160, 80],
] as const;

/** A curve below the smallest step has half its size. */
const curveSecurityBits = (bits: number): number => stepBelow(curveSteps, bits) || bits >> 1;

/** The sizes for which the estimate is not used: NIST SP 800-56B rev. 2, appendix D. */
const rsaTable: Readonly<Record<number, number>> = {
  2048: 112,
  3072: 128,
  4096: 152,
  6144: 176,
  7680: 192,
  8192: 200,
  15360: 256,
};

/**
 * The bits of the table, or else the estimate of ossl_ifc_ffc_compute_security_bits in crypto/rsa/rsa_lib.c: the cost
 * of the number field sieve, in steps of 8, and at most `cap`. Its cube root is cut to 1/64.
 */
function rsaSecurityBits(modulusBits: number): number {
  const tabulated = rsaTable[modulusBits];
  if (tabulated !== undefined) return tabulated;
  if (modulusBits < 8) return 0;
  const x = modulusBits * Math.LN2;
  const root = Math.floor(Math.cbrt(x * Math.log(x) ** 2) * 64) / 64;
  const bits = (1.923 * root - 4.69) / Math.LN2;
  const cap = modulusBits <= 7680 ? 192 : modulusBits <= 15360 ? 256 : 1200;
  return Math.min(cap, Math.floor((bits + 4) / 8) * 8);
}

/** The kinds of keys that make a signature, by the beginning of the object identifier of its algorithm. */
const signingKeys: readonly (readonly [prefix: string, types: readonly string[]])[] = [
  ["1.2.840.113549.1.1.10", ["rsa", "rsa-pss"]],
  ["1.2.840.113549.1.1.", ["rsa"]],
  ["1.2.840.10045.4.", ["ec"]],
  ["1.2.840.10040.4.", ["dsa"]],
  ["1.3.101.112", ["ed25519"]],
  ["1.3.101.113", ["ed448"]],
];

/**
 * Whether the key is of the kind that makes such signatures. `algorithm` is the object identifier of the signature. An
 * algorithm that is not listed fits every key.
 *
 * @see check_sig_alg_match in OpenSSL's crypto/x509/v3_purp.c
 */
export function canHaveSigned(key: KeyObject, algorithm: string): boolean {
  const types = signingKeys.find(([prefix]) => algorithm.startsWith(prefix))?.[1];
  return types?.includes(key.asymmetricKeyType ?? "") ?? true;
}

interface SignatureStrength {
  readonly bits: number;
  /** The digest's name, where the digest is broken. */
  readonly weak?: string;
}

/**
 * The strength of a signature, by the object identifier of its algorithm. `digest` is the digest from the parameters of
 * RSASSA-PSS. The strength is half the digest's bits, and less for a broken digest. It is 0 for an algorithm or digest
 * that is not known.
 *
 * @see x509_sig_info_init in OpenSSL's crypto/x509/x509_set.c
 */
export const signatureStrength = (algorithm: string, digest?: string): SignatureStrength =>
  (algorithm === rsaPssOid ? pssDigests[digest ?? sha1Oid] : signatures[algorithm]) ?? { bits: 0 };

const rsaPssOid = "1.2.840.113549.1.1.10";
const sha1Oid = "1.3.14.3.2.26";

const pssDigests: Readonly<Record<string, SignatureStrength>> = {
  [sha1Oid]: { bits: 64, weak: "SHA-1" },
  "1.2.840.113549.2.5": { bits: 39, weak: "MD5" },
  "2.16.840.1.101.3.4.2.4": { bits: 112 },
  "2.16.840.1.101.3.4.2.1": { bits: 128 },
  "2.16.840.1.101.3.4.2.2": { bits: 192 },
  "2.16.840.1.101.3.4.2.3": { bits: 256 },
};

const signatures: Readonly<Record<string, SignatureStrength>> = {
  // RSA
  "1.2.840.113549.1.1.2": { bits: 0, weak: "MD2" },
  "1.2.840.113549.1.1.3": { bits: 64, weak: "MD4" },
  "1.2.840.113549.1.1.4": { bits: 39, weak: "MD5" },
  "1.2.840.113549.1.1.5": { bits: 63, weak: "SHA-1" },
  "1.3.14.3.2.29": { bits: 63, weak: "SHA-1" },
  "1.2.840.113549.1.1.14": { bits: 112 },
  "1.2.840.113549.1.1.11": { bits: 128 },
  "1.2.840.113549.1.1.12": { bits: 192 },
  "1.2.840.113549.1.1.13": { bits: 256 },
  "1.2.840.113549.1.1.15": { bits: 112 },
  "1.2.840.113549.1.1.16": { bits: 128 },
  // ECDSA
  "1.2.840.10045.4.1": { bits: 63, weak: "SHA-1" },
  "1.2.840.10045.4.3.1": { bits: 112 },
  "1.2.840.10045.4.3.2": { bits: 128 },
  "1.2.840.10045.4.3.3": { bits: 192 },
  "1.2.840.10045.4.3.4": { bits: 256 },
  // DSA
  "1.2.840.10040.4.3": { bits: 63, weak: "SHA-1" },
  "2.16.840.1.101.3.4.3.1": { bits: 112 },
  "2.16.840.1.101.3.4.3.2": { bits: 128 },
  "2.16.840.1.101.3.4.3.3": { bits: 192 },
  "2.16.840.1.101.3.4.3.4": { bits: 256 },
  // RSA and ECDSA with SHA-3 of 224 to 512 bits
  ...Object.fromEntries([13, 9].flatMap((first) => sha3Signatures(first))),
  // SM2 with SM3
  "1.2.156.10197.1.501": { bits: 128 },
  "1.3.101.112": { bits: 128 },
  "1.3.101.113": { bits: 224 },
};

/** Four signature algorithms whose object identifiers end in consecutive numbers from `first` on. */
function sha3Signatures(first: number): (readonly [string, SignatureStrength])[] {
  return [112, 128, 192, 256].map((bits, index) => [`2.16.840.1.101.3.4.3.${first + index}`, { bits }]);
}

/** The bits that OpenSSL's security levels 0 to 5 demand. */
const levelBits = [0, 80, 112, 128, 192, 256] as const;

/**
 * The bits that the security level demands. Levels below 0 count as 0, and those above 5 as 5.
 *
 * @see https://docs.openssl.org/3.0/man3/SSL_CTX_set_security_level/
 */
export const requiredBits = (level: number): number => levelBits[Math.min(Math.max(level, 0), 5)] ?? 0;

/** The bits that the defaults of today's OpenSSL demand (level 2). */
export const usualBits: number = levelBits[2];
