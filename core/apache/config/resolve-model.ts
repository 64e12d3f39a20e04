/** The types of the resolver, which reads a whole configuration: what it starts from, and what it finds. */
import type { Dump } from "./dump.ts";
import type { Node, Tree } from "./parse.ts";
import type { Section } from "./sections.ts";

/** What the resolver starts from. */
export interface Source {
  /** The contents of files as latin1 bytes, by the name that httpd uses. */
  readonly files: ReadonlyMap<string, string>;
  readonly mainFile: string;
  readonly serverRoot: string;
  readonly version: string;
  /** The `-D` options of the command line. */
  readonly defines: readonly string[];
  /** Whether `defines` is complete. */
  readonly hasAllDefines: boolean;
  readonly dump: Dump | undefined;
  /** Whether a path exists; undefined where this was not observed. */
  readonly existing: (path: string) => boolean | undefined;
  /**
   * Whether a line is read although httpd saw a comment there, given the name of the file and the line number.
   *
   * @default - no line is
   */
  readonly hasMark?: (file: string, line: number) => boolean;
  /** Whether a file is not read although it is included: this is so for our own files. */
  readonly skips: (path: string) => boolean;
}

/** An effective directive, or the open tag of a section; {@link opens} is set for a tag. */
export interface Effective {
  readonly name: string;
  readonly file: string;
  readonly node: Node;
  readonly section: Section | undefined;
  readonly opens: Section | undefined;
  /**
   * The arguments without quotes, with the values of the variables that were known at this place. A section has a
   * single one: the whole text between its name and its `>`, with the quotes.
   */
  readonly arguments: readonly string[];
  /** The innermost condition around the directive that could not be decided. */
  readonly undecided: Section | undefined;
}

/** Why a part of the configuration could not be read as httpd reads it. */
export interface Problem {
  readonly file: string;
  /** 0 stands for the file as a whole. */
  readonly line: number;
  readonly text: string;
  /** The text with a variable whose value is not known. */
  readonly unknown?: string;
}

/** The whole configuration, as far as it could be read. */
export interface Resolved {
  readonly trees: ReadonlyMap<string, Tree>;
  /** The effective directives, in the order in which httpd reads them. */
  readonly effective: readonly Effective[];
  /**
   * Syntax errors, each Perl and each Use that is not harmless, Includes that cannot be followed, and variables with
   * values that are too long.
   */
  readonly problems: readonly Problem[];
  /** The conditions that could not be decided, by the names of variables and modules that they may have set. */
  readonly undetermined: ReadonlyMap<string, Section>;
}
