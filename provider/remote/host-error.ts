/** The only kind of error with which an exchange with a host ends. */
import { shown, shownLines } from "../../core/shown.ts";

export type HostErrorKind =
  /**
   * There is no connection: the name, the route or the port is wrong, or the host does not answer. Or there is one, and
   * the host starts no command on it. Nothing was done on the host.
   */
  | "unreachable"
  /**
   * The host is not the one that the site file names, or the key in the site file is not a key. Nothing was done on the
   * host.
   */
  | "hostKey"
  /** The user was not let in, or the key or password for the login is not where the site file says. */
  | "login"
  /** The user gets no root rights, or the password for sudo is not where the site file says. */
  | "sudo"
  /** The work did not end within the time allowed. What was done on the host is unknown. */
  | "timeout"
  /** The connection ended in the middle. What was done on the host is unknown. */
  | "cut"
  /** The run was cancelled from our side. */
  | "cancelled"
  /** The host's program ended before it changed anything, and says why. */
  | "refused"
  /**
   * Something of the host cannot be used: its answer is too long, incomplete or broken, its shell is unfit, or a name
   * on it contains a line end or a tab. What was done on the host is unknown.
   */
  | "answer"
  | "noHttpd"
  | "severalHttpds"
  /** Another run or another owner has locked the host. */
  | "locked";

/** The longest message. Our own messages are far shorter, but a hostile host could send a hundred megabytes. */
const longestMessageCharacters = 20_000;

/**
 * The message has the form `host: what was found; what to do instead` and is ready to print. It contains no secret, and
 * every part of it has been made safe for a terminal.
 */
export class HostError extends Error {
  override readonly name = "HostError";
  readonly kind: HostErrorKind;

  constructor(kind: HostErrorKind, message: string) {
    super(shownLines(message.slice(0, longestMessageCharacters)));
    this.kind = kind;
  }
}

/** The host as messages name it: its address and its SSH port. */
export function placeOf({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The longest text of a host that a message contains. */
const longestQuoteCharacters = 300;

/** The longest sentence of our own program: it has the name of a CA, and its remedy at the end. */
export const longestSentenceCharacters = 2000;

/**
 * Text from a host in the form in which a message may contain it: its lines joined by ` | `, of limited length, made
 * safe for a terminal. Empty lines are left out.
 */
export function asOneLine(text: string, longest = longestQuoteCharacters): string {
  // The text is cut first, because a host may send as much as it likes.
  const lines = text
    .trimStart()
    .slice(0, longest + 1)
    .split(/[\r\n]+/)
    .map((line) => line.trim());
  return shown(lines.filter((line) => line !== "").join(" | "), longest);
}
