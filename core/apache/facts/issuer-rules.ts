/** Decides whether an unmanaged rule lets in only certificates of the CAs that it names. */

/**
 * Whether the words contain a variable of the issuer. This is the test for a condition, because nobody knows whether a
 * condition lets people in or keeps them out.
 */
export const mentionsIssuer = (words: readonly string[]): boolean => words.some((word) => issuer.test(word));

const issuer = /SSL_CLIENT_I_DN/i;

/**
 * Whether every alternative of an expression that must be true requires an issuer. A part that is not understood does
 * not count as such a requirement. The words have lost their quotes, so a name that contains ` or ` counts as two
 * alternatives.
 */
export function requiresIssuer(words: readonly string[]): boolean {
  return asksIssuer(words.join(" ").replace(/^expr /i, ""));
}

function asksIssuer(expression: string): boolean {
  const text = withoutOuter(expression.trim());
  const ways = splitAtTop(text, /^(?:\|\||or\b)/i);
  if (ways.length > 1) return ways.every(asksIssuer);
  const terms = splitAtTop(text, /^(?:&&|and\b)/i);
  if (terms.length > 1) return terms.some(asksIssuer);
  return issuer.test(text) && !/!|\b(?:ne|not|or|lt|le|gt|ge)\b|\|\||<|>/i.test(text);
}

/** Removes parentheses only when one pair of them encloses the whole text. */
function withoutOuter(text: string): string {
  if (!text.startsWith("(") || !text.endsWith(")")) return text;
  const inner = text.slice(1, -1);
  let depth = 0;
  for (const character of inner) {
    if (character === "(") depth++;
    else if (character === ")" && --depth < 0) return text;
  }
  return withoutOuter(inner.trim());
}

/** Splits the text at operators that stand outside of parentheses and of variables. */
function splitAtTop(text: string, operator: RegExp): string[] {
  const parts: string[] = [];
  let [depth, start] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? "";
    if (/[({]/.test(character)) depth++;
    else if (/[)}]/.test(character)) depth--;
    if (depth > 0 || /\w/.test(text[at - 1] ?? "")) continue;
    const [found] = operator.exec(text.slice(at, at + 4)) ?? [];
    if (found === undefined) continue;
    parts.push(text.slice(start, at));
    start = at + found.length;
  }
  return [...parts, text.slice(start)];
}
