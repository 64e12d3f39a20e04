/**
 * Joins physical lines into logical lines as httpd's `ap_cfg_getline` does it. A backslash directly before LF or CRLF
 * joins the next line. This holds everywhere, also inside words and comments: a Shift_JIS comment that ends in the byte
 * 0x5C swallows the next line.
 *
 * @see https://httpd.apache.org/docs/2.4/configuring.html#syntax
 */

/** One logical line: where it ends (including its line end), how many physical lines it has, and its joined text. */
export interface LogicalLine {
  readonly end: number;
  readonly physicalLines: number;
  /** The text without continuations and without blanks at its beginning and end. */
  readonly text: string;
}

const backslash = 0x5c;
const carriageReturn = 0x0d;

/** Whether httpd takes `code` for a blank: C's isspace in the C locale, which does not include U+00A0 and U+3000. */
export const isBlank = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d);

/** The offset behind the physical line that starts at `offset`, including its line end. */
export function endOfPhysicalLine(text: string, offset: number): number {
  const newline = text.indexOf("\n", offset);
  return newline < 0 ? text.length : newline + 1;
}

/** Whether the physical line `[start, end)` ends in a backslash and LF or CRLF; false where it has no line end. */
export function continues(text: string, start: number, end: number): boolean {
  let last = end - 1;
  if (text.charCodeAt(last) !== 0x0a) return false;
  if (last > start && text.charCodeAt(last - 1) === carriageReturn) last--;
  return last > start && text.charCodeAt(last - 1) === backslash;
}

/** Reads the logical line that starts at `start`. */
export function readLogicalLine(text: string, start: number): LogicalLine {
  const pieces: string[] = [];
  let end = start;
  let physicalLines = 0;
  while (end < text.length) {
    const next = endOfPhysicalLine(text, end);
    const line = text.slice(end, next);
    end = next;
    physicalLines++;
    const nul = line.indexOf("\0");
    // For httpd a string ends at a NUL. It sees neither the rest of the line nor the line end, so the line is not
    // continued.
    if (nul >= 0) {
      pieces.push(line.slice(0, nul));
      break;
    }
    pieces.push(line);
    // The line goes on where a backslash stood before its LF or CRLF.
    if (!chop(pieces, "\n")) break;
    chop(pieces, "\r");
    if (!chop(pieces, "\\")) break;
  }
  return { end, physicalLines, text: trimBlanks(pieces.join("")) };
}

/**
 * Removes `character` from the end of the joined text, and returns whether it was there. httpd looks across the join,
 * too: when an empty line follows `a\\`, the first backslash is left at the end, and joins the line behind that one.
 */
function chop(pieces: string[], character: string): boolean {
  while (pieces.at(-1) === "") pieces.pop();
  const last = pieces.at(-1);
  if (last === undefined || !last.endsWith(character)) return false;
  pieces[pieces.length - 1] = last.slice(0, -1);
  return true;
}

/** Removes httpd's blanks at both ends; `trim` would remove U+00A0, too. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}
