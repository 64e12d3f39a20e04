/**
 * Adapts the inputs of a host to a copy of its files. On a copy, nothing can be downloaded, and the program that
 * refreshes CRLs is not installed.
 */
import { crlName, refreshName } from "../core/own-files.ts";
import type { Diagnostic } from "../core/diagnostic.ts";
import type { Facts } from "../core/apache/model.ts";
import type { Inputs } from "../core/apache/inputs.ts";

export interface CopyInputs {
  readonly inputs: Inputs;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The inputs that a copy can be planned with, and the findings about its CRLs. Inputs without CRL sources stay as they
 * are. Where the copy has the program that refreshes CRLs, the sources stay, too, because nothing has to be installed
 * for them. On any other copy the sources are left out: the CRL of each source's `file:` is put in place once, with a
 * warning that nothing renews it. Where a CRL would have to be downloaded, the finding is a problem.
 */
export function inputsForCopy(inputs: Inputs, { own }: Facts): CopyInputs {
  const { crlSources, crlFiles, crls } = inputs;
  if (crlSources.length === 0) return { inputs, diagnostics: [] };
  if (own.files[refreshName] !== undefined) {
    const hasCrl = own.files[crlName] !== undefined || crls.length > 0;
    return { inputs, diagnostics: hasCrl ? [] : [diagnostic("problem", missingCrl)] };
  }
  const files = crlSources.flatMap(({ file }) => file ?? []);
  const isComplete = files.length === crlSources.length;
  return {
    inputs: { ...inputs, crlSources: [], sample: undefined, crlFiles: [...crlFiles, ...files] },
    diagnostics: [isComplete ? diagnostic("warning", notRenewed) : diagnostic("problem", noFile)],
  };
}

const diagnostic = (severity: Diagnostic["severity"], text: string): Diagnostic => ({
  severity,
  place: "crlSources",
  text,
});

const notRenewed =
  "on a copy the lists of file: are put in place, and nothing renews them; when one ends, everyone with a certificate is refused";
const noFile = "on a copy nothing can be downloaded; give each source a file: with its current list";
const missingCrl = `the copy has no ${crlName}, and nothing can be downloaded on it; copy that file, too, or give a file: with the current list`;
