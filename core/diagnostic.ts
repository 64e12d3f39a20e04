/** `conflict` and `problem` stop a change; `warning` and `note` are told. */
export interface Diagnostic {
  readonly severity: "conflict" | "problem" | "warning" | "note";
  /** `file:line`, or a path of the site file. */
  readonly place: string;
  /** What was found; what to do. Ready to print, no control characters. */
  readonly text: string;
  /** The files alone do not tell whether this matters: offline, that is "could not tell" rather than a difference. */
  readonly isUndecided?: boolean;
  /** The next change mends it by itself, so it does not stand in the way of that. */
  readonly isMendedByChange?: true;
  /** Somebody must act, and no change does it for them: nobody is served. It stands in the way of no change. */
  readonly isAlarm?: true;
}

/** Conflicts and problems forbid a change, warnings and notes do not, nor what the change itself mends. */
export const isBlocking = ({ severity, isMendedByChange, isAlarm }: Diagnostic): boolean =>
  (severity === "conflict" || severity === "problem") && isMendedByChange !== true && isAlarm !== true;

/** One line, as it lies in outputs. */
export const diagnosticText = ({ place, text }: Diagnostic): string => `${place}: ${text}`;

/** What keeps a change from being made, one line each. */
export const problemTexts = (diagnostics: readonly Diagnostic[]): readonly string[] =>
  diagnostics.filter(isBlocking).map(diagnosticText);

/** What somebody must act on, one line each. */
export const alarmTexts = (diagnostics: readonly Diagnostic[]): readonly string[] =>
  diagnostics.filter(({ isAlarm }) => isAlarm === true).map(diagnosticText);
