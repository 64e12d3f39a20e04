import { shown } from "../shown.ts";

/** One mistake in a site file. */
export interface Problem {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly column: number;
  /** Such as `hosts[0].port`; empty for the file as a whole. */
  readonly path: string;
  /** What was found; what to write instead. */
  readonly text: string;
}

/** `file:line: path: what was found; what to write instead`. */
export function renderProblem({ file, line, path, text }: Problem): string {
  return path === "" ? `${file}:${line}: ${text}` : `${file}:${line}: ${path}: ${text}`;
}

export type Path = readonly (string | number)[];

/** `hosts[0].connection.port`. */
export function renderPath(path: Path): string {
  return path.map((key, i) => (typeof key === "number" ? `[${key}]` : `${i === 0 ? "" : "."}${shown(key)}`)).join("");
}

const longestQuote = 60;

/** The value as written, short and on one line. Never used for what may be a secret: see {@link mayBeSecret}. */
export function quote(value: unknown): string {
  if (typeof value === "string")
    return value.length > longestQuote ? `a text of ${value.length} characters` : shown(JSON.stringify(value));
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return describeType(value);
}

/** `a list`, `text`, … */
export function describeType(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "boolean") return "true or false";
  if (typeof value === "number") return "a number";
  return typeof value === "string" ? "text" : "a set of keys";
}

/** Fields where people paste passwords and keys by mistake: what stands there is never printed. */
export const mayBeSecret = (path: Path, value: unknown): boolean =>
  path.includes("login") ||
  path.includes("sudo") ||
  path.includes("proxyFile") ||
  (typeof value === "string" && /PRIVATE KEY|^-----BEGIN|:\/\/[^/]*@/.test(value));
