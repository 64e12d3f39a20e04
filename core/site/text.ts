/** The bytes of a text file as text: UTF-8, and nothing that only looks like it. */

/** A file whose bytes are not UTF-8. */
export interface WrongEncoding {
  /** 1-based, of the first byte that is wrong. */
  readonly line: number;
  /** What was found; what to do. */
  readonly text: string;
}

/**
 * The text, without a byte order mark, or why there is none. A name in Shift_JIS that is read as UTF-8 with replacement
 * characters looks like a name, and is that of nobody: so no byte is guessed.
 */
export function decodeText(bytes: Uint8Array): string | WrongEncoding {
  const line = findWrongLine(bytes);
  if (line === undefined) return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  const guess = guessEncoding(bytes);
  const seems = guess === undefined ? "is not UTF-8" : `is not UTF-8 but ${guess}, as it seems`;
  return { line, text: `the file ${seems}; save it as UTF-8` };
}

/**
 * UTF-16 has a zero in each ASCII character, ISO-2022-JP escape sequences: neither is in a text that somebody wrote in
 * UTF-8.
 */
const isForeign = (bytes: Uint8Array): boolean => bytes.includes(0) || bytes.includes(0x1b);

function findWrongLine(bytes: Uint8Array): number | undefined {
  let start = 0;
  for (let line = 1; start <= bytes.length; line++) {
    const found = bytes.indexOf(0x0a, start);
    const end = found < 0 ? bytes.length : found;
    const content = bytes.subarray(start, end);
    if (isForeign(content) || !decodes(content, "utf-8")) return line;
    start = end + 1;
  }
  return undefined;
}

function decodes(bytes: Uint8Array, encoding: string): boolean {
  try {
    new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** As editors in Japan call them. A text that could be either is EUC-JP only where that makes whole words of it. */
function guessEncoding(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "UTF-16 (little endian)";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "UTF-16 (big endian)";
  if (bytes.includes(0)) return bytes[0] === 0 ? "UTF-16 (big endian)" : "UTF-16 (little endian)";
  if (bytes.includes(0x1b)) return "ISO-2022-JP";
  // Letters with accents stand alone between plain ones; Japanese characters come in groups.
  if (!/[\x80-\xbf\xff]|[\x80-\xff]{2}/.test(Buffer.from(bytes).toString("latin1")))
    return "ISO-8859-1 or Windows-1252";
  const [euc, shiftJis] = [decodes(bytes, "euc-jp"), decodes(bytes, "shift_jis")];
  if (euc && (!shiftJis || hasPairs(bytes))) return "EUC-JP";
  return shiftJis ? "Shift_JIS" : undefined;
}

/**
 * Kanji and kana of EUC-JP are two bytes from 0xa1 on each; to Shift_JIS most of these are single half-width katakana.
 */
function hasPairs(bytes: Uint8Array): boolean {
  const text = new TextDecoder("shift_jis").decode(bytes);
  const halfWidth = [...text].filter((character) => /[\uff61-\uff9f]/.test(character)).length;
  const euc = new TextDecoder("euc-jp").decode(bytes);
  const words = [...euc].filter((character) => /[\u3040-\u30ff\u4e00-\u9fff\uff00-\uff60]/.test(character)).length;
  return halfWidth > 0 && words > 0 && !/[\ufffd]/.test(euc) && !isKatakanaWord(text);
}

/**
 * Words of half-width katakana alone are what Shift_JIS writes in one byte each: they begin no EUC-JP text of kanji or
 * kana.
 */
const isKatakanaWord = (text: string): boolean =>
  /(^|[^\uff61-\uff9f])[\uff71-\uff9d][\uff61-\uff9f]*[\uff9e\uff9f]/.test(text);

/** Of a file that is read by others, such as a key: an editor's mark is no part of it. */
export const withoutByteOrderMark = (bytes: Buffer): Buffer =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
