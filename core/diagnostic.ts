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
