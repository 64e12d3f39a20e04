/** Finds characters that word processors and Japanese input methods insert instead of plain ones. */

interface Suspect {
  readonly pattern: RegExp;
  readonly text: string;
}

const quoteText = "a typographic quote; write plain quotes (\" or ')";

/** Characters that are never meant, wherever they stand. */
const everywhere: readonly Suspect[] = [
  { pattern: /\u00a0|\u202f/u, text: "a non-breaking space, which looks like a blank; write a plain blank" },
  { pattern: /[\u200b-\u200d\u2060\ufeff]/u, text: "an invisible character (zero width); remove it" },
  {
    pattern: /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/u,
    text: "a character that reverses the direction of writing; remove it",
  },
  {
    pattern: /\ufffd/u,
    text: "what stands for a character that was lost when a text was read in a wrong encoding; write it again",
  },
  // A character of the class Cc (control characters), except tab and line ends.
  { pattern: /[^\P{Cc}\t\r\n]/u, text: "a control character; remove it" },
];

/**
 * Characters that are right in the Japanese name of an organization or a file, but wrong in everything that a machine
 * reads.
 */
const outsideNames: readonly Suspect[] = [
  { pattern: /[\u201c-\u201f\u2018-\u201b\u00ab\u00bb\u301d-\u301f]/u, text: quoteText },
  { pattern: /\u3000/u, text: "an ideographic (full-width) space; write a plain blank" },
  { pattern: /[\uff01-\uff5e]/u, text: "a full-width character; write it in half width (ASCII)" },
  { pattern: /[\u2010-\u2015\u2212]/u, text: "a typographic dash; write a plain hyphen (-)" },
];

/**
 * Quotes at the beginning or end of a name, which were meant as quotes of YAML. A name may contain an apostrophe such
 * as U+2019, and end with it, so most single quotes only count at the beginning.
 */
const aroundNames: readonly Suspect[] = [
  { pattern: /^[\u201c-\u201f\u2018-\u201b\uff02\uff07]|[\u201c-\u201f\u201b\uff02]$/u, text: quoteText },
];

/**
 * Describes the suspicious characters in a text, with one message for the first of each kind. Empty where there are
 * none. `isName` is true for the name of an organization or a file, which may be in any script.
 */
export function findSuspects(text: string, isName: boolean): string[] {
  const suspects = isName ? [...everywhere, ...aroundNames] : [...everywhere, ...outsideNames];
  return suspects.flatMap((suspect) => {
    const codePoint = suspect.pattern.exec(text)?.[0].codePointAt(0);
    return codePoint === undefined
      ? []
      : [`U+${codePoint.toString(16).toUpperCase().padStart(4, "0")} is ${suspect.text}`];
  });
}
