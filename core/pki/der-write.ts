/** Values in DER, for what we write ourselves. */
import { contextTag, derTag } from "./der.ts";

/** One value: tag, length, and its content, which may come in parts. */
export function encodeDer(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length < 0x80 ? [content.length] : longLength(content.length);
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function longLength(length: number): number[] {
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

export const encodeSequence = (...parts: readonly Uint8Array[]): Buffer => encodeDer(derTag.sequence, ...parts);

/** Constructed, with the context-specific tag `[number]`. */
export const encodeTagged = (number: number, ...parts: readonly Uint8Array[]): Buffer =>
  encodeDer(contextTag(number, true), ...parts);

/** BIT STRING of whole bytes. */
export const encodeBits = (content: Uint8Array): Buffer => encodeDer(derTag.bitString, Buffer.from([0]), content);

/** INTEGER in as few bytes as it needs; of the negative ones only -128 to -1. */
export function encodeInteger(value: bigint): Buffer {
  if (value < 0n) return encodeDer(derTag.integer, Buffer.from([Number(BigInt.asUintN(8, value))]));
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return encodeDer(derTag.integer, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

/** Object identifier in dotted form, such as `2.5.29.15`. */
export function encodeOid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const arcs = [first * 40 + second, ...rest].flatMap((arc) => {
    const bytes = [arc & 0x7f];
    for (let high = Math.floor(arc / 128); high > 0; high = Math.floor(high / 128)) bytes.unshift(0x80 | (high & 0x7f));
    return bytes;
  });
  return encodeDer(derTag.oid, Buffer.from(arcs));
}

/** UTCTime before 2050, GeneralizedTime from then on, as RFC 5280, section 4.1.2.5, wants it. */
export function encodeTime(date: Date): Buffer {
  const digits = date
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replace(/[-:T]/g, "");
  return date.getUTCFullYear() < 2050
    ? encodeDer(derTag.utcTime, Buffer.from(digits.slice(2)))
    : encodeDer(derTag.generalizedTime, Buffer.from(digits));
}

/** Extension of a certificate or CRL; `value` is its own DER. */
export const encodeExtension = (oid: string, value: Uint8Array, critical = false): Buffer =>
  encodeSequence(
    encodeOid(oid),
    ...(critical ? [encodeDer(derTag.boolean, Buffer.from([0xff]))] : []),
    encodeDer(derTag.octetString, value),
  );
