/** The one kind of error that talking to a host ends with. */
import { shown, shownLines } from "../../core/shown.ts";

export type HostErrorKind =
  /** No connection: name, route, port, a host that does not answer. Nothing was done there. */
  | "unreachable"
  /** The host is not the one that the site file names, or its key there is no key. Nothing was done there. */
  | "hostKey"
  /** The user was not let in, or the key or password to let them in is not where the site file says. */
  | "login"
  /** Connected, but no root rights. */
  | "sudo"
  /** No end within the time allowed; what was done on the host is unknown. */
  | "timeout"
  /** The connection ended in the middle; what was done on the host is unknown. */
  | "cut"
  /** The run was cancelled from our side. */
  | "cancelled"
  /** The host's program refused to begin, and says why. Nothing was done there. */
  | "refused"
  /** The host answered what cannot be understood: too much output, a broken answer. */
  | "answer"
  | "noHttpd"
  | "severalHttpds"
  /** Another run, or another owner, holds the host. */
  | "locked";

/** Far more than we ever say; a host that lies could send a hundred megabytes. */
const longestMessageCharacters = 20_000;

/**
 * `host: what was found; what to do instead`, ready to print: no secret, and whatever is in it has gone through the
 * gate.
 */
export class HostError extends Error {
  override readonly name = "HostError";
  readonly kind: HostErrorKind;

  constructor(kind: HostErrorKind, message: string) {
    super(shownLines(message.slice(0, longestMessageCharacters)));
    this.kind = kind;
  }
}

/** Host as messages name it: its address and its SSH port. */
export function placeOf({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

const longestQuoteCharacters = 300;

/** Of a sentence of our own program, with the name of a CA and the remedy at its end. */
export const longestSentenceCharacters = 2000;

/** Text from a host as it may stand in a message: one line, of bounded length, through the gate. */
export function asOneLine(text: string, longest = longestQuoteCharacters): string {
  // Cut first: a host may send as much as it likes.
  const lines = text
    .trimStart()
    .slice(0, longest + 1)
    .split(/[\r\n]+/)
    .map((line) => line.trim());
  return shown(lines.filter((line) => line !== "").join(" | "), longest);
}
