/** Decodes the bytes of a text file, which must be UTF-8 and not only look like it. */

/** A file whose bytes are not UTF-8. */
export interface WrongEncoding {
  /** The line of the first wrong byte, counted from 1. */
  readonly line: number;
  /** What was found, and what to do. */
  readonly text: string;
}

/**
 * The text without a byte order mark, or the reason why it cannot be decoded. No byte is guessed: a Shift_JIS name that
 * is read as UTF-8 with replacement characters looks like a name, but it is nobody's name.
 */
export function decodeText(bytes: Uint8Array): string | WrongEncoding {
  const line = findWrongLine(bytes);
  if (line === undefined) return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  const guess = guessEncoding(bytes);
  const seems = guess === undefined ? "is not UTF-8" : `is not UTF-8 but ${guess}, as it seems`;
  return { line, text: `the file ${seems}; save it as UTF-8` };
}

/**
 * Whether the bytes are another encoding. UTF-16 has a zero in each ASCII character, and ISO-2022-JP has escape
 * sequences. A text that somebody wrote in UTF-8 has neither.
 */
const isForeign = (bytes: Uint8Array): boolean => bytes.includes(0) || bytes.includes(0x1b);

/** The number of the first line that is not UTF-8. Undefined where there is none. */
function findWrongLine(bytes: Uint8Array): number | undefined {
  let start = 0;
  for (let line = 1; start <= bytes.length; line++) {
    const lineEnd = bytes.indexOf(0x0a, start);
    const end = lineEnd < 0 ? bytes.length : lineEnd;
    const content = bytes.subarray(start, end);
    if (isForeign(content) || !decodes(content, "utf-8")) return line;
    start = end + 1;
  }
  return undefined;
}

/** Whether the bytes are text in this encoding. */
function decodes(bytes: Uint8Array, encoding: string): boolean {
  try {
    new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/**
 * Guesses the encoding and names it as editors in Japan do. Undefined where none fits. When a text could be EUC-JP or
 * Shift_JIS, it counts as EUC-JP only if that gives whole words.
 */
function guessEncoding(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "UTF-16 (little endian)";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "UTF-16 (big endian)";
  if (bytes.includes(0)) return bytes[0] === 0 ? "UTF-16 (big endian)" : "UTF-16 (little endian)";
  if (bytes.includes(0x1b)) return "ISO-2022-JP";
  // Accented letters (0xc0 to 0xfe) stand alone between plain ones, but Japanese characters come in groups.
  if (!/[\x80-\xbf\xff]|[\x80-\xff]{2}/.test(Buffer.from(bytes).toString("latin1")))
    return "ISO-8859-1 or Windows-1252";
  const [euc, shiftJis] = [decodes(bytes, "euc-jp"), decodes(bytes, "shift_jis")];
  if (euc && (!shiftJis || isRatherEucJp(bytes))) return "EUC-JP";
  return shiftJis ? "Shift_JIS" : undefined;
}

/**
 * Whether bytes that fit both encodings are rather EUC-JP: as Shift_JIS they have half-width katakana that make no
 * word, and as EUC-JP they have Japanese characters. Kanji and kana in EUC-JP have two bytes, each from 0xa1 on.
 * Shift_JIS reads most of these bytes as single half-width katakana.
 */
function isRatherEucJp(bytes: Uint8Array): boolean {
  const text = new TextDecoder("shift_jis").decode(bytes);
  const halfWidth = [...text].filter((character) => /[\uff61-\uff9f]/.test(character)).length;
  const euc = new TextDecoder("euc-jp").decode(bytes);
  const words = [...euc].filter((character) => /[\u3040-\u30ff\u4e00-\u9fff\uff00-\uff60]/.test(character)).length;
  return halfWidth > 0 && words > 0 && !/[\ufffd]/.test(euc) && !isKatakanaWord(text);
}

/**
 * Whether the text has a run of half-width katakana that begins with a letter (U+FF71 to U+FF9D) and has a sound mark
 * (U+FF9E, U+FF9F), as many words have. Kana of EUC-JP, read as Shift_JIS, mostly begin with U+FF64 or U+FF65.
 */
const isKatakanaWord = (text: string): boolean =>
  /(^|[^\uff61-\uff9f])[\uff71-\uff9d][\uff61-\uff9f]*[\uff9e\uff9f]/.test(text);

/**
 * Removes the byte order mark of a file that other programs read, such as a key: the mark comes from an editor and does
 * not belong to the content.
 */
export const withoutByteOrderMark = (bytes: Buffer): Buffer =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
