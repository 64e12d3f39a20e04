/** PEM armour: it is read with its usual irregularities, and written in one normal form. */
import { type PkiDiagnostic, problem, warning } from "./pki-diagnostic.ts";
import { type Kind, describeWrongKind, detectBinaryKind, detectDerKind } from "./kind.ts";

/** One DER value of a file. `line` is the number of its BEGIN line. It is undefined in a binary file. */
export interface Block {
  readonly kind: Kind;
  readonly der: Buffer;
  readonly line: number | undefined;
}

export interface Blocks {
  readonly blocks: readonly Block[];
  readonly diagnostics: readonly PkiDiagnostic[];
}

/** A bundle of all public CAs of the world has about 150 certificates. */
const maxBlocks = 1000;
/** A file with twenty mistakes is not a certificate file. */
const maxFindings = 20;

/**
 * Reads every PEM block of a file, or the file itself when it is DER. Text before, between and after the blocks is
 * ignored. `wanted` says in messages what is expected, such as `a CRL`; blocks of other kinds are returned, too.
 */
export function readBlocks(bytes: Buffer, wanted: string): Blocks {
  const binary = detectBinaryKind(bytes);
  if (binary === "utf16" || !bytes.includes("-----BEGIN ")) return readUnarmoured(bytes, binary, wanted);
  return readArmoured(bytes);
}

/** Reads a file without PEM blocks: one DER value of a known kind, or a problem that says what the file is instead. */
function readUnarmoured(bytes: Buffer, kind: Kind, wanted: string): Blocks {
  if (kind === "unknown") return { blocks: [], diagnostics: [problem(describeUnknown(bytes, wanted))] };
  const isDer = bytes[0] === 0x30;
  if (!isDer)
    return {
      blocks: [],
      diagnostics: [problem(kind === "empty" ? `is empty; give ${wanted}` : describeWrongKind(kind, wanted))],
    };
  return { blocks: [{ kind, der: bytes, line: undefined }], diagnostics: [] };
}

/** Says what a file may be that is neither PEM nor DER. */
function describeUnknown(bytes: Buffer, wanted: string): string {
  if (bytes[0] === 0x30) return `is damaged or truncated DER, not ${wanted}; download or export it again`;
  const text = bytes.subarray(0, 4096).toString("utf8");
  if (/BEGIN [A-Z0-9 ]+/.test(text)) {
    return "has a BEGIN line without the five plain hyphens on each side (typographic dashes?); write -----BEGIN CERTIFICATE----- with ASCII hyphens";
  }
  // The base64 of a SEQUENCE whose length stands in two bytes, such as a certificate, begins with MI.
  if (/^\s*MI[A-Za-z0-9+/=\s]+$/.test(text))
    return "is base64 without its BEGIN and END lines; export it again as PEM or DER";
  return describeWrongKind("unknown", wanted);
}

const beginning = "-----BEGIN ";
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Reads all PEM blocks. The rest is not read after `maxBlocks` blocks or `maxFindings` findings. The function works on
 * the bytes, because a CRL of a million entries is 47 MB of PEM. Each copy of it as text would need as much again.
 */
function readArmoured(bytes: Buffer): Blocks {
  const blocks: Block[] = [];
  const diagnostics: PkiDiagnostic[] = [];
  if (bytes.subarray(0, 3).equals(byteOrderMark))
    diagnostics.push(
      warning("starts with a byte order mark, which hides the first block from OpenSSL; save it as UTF-8 without one"),
    );
  let line = 1;
  let counted = 0;
  for (let position = 0; ;) {
    const begin = bytes.indexOf(beginning, position);
    if (begin < 0) return { blocks, diagnostics };
    line += countLines(bytes, counted, begin);
    counted = begin;
    if (blocks.length >= maxBlocks || diagnostics.length >= maxFindings) {
      diagnostics.push(
        problem(`line ${line}: too many blocks or too many mistakes, the rest was not read; give only what is needed`),
      );
      return { blocks, diagnostics };
    }
    const armour = findArmour(bytes, begin);
    const block = typeof armour === "string" ? armour : decodeBody(armour, line);
    if (typeof block === "string") diagnostics.push(problem(`line ${line}: ${block}`));
    else blocks.push(block);
    position = typeof armour === "string" ? begin + beginning.length : armour.end;
  }
}

interface Armour {
  readonly label: string;
  /** The bytes between the two lines, not copied. */
  readonly body: Buffer;
  readonly end: number;
}

/** The block that begins at `begin`, or what is wrong with it. */
function findArmour(bytes: Buffer, begin: number): Armour | string {
  const labelStart = begin + beginning.length;
  // The longest label that is accepted, with its five hyphens, has 45 characters.
  const label = /^([A-Z0-9 #]{1,40})-----/.exec(bytes.toString("latin1", labelStart, labelStart + 45))?.[1];
  if (label === undefined)
    return "a BEGIN line is malformed; it ends in five hyphens, as in -----BEGIN CERTIFICATE-----";
  const bodyStart = labelStart + label.length + 5;
  // A body never contains five hyphens, so the first ones after its start must be the closing line. One search finds
  // them, however long the file is.
  const bodyEnd = bytes.indexOf("-----", bodyStart);
  const closing = `-----END ${label}-----`;
  const end = bodyEnd + closing.length;
  if (bodyEnd < 0 || bytes.toString("latin1", bodyEnd, end) !== closing)
    return `the block ${label} is never closed, the file is truncated; download or export it again`;
  return { label, body: bytes.subarray(bodyStart, bodyEnd), end };
}

/**
 * Decodes an armour, or returns what is wrong with it. A private key is recognised by its label, and its content is not
 * read: the key may be encrypted or in OpenSSH's own format.
 */
function decodeBody({ label, body }: Armour, line: number): Block | string {
  if (label.endsWith("PRIVATE KEY")) return { kind: "privateKey", der: Buffer.alloc(0), line };
  const der = decodeBase64(body);
  if (der === undefined) return `the block ${label} has characters that are no base64; download or export it again`;
  if (der.length === 0) return `the block ${label} is empty; download or export it again`;
  const plain = label === "TRUSTED CERTIFICATE" ? dropTrust(der) : der;
  const kind = detectDerKind(plain);
  return kind === "unknown"
    ? `the block ${label} is damaged or truncated; download or export it again`
    : { kind, der: plain, line };
}

/**
 * Decodes lines of equal length, which every program writes, in slices of many lines. Any other text is decoded at
 * once. Undefined where the body is not base64.
 */
function decodeBase64(body: Buffer): Buffer | undefined {
  // The body begins with the end of the BEGIN line. The second line end shows the length of all lines.
  const start = body.indexOf("\n") + 1;
  const lineLength = body.indexOf("\n", start) + 1 - start;
  const hasCarriageReturn = body[start + lineLength - 2] === 0x0d;
  const charactersPerLine = lineLength - (hasCarriageReturn ? 2 : 1);
  const isEven = lineLength > 1 && charactersPerLine % 4 === 0;
  return (
    (isEven ? decodeEvenLines(body.subarray(start), lineLength, charactersPerLine) : undefined) ?? decodeAnyLines(body)
  );
}

const linesPerSlice = 1000;

/**
 * Decodes lines that all have the length `lineLength`, with their line ends. Undefined when a slice has another number
 * of bytes than its lines must hold. The lines are then not of equal length, or not base64.
 */
function decodeEvenLines(body: Buffer, lineLength: number, charactersPerLine: number): Buffer | undefined {
  const der = Buffer.allocUnsafe(Math.ceil((body.length * 3) / 4));
  const sliceLength = lineLength * linesPerSlice;
  const sliceBytes = (charactersPerLine * linesPerSlice * 3) / 4;
  let offset = 0;
  let length = 0;
  for (; offset + sliceLength < body.length; offset += sliceLength) {
    const slice = body.toString("latin1", offset, offset + sliceLength);
    if (der.write(slice, length, "base64") !== sliceBytes) return undefined;
    length += sliceBytes;
  }
  const rest = decodeAnyLines(body.subarray(offset));
  if (rest === undefined) return undefined;
  rest.copy(der, length);
  return der.subarray(0, length + rest.length);
}

/** Decodes base64 with blanks and line ends anywhere. Undefined where there are other characters. */
function decodeAnyLines(body: Buffer): Buffer | undefined {
  const text = body.toString("latin1");
  return /^[A-Za-z0-9+/=\s]*$/.test(text) ? Buffer.from(text, "base64") : undefined;
}

/**
 * Cuts off the trust settings that OpenSSL appends to the certificate in such a block. A certificate is a SEQUENCE
 * (0x30) whose length stands in two bytes (0x82). Any other content is returned whole.
 */
function dropTrust(der: Buffer): Buffer {
  const length = der.length > 4 && der[0] === 0x30 && der[1] === 0x82 ? 4 + der.readUInt16BE(2) : der.length;
  return der.subarray(0, length);
}

/**
 * Counts the line ends between two places. This is a loop over the bytes, because a search for each line end takes
 * seconds in a hostile file of empty lines.
 */
function countLines(bytes: Buffer, start: number, end: number): number {
  let count = 0;
  for (let offset = start; offset < end; offset++) if (bytes[offset] === 0x0a) count++;
  return count;
}

/** PEM as OpenSSL writes it: 64 columns, with LF. */
export function encodePem(label: "CERTIFICATE" | "X509 CRL", der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("base64");
  return `-----BEGIN ${label}-----\n${base64.replace(/.{1,64}/g, "$&\n")}-----END ${label}-----\n`;
}

/** Whether a text is PEM itself, where the path of a file could stand. */
export const isPemText = (text: string): boolean => text.trimStart().startsWith("-----BEGIN ");
