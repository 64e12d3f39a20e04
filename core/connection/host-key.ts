/** Public host keys, as they stand in `hostKey`. */

const hostKeyTypes = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "ssh-rsa",
] as const;

export interface HostKey {
  readonly type: (typeof hostKeyTypes)[number];
  /** The bytes of the key, as SSH sends them over the wire. */
  readonly bytes: Buffer;
}

const remedy =
  'write the public key as "ssh-keyscan HOST" prints it, without the host name, such as "ssh-ed25519 AAAA…"';

/**
 * What is wrong with a public host key, or undefined when it is well formed. The message never quotes the key, because
 * it may be a private key.
 */
export function findHostKeyMistake(text: string): string | undefined {
  const keyOrMistake = readHostKey(text);
  return typeof keyOrMistake === "string" ? keyOrMistake : undefined;
}

/**
 * Reads the key from `ssh-ed25519 AAAA… comment`, which is the line of the host's own `/etc/ssh/ssh_host_*_key.pub`.
 * Where something is wrong with the line, returns the message that says what.
 */
export function readHostKey(text: string): HostKey | string {
  if (/PRIVATE KEY/.test(text))
    return `a private key is pasted here; remove it and treat it as known to others; ${remedy}`;
  // The hexadecimal form of MD5 has sixteen pairs of digits with colons between them.
  if (/^(SHA256:|MD5:|([0-9a-f]{2}:){15})/i.test(text))
    return `this is a fingerprint, which cannot be compared with every kind of key; ${remedy}`;
  const [name, data = ""] = text.trim().split(/\s+/);
  const type = hostKeyTypes.find((keyType) => keyType === name);
  if (type === undefined)
    return hostKeyTypes.some((keyType) => keyType === data)
      ? `the host name stands in front; ${remedy}`
      : `this is no SSH public key; ${remedy}`;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(data)) return `the key after ${type} is no base64; ${remedy}`;
  const bytes = Buffer.from(data, "base64");
  // Decoding drops the end of a base64 text that was cut off. Encoded again, such a text differs.
  const isWhole = bytes.toString("base64") === data && hasWholeParts(bytes, type);
  return isWhole ? { type, bytes } : `the key after ${type} is damaged or cut off; ${remedy}`;
}

/**
 * Whether the bytes are a complete key of this type. RFC 4253, section 6.6: a key consists of strings with a length of
 * 4 bytes before each. The first string repeats the type, and no string may be cut off.
 */
function hasWholeParts(bytes: Buffer, type: string): boolean {
  const strings: Buffer[] = [];
  for (let offset = 0; offset < bytes.length;) {
    if (offset + 4 > bytes.length) return false;
    const end = offset + 4 + bytes.readUInt32BE(offset);
    if (end > bytes.length) return false;
    strings.push(bytes.subarray(offset + 4, end));
    offset = end;
  }
  // Ed25519 has the type and 32 bytes. ECDSA has type, curve and point, and RSA has type, exponent and modulus.
  const parts = type === "ssh-ed25519" ? 2 : 3;
  if (strings[0]?.toString("latin1") !== type || strings.length !== parts) return false;
  return type !== "ssh-ed25519" || strings[1]?.length === 32;
}
