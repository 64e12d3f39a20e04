/** Bytes of a text file as text. Nothing is read in a wrong encoding: a company's name would silently be another one. */
import { isUtf8 } from "node:buffer";

/** The text without a byte order mark, or the first line that is no UTF-8 (1-based) and what is wrong there. */
export type DecodedText = { readonly text: string } | { readonly line: number; readonly problem: string };

/** Only UTF-8 is text here; for anything else the encoding is guessed, so that a person knows what to do. */
export function decodeText(bytes: Uint8Array): DecodedText {
  const utf16 = findUtf16(bytes);
  if (utf16 !== undefined) return { line: 1, problem: `the file is in ${utf16}, not in UTF-8; ${remedy}` };
  const latin1 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const wrong = isUtf8(bytes) ? undefined : findWrongLines(latin1);
  if (wrong !== undefined)
    return { line: wrong.line, problem: `the line is not UTF-8, but ${guess(wrong.bytes)}; ${remedy}` };
  const escaped = iso2022.exec(latin1);
  if (escaped === null) return { text: new TextDecoder("utf-8").decode(bytes) };
  const line = latin1.slice(0, escaped.index).split("\n").length;
  return { line, problem: `the line is not UTF-8, but ISO-2022-JP (JIS); ${remedy}` };
}

const remedy = "save the file as UTF-8";

/** Of files whose bytes are not ours to decode, such as keys: only what no program but an editor writes is taken off. */
export const withoutByteOrderMark = (bytes: Buffer): Buffer =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;

/** The name of the encoding, when it is UTF-16: by its mark, or by a NUL in every other byte as ASCII has it there. */
export function findUtf16(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "UTF-16 LE (Windows calls it Unicode)";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "UTF-16 BE";
  const nuls = [0, 0];
  const size = Math.min(bytes.length, 10_000);
  for (let at = 0; at < size; at++) if (bytes[at] === 0) nuls[at % 2] = (nuls[at % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = nuls;
  if (Math.max(even, odd) * 8 < size || Math.min(even, odd) * 8 > Math.max(even, odd)) return undefined;
  return even > odd ? "UTF-16 BE" : odd > even ? "UTF-16 LE (Windows calls it Unicode)" : undefined;
}

/** How ISO-2022-JP switches to JIS X 0208, its older form, JIS X 0212, or the Latin and Katakana of JIS X 0201. */
const iso2022 = /\x1b(?:\$[@B]|\$\(D|\([IJ])/;

interface WrongLines {
  /** Of the first. */
  readonly line: number;
  /** All of them: lines that are UTF-8 say nothing of the other encoding. */
  readonly bytes: Buffer;
}

/** No byte of a longer UTF-8, Shift_JIS or EUC-JP character is a line feed. */
function findWrongLines(latin1: string): WrongLines | undefined {
  const lines = latin1.split("\n").map((line) => Buffer.from(line, "latin1"));
  const wrong = lines.filter((line) => !isUtf8(line));
  const [first] = wrong;
  return first && { line: lines.indexOf(first) + 1, bytes: Buffer.concat(wrong) };
}

/** Node's decoders give single bytes that an encoding does not have as control characters. */
function decodes(encoding: string, bytes: Uint8Array): boolean {
  try {
    return !/[\u0080-\u00a0]/.test(new TextDecoder(encoding, { fatal: true }).decode(bytes));
  } catch {
    return false;
  }
}

function guess(bytes: Buffer): string {
  const latin1 = bytes.toString("latin1");
  // Letters with accents stand alone between plain ones; Japanese characters take two bytes and come in groups.
  if (!/[\x80-\xbf]|[\x80-\xff]{2}/.test(latin1)) return "ISO-8859-1 or Windows-1252, as it seems";
  const isShiftJis = decodes("shift_jis", bytes);
  if (!decodes("euc-jp", bytes)) return isShiftJis ? "Shift_JIS, as it seems" : "in an encoding that is not known";
  // Every pair of half-width Katakana is a character of EUC-JP, too.
  return isShiftJis && /^[\x00-\x7f\xa1-\xdf]*$/.test(latin1)
    ? "EUC-JP or Shift_JIS, as it seems"
    : "EUC-JP, as it seems";
}
