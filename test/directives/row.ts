/**
 * The words of a row: a customer's configuration, what the plan must say of it, and what clients must get before and
 * after.
 */
import type { Diagnostic } from "../../core/diagnostic.ts";
import type { ClientName, LabPki } from "../../lab/pki.ts";
import type { Wish } from "../host/session.ts";

/**
 * Outcomes by path, each for three clients: `none good theirs`. Where TLS 1.3 answers otherwise than TLS 1.2 (a
 * `Location` that asks for a certificate anew cannot do so of clients without post-handshake authentication) both are
 * there, 1.2 first.
 */
export type Answers = Readonly<Record<string, string | readonly [tls12: string, tls13: string]>>;

/** A finding that the plan must have. */
export interface Expected {
  readonly severity: Diagnostic["severity"];
  /** The line of the row at which it stands. It is in the row once. */
  readonly at: string;
  /** Further words that its text must have, such as the name of a CA. The directive's name is always among them. */
  readonly says?: string;
  /** What `adopt: true` makes of it. */
  readonly adopt: "stays" | "resolves it, the line stays" | "takes the line out";
}

export interface Row {
  /** The configuration in a customer's words: the first cell of the table. */
  readonly name: string;
  /** Lines at the end of the server level. */
  readonly server?: string;
  /** Lines at the end of the covered virtual host. */
  readonly covered?: string;
  /** Lines at the end of the virtual host of the other TLS port. */
  readonly other?: string;
  /** Lines of a file that both virtual hosts include. */
  readonly both?: string;
  /** Lines in `<Directory>` of the document root. */
  readonly directory?: string;
  /** The server's certificate comes from an intermediate CA that the site does not name. @default false */
  readonly isChained?: boolean;
  /** What the site file wants. */
  readonly wish?: (pki: LabPki) => Wish | Promise<Wish>;
  /** Who is the third client. @default "foreign" */
  readonly theirs?: ClientName;
  /** Who gets in at `/` was said by the whole site's rule or CA: with `adopt` ours takes its place. @default false */
  readonly isWholeSite?: boolean;
  /** @default [] */
  readonly findings?: readonly Expected[];
  /** On the covered port. Its paths are the ones that are asked. */
  readonly before: Answers;
  /** After a change with `adopt: true`, where that is possible. @default - as before */
  readonly after?: Answers;
  /** On the other port, where nothing ever changes. @default - everybody gets in everywhere */
  readonly onOther?: Answers;
}

/** Stops a change, with `adopt: true` as well. */
export const conflict = (at: string, says?: string): Expected => expected("conflict", at, "stays", says);
/** Stops a change until `adopt: true`; the line stays, and ours wins over it. */
export const untilAdopt = (at: string, says?: string): Expected =>
  expected("conflict", at, "resolves it, the line stays", says);
/** Stops a change until `adopt: true`, which comments the line out. */
export const takenOut = (at: string, says?: string): Expected => expected("conflict", at, "takes the line out", says);
/** Is told, and stops nothing. */
export const warning = (at: string, says?: string): Expected => expected("warning", at, "stays", says);
/** As a warning, of what may be meant. */
export const note = (at: string, says?: string): Expected => expected("note", at, "stays", says);

const expected = (
  severity: Diagnostic["severity"],
  at: string,
  adopt: Expected["adopt"],
  says: string | undefined,
): Expected => ({ severity, at, adopt, ...(says === undefined ? {} : { says }) });

/** Everybody gets in, at each of the paths. */
export const open = (...paths: readonly string[]): Answers =>
  Object.fromEntries(paths.map((path) => [path, "200 200 200"]));

/** The directive at the begin of a line, or the section that it opens. */
export const directiveOf = (line: string): string => /^<?(\w+)/.exec(line.trim())?.[1] ?? "";
