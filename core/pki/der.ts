/**
 * A reader of DER that never goes beyond the bytes it was given. CRLs come over plain http and may have a million
 * entries. General ASN.1 libraries build a tree of objects and stop at a few thousand entries; this reader reads only
 * headers.
 */

/**
 * One tag-length-value. `start` is the offset of its tag, `content` that of its first content byte, and `end` that of
 * the first byte after it.
 */
export interface Tlv {
  readonly tag: number;
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The tag `[number]` with the context-specific class, constructed or not. */
export const contextTag = (number: number, constructed: boolean): number => 0x80 | (constructed ? 0x20 : 0) | number;

/**
 * Thrown when the bytes are not the DER that was expected. The message is ready to print and quotes nothing of the
 * bytes.
 */
export class DerError extends Error {}

/** This is more children than any certificate has, and few enough to keep as objects. */
const maxChildren = 10_000;

/**
 * Reads the header at `offset`. Throws {@link DerError} where the content reaches beyond `end`, for a tag number above
 * 30, and for a length of more than four bytes.
 */
export function readTlv(bytes: Uint8Array, offset: number, end: number): Tlv {
  const tag = bytes[offset];
  const first = bytes[offset + 1];
  if (offset + 2 > end || tag === undefined || first === undefined)
    throw new DerError("it ends in the middle of a value");
  if ((tag & 0x1f) === 0x1f) throw new DerError("it has a tag that certificates and CRLs never use");
  let length = first;
  let content = offset + 2;
  if (first >= 0x80) {
    const size = first & 0x7f;
    if (size === 0) throw new DerError("it is BER with an indefinite length, not DER");
    if (size > 4) throw new DerError("it claims an impossible length");
    if (content + size > end) throw new DerError("it ends in the middle of a value");
    length = 0;
    // `?? 0` only satisfies the compiler: the bound was checked above.
    for (let i = 0; i < size; i++) length = length * 256 + (bytes[content + i] ?? 0);
    content += size;
  }
  if (length > end - content) throw new DerError("a value claims to be longer than what holds it");
  return { tag, start: offset, content, end: content + length };
}

/** The same as {@link readTlv}, but the tag must be `tag`. `what` names the value in the error. */
export function requireTlv(bytes: Uint8Array, offset: number, end: number, tag: number, what: string): Tlv {
  const tlv = readTlv(bytes, offset, end);
  if (tlv.tag !== tag) throw new DerError(`${what} is missing or has the wrong type`);
  return tlv;
}

/**
 * The direct children of a constructed value. Throws {@link DerError} where there are more than `maxChildren`. Use this
 * for small values only: data of a CRL's size is walked through, not kept as objects.
 */
export function children(bytes: Uint8Array, parent: Tlv): Tlv[] {
  const tlvs: Tlv[] = [];
  for (let offset = parent.content; offset < parent.end;) {
    if (tlvs.length >= maxChildren) throw new DerError("it has more parts than any real certificate or CRL");
    const child = readTlv(bytes, offset, parent.end);
    tlvs.push(child);
    offset = child.end;
  }
  return tlvs;
}

/** Reads the one SEQUENCE that fills `bytes` to the end. Throws {@link DerError} where there is anything else. */
export function readWhole(bytes: Uint8Array): Tlv {
  const whole = requireTlv(bytes, 0, bytes.length, derTag.sequence, "the outer SEQUENCE");
  if (whole.end !== bytes.length) throw new DerError("there are bytes after its end");
  return whole;
}

/** The content bytes, not copied. */
export const contentOf = (bytes: Uint8Array, tlv: Tlv): Uint8Array => bytes.subarray(tlv.content, tlv.end);

/** All bytes of the value, with its header, not copied. */
export const rawOf = (bytes: Uint8Array, tlv: Tlv): Uint8Array => bytes.subarray(tlv.start, tlv.end);

/**
 * The object identifier in dotted form, such as `2.5.4.3`. Throws {@link DerError} where it is malformed or has more
 * than 64 bytes.
 */
export function readOid(bytes: Uint8Array, tlv: Tlv): string {
  if (tlv.tag !== derTag.oid || tlv.end === tlv.content || tlv.end - tlv.content > 64)
    throw new DerError("an object identifier is malformed");
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of contentOf(bytes, tlv)) {
    // Each byte has seven bits of a number. The first bit is 0 in its last byte.
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  const first = arcs[0];
  if (first === undefined) throw new DerError("an object identifier is malformed");
  // The first number holds two arcs: 40 times the first arc, which is 0, 1 or 2, plus the second.
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...arcs.slice(1)].join(".");
}

/** RFC 5280 allows 20 bytes for serial and CRL numbers. Some issuers write a few more. */
const maxIntegerBytes = 64;

/** Whether the value is an INTEGER that {@link readInteger} accepts. */
export const isInteger = (tlv: Tlv): boolean =>
  tlv.tag === derTag.integer && tlv.end > tlv.content && tlv.end - tlv.content <= maxIntegerBytes;

/**
 * Reads an INTEGER. It may be negative, because some old issuers forgot the zero byte before it. Throws
 * {@link DerError} where it is none, is empty, or has more than `maxIntegerBytes`.
 */
export function readInteger(bytes: Uint8Array, tlv: Tlv): bigint {
  if (!isInteger(tlv)) throw new DerError("an integer is malformed");
  const content = Buffer.from(contentOf(bytes, tlv));
  return BigInt.asIntN(content.length * 8, BigInt(`0x${content.toString("hex")}`));
}

/** The content bytes of an INTEGER, in two's complement, as few as it needs. */
export function integerContent(value: bigint): Uint8Array {
  let size = 1;
  while (BigInt.asIntN(size * 8, value) !== value) size++;
  return Buffer.from(
    BigInt.asUintN(size * 8, value)
      .toString(16)
      .padStart(size * 2, "0"),
    "hex",
  );
}

/**
 * Whether the content of an INTEGER is `wanted`, which is made by {@link integerContent}. The function makes no
 * objects, because it runs a million times.
 */
export function holdsInteger(bytes: Uint8Array, content: number, end: number, wanted: Uint8Array): boolean {
  let start = content;
  // Some issuers write more sign bytes than needed.
  while (end - start > wanted.length && isNeedlessSign(bytes[start], bytes[start + 1] ?? 0)) start++;
  if (end - start !== wanted.length) return false;
  // The comparison begins at the end, because serial numbers mostly differ there.
  for (let i = wanted.length - 1; i >= 0; i--) if (bytes[start + i] !== wanted[i]) return false;
  return true;
}

/** Whether the first byte of an INTEGER only repeats the sign, which the second byte shows, too. */
const isNeedlessSign = (first: number | undefined, second: number): boolean =>
  (first === 0 && second < 0x80) || (first === 0xff && second >= 0x80);

/**
 * Whether a date that {@link readTime} accepts has whole seconds, that is, no decimal point. RFC 5280 demands that, and
 * OpenSSL does not accept any other form as a date.
 */
export const isExactTime = (bytes: Uint8Array, tlv: Tlv): boolean => !contentOf(bytes, tlv).includes(0x2e);

const notExact = "a date is not written as RFC 5280 wants it (in whole seconds and UTC), so OpenSSL does not count it";

/**
 * Reads UTCTime or GeneralizedTime as ISO 8601 in UTC with whole seconds, such as `2026-11-23T02:00:00Z`. A fraction of
 * a second is left out; {@link isExactTime} finds it. Throws {@link DerError} for any other form.
 */
export function readTime(bytes: Uint8Array, tlv: Tlv): string {
  if (tlv.end - tlv.content > 32) throw new DerError(notExact);
  const text = Buffer.from(contentOf(bytes, tlv)).toString("latin1");
  // RFC 5280, section 4.1.2.5.1: UTCTime has two digits for the years 1950 to 2049.
  const full = tlv.tag === derTag.utcTime ? (Number(text.slice(0, 2)) < 50 ? "20" : "19") + text : text;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?Z$/.exec(full);
  if (!parts || !isTime(tlv)) throw new DerError(notExact);
  const [year, month, day, hour, minute, second] = parts.slice(1);
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
  const parsed = new Date(iso);
  // The parser rejects an impossible day, such as 31 February, or turns it into another day.
  if (Number.isNaN(parsed.getTime()) || parsed.getUTCDate() !== Number(day)) throw new DerError(notExact);
  return iso;
}

/** Whether the value has one of the two types that dates have. */
export const isTime = (tlv: Tlv): boolean => tlv.tag === derTag.utcTime || tlv.tag === derTag.generalizedTime;
