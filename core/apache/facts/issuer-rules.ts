/** Whether a rule of others lets in certificates of the CAs that it names, and no others. */

/** Names an issuer's variable somewhere. Of a condition nobody knows whether it lets in or keeps out. */
export const mentionsIssuer = (words: readonly string[]): boolean => words.some((word) => issuer.test(word));

const issuer = /SSL_CLIENT_I_DN/i;

/**
 * Whether every way through an expression that must be true asks for an issuer. What is not understood does not: quotes
 * are gone from the words, so a name with ` or ` in it counts as two ways.
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

/** Only those parentheses that open at the begin and close at the end. */
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

/** Parts between operators that stand outside of parentheses and of variables. */
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
