/** Splits a run's answer into parts at its mark. No part counts as text until its reader has checked it. */

export interface Message {
  readonly kind: string;
  /** The rest of the line after the mark. */
  readonly argument: string;
  /** The bytes up to the next mark, as latin1. */
  readonly body: string;
}

export function parseResponse(stdout: Buffer, mark: string): Message[] {
  const text = stdout.toString("latin1");
  const separator = `\n${mark} `;
  const parts: Message[] = [];
  let at = text.indexOf(separator);
  while (at >= 0) {
    const lineEnd = text.indexOf("\n", at + separator.length);
    const next = lineEnd < 0 ? -1 : text.indexOf(separator, lineEnd);
    const line = text.slice(at + separator.length, lineEnd < 0 ? undefined : lineEnd);
    const space = line.indexOf(" ");
    parts.push({
      kind: space < 0 ? line : line.slice(0, space),
      argument: space < 0 ? "" : line.slice(space + 1),
      body: lineEnd < 0 ? "" : text.slice(lineEnd + 1, next < 0 ? undefined : next),
    });
    at = next;
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
