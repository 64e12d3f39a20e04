/** What every command prints with: it shows colours only where a person reads, and counts in plain words. */
import { shownLines } from "../core/shown.ts";

export interface Style {
  /**
   * Makes a whole output safe to print, as a last check for whatever a command forgot. The colours that the command
   * itself added pass.
   */
  readonly printable: (text: string) => string;
  readonly red: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly green: (text: string) => string;
}

const plain = (text: string): string => text;
/** Makes a function that paints a text. The code 39 after the text brings back the default colour. */
const colour =
  (code: number) =>
  (text: string): string =>
    `\u001b[${code}m${text}\u001b[39m`;

/**
 * Colours only on a terminal, and only where neither NO_COLOR nor TERM=dumb is set.
 * @see https://no-color.org
 */
export function styleFor(stream: { readonly isTTY?: boolean }, environment: NodeJS.ProcessEnv): Style {
  const isColoured = stream.isTTY === true && !environment["NO_COLOR"] && environment["TERM"] !== "dumb";
  return isColoured
    ? { red: colour(31), yellow: colour(33), green: colour(32), printable: withColours }
    : { red: plain, yellow: plain, green: plain, printable: shownLines };
}

// The expression has a group, so `split` keeps the escape sequences of `colour` and puts them at the odd indexes.
const withColours = (text: string): string =>
  text
    .split(/(\u001b\[(?:3[1-3]|39)m)/)
    .map((piece, index) => (index % 2 === 1 ? piece : shownLines(piece)))
    .join("");

/** `1 problem`, `3 problems`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** The answer of a command: its text for standard output, and its exit code. */
export interface Answer {
  readonly output: string;
  /** Bytes that are printed after the text: parts of a customer's own files, which may be in any character set. */
  readonly bytes?: Buffer;
  readonly code: number;
}

/** A command that is done by then shows no progress. */
const quietMilliseconds = 1000;

/**
 * Returns a function that shows how many hosts are done. It writes only on a terminal, only when the work has taken a
 * second, and clears its line when the last host is done.
 */
export function progressOn(stream: NodeJS.WriteStream): (done: number, all: number) => void {
  if (!stream.isTTY) return () => undefined;
  const start = performance.now();
  const clearLine = "\r\u001b[K";
  return (done, all) => {
    if (performance.now() - start < quietMilliseconds) return;
    stream.write(done < all ? `${clearLine}${done} of ${count(all, "host")}` : clearLine);
  };
}
