import type { CrlSummary } from "../apache/model.ts";

/**
 * Above 0 when `a` is to replace `b`, a CRL of the same CA; 0 when they are equally new. httpd goes by the date alone, so neither
 * the date nor the number may be lower, except where `b` had ended before `a` was issued: it protects nobody, and its CA has begun
 * its numbers anew. The host's program has this rule, too, and goes by its clock there (compare_crls in posix/crl.sh).
 */
export function compareCrls(a: CrlSummary, b: CrlSummary): number {
  const later = Date.parse(a.thisUpdate) - Date.parse(b.thisUpdate);
  const higher = a.number === undefined || b.number === undefined ? 0n : BigInt(a.number) - BigInt(b.number);
  if (later < 0 || (higher < 0n && !hadEnded(b, a))) return -1;
  return later > 0 || higher !== 0n ? 1 : 0;
}

const hadEnded = ({ nextUpdate }: CrlSummary, { thisUpdate }: CrlSummary): boolean =>
  nextUpdate !== undefined && Date.parse(nextUpdate) <= Date.parse(thisUpdate);
