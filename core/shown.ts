/**
 * The one gate for words that others choose (a host, its programs, its files): on the way to a terminal, a log, or
 * Pulumi's state. It escapes what a terminal obeys, and what deceives a reader because it is invisible or turns the
 * direction of writing.
 */

/**
 * Controls (C0, DEL, C1), formats such as those of direction, separators of lines, halves of pairs, and what is shown
 * as nothing.
 */
const unshowable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;

/** As JSON has it, so that a text in JSON stays JSON. */
const escaped = (character: string): string =>
  Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
    .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`)
    .join("");

/** On one line, every such character as `\u202e`; at most `longest` characters of the text, and then `…`. */
export function shown(text: string, longest = Infinity): string {
  const short = text.length > longest ? `${text.slice(0, longest)}…` : text;
  // Most texts are plain, which is told in a tenth of the time.
  return /^[ -~]*$/.test(short) ? short : short.replace(unshowable, escaped);
}

/** As {@link shown}, of a text whose line feeds and tabs are ours, or harmless. */
export const shownLines = (text: string): string =>
  /^[ -~\n\t]*$/.test(text)
    ? text
    : text.replace(unshowable, (character) =>
        character === "\n" || character === "\t" ? character : escaped(character),
      );

/** Every text in a value of plain objects, lists and texts, names of properties too. */
export function shownDeep<T>(value: T): T {
  // as: texts become texts, and all else keeps its shape.
  return deep(value) as T;
}

function deep(value: unknown): unknown {
  if (typeof value === "string") return shownLines(value);
  if (Array.isArray(value)) return value.map(deep);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [shown(key), deep(item)]));
}
