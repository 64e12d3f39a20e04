/** What is wrong with a certificate, a bundle or a CRL. The caller knows the file and puts its name before the text. */
export interface PkiDiagnostic {
  /** A `problem` refuses the file. A `warning` is only reported. */
  readonly severity: "problem" | "warning";
  /**
   * What was found, and what to do instead. The text is ready to print, and holds no control character and nothing of a
   * key.
   */
  readonly text: string;
  /**
   * The fingerprint of the certificate, or the SHA-256 of the CRL, that the text is about. It leads the caller to the
   * file.
   */
  readonly about?: string;
}

export const problem = (text: string): PkiDiagnostic => ({ severity: "problem", text });
export const warning = (text: string): PkiDiagnostic => ({ severity: "warning", text });

/** The same diagnostics, marked as being about one certificate or CRL. */
export const about = (id: string, diagnostics: readonly PkiDiagnostic[]): PkiDiagnostic[] =>
  diagnostics.map((diagnostic) => ({ ...diagnostic, about: id }));
