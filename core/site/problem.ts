import { shown } from "../shown.ts";

/** One mistake in a site file. */
export interface Problem {
  readonly file: string;
  /** The line, counted from 1. */
  readonly line: number;
  readonly column: number;
  /** The path, such as `hosts[0].port`; empty for the file as a whole. */
  readonly path: string;
  /** What was found; what to write instead. */
  readonly text: string;
}

/** Renders a problem as `file:line: path: what was found; what to write instead`. */
export function renderProblem({ file, line, path, text }: Problem): string {
  return path === "" ? `${file}:${line}: ${text}` : `${file}:${line}: ${path}: ${text}`;
}

/** The keys and indexes that lead to a value in the data. */
export type Path = readonly (string | number)[];

/** Renders a path in the form `hosts[0].connection.port`. */
export function renderPath(path: Path): string {
  return path.map((key, i) => (typeof key === "number" ? `[${key}]` : `${i === 0 ? "" : "."}${shown(key)}`)).join("");
}

const longestQuote = 60;

/**
 * The value as it is written, on one line. A text of more than 60 characters is only described by its length, and a
 * list or a set of keys by its type. This must not be used for a value that may be a secret: see {@link mayBeSecret}.
 */
export function quote(value: unknown): string {
  if (typeof value === "string")
    return value.length > longestQuote ? `a text of ${value.length} characters` : shown(JSON.stringify(value));
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return describeType(value);
}

/** Describes the type of a value, such as `a list` or `text`. */
export function describeType(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "boolean") return "true or false";
  if (typeof value === "number") return "a number";
  return typeof value === "string" ? "text" : "a set of keys";
}

/**
 * Whether a value may be a secret, which is never printed: it stands where people paste passwords and keys by mistake,
 * or looks like a key or a URL with a password.
 */
export const mayBeSecret = (path: Path, value: unknown): boolean =>
  path.includes("login") ||
  path.includes("sudo") ||
  path.includes("proxyFile") ||
  (typeof value === "string" && /PRIVATE KEY|^-----BEGIN|:\/\/[^/]*@/.test(value));
