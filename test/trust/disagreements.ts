/** Where lint and OpenSSL are known to disagree: each an exact predicate of the cell, and who is right for the user. */
import { type Answer, type Cell, dimensions } from "./grid.ts";

/** OpenSSL lets the holder in. */
export const isOpen = ({ openssl }: Answer): boolean => openssl === "";
export const agrees = (answer: Answer): boolean => isOpen(answer) === (answer.ours.length === 0);
/** All values of a cell, or all but one. */
export const keyOf = (cell: Cell, without?: string): string =>
  dimensions.map((dimension) => (dimension === without ? "*" : cell[dimension])).join(" | ");

/** The cell and what both said of it. */
export const describeAnswer = ({ cell, ours, openssl }: Answer): string =>
  `${keyOf(cell)}\n    lint: ${ours.join("; ") || "fine"}\n    openssl: ${openssl || "OK"}`;

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

const ofTwoKeys = /two different keys|no key identifier|^there is no CRL of /;

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
    what: "two keys of one CA, and no identifier, or only one CRL, for both",
    why: "Holders of the one key's certificates get in, those of the other key's do not.",
    right: "lint: some of the users are refused",
    holds: (answer) => isStricter(answer) && /^two keys /.test(answer.cell.ca) && saysOnly(answer, ofTwoKeys),
  },
  {
    what: "`crlCheck: chain`, a root of version 1 or without basicConstraints, and its CRL is for user certificates only",
    why: "To OpenSSL the root is no CA where it compares it with the CRL, so it counts the CRL for it.",
    right: "neither: such a root is of the nineties",
    holds: (answer) =>
      isStricter(answer) &&
      /^version 1$|^a root without basicConstraints$/.test(answer.cell.ca) &&
      answer.cell.crl === "for users only",
  },
];
