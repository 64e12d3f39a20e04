/** What is wrong with a certificate, a bundle or a CRL; the caller knows the file and puts it in front. */
export interface PkiDiagnostic {
  /** `problem` refuses the file, `warning` is told. */
  readonly severity: "problem" | "warning";
  /** What was found; what to do instead. Ready to print, holds no control character and nothing of a key. */
  readonly text: string;
  /** Fingerprint of the certificate, or SHA-256 of the CRL, that it speaks of: leads the caller to the file. */
  readonly about?: string;
}

export const problem = (text: string): PkiDiagnostic => ({ severity: "problem", text });
export const warning = (text: string): PkiDiagnostic => ({ severity: "warning", text });

/** The same diagnostics, of one certificate or CRL. */
export const about = (id: string, diagnostics: readonly PkiDiagnostic[]): PkiDiagnostic[] =>
  diagnostics.map((diagnostic) => ({ ...diagnostic, about: id }));
