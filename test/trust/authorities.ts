/** Rows of the grid: the CAs of a site, each kind with what is odd about it. */
import { type KeyObject, generateKeyPairSync } from "node:crypto";
import {
  type Made,
  type Scheme,
  authorityIdentifier,
  authorityKey,
  caConstraints,
  days,
  der,
  extension,
  keyUsage,
  makeCertificate,
  makeKey,
  name,
  oid,
  pathLength,
  seq,
  sha256,
  subjectKey,
} from "../fixtures/pki.ts";

/** What a site lists, and who signs its users and its CRL. */
export interface Authorities {
  /** As the site file lists them. */
  readonly listed: readonly Made[];
  /** Signs users. */
  readonly issuing: Made;
  /** Whatever else has a CRL under `chain`: CAs above. */
  readonly above: readonly Made[];
  /** Further certificates of the issuing CA's name. */
  readonly namesakes: readonly Made[];
}

/** Which of two certificates of one name has the lower fingerprint: the installed bundle is sorted by it. */
export type Order = "first" | "last";

const harbour = (commonName: string): Buffer => name(["C", "JP"], ["O", "Harbour"], ["CN", commonName]);

/** Keys take most of the time: each is made once. */
const keys = new Map<string, KeyObject>();
export function keyNamed(called: string, scheme: Scheme = "ecdsa", bits?: number): KeyObject {
  const known = keys.get(called) ?? makeKey(scheme, bits);
  keys.set(called, known);
  return known;
}

const signing = [caConstraints, keyUsage(0x06)];
const withKey = (key: KeyObject, ...extensions: readonly Buffer[]): Buffer[] => [...extensions, subjectKey(key)];

interface Wanted {
  readonly called: string;
  readonly issuer?: Made;
  readonly scheme?: Scheme;
  readonly bits?: number;
  readonly extensions?: readonly Buffer[];
  readonly notBefore?: Date;
  readonly notAfter?: Date | Buffer;
  readonly serial?: bigint;
  readonly key?: string;
}

/** A CA; by default as every issuer makes them. */
function makeCa(wanted: Wanted): Made {
  const { called, scheme = "ecdsa", extensions = signing } = wanted;
  const key = keyNamed(wanted.key ?? called, scheme, wanted.bits);
  const identifier = wanted.issuer === undefined ? [] : [authorityKey(wanted.issuer.key)];
  return makeCertificate({
    ...{ subject: harbour(called), key, scheme, serial: wanted.serial ?? 77n },
    ...(wanted.issuer === undefined ? {} : { issuer: wanted.issuer }),
    ...(wanted.notBefore === undefined ? {} : { notBefore: wanted.notBefore }),
    ...(wanted.notAfter === undefined ? {} : { notAfter: wanted.notAfter }),
    extensions: extensions.length === 0 ? [] : [...withKey(key, ...extensions), ...identifier],
  });
}

/** Made again, with other serial numbers, until `made` stands where it is wanted beside `other`. */
function placed(order: Order, other: Made, make: (serial: bigint) => Made): Made {
  for (let serial = 100n; ; serial++) {
    const made = make(serial);
    if (sha256(made.der) < sha256(other.der) === (order === "first")) return made;
  }
}

const root = (): Made => makeCa({ called: "Root CA" });
const issuingBelow = (issuer: Made, wanted: Partial<Wanted> = {}): Made =>
  makeCa({ called: "Issuing CA", issuer, serial: 5n, ...wanted });

const chain = (upper: Made, issuing: Made): Authorities => ({
  ...{ listed: [issuing, upper], issuing, above: [upper], namesakes: [] },
});

/** A plain root, and an issuing CA that is odd. */
const oddIssuing = (wanted: Partial<Wanted>): Authorities => {
  const upper = root();
  return chain(upper, issuingBelow(upper, wanted));
};
/** An odd root that issues to users itself. */
const alone = (wanted: Partial<Wanted>): Authorities => {
  const issuing = makeCa({ called: "Own CA", ...wanted });
  return { listed: [issuing], issuing, above: [], namesakes: [] };
};

/** A date that DER writes with a fraction. */
const fraction = (year: number): Buffer => der(0x18, Buffer.from(`${year}0101000000.5Z`));
const explicitKey = generateKeyPairSync("ec", { namedCurve: "P-256", paramEncoding: "explicit" }).privateKey;

/** A root that says less than those of today. */
function firstVersion(): Authorities {
  const issuing = makeCertificate({ subject: harbour("Old CA"), key: keyNamed("Old CA"), serial: 1n, version: 1 });
  return { listed: [issuing], issuing, above: [], namesakes: [] };
}

/** Its key names all parameters of the curve. */
function explicitCurve(): Authorities {
  const upper = root();
  const issuing = makeCertificate({
    ...{ subject: harbour("Explicit CA"), issuer: upper, key: explicitKey, serial: 5n },
    extensions: withKey(explicitKey, ...signing),
  });
  return chain(upper, issuing);
}

/** NameConstraints that permit one organization's names only. */
const onlyNames = (organization: string): Buffer =>
  extension("2.5.29.30", seq(der(0xa0, seq(der(0xa4, name(["C", "JP"], ["O", organization]))))), true);

const unknownExtension = extension("1.2.3.4.5", der(0x05), true);
const serverOnly = extension("2.5.29.37", seq(oid("1.3.6.1.5.5.7.3.1")));

/** Two certificates of one CA: renewed with the same key. */
function renewed(order: Order, second: Partial<Wanted>): Authorities {
  const upper = root();
  const old = issuingBelow(upper);
  const fresh = placed(order, old, (serial) => issuingBelow(upper, { serial, ...second }));
  return { listed: [old, fresh, upper], issuing: old, above: [upper], namesakes: [fresh] };
}

/** One name, two keys. */
function rekeyed(order: Order, hasIdentifiers: boolean): Authorities {
  const upper = root();
  const bare = (called: string, serial: bigint): Made =>
    makeCertificate({
      subject: harbour("Issuing CA"),
      issuer: upper,
      key: keyNamed(called),
      serial,
      extensions: signing,
    });
  const make = (called: string, serial: bigint): Made =>
    hasIdentifiers ? issuingBelow(upper, { key: called, serial }) : bare(called, serial);
  const old = make("Issuing CA", 5n);
  const fresh = placed(order, old, (serial) => make("Issuing CA 2", serial));
  return { listed: [old, fresh, upper], issuing: old, above: [upper], namesakes: [fresh] };
}

/** The root also has a certificate by another root, which is listed, missing or over. */
function crossed(order: Order, other: "listed" | "missing" | "over"): Authorities {
  const upper = root();
  const older = makeCa({ called: "Old Root CA", ...(other === "over" ? { notAfter: days(-2) } : {}) });
  const cross = placed(order, upper, (serial) => makeCa({ called: "Root CA", issuer: older, serial }));
  const issuing = issuingBelow(upper);
  const all = other === "missing" ? [] : [older];
  return { listed: [issuing, upper, cross, ...all], issuing, above: [upper, ...all], namesakes: [] };
}

function threeDeep(): Authorities {
  const upper = root();
  const middle = makeCa({ called: "Policy CA", issuer: upper, serial: 9n });
  const issuing = issuingBelow(middle);
  return { listed: [issuing, middle, upper], issuing, above: [middle, upper], namesakes: [] };
}

function tooDeep(): Authorities {
  const upper = makeCa({ called: "Root CA", extensions: [pathLength(0n), keyUsage(0x06)] });
  return chain(upper, issuingBelow(upper));
}

/** By name; those that do not depend on the order ignore it. */
export const authorities: Readonly<Record<string, (order: Order) => Authorities>> = {
  "a root and an issuing CA": () => oddIssuing({}),
  "three CAs": threeDeep,
  "a root that issues itself": () => alone({}),
  RSA: () => oddIssuing({ called: "RSA CA", scheme: "rsa" }),
  "RSA with PSS": () => oddIssuing({ called: "PSS CA", scheme: "pss" }),
  Ed25519: () => oddIssuing({ called: "Ed25519 CA", scheme: "ed25519" }),
  "RSA of 1024 bits": () => oddIssuing({ called: "Weak CA", scheme: "rsa", bits: 1024 }),
  "without cRLSign": () => oddIssuing({ extensions: [caConstraints, keyUsage(0x04)] }),
  "without keyCertSign": () => oddIssuing({ extensions: [caConstraints, keyUsage(0x02)] }),
  "without keyUsage": () => oddIssuing({ extensions: [caConstraints] }),
  "no CA": () => oddIssuing({ extensions: [extension("2.5.29.19", seq()), keyUsage(0x80)] }),
  "without basicConstraints": () => oddIssuing({ extensions: [keyUsage(0x06)] }),
  "a root without basicConstraints": () => alone({ extensions: [keyUsage(0x06)] }),
  "a root with neither": () => alone({ extensions: [] }),
  "too deep for its root": tooDeep,
  "for servers only": () => oddIssuing({ extensions: [...signing, serverOnly] }),
  "an unknown critical extension": () => oddIssuing({ extensions: [...signing, unknownExtension] }),
  "version 1": firstVersion,
  "explicit parameters": explicitCurve,
  "an end with a fraction": () => oddIssuing({ notAfter: fraction(2030) }),
  "signed with SHA-1": () => oddIssuing({ called: "SHA-1 CA", scheme: "sha1" }),
  "permits the users' names": () => oddIssuing({ extensions: [...signing, onlyNames("Harbour")] }),
  "permits other names": () => oddIssuing({ extensions: [...signing, onlyNames("Airport")] }),
  expired: () => oddIssuing({ notAfter: days(-1) }),
  "not valid yet": () => oddIssuing({ notBefore: days(1) }),
  "root not listed": () => ({ ...oddIssuing({}), listed: [issuingBelow(root())], above: [] }),
  "renewed with the same key": (order) => renewed(order, {}),
  "renewed without cRLSign": (order) => renewed(order, { extensions: [caConstraints, keyUsage(0x04)] }),
  "renewed, one has expired": (order) => renewed(order, { notAfter: days(-1) }),
  "two keys with identifiers": (order) => rekeyed(order, true),
  "two keys without identifiers": (order) => rekeyed(order, false),
  "a cross-certificate, its root listed": (order) => crossed(order, "listed"),
  "a cross-certificate, its root missing": (order) => crossed(order, "missing"),
  "a cross-certificate, its root over": (order) => crossed(order, "over"),
};

/** Of the issuing CA, as a CRL may name it. */
export const namedIn = ({ issuing, above: [upper] }: Authorities, serial: bigint): Buffer =>
  authorityIdentifier({ key: issuing.key, issuer: [(upper ?? issuing).subject], serial });
