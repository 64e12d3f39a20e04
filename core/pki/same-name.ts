/** Whether two names of CAs are one to OpenSSL, as far as their text tells. */

/** Names are compared without regard to case and blanks (RFC 5280, section 7.1): an issuer may write its own in two ways. */
export const comparable = (name: string): string => name.toLowerCase().replace(/\s+/g, " ").trim();
/** Whether two names of CAs mean the same one. */
export const isSameName = (a: string, b: string): boolean => comparable(a) === comparable(b);
