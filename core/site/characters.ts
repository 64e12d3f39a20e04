/** Characters that word processors and Japanese input methods put in the place of plain ones. */

interface Suspect {
  readonly pattern: RegExp;
  readonly text: string;
}

const quoteText = "a typographic quote; write plain quotes (\" or ')";

/** Never meant, wherever they stand. */
const always: readonly Suspect[] = [
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
  { pattern: /[^\P{Cc}\t\r\n]/u, text: "a control character; remove it" },
];

/** Right in an organization's or a file's Japanese name, wrong in everything that a machine reads. */
const outsideNames: readonly Suspect[] = [
  { pattern: /[\u201c-\u201f\u2018-\u201b\u00ab\u00bb\u301d-\u301f]/u, text: quoteText },
  { pattern: /\u3000/u, text: "an ideographic (full-width) space; write a plain blank" },
  { pattern: /[\uff01-\uff5e]/u, text: "a full-width character; write it in half width (ASCII)" },
  { pattern: /[\u2010-\u2015\u2212]/u, text: "a typographic dash; write a plain hyphen (-)" },
];

/** A name may hold an apostrophe such as U+2019; a quote at its ends was meant as YAML's quote. */
const aroundNames: readonly Suspect[] = [
  { pattern: /^[\u201c-\u201f\u2018-\u201b\uff02\uff07]|[\u201c-\u201f\u201b\uff02]$/u, text: quoteText },
];

/** What is suspicious in a text: one entry per kind. `isName`: an organization or a file name, in any script. */
export function findSuspects(text: string, isName: boolean): string[] {
  const suspects = isName ? [...always, ...aroundNames] : [...always, ...outsideNames];
  return suspects.flatMap((suspect) => {
    const found = suspect.pattern.exec(text)?.[0];
    return found === undefined
      ? []
      : [`U+${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")} is ${suspect.text}`];
  });
}
