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

/** The steps in the part of the answer that has arrived so far. They show the progress. */
export function stepsOf(chunk: string, mark: string): string[] {
  return [...chunk.matchAll(new RegExp(`^${mark} step (.*)$`, "gm"))].map((match) => match[1] ?? "");
}
