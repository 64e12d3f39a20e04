import { isSameName } from "./same-name.ts";
import type { CrlSummary } from "./summary.ts";

/** What a site file says about the order of CRLs. */
export interface CrlOrderOptions {
  /** The SHA-256 of CRLs whose number does not count, because the site file names them. @default - none */
  readonly accepted?: readonly string[] | undefined;
}

/**
 * Returns more than 0 when `a` is to replace `b`, a CRL of the same CA and part, 0 when both are equally new, and less
 * than 0 when `b` is to stay. httpd goes by the date alone, so neither date nor number of `a` may be lower, with two
 * exceptions. Where `b` had expired before `a` was issued, the number may be lower, because `b` protects nobody and its
 * CA has begun its numbers anew. For a CRL that the site file accepts, the number does not count, but the date does:
 * nobody can bring such a CRL back after it was replaced. The host's program has the same rule and goes by its own
 * clock (compare_crls in host/posix/crl/crl.sh).
 */
export function compareCrls(a: CrlSummary, b: CrlSummary, { accepted = [] }: CrlOrderOptions = {}): number {
  const later = compareDates(a, b);
  if (a.sha256 !== "" && accepted.includes(a.sha256)) return isSameCrl(a, b) ? 0 : later < 0 ? -1 : 1;
  const higher = compareNumbers(a, b);
  if (later < 0 || (higher < 0 && !hadEnded(b, a))) return -1;
  return later > 0 || higher !== 0 ? 1 : 0;
}

/**
 * Whether both are the same CRL. The hash of a large installed CRL is not known, so its CA's number and date are
 * compared instead.
 */
export const isSameCrl = (a: CrlSummary, b: CrlSummary): boolean =>
  a.sha256 === "" || b.sha256 === ""
    ? isSameName(a.issuer, b.issuer) && a.number === b.number && a.thisUpdate === b.thisUpdate && isOfSamePart(a, b)
    : a.sha256 === b.sha256;

/** Whether two CRLs of one CA are for the same of its certificates. Only then does one replace the other. */
export const isOfSamePart = (a: CrlSummary, b: CrlSummary): boolean =>
  a.distributionPoint === b.distributionPoint && a.scope === b.scope;

/**
 * The order of several installed CRLs, the older one first: by date, as httpd has it, and by number where the dates are
 * equal.
 */
export const compareByDate = (a: CrlSummary, b: CrlSummary): number => compareDates(a, b) || compareNumbers(a, b);

const compareDates = (a: CrlSummary, b: CrlSummary): number => Date.parse(a.thisUpdate) - Date.parse(b.thisUpdate);

/** Returns 1 or -1 where the number of `a` is higher or lower, and 0 where they are equal or one is missing. */
function compareNumbers(a: CrlSummary, b: CrlSummary): number {
  if (a.number === undefined || b.number === undefined || a.number === b.number) return 0;
  return BigInt(a.number) > BigInt(b.number) ? 1 : -1;
}

/** Whether the first CRL had expired before the second one was issued. */
const hadEnded = ({ nextUpdate }: CrlSummary, { thisUpdate }: CrlSummary): boolean =>
  nextUpdate !== undefined && Date.parse(nextUpdate) <= Date.parse(thisUpdate);
