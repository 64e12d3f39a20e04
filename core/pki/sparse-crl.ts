/**
 * A CRL of which only both ends are known: the lines in the middle, the list of revoked certificates, stay on the host.
 * Issuer and dates stand in front of that list, the CRL number behind it.
 */
import type { CrlSummary } from "./summary.ts";
import { DerError } from "./der.ts";
import { readCrl } from "./crl.ts";
import { readBlocks } from "./pem.ts";

/** A line in the place of that many characters of base64 that were left out. */
const gapLine = /^\.\.\.(\d+)\r?$/gm;

/**
 * Summaries of the CRLs in a PEM text with such lines, of `sizeBytes` as a whole. Their `sha256` is empty, because
 * nobody has all bytes, and their entries are not counted. What cannot be read is left out.
 */
export function readSparseCrls(text: string, sizeBytes: number): CrlSummary[] {
  const left = [...text.matchAll(gapLine)].reduce((sum, [, count]) => sum + Number(count), 0);
  if (left > sizeBytes) return [];
  // "A" is six zero bits: what was left out becomes zero bytes, and every offset stays right.
  const filled = text.replace(gapLine, (_, count: string) => "A".repeat(Number(count)));
  return readBlocks(Buffer.from(filled, "latin1"), "a CRL").blocks.flatMap(({ kind, der }) => {
    const summary = kind === "crl" ? summaryOf(der) : undefined;
    return summary === undefined ? [] : [{ ...summary, sha256: "" }];
  });
}

function summaryOf(der: Buffer): CrlSummary | undefined {
  try {
    return readCrl(der, { countsEntries: false }).summary;
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}
