/** Turns the issues of the schema into messages for the person who edits the file. */
import type { z } from "zod";
import { shown } from "../shown.ts";
import { type Path, describeType, mayBeSecret, quote, renderPath } from "./problem.ts";

/** A mistake with its place in the data; {@link Problem} adds line and column. */
export interface Mistake {
  readonly path: Path;
  readonly text: string;
}

export interface IssueContext {
  readonly document: unknown;
  /** The JSON Schema of the whole document, to find the keys that are known at a place. */
  readonly jsonSchema: z.core.JSONSchema.BaseSchema;
  /** The words for a value of each type, by zod's name of the type. */
  readonly typeWords: Readonly<Record<string, string>>;
}

/**
 * The end of a message about a value where a set of keys belongs: the names of the keys. People easily write an address
 * where a whole source belongs.
 */
const keysToWrite = ({ expected }: z.core.$ZodIssueInvalidType, path: Path, { jsonSchema }: IssueContext): string =>
  expected === "object" ? `: ${knownKeys(jsonSchema, path).join(", ")}` : "";

/**
 * Describes an issue. One issue may be several mistakes, because each unknown key is a mistake of its own. A value that
 * may be a secret is described by its type and never quoted.
 */
export function describeIssue(issue: z.core.$ZodIssue, context: IssueContext): Mistake[] {
  // No key of a document is a symbol. The filter only satisfies the compiler.
  const path = issue.path.filter((key) => typeof key !== "symbol");
  const value = valueAt(context.document, path);
  const shownValue = mayBeSecret(path, value) ? describeType(value) : quote(value);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        path: [...path, key],
        text: describeUnknownKey(key, path, context.jsonSchema),
      }));
    case "invalid_type":
      return [{ path, text: describeWrongType(issue, path, value, context) + keysToWrite(issue, path, context) }];
    case "invalid_union":
      return describeUnion(issue, value, path, context);
    case "invalid_value":
      return [{ path, text: `found ${shownValue}; write ${issue.values.map(String).join(" or ")}` }];
    case "invalid_format":
      return [{ path, text: `found ${shownValue}; write ${issue.message}` }];
    case "too_small":
    case "too_big":
      return [{ path, text: describeSize(issue, value, shownValue) }];
    default:
      return [{ path, text: issue.message }];
  }
}

/**
 * Describes a wrong value where the schema has alternatives. With `options`, these are told apart by the value of one
 * key. Otherwise the value is `sudo` of the site file, which is a word or a set of keys; for a set, the mistakes inside
 * it are described by {@link describeIssue}.
 */
function describeUnion(
  issue: z.core.$ZodIssueInvalidUnion,
  value: unknown,
  path: Path,
  context: IssueContext,
): Mistake[] {
  if ("options" in issue)
    return [{ path, text: `found ${describeType(value)}; write ${(issue.options ?? []).map(String).join(" or ")}` }];
  const isKeySet = typeof value === "object" && value !== null && !Array.isArray(value);
  // The first alternative that takes a set of keys: no error says that the whole value has a wrong type or is none of
  // the words.
  const branch = isKeySet
    ? issue.errors.find(
        (errors) => !errors.some((inner) => inner.path.length === 0 && inner.code.startsWith("invalid_")),
      )
    : undefined;
  if (branch === undefined) {
    return [
      {
        path,
        text: `found ${describeType(value)}; write none, passwordless, or one of the keys passwordEnvironment, passwordFile, program below it`,
      },
    ];
  }
  return branch.flatMap((inner) => describeIssue({ ...inner, path: [...path, ...inner.path] }, context));
}

/** The words for types, as a person writes the values in YAML. */
export const yamlTypeWords: Readonly<Record<string, string>> = {
  string: "text",
  int: "a whole number",
  number: "a whole number",
  boolean: "true or false",
  array: "a list, each item on a line of its own after a hyphen",
  object: "a set of keys below it",
};

/** Describes a value of a wrong type, with a hint where YAML reads something else than the author meant. */
function describeWrongType(
  { expected }: z.core.$ZodIssueInvalidType,
  path: Path,
  value: unknown,
  { typeWords }: IssueContext,
): string {
  const wanted = typeWords[expected] ?? expected;
  if (value === undefined) return `it is missing; write ${describeMissing(path, wanted)}`;
  const shownValue = mayBeSecret(path, value) ? describeType(value) : quote(value);
  if (typeof value === "number" && expected === "string") {
    return path[path.length - 1] === "phpVersion"
      ? `found the number ${value}, and YAML drops a final zero (8.10 becomes 8.1); write it in quotes, such as "8.3"`
      : `found the number ${value}; write it in quotes`;
  }
  if (typeof value === "string" && /^\d+$/.test(value) && (expected === "int" || expected === "number"))
    return `found ${shownValue}, a text; write it without quotes`;
  if (typeof value === "boolean" && expected === "string")
    return `found ${shownValue}, which is no text to YAML; write it in quotes`;
  return `found ${typeof value === "string" || typeof value === "number" ? shownValue : describeType(value)}; write ${wanted}`;
}

/** What to write where a key is missing: its name, with the words for its type. */
const describeMissing = (path: Path, wanted: string): string =>
  path[path.length - 1] === "hostKey"
    ? 'the public host key as "ssh-keyscan HOST" prints it, after comparing it on the host'
    : `${path.length > 0 ? `${String(path[path.length - 1])}: with ` : ""}${wanted}`;

/** Describes a list with too few or too many items, or a number out of range. */
function describeSize(
  issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig,
  value: unknown,
  shownValue: string,
): string {
  if (Array.isArray(value))
    return issue.code === "too_small"
      ? "the list is empty; write at least one item"
      : `the list has ${value.length} items; write at most ${issue.maximum}`;
  return issue.code === "too_small"
    ? `found ${shownValue}; write at least ${issue.minimum}`
    : `found ${shownValue}; write at most ${issue.maximum}`;
}

/**
 * Describes an unknown key. For a key with the name of a secret, it says how secrets are given. Otherwise it proposes
 * the nearest known key, the place where this key belongs, or all keys that are known here. The place is the key
 * itself; its value may be a secret and is never shown.
 */
function describeUnknownKey(key: string, path: Path, schema: JsonSchema): string {
  const known = knownKeys(schema, path);
  const nearest = findNearest(key, known);
  const elsewhere = [["clientAuth"], ["hosts", 0]].find((place) => knownKeys(schema, place).includes(key));
  const where =
    elsewhere === undefined ? `write one of ${known.join(", ")}` : `it belongs under ${renderPath(elsewhere)}`;
  const advice = nearest === undefined ? where : `did you mean ${nearest}?`;
  if (/^(password|passphrase|secret|key|privateKey|token)$/i.test(key)) {
    const environmentKey = known.find((one) => one.toLowerCase() === `${key.toLowerCase()}environment`);
    return `secrets never stand in a site file; remove it, and ${environmentKey === undefined ? "name an environment variable or a file under login" : `write ${environmentKey}: with the name of an environment variable that holds it`}`;
  }
  return `the key ${shown(JSON.stringify(key.slice(0, 60)))} is not known here; ${advice}`;
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** The keys that the schema knows at `path`, of all its alternatives together. Empty where nothing is known. */
function knownKeys(schema: JsonSchema, path: Path): string[] {
  let schemas: readonly JsonSchema[] = [schema];
  for (const key of path) schemas = schemas.flatMap(alternatives).flatMap((one) => schemasBelow(one, key));
  return [...new Set(schemas.flatMap(alternatives).flatMap((one) => Object.keys(one.properties ?? {})))];
}

/** A schema itself and the alternatives that it consists of. */
const alternatives = (schema: JsonSchema): JsonSchema[] => [
  schema,
  ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].filter((one) => typeof one === "object"),
];

/** The schema of what stands at a key or an index; empty where there is none. */
function schemasBelow(schema: JsonSchema, key: string | number): JsonSchema[] {
  const next = typeof key === "number" ? schema.items : schema.properties?.[key];
  return typeof next === "object" && !Array.isArray(next) ? [next] : [];
}

/**
 * The known key that needs the fewest changes of letters: at most two, or at most a third of its letters where that is
 * more. Otherwise, for a `key` of three letters or more, a known key that begins or ends with it. Undefined where there
 * is none. Only letters and digits count, without capitals, and full-width ones count as plain ones.
 */
export function findNearest(key: string, known: readonly string[]): string | undefined {
  const plain = (text: string): string =>
    text
      .normalize("NFKC")
      .toLowerCase()
      .replace(/[^a-z0-9]/g, "");
  // No known key is longer. The comparison of a long text would take time.
  const wanted = plain(key).slice(0, 60);
  const ranked = known
    .map((candidate) => ({ candidate, distance: distanceOf(wanted, plain(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  if (best !== undefined && best.distance <= Math.max(2, Math.floor(best.candidate.length / 3))) return best.candidate;
  return wanted.length < 3
    ? undefined
    : known.find((candidate) => plain(candidate).startsWith(wanted) || plain(candidate).endsWith(wanted));
}

/** Levenshtein's distance of two texts, computed one row at a time. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      // `?? 0` only satisfies the compiler: both rows have b.length + 1 items.
      next.push(
        Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)),
      );
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The value at a path of plain data; undefined when there is none. */
export function valueAt(document: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, key) => {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    return (value as Record<string | number, unknown>)[key]; // An object with this own key, by the line above.
  }, document);
}
