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

/**
 * Counts the entries. Each entry must be a SEQUENCE that begins with a serial number; throws {@link DerError} for any
 * other.
 */
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
 * The end of an entry whose content is shorter than 128 bytes, as that of nearly every entry is. Undefined for a longer
 * or malformed entry. The function makes no objects, which is ten times faster for a million entries.
 */
function shortEntryEnd(der: Buffer, offset: number, limit: number): number | undefined {
  // The entry begins with its tag, its length, and the tag and length of the serial number, one byte each. Where the
  // bytes end before that, `?? limit` makes an end beyond the limit. A first length byte above 127 is a longer form.
  const end = offset + 2 + (der[offset + 1] ?? limit);
  const serialLength = der[offset + 3] ?? 0;
  const isShort = der[offset] === derTag.sequence && end <= limit && end <= offset + 129;
  const hasSerial = der[offset + 2] === derTag.integer && serialLength >= 1 && serialLength <= 64;
  return isShort && hasSerial && offset + 4 + serialLength <= end ? end : undefined;
}

/** The end of an entry of any length. Throws {@link DerError} where the entry is malformed. */
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
 * revoke it. An entry with the reason removeFromCRL does not revoke it either, as OpenSSL has it.
 */
export function findRevocation({ der, revoked }: Crl, serial: string): Revocation | undefined {
  if (!revoked) return undefined;
  const wanted = integerContent(parseHex(serial));
  // A short entry of another number is passed over without an object. Every other entry is read.
  for (let offset = revoked.content; offset < revoked.end;) {
    const shortEnd = shortEntryEnd(der, offset, revoked.end);
    if (shortEnd !== undefined && !holdsInteger(der, offset + 4, offset + 4 + (der[offset + 3] ?? 0), wanted)) {
      offset = shortEnd;
      continue;
    }
    const entry = readTlv(der, offset, revoked.end);
    const number = readTlv(der, entry.content, entry.end);
    if (holdsInteger(der, number.content, number.end, wanted)) {
      const revocation = readEntry(der, number, entry);
      return revocation.reason === "removeFromCRL" ? undefined : revocation;
    }
    offset = entry.end;
  }
  return undefined;
}

const parseHex = (hex: string): bigint => (hex.startsWith("-") ? -BigInt(`0x${hex.slice(1)}`) : BigInt(`0x${hex}`));

/**
 * Reads date and reason, which follow the serial number, and leaves out what is malformed. They are not checked when a
 * CRL is read: that would take a second.
 */
function readEntry(der: Buffer, number: Tlv, entry: Tlv): Revocation {
  const date = unlessMalformed(() => readTlv(der, number.end, entry.end));
  const reason = date && unlessMalformed(() => readReason(der, date.end, entry.end));
  return {
    date: date && unlessMalformed(() => readTime(der, date)),
    ...(reason === undefined ? {} : { reason }),
  };
}

/**
 * The name of the reason in the extensions at `offset`. Undefined where there is none, or none that is known. Throws
 * {@link DerError}.
 */
function readReason(der: Buffer, offset: number, end: number): string | undefined {
  if (offset === end) return undefined;
  const value = findExtension(readExtensions(der, readTlv(der, offset, end)), extensionOid.crlReason)?.value;
  const code = value && requireTlv(value, 0, value.length, derTag.enumerated, "the reason");
  return code && reasons[value[code.content] ?? -1];
}

/** Returns what `read` reads, or undefined where the bytes are not the DER that it expects. */
function unlessMalformed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** Tag and length of the BOOLEAN `critical`, which follows the object identifier of an extension. */
const criticalHead = Buffer.from([derTag.boolean, 1]);
/** No extension of an entry has an object identifier with a longer content. */
const longestOidBytes = 30;

/**
 * Finds the first critical extension of an entry, or undefined. A CRL of a million entries has few places that look
 * like a critical extension, so only the entries at these places are read.
 */
export function findCriticalEntryExtension({ der, revoked }: Crl): Extension | undefined {
  if (!revoked) return undefined;
  let entry = revoked.content;
  const nextHead = (from: number): number => der.indexOf(criticalHead, from);
  for (let head = nextHead(entry); head >= 0 && head < revoked.end; head = nextHead(head + 1)) {
    // OpenSSL takes every value but 0 as TRUE.
    if (der[head + 2] === 0 || !endsOid(der, head)) continue;
    // Walks on to the entry that holds this place.
    for (let end = entry; end <= head; end = entryEnd(der, entry, revoked.end)) entry = end;
    const critical = extensionsAt(der, entry, revoked.end).find((extension) => extension.critical);
    if (critical !== undefined) return critical;
  }
  return undefined;
}

/** Whether the bytes before `end` look like an object identifier: its tag, its length, and so many bytes. */
function endsOid(der: Buffer, end: number): boolean {
  for (let length = 1; length <= longestOidBytes; length++)
    if (der[end - length - 1] === length && der[end - length - 2] === derTag.oid) return true;
  return false;
}

/** The extensions of one entry. Empty where they are malformed, because OpenSSL does not read them either. */
function extensionsAt(der: Buffer, offset: number, limit: number): Extension[] {
  const read = (): Extension[] => {
    // An entry consists of serial number, date and extensions.
    const [, , list] = children(der, readTlv(der, offset, limit));
    return list === undefined ? [] : readExtensions(der, list);
  };
  return unlessMalformed(read) ?? [];
}
