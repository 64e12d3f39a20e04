/** What of the wishes can be had on a copy of a host's files: nothing is downloaded there, and no program of ours put there. */
import { crlName, refreshName } from "../core/own-files.ts";
import type { Finding } from "../core/diagnostic.ts";
import type { Facts } from "../core/apache/model.ts";
import type { Wishes } from "../provider/apache/inputs.ts";

export interface CopyWishes {
  readonly wishes: Wishes;
  readonly findings: readonly Finding[];
}

/**
 * A host that already refreshes its CRLs keeps what it has for that. On any other one first lists are put in place like CRLs
 * that nothing renews.
 */
export function wishesForCopy(wishes: Wishes, { own }: Facts): CopyWishes {
  const { crlSources, crlFiles, crls } = wishes;
  if (crlSources.length === 0) return { wishes, findings: [] };
  if (own.files[refreshName] !== undefined) {
    const hasCrl = own.files[crlName] !== undefined || crls.length > 0;
    return { wishes, findings: hasCrl ? [] : [finding("problem", missingCrl)] };
  }
  const files = crlSources.flatMap(({ file }) => file ?? []);
  const isComplete = files.length === crlSources.length;
  return {
    wishes: { ...wishes, crlSources: [], sample: undefined, crlFiles: [...crlFiles, ...files] },
    findings: [isComplete ? finding("warning", notRenewed) : finding("problem", noFile)],
  };
}

const finding = (severity: Finding["severity"], text: string): Finding => ({ severity, place: "crlSources", text });

const notRenewed =
  "on a copy the lists of file: are put in place, and nothing renews them; when one ends, everyone with a certificate is refused";
const noFile = "on a copy nothing can be downloaded; give each source a file: with its current list";
const missingCrl = `the copy has no ${crlName}, and nothing can be downloaded on it; copy that file, too, or give a file: with the current list`;
