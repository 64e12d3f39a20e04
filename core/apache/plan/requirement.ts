/**
 * The one line of `clientcert.conf` that says whose certificates are let in. This module writes it and reads it back
 * for an import.
 */
import { type IssuerPart, issuerVariables, parseIssuer, renderIssuer } from "../../pki/issuer-name.ts";
import type { Desired } from "../model.ts";

/** The inputs from which the line is made. */
export type Admission = Pick<Desired, "organizations" | "organizationalUnits" | "countries" | "issuers">;

/** How many organizational units (OU) of a certificate are compared; mod_ssl has no variable for all of them. */
export const comparedUnits = 5;

/**
 * Renders one `SSLRequire` line, or none. The empty text in each value set comes from the manual: it lets requests
 * without a certificate pass, but also certificates without that attribute.
 *
 * @see https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslrequire
 */
export function renderRequirement({ organizations, organizationalUnits, countries, issuers }: Admission): string[] {
  const terms = [
    ...termFor("SSL_CLIENT_S_DN_O", organizations),
    ...termFor("SSL_CLIENT_S_DN_C", countries),
    ...termForUnits(organizationalUnits),
    ...termForIssuers(issuers),
  ];
  return terms.length === 0 ? [] : [`SSLRequire ${terms.join(" and ")}`];
}

/** The term for one attribute, or none where every value is allowed. The empty text stands for its absence. */
const termFor = (variable: string, values: readonly string[]): string[] =>
  values.length === 0 ? [] : [isIn(variable, [...values, ""])];

/** The expression that is true when the variable has one of the values. */
const isIn = (variable: string, values: readonly string[]): string =>
  `%{${variable}} in {${[...new Set(values)].map(quoteValue).join(",")}}`;

/**
 * The term for organizational units (OU). A certificate may have several OUs. The variable of a missing OU is empty, so
 * only the first variable may match the empty text: an empty text for the others would let everybody in.
 */
function termForUnits(values: readonly string[]): string[] {
  if (values.length === 0) return [];
  const others = Array.from({ length: comparedUnits - 1 }, (_, i) => isIn(`SSL_CLIENT_S_DN_OU_${i + 1}`, values));
  return [`(${[...termFor("SSL_CLIENT_S_DN_OU", values), ...others].join(" or ")})`];
}

/**
 * The term for issuers. Only a request without a certificate passes without a test of the issuer: every certificate has
 * an issuer, though not every issuer has a common name. The parts of the name are compared, not the whole name, because
 * LegacyDNStringFormat changes the form of the whole name.
 */
function termForIssuers(issuers: readonly string[]): string[] {
  if (issuers.length === 0) return [];
  const parsed = issuers.map(parseIssuer);
  const names = parsed.flatMap((parts) => (isCommonName(parts) ? parts.map(({ text }) => text) : []));
  const others = parsed
    .filter((parts) => !isCommonName(parts))
    .map((parts) => `(${parts.map(equalsPart).join(" and ")})`);
  const byName = names.length === 0 ? [] : [isIn("SSL_CLIENT_I_DN_CN", names)];
  return [`(${['%{SSL_CLIENT_I_DN} eq ""', ...byName, ...new Set(others)].join(" or ")})`];
}

const isCommonName = (parts: readonly IssuerPart[]): boolean => parts.length === 1 && parts[0]?.type === "CN";

/** The expression that is true when one part of the issuer's name has this text. */
const equalsPart = ({ type, index, text }: IssuerPart): string =>
  `%{SSL_CLIENT_I_DN_${issuerVariables[type]}${index === 0 ? "" : `_${index}`}} eq ${quoteValue(text)}`;

/**
 * Quotes a text for an expression. The backslashes keep httpd from replacing characters of the name: by variables of
 * the expression (`%{…}`, `$1`), or, while it reads the line, by variables of the configuration (`${…}`).
 */
const quoteValue = (value: string): string => `"${escapeAsModSsl(value).replace(/["\\$%{]/g, "\\$&")}"`;

/**
 * A name in the form of mod_ssl's variables: a backslash is doubled, a control character becomes `\XX`, and anything
 * else stays as it is in UTF-8.
 *
 * @see https://github.com/apache/httpd/blob/2.4.63/modules/ssl/ssl_util_ssl.c (asn1_string_convert: UTF8_CONVERT and
 * ESC_CTRL)
 */
export const escapeAsModSsl = (name: string): string =>
  name
    .replace(/\\/g, "\\\\")
    .replace(/[\0-\x1f\x7f]/g, (control) => `\\${control.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);

/** Reads from our `clientcert.conf` who is let in; all values are empty where it has no such line. */
export function readRequirement(conf: string): Admission {
  const line = /^\s*SSLRequire (.*)$/m.exec(conf)?.[1] ?? "";
  return {
    organizations: valuesOf(line, "SSL_CLIENT_S_DN_O"),
    countries: valuesOf(line, "SSL_CLIENT_S_DN_C"),
    organizationalUnits: valuesOf(line, "SSL_CLIENT_S_DN_OU"),
    issuers: [
      ...valuesOf(line, "SSL_CLIENT_I_DN_CN").map((text) => renderIssuer([{ type: "CN", text }])),
      ...issuersOf(line),
    ],
  };
}

// A quoted text, and a list of quoted texts, as quoteValue writes them: a backslash and what it escapes belong
// together.
const quoted = String.raw`"((?:[^"\\]|\\.)*)"`;
const quotedList = String.raw`((?:"(?:[^"\\]|\\.)*",?)*)`;

/** The values listed for a variable, without the empty one, which is for clients without a certificate. */
function valuesOf(line: string, variable: string): string[] {
  const list = new RegExp(String.raw`%\{${variable}\} in \{${quotedList}\}`).exec(line)?.[1] ?? "";
  return [...list.matchAll(new RegExp(quoted, "g"))]
    .map(([, text = ""]) => readValue(text))
    .filter((text) => text !== "");
}

/** The issuers that the line names by parts; the parts of each issuer stand in parentheses, joined by `and`. */
function issuersOf(line: string): string[] {
  const part = String.raw`%\{SSL_CLIENT_I_DN_[A-Za-z]+(?:_\d+)?\} eq "(?:[^"\\]|\\.)*"`;
  const groups = line.match(new RegExp(String.raw`\(${part}(?: and ${part})*\)`, "g")) ?? [];
  const variables = Object.entries(issuerVariables) as [IssuerPart["type"], string][]; // keys of a const literal
  const form = new RegExp(String.raw`%\{SSL_CLIENT_I_DN_([A-Za-z]+)(?:_\d+)?\} eq ${quoted}`, "g");
  return groups.map((group) =>
    renderIssuer(
      [...group.matchAll(form)].flatMap(([, name, text = ""]) => {
        const type = variables.find(([, variable]) => variable === name)?.[0];
        return type === undefined ? [] : [{ type, text: readValue(text) }];
      }),
    ),
  );
}

/** The reverse of {@link quoteValue}: it takes off the backslashes of the expression, then those of mod_ssl's form. */
const readValue = (text: string): string =>
  text
    .replace(/\\(.)/g, "$1")
    .replace(/\\(\\|[0-9A-F]{2})/g, (_, escaped: string) =>
      escaped === "\\" ? escaped : String.fromCharCode(parseInt(escaped, 16)),
    );
