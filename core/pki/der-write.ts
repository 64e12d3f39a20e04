/** Writes values in DER. */
import { contextTag, derTag } from "./der.ts";

/** Writes one value: its tag, its length and its content, which may come in parts. */
export function encodeDer(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length < 0x80 ? [content.length] : longLength(content.length);
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

/** The length in the long form: a byte with the number of bytes that follow, and the length in these. */
function longLength(length: number): number[] {
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

export const encodeSequence = (...parts: readonly Uint8Array[]): Buffer => encodeDer(derTag.sequence, ...parts);

/** Writes a constructed value with the context-specific tag `[number]`. */
export const encodeTagged = (number: number, ...parts: readonly Uint8Array[]): Buffer =>
  encodeDer(contextTag(number, true), ...parts);

/** Writes a BIT STRING of whole bytes. */
export const encodeBits = (content: Uint8Array): Buffer => encodeDer(derTag.bitString, Buffer.from([0]), content);

/** Writes an INTEGER in as few bytes as it needs. Of the negative numbers, only -128 to -1 are supported. */
export function encodeInteger(value: bigint): Buffer {
  if (value < 0n) return encodeDer(derTag.integer, Buffer.from([Number(BigInt.asUintN(8, value))]));
  const hex = value.toString(16);
  // A first bit of 1 would make the number negative, so a zero byte comes before it.
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return encodeDer(derTag.integer, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

/** Writes an object identifier in dotted form, such as `2.5.29.15`. */
export function encodeOid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const arcs = [first * 40 + second, ...rest].flatMap((arc) => {
    // Seven bits stand in each byte. The first bit is set in all bytes but the last.
    const bytes = [arc & 0x7f];
    for (let high = Math.floor(arc / 128); high > 0; high = Math.floor(high / 128)) bytes.unshift(0x80 | (high & 0x7f));
    return bytes;
  });
  return encodeDer(derTag.oid, Buffer.from(arcs));
}

/** Writes a date as RFC 5280, section 4.1.2.5, demands: UTCTime before 2050, GeneralizedTime from then on. */
export function encodeTime(date: Date): Buffer {
  const digits = date
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replace(/[-:T]/g, "");
  return date.getUTCFullYear() < 2050
    ? encodeDer(derTag.utcTime, Buffer.from(digits.slice(2)))
    : encodeDer(derTag.generalizedTime, Buffer.from(digits));
}

/** Writes an extension of a certificate or CRL. `value` is DER, too. */
export const encodeExtension = (oid: string, value: Uint8Array, critical = false): Buffer =>
  encodeSequence(
    encodeOid(oid),
    ...(critical ? [encodeDer(derTag.boolean, Buffer.from([0xff]))] : []),
    encodeDer(derTag.octetString, value),
  );
