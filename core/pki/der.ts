/**
 * A reader of DER that never goes beyond the bytes it was given. CRLs come over plain http and may have a million
 * entries: general ASN.1 libraries build a tree of objects and stop at a few thousand, this one only reads headers.
 */

/** One tag-length-value: `start` is its tag, `content` its first content byte, `end` the first byte after it. */
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

/** Tag `[number]` with the context-specific class, constructed or not. */
export const contextTag = (number: number, constructed: boolean): number => 0x80 | (constructed ? 0x20 : 0) | number;

/** The bytes are not the DER that was expected. The message is ready to print and quotes nothing of the bytes. */
export class DerError extends Error {}

/** More children than any certificate has, few enough to hold as objects. */
const maxChildren = 10_000;

/** Reads the header at `offset`; content may not reach beyond `end`. */
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

/** As {@link readTlv}, and the tag must be `tag`; `what` names the value in the error. */
export function requireTlv(bytes: Uint8Array, offset: number, end: number, tag: number, what: string): Tlv {
  const tlv = readTlv(bytes, offset, end);
  if (tlv.tag !== tag) throw new DerError(`${what} is missing or has the wrong type`);
  return tlv;
}

/** Direct children of a constructed value. For small values only: lists of a CRL's size are walked, not held. */
export function children(bytes: Uint8Array, parent: Tlv): Tlv[] {
  const found: Tlv[] = [];
  for (let offset = parent.content; offset < parent.end;) {
    if (found.length >= maxChildren) throw new DerError("it has more parts than any real certificate or CRL");
    const child = readTlv(bytes, offset, parent.end);
    found.push(child);
    offset = child.end;
  }
  return found;
}

/** The one value that fills `bytes` to the end. */
export function readWhole(bytes: Uint8Array): Tlv {
  const whole = requireTlv(bytes, 0, bytes.length, derTag.sequence, "the outer SEQUENCE");
  if (whole.end !== bytes.length) throw new DerError("there are bytes after its end");
  return whole;
}

/** Content bytes, not copied. */
export const contentOf = (bytes: Uint8Array, tlv: Tlv): Uint8Array => bytes.subarray(tlv.content, tlv.end);

/** All bytes with the header, not copied. */
export const rawOf = (bytes: Uint8Array, tlv: Tlv): Uint8Array => bytes.subarray(tlv.start, tlv.end);

/** Dotted form, such as `2.5.4.3`. */
export function readOid(bytes: Uint8Array, tlv: Tlv): string {
  if (tlv.tag !== derTag.oid || tlv.end === tlv.content || tlv.end - tlv.content > 64)
    throw new DerError("an object identifier is malformed");
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of contentOf(bytes, tlv)) {
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  const first = arcs[0];
  if (first === undefined) throw new DerError("an object identifier is malformed");
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...arcs.slice(1)].join(".");
}

/** RFC 5280 allows 20 bytes for serial and CRL numbers; some issuers write a few more. */
const maxIntegerBytes = 64;

/** True for an INTEGER that {@link readInteger} accepts. */
export const isInteger = (tlv: Tlv): boolean =>
  tlv.tag === derTag.integer && tlv.end > tlv.content && tlv.end - tlv.content <= maxIntegerBytes;

/** INTEGER, which may be negative: some old issuers forgot the zero byte in front. */
export function readInteger(bytes: Uint8Array, tlv: Tlv): bigint {
  if (!isInteger(tlv)) throw new DerError("an integer is malformed");
  const content = Buffer.from(contentOf(bytes, tlv));
  return BigInt.asIntN(content.length * 8, BigInt(`0x${content.toString("hex")}`));
}

/** Content bytes of an INTEGER, as few as it needs. */
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
 * True when the content of an INTEGER is `wanted`, as {@link integerContent} gives it. Makes no object: it runs a
 * million times.
 */
export function holdsInteger(bytes: Uint8Array, content: number, end: number, wanted: Uint8Array): boolean {
  let start = content;
  // Some issuers write more sign bytes than needed.
  while (end - start > wanted.length && isNeedlessSign(bytes[start], bytes[start + 1] ?? 0)) start++;
  if (end - start !== wanted.length) return false;
  // From the end: serial numbers tend to differ there.
  for (let i = wanted.length - 1; i >= 0; i--) if (bytes[start + i] !== wanted[i]) return false;
  return true;
}

const isNeedlessSign = (first: number | undefined, second: number): boolean =>
  (first === 0 && second < 0x80) || (first === 0xff && second >= 0x80);

/** Written as RFC 5280 wants it: in whole seconds and UTC. OpenSSL counts no other as a date. */
export const isExactTime = (bytes: Uint8Array, tlv: Tlv): boolean => !contentOf(bytes, tlv).includes(0x2e);

const notExact = "a date is not written as RFC 5280 wants it (in whole seconds and UTC), so OpenSSL does not count it";

/**
 * UTCTime or GeneralizedTime as ISO 8601 in UTC with whole seconds, such as `2026-11-23T02:00:00Z`; a fraction is left
 * out: ask {@link isExactTime}.
 */
export function readTime(bytes: Uint8Array, tlv: Tlv): string {
  if (tlv.end - tlv.content > 32) throw new DerError(notExact);
  const text = Buffer.from(contentOf(bytes, tlv)).toString("latin1");
  const full = tlv.tag === derTag.utcTime ? (Number(text.slice(0, 2)) < 50 ? "20" : "19") + text : text;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.\d+)?Z$/.exec(full);
  if (!parts || !isTime(tlv)) throw new DerError(notExact);
  const [year, month, day, hour, minute, second] = parts.slice(1);
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
  const parsed = new Date(iso);
  // An impossible day such as 31 February either fails to parse or comes back as another day.
  if (Number.isNaN(parsed.getTime()) || parsed.getUTCDate() !== Number(day)) throw new DerError(notExact);
  return iso;
}

/** True for the two types that dates have. */
export const isTime = (tlv: Tlv): boolean => tlv.tag === derTag.utcTime || tlv.tag === derTag.generalizedTime;
