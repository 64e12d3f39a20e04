/**
 * Whether two names of CAs are the same name for OpenSSL. OpenSSL finds the issuer of a certificate and the CA of a CRL
 * by this comparison. Where the bytes of the names are known, `canonicalName` decides. A plan only has their text, as
 * `renderName` gives it. mod_ssl compares the names in an SSLRequire in another way: see
 * `core/apache/plan/requirement.ts`.
 */

/**
 * One character of a name's text, which may be escaped. `isBlank` matches the characters that OpenSSL takes to be a
 * blank.
 */
const characters = /\\(?:[0-9A-F]{2}|[^])|[^]/gi;
const isBlank = /^(?:\\0[9A-D]|\\?[\t\n\v\f\r ])$/i;
/** The parts of a name, each with the sign before it. */
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
 * Folds one part. A `#` is escaped only at the start of a text, where it would be read as the mark of hexadecimal
 * digits.
 */
const foldPart = (part: string): string =>
  part
    .replace(characters, (one, at: number) =>
      isBlank.test(one) ? " " : one === "#" && part[at - 1] !== "=" ? "\\#" : one,
    )
    .replace(/ +/g, " ")
    .replace(/^([^=]*=) /, "$1")
    .replace(/ $/, "")
    .replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** Whether two names mean the same CA. */
export const isSameName = (a: string, b: string): boolean => comparable(a) === comparable(b);
