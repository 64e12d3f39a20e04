/** Reads the entries of a CRL. A CRL may have a million entries, so they are walked without an object for each. */
import type { Crl } from "./crl.ts";
import {
  type Tlv,
  DerError,
  children,
  derTag,
  holdsInteger,
  integerContent,
  isInteger,
  readTime,
  readTlv,
  requireTlv,
} from "./der.ts";
import { type Extension, extensionOid, findExtension, readExtensions } from "./extensions.ts";

/** Counts the entries. Each entry must be a SEQUENCE that begins with a serial number. */
export function countEntries(der: Buffer, revoked: Tlv): number {
  let count = 0;
  for (let offset = revoked.content; offset < revoked.end; count++) {
    offset = entryEnd(der, offset, revoked.end);
  }
  return count;
}

const entryEnd = (der: Buffer, offset: number, limit: number): number =>
  shortEntryEnd(der, offset, limit) ?? longEntryEnd(der, offset, limit);

/**
 * The end of an entry that is shorter than 128 bytes, as nearly every entry is. The function makes no objects, which is
 * ten times faster for a million entries.
 */
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
  /** ISO 8601, UTC. Undefined when the entry has no readable date. */
  readonly date: string | undefined;
  /** The reason by its name in RFC 5280. Missing when the entry gives no reason, or an unreadable one. */
  readonly reason?: string;
}

/** The names of the reasons, by the number of CRLReason. RFC 5280, section 5.3.1; the number 7 is not used. */
const reasons: readonly (string | undefined)[] = [
  ...["unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation"],
  ...["certificateHold", undefined, "removeFromCRL", "privilegeWithdrawn", "aACompromise"],
];

/**
 * Finds the entry for a serial number (hex, in the form of `Certificate.serial`). Undefined when the CRL does not
 * revoke it. OpenSSL reads the reason removeFromCRL as "not revoked", too.
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

/** Dates and reasons are not checked when a CRL is read, because a million of them would take a second. */
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

/**
 * The bytes of `critical TRUE`, which follow the object identifier of an extension. For OpenSSL any value but 0 counts
 * as TRUE.
 */
const booleanHead = Buffer.from([derTag.boolean, 1]);
/**
 * Tag and length of an object identifier stand at most this far before its end. No extension of an entry has a longer
 * identifier.
 */
const longestOidBytes = 30;

/**
 * Finds the first critical extension of an entry, or undefined. A CRL of a million entries has few places that look
 * like a critical extension, so only the entries at these places are read.
 */
export function findCriticalEntryExtension({ der, revoked }: Crl): Extension | undefined {
  if (!revoked) return undefined;
  let entry = revoked.content;
  for (let at = der.indexOf(booleanHead, entry); at >= 0 && at < revoked.end; at = der.indexOf(booleanHead, at + 1)) {
    if (der[at + 2] === 0 || !endsOid(der, at)) continue;
    for (let end = entry; end <= at; end = entryEnd(der, entry, revoked.end)) entry = end;
    const found = extensionsAt(der, entry, revoked.end).find(({ critical }) => critical);
    if (found !== undefined) return found;
  }
  return undefined;
}

function endsOid(der: Buffer, end: number): boolean {
  for (let length = 1; length <= longestOidBytes; length++)
    if (der[end - length - 1] === length && der[end - length - 2] === derTag.oid) return true;
  return false;
}

/** The extensions of one entry. Empty where they are malformed, because OpenSSL does not read them either. */
function extensionsAt(der: Buffer, offset: number, limit: number): Extension[] {
  const read = (): Extension[] => {
    const [, , list] = children(der, readTlv(der, offset, limit));
    return list === undefined ? [] : readExtensions(der, list);
  };
  return unlessMalformed(read) ?? [];
}
