/** CRLs as large as those of public issuers, made in a second. The generator of the library takes minutes for them. */
import { randomFillSync } from "node:crypto";
import { children, rawOf, readWhole, type Tlv } from "../core/pki/der.ts";
import { crlToDer, type CrlOptions } from "./pki-crl.ts";
import type { LabPki } from "./pki.ts";
import { requireValue } from "./values.ts";

const sequence = 0x30;
/** RFC 5280, 5.1: SEQUENCE { INTEGER of 16 bytes, UTCTime }. */
const entryHead = Buffer.from("30210210", "hex");
const entryTime = Buffer.concat([Buffer.from("170d", "hex"), Buffer.from("260101000000Z")]);
const serialBytes = 16;
const entryBytes = entryHead.length + serialBytes + entryTime.length;

/**
 * Makes a CRL of the issuing CA, in DER. It lists what the CA has revoked so far, and `count` more entries with random
 * serials of 128 bits.
 */
export async function makeLargeCrl(
  pki: LabPki,
  count: number,
  options: Pick<CrlOptions, "number" | "thisUpdateHours"> = {},
): Promise<Buffer<ArrayBuffer>> {
  const small = crlToDer(await pki.crl(options));
  const [list, algorithm] = children(small, readWhole(small));
  const parts = children(small, requireValue(list, "list of the CRL"));
  const raw = (part: Tlv | undefined): Buffer => Buffer.from(rawOf(small, requireValue(part, "part of the CRL")));
  const revoked = requireValue(parts[5], "revoked certificates");
  const entries = value(sequence, small.subarray(revoked.content, revoked.end), randomEntries(count));
  const signed = value(sequence, ...parts.slice(0, 5).map(raw), entries, raw(parts[6]));
  const signature = value(0x03, Buffer.from([0]), pki.sign(signed));
  return value(sequence, signed, raw(algorithm), signature);
}

/** Each serial begins with 0x40, so that it is positive and has no leading zero byte. */
function randomEntries(count: number): Buffer {
  const entries = randomFillSync(Buffer.allocUnsafe(count * entryBytes));
  for (let at = 0; at < entries.length; at += entryBytes) {
    entryHead.copy(entries, at);
    entries.writeUInt8(0x40, at + entryHead.length);
    entryTime.copy(entries, at + entryHead.length + serialBytes);
  }
  return entries;
}

/** One DER value. */
function value(tag: number, ...parts: readonly Uint8Array[]): Buffer<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([tag]), lengthOf(length), ...parts]);
}

/** The length in as few bytes as it needs: DER allows no other form. */
function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const hex = length.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
  return Buffer.concat([Buffer.from([0x80 | bytes.length]), bytes]);
}
