/** What several schemas share: kinds of values, and the type of the values of a schema. */
import { z } from "zod";
import { isPemText } from "./pki/pem.ts";

/** The values that a schema returns, with defaults filled in. They are read-only. */
export type Parsed<Schema extends z.ZodType> = DeepReadonly<z.output<Schema>>;

/** The values that a schema accepts: a field with a default may be missing. */
export type Given<Schema extends z.ZodType> = DeepReadonly<z.input<Schema>>;

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/**
 * A text that is checked by a function. `findMistake` returns what is wrong and what to write, or undefined. Its
 * message never quotes the text; the caller adds it.
 */
export const checked = (findMistake: (text: string) => string | undefined) =>
  z.string().superRefine((text, context) => {
    const mistake = findMistake(text);
    if (mistake !== undefined) context.addIssue({ code: "custom", message: mistake });
  });

/** A text that matches a pattern. `wanted` says in the message what to write. */
export const matching = (pattern: RegExp, wanted: string) => z.string().regex(pattern, { error: wanted });

/** A text that is not empty: `[^]` matches any one character. */
export const filled = (wanted: string) => matching(/[^]/, wanted);

/** An absolute path of one line, on a host. */
export const absolutePath = (example: string) =>
  matching(/^\/[^\0\r\n]*$/, `an absolute path on the host, such as ${example}`);

/** The path of a file that the controller reads. */
export const siteRelativePath = checked(findPathMistake);
/** The path of a CRL file. The message for an address says that hosts can download the CRL. */
export const crlPath = checked(findCrlPathMistake);

/**
 * Like {@link siteRelativePath}, for the inputs of a Pulumi program. A program may have a CA that is not in a file, and
 * then gives the PEM text instead of the path.
 */
export const pathOrPem = checked((text) => (isPemText(text) ? undefined : findPathMistake(text)));
/** Like {@link pathOrPem}, for a CRL. */
export const crlPathOrPem = checked((text) => (isPemText(text) ? undefined : findCrlPathMistake(text)));

/** What is wrong with the path of a CRL file, and what to write. Undefined where nothing is. */
function findCrlPathMistake(text: string): string | undefined {
  return isAddress(text)
    ? "this is an address; write it under crlSources, as - urls: [the address], and the hosts keep the list current"
    : findPathMistake(text);
}

/**
 * What is wrong with the path of a file, and what to write: it is a file's content, empty, more than one line, or an
 * address. Undefined where nothing is.
 */
function findPathMistake(text: string): string | undefined {
  if (/-----BEGIN/.test(text))
    return "the content of a file is pasted here; save it beside the site file and write its path";
  if (text === "" || /[\0\r\n]/.test(text)) return "this is no path; write the file's path, relative to this site file";
  if (isAddress(text)) return "this is an address; download the file, keep it beside the site file and write its path";
  return undefined;
}

const isAddress = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
