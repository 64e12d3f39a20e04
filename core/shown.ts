/**
 * Makes a text safe on its way to a terminal, a log, or Pulumi's state. All texts that others choose (a host, its
 * programs, its files) pass here. The functions escape what a terminal obeys, and what deceives a reader because it is
 * invisible or changes the direction of writing.
 */

/**
 * Control characters (C0, DEL, C1), format characters such as those of direction, line separators, unpaired surrogates,
 * and characters that are shown as nothing.
 */
const unshowable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;

/** Escapes each UTF-16 unit of a character as JSON does, so that a text in JSON stays JSON. */
const escaped = (character: string): string =>
  Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
    .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`)
    .join("");

/**
 * Makes a text safe on one line: every character of {@link unshowable} is escaped, such as `\u202e`. A text of more
 * than `longest` characters is cut, and `…` follows.
 */
export function shown(text: string, longest = Infinity): string {
  const short = text.length > longest ? `${text.slice(0, longest)}…` : text;
  // Most texts are plain, and this test takes a tenth of the time.
  return /^[ -~]*$/.test(short) ? short : short.replace(unshowable, escaped);
}

/** Like {@link shown}, for a text whose line feeds and tabs are ours or harmless: they stay. */
export const shownLines = (text: string): string =>
  /^[ -~\n\t]*$/.test(text)
    ? text
    : text.replace(unshowable, (character) =>
        character === "\n" || character === "\t" ? character : escaped(character),
      );

/**
 * Makes every text in a value of plain objects, arrays and texts safe. Names of properties become one line, and other
 * texts keep their lines.
 */
export function shownDeep<T>(value: T): T {
  // as: texts become texts, and everything else keeps its shape.
  return showDeep(value) as T;
}

/** Copies a value with safe texts, and calls itself for what is inside it. Numbers, truth values and null stay. */
function showDeep(value: unknown): unknown {
  if (typeof value === "string") return shownLines(value);
  if (Array.isArray(value)) return value.map(showDeep);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [shown(key), showDeep(item)]));
}
