/** PEM armour: read with its usual accidents, written in one normal form. */
import { type PkiFinding, problem, warning } from "./finding.ts";
import { type Kind, describeWrongKind, detectBinaryKind, detectDerKind } from "./kind.ts";

/** One DER value of a file. `line` is that of its BEGIN line, undefined in a binary file. */
export interface Block {
  readonly kind: Kind;
  readonly der: Buffer;
  readonly line: number | undefined;
}

export interface Blocks {
  readonly blocks: readonly Block[];
  readonly findings: readonly PkiFinding[];
}

/** A bundle of every public CA of the world has about 150 certificates. */
const maxBlocks = 1000;
/** Each unclosed block costs a search to the end of the file: the bound keeps a hostile file from taking quadratic time. */
const maxFindings = 20;

/** Every PEM block of a file, or the file itself when it is DER. Text before, between and after blocks is ignored. */
export function readBlocks(bytes: Buffer, wanted: string): Blocks {
  const binary = detectBinaryKind(bytes);
  if (binary === "utf16" || !bytes.includes("-----BEGIN ")) return readUnarmoured(bytes, binary, wanted);
  return readArmoured(bytes.toString("latin1"));
}

function readUnarmoured(bytes: Buffer, kind: Kind, wanted: string): Blocks {
  if (kind === "unknown") return { blocks: [], findings: [problem(describeUnknown(bytes, wanted))] };
  const isDer = bytes[0] === 0x30;
  if (!isDer)
    return {
      blocks: [],
      findings: [problem(kind === "empty" ? `is empty; give ${wanted}` : describeWrongKind(kind, wanted))],
    };
  return { blocks: [{ kind, der: bytes, line: undefined }], findings: [] };
}

function describeUnknown(bytes: Buffer, wanted: string): string {
  if (bytes[0] === 0x30) return `is damaged or truncated DER, not ${wanted}; download or export it again`;
  const text = bytes.subarray(0, 4096).toString("utf8");
  if (/BEGIN [A-Z0-9 ]+/.test(text)) {
    return "has a BEGIN line without the five plain hyphens on each side (typographic dashes?); write -----BEGIN CERTIFICATE----- with ASCII hyphens";
  }
  if (/^\s*MI[A-Za-z0-9+/=\s]+$/.test(text))
    return "is base64 without its BEGIN and END lines; export it again as PEM or DER";
  return describeWrongKind("unknown", wanted);
}

function readArmoured(text: string): Blocks {
  const blocks: Block[] = [];
  const findings: PkiFinding[] = [];
  if (text.startsWith("\xef\xbb\xbf"))
    findings.push(
      warning("starts with a byte order mark, which hides the first block from OpenSSL; save it as UTF-8 without one"),
    );
  let line = 1;
  for (let position = 0; ;) {
    const begin = text.indexOf("-----BEGIN ", position);
    if (begin < 0) return { blocks, findings };
    if (blocks.length >= maxBlocks || findings.length >= maxFindings) {
      findings.push(
        problem(`line ${line}: too many blocks or too many mistakes, the rest was not read; give only what is needed`),
      );
      return { blocks, findings };
    }
    line += countLines(text, position, begin);
    const armour = findArmour(text, begin);
    if (typeof armour === "string") {
      findings.push(problem(`line ${line}: ${armour}`));
      position = begin + "-----BEGIN ".length;
      continue;
    }
    const body = text.slice(armour.bodyStart, armour.bodyEnd);
    const block = decodeBody(armour.label, body, line);
    if (typeof block === "string") findings.push(problem(`line ${line}: ${block}`));
    else blocks.push(block);
    line += countLines(text, begin, armour.end);
    position = armour.end;
  }
}

/** The span of the block that begins at `begin`, or what is wrong with it. */
function findArmour(
  text: string,
  begin: number,
): { label: string; bodyStart: number; bodyEnd: number; end: number } | string {
  const labelStart = begin + "-----BEGIN ".length;
  const labelEnd = text.indexOf("-----", labelStart);
  const label = text.slice(labelStart, labelEnd);
  if (labelEnd < 0 || label.length > 40 || !/^[A-Z0-9 #]+$/.test(label))
    return "a BEGIN line is malformed; it ends in five hyphens, as in -----BEGIN CERTIFICATE-----";
  const closing = `-----END ${label}-----`;
  const bodyEnd = text.indexOf(closing, labelEnd);
  const nextBegin = text.indexOf("-----BEGIN ", labelEnd);
  if (bodyEnd < 0 || (nextBegin >= 0 && nextBegin < bodyEnd))
    return `the block ${label} is never closed, the file is truncated; download or export it again`;
  return { label, bodyStart: labelEnd + 5, bodyEnd, end: bodyEnd + closing.length };
}

/** A key is recognised by its label, without looking inside: it may be encrypted or in OpenSSH's own format. */
function decodeBody(label: string, body: string, line: number): Block | string {
  if (label.endsWith("PRIVATE KEY")) return { kind: "privateKey", der: Buffer.alloc(0), line };
  if (!/^[A-Za-z0-9+/=\s]*$/.test(body))
    return `the block ${label} has characters that are no base64; download or export it again`;
  const der = Buffer.from(body, "base64");
  if (der.length === 0) return `the block ${label} is empty; download or export it again`;
  const plain = label === "TRUSTED CERTIFICATE" ? dropTrust(der) : der;
  const kind = detectDerKind(plain);
  return kind === "unknown"
    ? `the block ${label} is damaged or truncated; download or export it again`
    : { kind, der: plain, line };
}

/** OpenSSL appends its own trust settings to the certificate; only the certificate counts. */
function dropTrust(der: Buffer): Buffer {
  const length = der.length > 4 && der[0] === 0x30 && der[1] === 0x82 ? 4 + der.readUInt16BE(2) : der.length;
  return der.subarray(0, length);
}

function countLines(text: string, start: number, end: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", start); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

/** PEM as OpenSSL writes it: 64 columns, LF. */
export function encodePem(label: "CERTIFICATE" | "X509 CRL", der: Uint8Array): string {
  const base64 = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString("base64");
  return `-----BEGIN ${label}-----\n${base64.replace(/.{1,64}/g, "$&\n")}-----END ${label}-----\n`;
}
