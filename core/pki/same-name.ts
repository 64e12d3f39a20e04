/**
 * Whether two names of CAs are the same name for OpenSSL. OpenSSL finds the issuer of a certificate and the CA of a CRL
 * by this comparison. Where the bytes of the names are known, `canonicalName` decides. A plan only has their text, as
 * `renderName` gives it. mod_ssl compares the names in an SSLRequire in another way: see
 * `core/apache/plan/requirement.ts`.
 */

/** One character of a name's text, with its escape: `\XX`, or a backslash before any other character. */
const characters = /\\(?:[0-9A-F]{2}|[^])|[^]/gi;
/** A character of such a text that OpenSSL takes to be a blank. */
const isBlank = /^(?:\\0[9A-D]|\\?[\t\n\v\f\r ])$/i;
/** The parts of a name, each with the comma or plus before it. */
const parts = /([,+]?)((?:\\[^]|[^\\,+])*)/g;

/**
 * A text that is equal for names that are the same. The case of ASCII letters and the number of blanks do not count,
 * and nothing else is folded. Two encodings of one Japanese name are two names for OpenSSL, but their text does not
 * tell them apart.
 *
 * @see https://docs.openssl.org/3.0/man3/X509_cmp/
 */
export const comparable = (name: string): string =>
  name.replace(parts, (_, sign: string, part: string) => sign + foldPart(part));

/**
 * Folds one part, such as `O=Harbour`: every blank becomes a plain one, runs of blanks become one, and blanks at both
 * ends of the value are removed. `renderName` escapes a `#` only at the start of a value. Folding may remove blanks
 * before a `#`, so every other `#` is escaped, too. A `#` without escape after the `=` begins hexadecimal digits.
 */
const foldPart = (part: string): string =>
  part
    .replace(characters, (character, index: number) =>
      isBlank.test(character) ? " " : character === "#" && part[index - 1] !== "=" ? "\\#" : character,
    )
    .replace(/ +/g, " ")
    .replace(/^([^=]*=) /, "$1")
    .replace(/ $/, "")
    .replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** Whether two names mean the same CA. */
export const isSameName = (a: string, b: string): boolean => comparable(a) === comparable(b);
