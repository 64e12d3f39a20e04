/** Where lint and OpenSSL are known to disagree: each an exact predicate of the cell, and who is right for the user. */
import type { Answer } from "./grid.ts";

export interface Disagreement {
  /** Which cells, in words. */
  readonly what: string;
  readonly why: string;
  /** Who is right for the user. */
  readonly right: string;
  readonly holds: (answer: Answer) => boolean;
}

const isStricter = ({ ours, openssl }: Answer): boolean => ours.length > 0 && openssl === "";
/** Finds only what such a text says. */
const saysOnly = ({ ours }: Answer, text: RegExp): boolean => ours.every((one) => text.test(one));

export const disagreements: readonly Disagreement[] = [
  {
    what: "`crlCheck: chain`, and the site has no CRL at all",
    why: "Without a CRL httpd is not told to check anything, so OpenSSL accepts.",
    right: "lint: who writes `chain` wants CRLs",
    holds: (answer) => isStricter(answer) && answer.cell.check === "chain" && saysOnly(answer, /^there is no CRL of /),
  },
  {
    what: "a delta CRL in the place of a complete one",
    why: "OpenSSL 3.0.19 counts it like a complete one; other releases of OpenSSL do not.",
    right: "lint: a delta lists changes only",
    holds: (answer) => isStricter(answer) && answer.cell.crl === "a delta",
  },
  {
    what: "two keys of one CA, and no key identifier tells them apart",
    why: "OpenSSL takes the certificate that stands first: holders of that key's certificates get in, those of the other key's do not.",
    right: "lint: some of the users are refused",
    holds: (answer) => isStricter(answer) && answer.cell.ca === "two keys without identifiers",
  },
  {
    what: "two keys of one CA with key identifiers, and a CRL of one of them only",
    why: "OpenSSL accepts the holders of the key that has a CRL, of whom the cell is; lint refuses for those of the other key.",
    right: "lint: some of the users are refused",
    holds: (answer) => isStricter(answer) && answer.cell.ca === "two keys with identifiers",
  },
  {
    what: "`crlCheck: chain`, a root without basicConstraints, and its CRL is for user certificates only",
    why: "To OpenSSL the root is no CA where it compares it with the CRL, so it counts the CRL for it.",
    right: "neither: such a root is of the nineties",
    holds: (answer) =>
      isStricter(answer) &&
      answer.cell.ca === "a root without basicConstraints" &&
      answer.cell.crl === "for users only",
  },
];
