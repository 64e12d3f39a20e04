/** How a site file names a CA that issues to users: its common name alone, or parts of its name. */

/** One attribute of a CA's name. */
export interface IssuerPart {
  readonly type: IssuerAttribute;
  /** Which one of its type, from 0, in the order of the certificate. */
  readonly index: number;
  readonly text: string;
}

/** A kind of attribute that httpd can compare, by the short name that a site file writes. */
export type IssuerAttribute = keyof typeof issuerVariables;

/**
 * Short names as {@link renderName} prints them, and what mod_ssl calls them in `SSL_CLIENT_I_DN_…`. It knows no domain
 * component (DC), nor any other.
 *
 * @see https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#envvars
 */
export const issuerVariables = {
  CN: "CN",
  OU: "OU",
  O: "O",
  L: "L",
  ST: "ST",
  C: "C",
  UID: "UID",
  emailAddress: "Email",
} as const;

const attributes = Object.keys(issuerVariables) as readonly IssuerAttribute[]; // keys of a const literal

/** What a site file's text names: every part must be the CA's. A text without mistakes is expected. */
export function parseIssuer(text: string): readonly IssuerPart[] {
  if (!isParts(text)) return [{ type: "CN", index: 0, text }];
  const parts = splitParts(text).flatMap((part) => {
    const [, name = "", value = ""] = partForm.exec(part) ?? [];
    const type = findAttribute(name);
    return type === undefined ? [] : [{ type, text: unescapeValue(value) }];
  });
  // The last part of a name comes first in its text, and the other way round in the certificate.
  return parts.map((part, at) => ({
    ...part,
    index: parts.slice(at + 1).filter(({ type }) => type === part.type).length,
  }));
}

/** What is wrong with a text that should name a CA, and what to write; undefined when nothing is. */
export function findIssuerMistake(text: string): string | undefined {
  if (/^\/[A-Za-z]+=/.test(text))
    return `its parts are separated by slashes; write the CA's common name alone, or parts as in ${example}`;
  if (!isParts(text)) return undefined;
  for (const part of splitParts(text)) {
    const name = partForm.exec(part)?.[1];
    if (name === undefined)
      return `a part of it has no name such as O=; write parts as in ${example}, and \\, for a comma that belongs to a part`;
    if (findAttribute(name) === undefined)
      return `httpd cannot compare the part ${name.slice(0, 40)}= of a CA's name; leave it out, and write parts of ${attributes.join(", ")}`;
    if (unescapeValue(partForm.exec(part)?.[2] ?? "") === "")
      return `the part ${name}= of it is empty; leave it out, or write what stands in the CA's certificate`;
  }
  return undefined;
}

const example = "OU=Users CA,O=Harbour,C=JP";

/**
 * The text that names these parts; {@link parseIssuer} reads it back. A common name stands alone where nobody takes it
 * for a part of a name, nor for a mistake such as `/O=Harbour`.
 */
export function renderIssuer(parts: readonly Pick<IssuerPart, "type" | "text">[]): string {
  const [only] = parts;
  if (parts.length === 1 && only?.type === "CN" && !isParts(only.text) && findIssuerMistake(only.text) === undefined)
    return only.text;
  return parts.map(({ type, text }) => `${type}=${escapeValue(text)}`).join(",");
}

/** Whether a text would be read as a part of a name: a common name that begins like one is written with `CN=`. */
const isParts = (text: string): boolean => /^[A-Za-z][A-Za-z0-9.]*\s*=/.test(text);

const partForm = /^\s*([A-Za-z][A-Za-z0-9.]*)\s*=\s*((?:[^\\]|\\.)*?)\s*$/su;

/** At commas and pluses without a backslash in front; no name of a site file has a line end. */
const splitParts = (text: string): readonly string[] =>
  text.replace(/\\.|[,+]/gsu, (found) => (found.length > 1 ? found : "\n")).split("\n");

const findAttribute = (name: string): IssuerAttribute | undefined =>
  attributes.find((attribute) => attribute.toLowerCase() === name.toLowerCase());

/** RFC 2253, section 2.4: what {@link renderName} prints. */
const unescapeValue = (value: string): string =>
  value.replace(/(?:\\[0-9A-Fa-f]{2})+|\\(.)/gsu, (found, character?: string) =>
    character === undefined ? Buffer.from(found.replaceAll("\\", ""), "hex").toString("utf8") : character,
  );

const escapeValue = (text: string): string =>
  text
    .replace(/[,+"\\<>;]/g, "\\$&")
    .replace(/^[# ]/, "\\$&")
    .replace(/([^\\]|^) $/, "$1\\ ");
