/** How a site file names a CA that issues to users: by its common name alone, or by parts of its name. */

/** One attribute of a CA's name. */
export interface IssuerPart {
  readonly type: IssuerAttribute;
  /** The position among the attributes of its type, from 0, in the order of the certificate. */
  readonly index: number;
  readonly text: string;
}

/** A kind of attribute that httpd can compare, by the short name that a site file uses. */
export type IssuerAttribute = keyof typeof issuerVariables;

/**
 * The short names that {@link renderName} prints, and the names that mod_ssl uses for them in `SSL_CLIENT_I_DN_…`.
 * mod_ssl does not know the domain component (DC), nor any attribute that is not listed here.
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

/**
 * The parts that a site file's text names. The CA must have every part. A text that does not begin like a part is a
 * common name. The text is expected to have no mistakes.
 */
export function parseIssuer(text: string): readonly IssuerPart[] {
  if (!isParts(text)) return [{ type: "CN", index: 0, text }];
  const parts = splitParts(text).flatMap((part) => {
    const [, name = "", value = ""] = partForm.exec(part) ?? [];
    const type = findAttribute(name);
    return type === undefined ? [] : [{ type, text: unescapeValue(value) }];
  });
  // The text of a name begins with its last part, while the certificate begins with its first.
  return parts.map((part, position) => ({
    ...part,
    index: parts.slice(position + 1).filter(({ type }) => type === part.type).length,
  }));
}

/** What is wrong with a text that should name a CA, and what to write instead. Undefined when nothing is wrong. */
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
 * The text that names these parts, in the form that {@link parseIssuer} reads. A common name stands alone where it
 * cannot be mistaken for a part of a name, nor for a mistake such as `/O=Harbour`.
 */
export function renderIssuer(parts: readonly Pick<IssuerPart, "type" | "text">[]): string {
  const [only] = parts;
  if (parts.length === 1 && only?.type === "CN" && !isParts(only.text) && findIssuerMistake(only.text) === undefined)
    return only.text;
  return parts.map(({ type, text }) => `${type}=${escapeValue(text)}`).join(",");
}

/** Whether a text would be read as a part of a name. A common name that begins like a part is written with `CN=`. */
const isParts = (text: string): boolean => /^[A-Za-z][A-Za-z0-9.]*\s*=/.test(text);

/** A part: its name, `=`, and its value without the blanks around it. A backslash belongs to the character after it. */
const partForm = /^\s*([A-Za-z][A-Za-z0-9.]*)\s*=\s*((?:[^\\]|\\.)*?)\s*$/su;

/**
 * Splits a text at commas and pluses that have no backslash before them. A backslash and the character after it are
 * matched as one and stay. Each other comma or plus becomes a line end first, which no name in a site file contains.
 */
const splitParts = (text: string): readonly string[] =>
  text.replace(/\\.|[,+]/gsu, (sign) => (sign.length > 1 ? sign : "\n")).split("\n");

const findAttribute = (name: string): IssuerAttribute | undefined =>
  attributes.find((attribute) => attribute.toLowerCase() === name.toLowerCase());

/**
 * Removes the escapes that {@link renderName} prints: pairs of hexadecimal digits are bytes of UTF-8, and any other
 * escaped character stands for itself. RFC 2253, section 2.4.
 */
const unescapeValue = (value: string): string =>
  value.replace(/(?:\\[0-9A-Fa-f]{2})+|\\(.)/gsu, (escaped, character?: string) =>
    character === undefined ? Buffer.from(escaped.replaceAll("\\", ""), "hex").toString("utf8") : character,
  );

/** Escapes what RFC 2253, section 2.4, reserves, a blank or `#` at the beginning, and a blank at the end. */
const escapeValue = (text: string): string =>
  text
    .replace(/[,+"\\<>;]/g, "\\$&")
    .replace(/^[# ]/, "\\$&")
    // The line above has escaped the blank of a text of one blank.
    .replace(/([^\\]|^) $/, "$1\\ ");
