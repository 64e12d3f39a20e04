/** GeneralName: the form in which certificates and CRLs write addresses and names. @see RFC 5280, section 4.2.1.6 */
import { type Tlv, contentOf, contextTag, derTag, rawOf, requireTlv } from "./der.ts";
import { canonicalName } from "./name.ts";

/** The number of the context tag, for each kind that is read. */
export const generalNameTag = {
  otherName: 0,
  rfc822Name: 1,
  dNSName: 2,
  directoryName: 4,
  uri: 6,
  iPAddress: 7,
} as const;

/** Reads a directoryName in the form of `Certificate.canonicalSubject`. Undefined for every other kind. */
export function readDirectoryName(bytes: Uint8Array, name: Tlv): string | undefined {
  if (name.tag !== contextTag(generalNameTag.directoryName, true)) return undefined;
  const inner = requireTlv(bytes, name.content, name.end, derTag.sequence, "a name");
  return canonicalName(bytes, inner);
}

/** Reads a URI with every byte unchanged. Undefined for every other kind. */
export const readUri = (bytes: Uint8Array, name: Tlv): string | undefined =>
  name.tag === contextTag(generalNameTag.uri, false)
    ? Buffer.from(contentOf(bytes, name)).toString("latin1")
    : undefined;

/**
 * A text that is equal for names that OpenSSL takes to be equal. URIs are compared byte by byte, and names of a
 * directory by their canonical form. The text has no blank and no control character.
 */
export function nameKey(bytes: Uint8Array, name: Tlv): string {
  const directory = readDirectoryName(bytes, name);
  const text = directory === undefined ? readUri(bytes, name) : `directory:${directory}`;
  const key = text ?? `name:${Buffer.from(rawOf(bytes, name)).toString("hex")}`;
  return [...Buffer.from(key, "utf8")].map(percentEncoded).join("");
}

const percentEncoded = (byte: number): string =>
  byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, "0").toUpperCase()}`;
