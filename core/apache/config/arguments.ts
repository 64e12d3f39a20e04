/** Words of a logical line, split and unquoted as httpd's `ap_getword_conf` does it. */
import { isBlank, trimBlanks } from "./lines.ts";

/**
 * Reads the word at or after `offset`; `next` is where the following word starts. A quote that is never closed reaches
 * to the end of the line: httpd accepts it.
 */
export function readWord(line: string, offset: number): { readonly word: string; readonly next: number } {
  let start = skipBlanks(line, offset);
  const quote = line[start] === '"' || line[start] === "'" ? line[start] : undefined;
  if (quote !== undefined) start++;
  let end = start;
  let word = "";
  let copied = start;
  for (; end < line.length; end++) {
    const character = line[end];
    if (quote === undefined ? isBlank(line.charCodeAt(end)) : character === quote) break;
    if (character !== "\\") continue;
    const escaped = line[end + 1];
    if (escaped !== "\\" && (quote === undefined || escaped !== quote)) continue;
    word += line.slice(copied, end);
    copied = ++end;
  }
  word += line.slice(copied, end);
  return { word, next: skipBlanks(line, quote !== undefined && end < line.length ? end + 1 : end) };
}

/** All words from `offset` to the end of the line. */
export function readWords(line: string, offset = 0): string[] {
  const words: string[] = [];
  for (let at = skipBlanks(line, offset); at < line.length;) {
    const { word, next } = readWord(line, at);
    words.push(word);
    at = next;
  }
  return words;
}

/** What stands behind the first word: the raw arguments. */
export const argumentsText = (line: string): string => line.slice(readWord(line, 0).next);

/** Arguments of a section's open tag: what stands between its name and the last `>`. */
export function sectionArguments(line: string): string {
  const rest = argumentsText(line);
  const end = rest.lastIndexOf(">");
  return end < 0 ? "" : trimBlanks(rest.slice(0, end));
}

/**
 * Puts values in the place of `${NAME}`. What is not known stays as it is, as httpd does it after its warning AH00111.
 * Undefined where the text would come to more than `mostBytes`, and nothing of it is made then.
 */
export function expandVariables(
  text: string,
  variables: ReadonlyMap<string, string>,
  mostBytes: number,
): string | undefined {
  const pieces: string[] = [];
  let [end, copied, bytes] = [0, 0, text.length];
  for (let start = text.indexOf("${"); start >= 0; start = text.indexOf("${", end)) {
    // No regular expression: in a hostile text it would look for the missing end at each of a million beginnings.
    end = text.indexOf("}", start) + 1;
    if (end === 0) break;
    const value = variables.get(text.slice(start + 2, end - 1));
    if (value === undefined) continue;
    pieces.push(text.slice(copied, start), value);
    copied = end;
    bytes += value.length - (end - start);
  }
  if (pieces.length === 0) return text;
  return bytes > mostBytes ? undefined : pieces.join("") + text.slice(copied);
}

/** The argument in double quotes, so that httpd reads it back as it is. */
export const quoteArgument = (argument: string): string => `"${argument.replace(/["\\]/g, "\\$&")}"`;

function skipBlanks(line: string, offset: number): number {
  let at = offset;
  while (at < line.length && isBlank(line.charCodeAt(at))) at++;
  return at;
}
