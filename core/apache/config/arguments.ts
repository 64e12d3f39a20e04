/** Splits a logical line into words and takes off their quotes, as httpd's `ap_getword_conf` does it. */
import { isBlank, trimBlanks } from "./lines.ts";

/**
 * Reads the word at or after `offset`, and takes off its quotes and escapes; the word is empty at the end of the line.
 * `next` is where the following word starts, or the end of the line. A quote that is never closed reaches to the end of
 * the line, as in httpd, which accepts such a line.
 */
export function readWord(line: string, offset: number): { readonly word: string; readonly next: number } {
  let start = skipBlanks(line, offset);
  const quote = line[start] === '"' || line[start] === "'" ? line[start] : undefined;
  if (quote !== undefined) start++;
  let end = start;
  let word = "";
  // `word` holds the text before this offset.
  let copied = start;
  for (; end < line.length; end++) {
    const character = line[end];
    if (quote === undefined ? isBlank(line.charCodeAt(end)) : character === quote) break;
    if (character !== "\\") continue;
    // A backslash escapes only another backslash and, in a quoted word, the quote. Elsewhere it stands for itself.
    const escaped = line[end + 1];
    if (escaped !== "\\" && (quote === undefined || escaped !== quote)) continue;
    word += line.slice(copied, end);
    // The escaped character begins the next piece to copy. The loop steps over it, so it does not end the word.
    end++;
    copied = end;
  }
  word += line.slice(copied, end);
  return { word, next: skipBlanks(line, quote !== undefined && end < line.length ? end + 1 : end) };
}

/** All words from `offset` to the end of the line. */
export function readWords(line: string, offset = 0): string[] {
  const words: string[] = [];
  for (let start = skipBlanks(line, offset); start < line.length;) {
    const { word, next } = readWord(line, start);
    words.push(word);
    start = next;
  }
  return words;
}

/** The raw arguments: the text behind the first word. */
export const argumentsText = (line: string): string => line.slice(readWord(line, 0).next);

/** The arguments of a section's open tag: the text between its name and the last `>`; empty where that is missing. */
export function sectionArguments(line: string): string {
  const rest = argumentsText(line);
  const end = rest.lastIndexOf(">");
  return end < 0 ? "" : trimBlanks(rest.slice(0, end));
}

/**
 * Replaces each `${NAME}` by the value of that variable; variables in the value are not replaced. A name that is not
 * known stays as it is; httpd does the same and warns with AH00111. The result is undefined where a value was put in
 * and the text comes to more than `mostBytes`; the text is not built in that case.
 */
export function expandVariables(
  text: string,
  variables: ReadonlyMap<string, string>,
  mostBytes: number,
): string | undefined {
  const pieces: string[] = [];
  // `copied`: `pieces` holds the text before this offset. `bytes`: the length of the result so far.
  let [end, copied, bytes] = [0, 0, text.length];
  for (let start = text.indexOf("${"); start >= 0; start = text.indexOf("${", end)) {
    // A regular expression is not used here: in a hostile text it would search for the missing `}` from each of a
    // million `${`.
    end = text.indexOf("}", start) + 1;
    const isUnclosed = end === 0;
    if (isUnclosed) break;
    const value = variables.get(text.slice(start + 2, end - 1));
    if (value === undefined) continue;
    pieces.push(text.slice(copied, start), value);
    copied = end;
    bytes += value.length - (end - start);
  }
  if (pieces.length === 0) return text;
  return bytes > mostBytes ? undefined : pieces.join("") + text.slice(copied);
}

/** Puts the argument in double quotes and escapes it, so that httpd reads back exactly this argument. */
export const quoteArgument = (argument: string): string => `"${argument.replace(/["\\]/g, "\\$&")}"`;

/** The offset of the first character at or after `offset` that is not a blank. */
function skipBlanks(line: string, offset: number): number {
  let end = offset;
  while (end < line.length && isBlank(line.charCodeAt(end))) end++;
  return end;
}
