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
  const expression = words.join(" ").replace(/^expr /i, "");
  const depth = expression.split("(").length;
  return depth <= mostParentheses && expressionRequiresIssuer(expression);
}

/** More parentheses than in any real expression: each pair is a call within a call. */
const mostParentheses = 1000;

/**
 * Answers {@link requiresIssuer} for an expression, and calls itself for each part of it: all alternatives of an `or`
 * must require an issuer, and one term of an `and` is enough. `or` binds less tightly, so it is split first.
 */
function expressionRequiresIssuer(expression: string): boolean {
  const text = withoutOuterParentheses(expression.trim());
  const alternatives = splitAtTop(text, /^(?:\|\||or\b)/i);
  if (alternatives.length > 1) return alternatives.every(expressionRequiresIssuer);
  const terms = splitAtTop(text, /^(?:&&|and\b)/i);
  if (terms.length > 1) return terms.some(expressionRequiresIssuer);
  // What is left is one condition. It must name the issuer, and a negation or an inequality would let several issuers
  // in. An `or` that is still here was not understood, so that the condition does not count.
  return issuer.test(text) && !/!|\b(?:ne|not|or|lt|le|gt|ge)\b|\|\||<|>/i.test(text);
}

/** Removes every pair of parentheses that encloses the whole text, and calls itself for the text inside. */
function withoutOuterParentheses(text: string): string {
  if (!text.startsWith("(") || !text.endsWith(")")) return text;
  const inner = text.slice(1, -1);
  let depth = 0;
  for (const character of inner) {
    if (character === "(") depth++;
    // The first parenthesis of the text is closed before its end, as in `(a) or (b)`.
    else if (character === ")" && --depth < 0) return text;
  }
  return withoutOuterParentheses(inner.trim());
}

/**
 * Splits the text at operators that stand outside of parentheses and of variables, and not directly behind a letter or
 * digit: an `||` without a blank before it stays in its part.
 */
function splitAtTop(text: string, operator: RegExp): string[] {
  const parts: string[] = [];
  let [depth, start] = [0, 0];
  for (let offset = 0; offset < text.length; offset++) {
    const character = text[offset] ?? "";
    if (/[({]/.test(character)) depth++;
    else if (/[)}]/.test(character)) depth--;
    // The braces are those of a variable, `%{…}`. The end of a longer word, such as `for`, is no operator.
    if (depth > 0 || /\w/.test(text[offset - 1] ?? "")) continue;
    // Four characters are enough: the longest operator is `and`, and the next character shows whether the word ends
    // there.
    const [match] = operator.exec(text.slice(offset, offset + 4)) ?? [];
    if (match === undefined) continue;
    parts.push(text.slice(start, offset));
    start = offset + match.length;
  }
  return [...parts, text.slice(start)];
}
