/** Splits a run's answer into parts at its mark. No part counts as text until its reader has checked it. */

/** One part of an answer: a line that begins with the mark, and what follows it up to the next such line. */
export interface Message {
  readonly kind: string;
  /** The rest of the line after the mark. */
  readonly argument: string;
  /** The bytes up to the next mark, as latin1. */
  readonly body: string;
}

/** The parts of a whole answer. What stands before the first mark is left out. */
export function parseResponse(stdout: Buffer, mark: string): Message[] {
  const text = stdout.toString("latin1");
  const separator = `\n${mark} `;
  const parts: Message[] = [];
  let start = text.indexOf(separator);
  while (start >= 0) {
    // The answer may be cut in the middle of this line. It then has no line end.
    const lineEnd = text.indexOf("\n", start + separator.length);
    const next = lineEnd < 0 ? -1 : text.indexOf(separator, lineEnd);
    const line = text.slice(start + separator.length, lineEnd < 0 ? undefined : lineEnd);
    const space = line.indexOf(" ");
    parts.push({
      kind: space < 0 ? line : line.slice(0, space),
      argument: space < 0 ? "" : line.slice(space + 1),
      body: lineEnd < 0 ? "" : text.slice(lineEnd + 1, next < 0 ? undefined : next),
    });
    start = next;
  }
  return parts;
}

/** The longest line of a step that is read, in characters. Answers hold other lines of any length. */
const longestStepLine = 1000;

/**
 * Reads the steps that a run names while its answer arrives, for showing progress: takes each chunk in turn and returns
 * the steps that it completes. A line that is cut between two chunks counts once, when it is whole.
 */
export function stepReader(mark: string): (chunk: Buffer) => string[] {
  const start = `${mark} step `;
  let cutLine = "";
  return (chunk) => {
    const lines = `${cutLine}${chunk.toString("latin1")}`.split("\n");
    cutLine = (lines.pop() ?? "").slice(0, longestStepLine);
    return lines.filter((line) => line.startsWith(start)).map((line) => line.slice(start.length, longestStepLine));
  };
}
