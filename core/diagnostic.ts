/** One finding about a host. A `conflict` or a `problem` stops a change; a `warning` or a `note` is only reported. */
export interface Diagnostic {
  readonly severity: "conflict" | "problem" | "warning" | "note";
  /** The place: `file:line`, or a path in the site file. */
  readonly place: string;
  /** What was found, and what to do. The text is ready to print and has no control characters. */
  readonly text: string;
  /** The files alone do not show whether this matters: offline, the host's state is "unknown" rather than "differs". */
  readonly isUndecided?: boolean;
  /** The next change mends this by itself, so this does not stop that change. */
  readonly isMendedByChange?: true;
  /** Somebody must act, because no change solves this and nobody is served. It does not stop a change. */
  readonly isAlarm?: true;
}

/**
 * Whether a diagnostic forbids a change: conflicts and problems do, unless the change itself mends them or they are
 * alarms.
 */
export const isBlocking = ({ severity, isMendedByChange, isAlarm }: Diagnostic): boolean =>
  (severity === "conflict" || severity === "problem") && isMendedByChange !== true && isAlarm !== true;

/** The diagnostic on one line, as outputs contain it. */
export const diagnosticText = ({ place, text }: Diagnostic): string => `${place}: ${text}`;

/** The diagnostics that forbid a change, on one line each. */
export const problemTexts = (diagnostics: readonly Diagnostic[]): readonly string[] =>
  diagnostics.filter(isBlocking).map(diagnosticText);

/** The diagnostics on which somebody must act, on one line each. */
export const alarmTexts = (diagnostics: readonly Diagnostic[]): readonly string[] =>
  diagnostics.filter(({ isAlarm }) => isAlarm === true).map(diagnosticText);
