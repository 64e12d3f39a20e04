/**
 * A CRL of which only the beginning and the end are known. The lines in the middle, which hold the revoked
 * certificates, stay on the host. Issuer and dates stand before them, and the CRL number stands after them.
 */
import type { CrlSummary } from "./summary.ts";
import { DerError } from "./der.ts";
import { readCrl } from "./crl.ts";
import { readBlocks } from "./pem.ts";

/** A gap: a line such as `...1234` stands for that many base64 characters, which were left out. */
const gapLine = /^\.\.\.(\d+)\r?$/gm;

/**
 * Summaries of the CRLs in a PEM text with gaps. The whole text on the host has `sizeBytes`. The `sha256` of each
 * summary is empty, because not all bytes are known, and the entries are not counted. A CRL that cannot be read is left
 * out.
 */
export function readSparseCrls(text: string, sizeBytes: number): CrlSummary[] {
  const omitted = [...text.matchAll(gapLine)].reduce((sum, [, count]) => sum + Number(count), 0);
  // A gap is never larger than the file. Otherwise a wrong number would fill the memory below.
  if (omitted > sizeBytes) return [];
  // "A" is six zero bits. The missing part thus becomes zero bytes, and every offset stays right.
  const filled = text.replace(gapLine, (_, count: string) => "A".repeat(Number(count)));
  return readBlocks(Buffer.from(filled, "latin1"), "a CRL").blocks.flatMap(({ kind, der }) => {
    const summary = kind === "crl" ? summaryOf(der) : undefined;
    return summary === undefined ? [] : [{ ...summary, sha256: "" }];
  });
}

/** Reads the summary of a CRL. Undefined where the CRL cannot be read. */
function summaryOf(der: Buffer): CrlSummary | undefined {
  try {
    return readCrl(der, { countsEntries: false }).summary;
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}
