/** What schemas share: kinds of values, and the type of the values of a schema. */
import { z } from "zod";
import { isPemText } from "./pki/pem.ts";

/** What a schema lets through, defaults filled in; nobody may alter it. */
export type Parsed<Schema extends z.ZodType> = DeepReadonly<z.output<Schema>>;

/** What a schema takes: a field with a default may be missing. */
export type Given<Schema extends z.ZodType> = DeepReadonly<z.input<Schema>>;

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/**
 * A check of one value: what was found and what to write, or undefined. Texts never quote the value; the caller adds
 * it.
 */
export const checked = (find: (text: string) => string | undefined) =>
  z.string().superRefine((text, context) => {
    const found = find(text);
    if (found !== undefined) context.addIssue({ code: "custom", message: found });
  });

export const matching = (pattern: RegExp, wanted: string) => z.string().regex(pattern, { error: wanted });

export const filled = (wanted: string) => matching(/[^]/, wanted);

export const absolutePath = (example: string) =>
  matching(/^\/[^\0\r\n]*$/, `an absolute path on the host, such as ${example}`);

/** Of a file that the controller reads. */
export const siteRelativePath = checked(findPathMistake);
/** Of a list of revoked certificates, which may also be downloaded by the hosts. */
export const crlPath = checked(findCrlPathMistake);

/**
 * The same of a program, which may have a CA or a CRL at hand that lies in no file: its PEM text takes the place of the
 * path.
 */
export const pathOrPem = checked((text) => (isPemText(text) ? undefined : findPathMistake(text)));
export const crlPathOrPem = checked((text) => (isPemText(text) ? undefined : findCrlPathMistake(text)));

function findCrlPathMistake(text: string): string | undefined {
  return isAddress(text)
    ? "this is an address; write it under crlSources, as - urls: [the address], and the hosts keep the list current"
    : findPathMistake(text);
}

function findPathMistake(text: string): string | undefined {
  if (/-----BEGIN/.test(text))
    return "the content of a file is pasted here; save it beside the site file and write its path";
  if (text === "" || /[\0\r\n]/.test(text)) return "this is no path; write the file's path, relative to this site file";
  if (isAddress(text)) return "this is an address; download the file, keep it beside the site file and write its path";
  return undefined;
}

const isAddress = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
