import { isSameName } from "./same-name.ts";
import type { CrlSummary } from "./summary.ts";

/** What a site file says about the order of CRLs. */
export interface CrlOrderOptions {
  /** SHA-256 of CRLs whose number does not count, as the site file names them. @default - none */
  readonly accepted?: readonly string[] | undefined;
}

/**
 * Above 0 when `a` is to replace `b`, a CRL of the same CA; 0 when they are equally new. httpd goes by the date alone,
 * so neither the date nor the number may be lower, except where `b` had ended before `a` was issued: it protects
 * nobody, and its CA has begun its numbers anew. Of an accepted one the number does not count, and the date does: once
 * it is replaced, nobody can bring it back. The host's program has this rule, too, and goes by its clock there
 * (compare_crls in host/posix/crl/crl.sh).
 */
export function compareCrls(a: CrlSummary, b: CrlSummary, { accepted = [] }: CrlOrderOptions = {}): number {
  const later = compareDates(a, b);
  if (a.sha256 !== "" && accepted.includes(a.sha256)) return isSameCrl(a, b) ? 0 : later < 0 ? -1 : 1;
  const higher = compareNumbers(a, b);
  if (later < 0 || (higher < 0 && !hadEnded(b, a))) return -1;
  return later > 0 || higher !== 0 ? 1 : 0;
}

/** Whether two are one. The hash of a large installed CRL is not known: then what its CA counts must do. */
export const isSameCrl = (a: CrlSummary, b: CrlSummary): boolean =>
  a.sha256 === "" || b.sha256 === ""
    ? isSameName(a.issuer, b.issuer) && a.number === b.number && a.thisUpdate === b.thisUpdate && isOfSamePart(a, b)
    : a.sha256 === b.sha256;

/** Of one CA, whether they are for the same of its certificates: only then one replaces the other. */
export const isOfSamePart = (a: CrlSummary, b: CrlSummary): boolean =>
  a.distributionPoint === b.distributionPoint && a.scope === b.scope;

/** The order among several that are there: by date, as httpd has it, then by number. */
export const compareByDate = (a: CrlSummary, b: CrlSummary): number => compareDates(a, b) || compareNumbers(a, b);

const compareDates = (a: CrlSummary, b: CrlSummary): number => Date.parse(a.thisUpdate) - Date.parse(b.thisUpdate);

function compareNumbers(a: CrlSummary, b: CrlSummary): number {
  if (a.number === undefined || b.number === undefined || a.number === b.number) return 0;
  return BigInt(a.number) > BigInt(b.number) ? 1 : -1;
}

const hadEnded = ({ nextUpdate }: CrlSummary, { thisUpdate }: CrlSummary): boolean =>
  nextUpdate !== undefined && Date.parse(nextUpdate) <= Date.parse(thisUpdate);
