/**
 * Whether two names of CAs are one to OpenSSL, which matches a certificate with its issuer and a CRL with its CA by
 * that. Where their bytes are at hand `canonicalName` tells; a plan has their text only, as `renderName` gives it.
 * mod_ssl compares in another way what an SSLRequire names: see `core/apache/plan/requirement.ts`.
 */

/** One character of a name's text, which may be escaped; and those of them that OpenSSL holds for a blank. */
const characters = /\\(?:[0-9A-F]{2}|[^])|[^]/gi;
const isBlank = /^(?:\\0[9A-D]|\\?[\t\n\v\f\r ])$/i;
/** The parts of a name, each with what comes before it. */
const parts = /([,+]?)((?:\\[^]|[^\\,+])*)/g;

/**
 * Equal for names that are one: the case of ASCII letters and the number of blanks do not count, and nothing else is
 * folded. Two encodings of one Japanese name, which OpenSSL holds for two, cannot be told apart by their text.
 *
 * @see https://docs.openssl.org/3.0/man3/X509_cmp/
 */
export const comparable = (name: string): string =>
  name.replace(parts, (_, sign: string, part: string) => sign + foldPart(part));

/** A `#` is escaped at the start of a text only, where it would be taken for bytes in hexadecimal digits. */
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
