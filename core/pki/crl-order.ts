import type { CrlSummary } from "../apache/model.ts";

/**
 * Above 0 when `a` is to replace `b`, a CRL of the same CA; 0 when they are equally new. httpd goes by the date alone, so neither
 * the date nor the number may be lower, except where `b` had ended before `a` was issued: it protects nobody, and its CA has begun
 * its numbers anew. The host's program has this rule, too, and goes by its clock there (compare_crls in posix/crl.sh).
 */
export function compareCrls(a: CrlSummary, b: CrlSummary): number {
  const later = compareDates(a, b);
  const higher = compareNumbers(a, b);
  if (later < 0 || (higher < 0 && !hadEnded(b, a))) return -1;
  return later > 0 || higher !== 0 ? 1 : 0;
}

/** The order among several that are there: by date, as httpd has it, then by number. */
export const compareByDate = (a: CrlSummary, b: CrlSummary): number => compareDates(a, b) || compareNumbers(a, b);

const compareDates = (a: CrlSummary, b: CrlSummary): number => Date.parse(a.thisUpdate) - Date.parse(b.thisUpdate);

function compareNumbers(a: CrlSummary, b: CrlSummary): number {
  if (a.number === undefined || b.number === undefined || a.number === b.number) return 0;
  return BigInt(a.number) > BigInt(b.number) ? 1 : -1;
}

const hadEnded = ({ nextUpdate }: CrlSummary, { thisUpdate }: CrlSummary): boolean =>
  nextUpdate !== undefined && Date.parse(nextUpdate) <= Date.parse(thisUpdate);
