/**
 * Certificate revocation lists, read by slicing: headers are read, the list of revoked certificates is only walked.
 *
 * @see RFC 5280, section 5.1
 */
import { createHash } from "node:crypto";
import type { CrlSummary } from "../apache/model.ts";
import {
  type Tlv,
  DerError,
  children,
  contentOf,
  contextTag,
  derTag,
  holdsInteger,
  integerContent,
  isInteger,
  isTime,
  rawOf,
  readInteger,
  readTime,
  readTlv,
  readWhole,
  requireTlv,
} from "./der.ts";
import { type Extension, extensionOid, findExtension, readExtensions } from "./extensions.ts";
import { type PkiFinding, problem } from "./finding.ts";
import { describeWrongKind } from "./kind.ts";
import { canonicalName, renderName } from "./name.ts";
import { type Block, encodePem, readBlocks } from "./pem.ts";

export interface Crl {
  readonly summary: CrlSummary;
  readonly der: Buffer;
  readonly canonicalIssuer: string;
  readonly authority: AuthorityKey;
  readonly extensions: readonly Extension[];
  readonly signed: SignedParts;
  /** The list of revoked certificates inside {@link der}; undefined when it revokes nobody. */
  readonly revoked: Tlv | undefined;
}

/** What the CRL says of the CA certificate that checks it; either may be missing. */
export interface AuthorityKey {
  /** Hex, as `Certificate.subjectKey`. */
  readonly key?: string;
  /** Hex, as `Certificate.serial`. */
  readonly serial?: string;
}

/** What a signature check needs, each a view into the CRL's bytes. */
export interface SignedParts {
  readonly tbs: Uint8Array;
  /** AlgorithmIdentifier outside and inside of what is signed: they must agree. */
  readonly algorithm: Uint8Array;
  readonly innerAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
}

export interface Crls {
  readonly crls: readonly Crl[];
  readonly findings: readonly PkiFinding[];
}

/** Reads PEM (several blocks) or DER. A certificate in a CRL file would become a trust anchor of httpd: it is a problem. */
export function readCrls(bytes: Buffer): Crls {
  const { blocks, findings } = readBlocks(bytes, "a CRL");
  const crls: Crl[] = [];
  const problems: PkiFinding[] = [...findings];
  for (const block of blocks) {
    const place = block.line === undefined ? "" : `line ${block.line}: the block `;
    if (block.kind !== "crl") problems.push(problem(place + describeWrongKind(block.kind, "a CRL")));
    else collect(block, place, crls, problems);
  }
  return { crls, findings: problems };
}

function collect(block: Block, place: string, crls: Crl[], problems: PkiFinding[]): void {
  try {
    crls.push(readCrl(block.der));
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    problems.push(problem(`${place}is a CRL that cannot be read: ${error.message}; download it again`));
  }
}

/** One CRL from its DER. `countsEntries: false` looks at no entry. Throws {@link DerError}. */
export function readCrl(der: Buffer, { countsEntries = true } = {}): Crl {
  const [tbs, algorithm, signature, ...rest] = children(der, readWhole(der));
  if (
    tbs?.tag !== derTag.sequence ||
    algorithm?.tag !== derTag.sequence ||
    signature?.tag !== derTag.bitString ||
    rest.length > 0
  ) {
    throw new DerError("its outer form is not that of a CRL");
  }
  const fields = readTbs(der, tbs);
  const extensions = fields.extensions ? readExtensions(der, fields.extensions) : [];
  const authority = readAuthority(extensions);
  return {
    der,
    extensions,
    authority,
    revoked: fields.revoked,
    canonicalIssuer: canonicalName(der, fields.issuer),
    summary: {
      sha256: createHash("sha256").update(der).digest("hex"),
      issuer: renderName(der, fields.issuer),
      thisUpdate: readTime(der, fields.thisUpdate),
      nextUpdate: fields.nextUpdate && readTime(der, fields.nextUpdate),
      number: readCrlNumber(extensions),
      ...(authority.key === undefined ? {} : { authorityKey: authority.key }),
      entries: fields.revoked && countsEntries ? countEntries(der, fields.revoked) : 0,
    },
    // The first byte of a BIT STRING counts unused bits: none in a signature.
    signed: {
      tbs: rawOf(der, tbs),
      algorithm: rawOf(der, algorithm),
      innerAlgorithm: rawOf(der, fields.algorithm),
      signature: contentOf(der, signature).subarray(1),
    },
  };
}

interface TbsParts {
  readonly algorithm: Tlv;
  readonly issuer: Tlv;
  readonly thisUpdate: Tlv;
  readonly nextUpdate: Tlv | undefined;
  readonly revoked: Tlv | undefined;
  readonly extensions: Tlv | undefined;
}

function readTbs(der: Buffer, tbs: Tlv): TbsParts {
  const parts = children(der, tbs);
  const take = (accepts: (tlv: Tlv) => boolean): Tlv | undefined =>
    parts[0] && accepts(parts[0]) ? parts.shift() : undefined;
  const isSequence = (tlv: Tlv): boolean => tlv.tag === derTag.sequence;
  take((tlv) => tlv.tag === derTag.integer);
  const algorithm = take(isSequence);
  const issuer = take(isSequence);
  const thisUpdate = take(isTime);
  const nextUpdate = take(isTime);
  const revoked = take(isSequence);
  const tagged = take((tlv) => tlv.tag === contextTag(0, true));
  if (!algorithm || !issuer || !thisUpdate || parts.length > 0) throw new DerError("its parts are not those of a CRL");
  const extensions = tagged && requireTlv(der, tagged.content, tagged.end, derTag.sequence, "the list of extensions");
  return { algorithm, issuer, thisUpdate, nextUpdate, revoked, extensions };
}

function readCrlNumber(extensions: readonly Extension[]): string | undefined {
  const value = findExtension(extensions, extensionOid.crlNumber)?.value;
  return value && readInteger(value, readTlv(value, 0, value.length)).toString();
}

/** AuthorityKeyIdentifier, RFC 5280, section 4.2.1.1: [0] key identifier, [1] the CA's issuer, [2] the CA's serial number. */
function readAuthority(extensions: readonly Extension[]): AuthorityKey {
  const value = findExtension(extensions, extensionOid.authorityKeyIdentifier)?.value;
  if (value === undefined) return {};
  const parts = children(value, readWhole(value));
  const key = parts.find(({ tag }) => tag === contextTag(0, false));
  const serial = parts.find(({ tag }) => tag === contextTag(2, false));
  return {
    ...(key && { key: Buffer.from(contentOf(value, key)).toString("hex") }),
    ...(serial && { serial: readInteger(value, { ...serial, tag: derTag.integer }).toString(16) }),
  };
}

/** Each entry must be a SEQUENCE that begins with a serial number. */
function countEntries(der: Buffer, revoked: Tlv): number {
  let count = 0;
  for (let offset = revoked.content; offset < revoked.end; count++) {
    offset = shortEntryEnd(der, offset, revoked.end) ?? longEntryEnd(der, offset, revoked.end);
  }
  return count;
}

/** Nearly every entry is shorter than 128 bytes: its end without making objects, which is ten times faster for a million. */
function shortEntryEnd(der: Buffer, offset: number, limit: number): number | undefined {
  const end = offset + 2 + (der[offset + 1] ?? limit);
  const serial = der[offset + 3] ?? 0;
  const isShort = der[offset] === derTag.sequence && end <= limit && end <= offset + 129;
  return isShort && der[offset + 2] === derTag.integer && serial >= 1 && serial <= 64 && offset + 4 + serial <= end
    ? end
    : undefined;
}

function longEntryEnd(der: Buffer, offset: number, limit: number): number {
  const entry = requireTlv(der, offset, limit, derTag.sequence, "an entry");
  const serial = readTlv(der, entry.content, entry.end);
  if (!isInteger(serial)) throw new DerError("the serial number of an entry is malformed");
  return entry.end;
}

export interface Revocation {
  /** ISO 8601, UTC; undefined when the entry has no readable date. */
  readonly date: string | undefined;
  /** As RFC 5280 calls it; missing when the entry gives none, or none that can be read. */
  readonly reason?: string;
}

/** By CRLReason. RFC 5280, section 5.3.1; there is no 7. */
const reasons: readonly (string | undefined)[] = [
  ...["unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation"],
  ...["certificateHold", undefined, "removeFromCRL", "privilegeWithdrawn", "aACompromise"],
];

/**
 * The entry for a serial number (hex, as in `Certificate.serial`); undefined when the CRL does not revoke it. To OpenSSL
 * removeFromCRL means that, too.
 */
export function findRevocation({ der, revoked }: Crl, serial: string): Revocation | undefined {
  if (!revoked) return undefined;
  const wanted = integerContent(parseHex(serial));
  for (let offset = revoked.content; offset < revoked.end;) {
    const shortEnd = shortEntryEnd(der, offset, revoked.end);
    if (shortEnd !== undefined && !holdsInteger(der, offset + 4, offset + 4 + (der[offset + 3] ?? 0), wanted)) {
      offset = shortEnd;
      continue;
    }
    const entry = readTlv(der, offset, revoked.end);
    const number = readTlv(der, entry.content, entry.end);
    if (holdsInteger(der, number.content, number.end, wanted)) {
      const found = readEntry(der, number, entry);
      return found.reason === "removeFromCRL" ? undefined : found;
    }
    offset = entry.end;
  }
  return undefined;
}

const parseHex = (hex: string): bigint => (hex.startsWith("-") ? -BigInt(`0x${hex.slice(1)}`) : BigInt(`0x${hex}`));

/** Dates and reasons are not checked when a CRL is read: a million of them would take a second. */
function readEntry(der: Buffer, number: Tlv, entry: Tlv): Revocation {
  const date = unlessMalformed(() => readTlv(der, number.end, entry.end));
  const reason = date && unlessMalformed(() => readReason(der, date.end, entry.end));
  return {
    date: date && unlessMalformed(() => readTime(der, date)),
    ...(reason === undefined ? {} : { reason }),
  };
}

function readReason(der: Buffer, offset: number, end: number): string | undefined {
  if (offset === end) return undefined;
  const value = findExtension(readExtensions(der, readTlv(der, offset, end)), extensionOid.crlReason)?.value;
  const code = value && requireTlv(value, 0, value.length, derTag.enumerated, "the reason");
  return code && reasons[value[code.content] ?? -1];
}

function unlessMalformed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** True when the CRL lists this serial number (hex). */
export const isRevoked = (crl: Crl, serial: string): boolean => findRevocation(crl, serial) !== undefined;

/** What is installed: each CRL encoded anew, nothing else of the file it came from. */
export const encodeCrls = (crls: readonly Crl[]): string => crls.map(({ der }) => encodePem("X509 CRL", der)).join("");
