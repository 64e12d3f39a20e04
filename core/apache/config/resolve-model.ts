/** What the reader of a whole configuration starts from, and what it finds. */
import type { Dump } from "./dump.ts";
import type { Node, Tree } from "./parse.ts";
import type { Section } from "./sections.ts";

/** What resolving starts from. */
export interface Source {
  /** Files by the name that httpd uses, as latin1 bytes. */
  readonly files: ReadonlyMap<string, string>;
  readonly mainFile: string;
  readonly serverRoot: string;
  readonly version: string;
  /** `-D` names of the command line. */
  readonly defines: readonly string[];
  readonly hasAllDefines: boolean;
  readonly dump: Dump | undefined;
  readonly existing: (path: string) => boolean | undefined;
  /** Whether a line is read although httpd saw a comment there; of the name of a file and a line. @default - none is */
  readonly hasMark?: (file: string, line: number) => boolean;
  /** Files that are not read although they are included: our own. */
  readonly skips: (path: string) => boolean;
}

/** An effective directive, or the open tag of a section, where {@link opens} is set. */
export interface Effective {
  readonly name: string;
  readonly file: string;
  readonly node: Node;
  readonly section: Section | undefined;
  readonly opens: Section | undefined;
  /** Unquoted, with the variables that were known at this place. */
  readonly arguments: readonly string[];
  /** The innermost condition around it that could not be decided. */
  readonly undecided: Section | undefined;
}

/** Why a part of the configuration could not be read as httpd reads it. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  /** The text with a variable whose value nobody can tell. */
  readonly unknown?: string;
}

/** The whole configuration, as far as it could be read. */
export interface Resolved {
  readonly trees: ReadonlyMap<string, Tree>;
  /** In the order in which httpd reads them. */
  readonly effective: readonly Effective[];
  /** Syntax, a Use that is not harmless, Includes that cannot be followed, variables that stand for too much. */
  readonly problems: readonly Problem[];
  /** Conditions that could not be decided, by the names of variables and modules that they may have set. */
  readonly undetermined: ReadonlyMap<string, Section>;
}
