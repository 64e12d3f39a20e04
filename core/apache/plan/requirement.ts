/** The one line of `clientcert.conf` that says whose certificates are let in: written, and read back by an import. */
import { type IssuerPart, issuerVariables, parseIssuer, renderIssuer } from "../../pki/issuer-name.ts";
import type { Desired } from "../model.ts";

/** What of the inputs the line is made of. */
export type Admission = Pick<Desired, "organizations" | "organizationalUnits" | "countries" | "issuers">;

/** How many organizational units (OU) of a certificate are compared; mod_ssl has no variable for all of them. */
export const comparedUnits = 5;

/**
 * One `SSLRequire`, or none. The empty text in each list is the manual's: it lets requests without a certificate pass,
 * and with them certificates without that attribute.
 *
 * @see https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslrequire
 */
export function renderRequirement({ organizations, organizationalUnits, countries, issuers }: Admission): string[] {
  const terms = [
    ...listed("SSL_CLIENT_S_DN_O", organizations),
    ...listed("SSL_CLIENT_S_DN_C", countries),
    ...units(organizationalUnits),
    ...issuedBy(issuers),
  ];
  return terms.length === 0 ? [] : [`SSLRequire ${terms.join(" and ")}`];
}

const listed = (variable: string, values: readonly string[]): string[] =>
  values.length === 0 ? [] : [isIn(variable, [...values, ""])];

const isIn = (variable: string, values: readonly string[]): string =>
  `%{${variable}} in {${[...new Set(values)].map(quoteValue).join(",")}}`;

/**
 * A certificate may have several OUs. The variable of a missing one is empty, so only the first may match the empty
 * text: in the others it would let everybody in.
 */
function units(values: readonly string[]): string[] {
  if (values.length === 0) return [];
  const others = Array.from({ length: comparedUnits - 1 }, (_, i) => isIn(`SSL_CLIENT_S_DN_OU_${i + 1}`, values));
  return [`(${[...listed("SSL_CLIENT_S_DN_OU", values), ...others].join(" or ")})`];
}

/**
 * Every certificate has an issuer, but not every issuer has a common name: only a request without a certificate passes
 * unasked. Parts are compared and not the whole name, whose form LegacyDNStringFormat changes.
 */
function issuedBy(issuers: readonly string[]): string[] {
  if (issuers.length === 0) return [];
  const parsed = issuers.map(parseIssuer);
  const names = parsed.flatMap((parts) => (isCommonName(parts) ? parts.map(({ text }) => text) : []));
  const others = parsed.filter((parts) => !isCommonName(parts)).map((parts) => `(${parts.map(isPart).join(" and ")})`);
  const byName = names.length === 0 ? [] : [isIn("SSL_CLIENT_I_DN_CN", names)];
  return [`(${['%{SSL_CLIENT_I_DN} eq ""', ...byName, ...new Set(others)].join(" or ")})`];
}

const isCommonName = (parts: readonly IssuerPart[]): boolean => parts.length === 1 && parts[0]?.type === "CN";

const isPart = ({ type, index, text }: IssuerPart): string =>
  `%{SSL_CLIENT_I_DN_${issuerVariables[type]}${index === 0 ? "" : `_${index}`}} eq ${quoteValue(text)}`;

/**
 * A text of an expression. Backslashes keep httpd from putting variables (`%{…}`, `$1`) or, already when it reads the
 * line, a definition of its configuration (`${…}`) in the place of a name's own characters.
 */
const quoteValue = (value: string): string => `"${escapeAsModSsl(value).replace(/["\\$%{]/g, "\\$&")}"`;

/**
 * A name as mod_ssl's variables hold it: a backslash twice, a control character as `\XX`, anything else as it is in
 * UTF-8.
 *
 * @see https://github.com/apache/httpd/blob/2.4.63/modules/ssl/ssl_util_ssl.c (asn1_string_convert: UTF8_CONVERT and ESC_CTRL)
 */
export const escapeAsModSsl = (name: string): string =>
  name
    .replace(/\\/g, "\\\\")
    .replace(/[\0-\x1f\x7f]/g, (control) => `\\${control.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);

/** What a `clientcert.conf` of ours lets in; no lists where it has no such line. */
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

const quoted = String.raw`"((?:[^"\\]|\\.)*)"`;
const quotedList = String.raw`((?:"(?:[^"\\]|\\.)*",?)*)`;

/** Without the empty one, which lets in who has no certificate. */
function valuesOf(line: string, variable: string): string[] {
  const list = new RegExp(String.raw`%\{${variable}\} in \{${quotedList}\}`).exec(line)?.[1] ?? "";
  return [...list.matchAll(new RegExp(quoted, "g"))]
    .map(([, text = ""]) => readValue(text))
    .filter((text) => text !== "");
}

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

/** Takes back {@link quoteValue}. */
const readValue = (text: string): string =>
  text
    .replace(/\\(.)/g, "$1")
    .replace(/\\(\\|[0-9A-F]{2})/g, (_, found: string) =>
      found === "\\" ? found : String.fromCharCode(parseInt(found, 16)),
    );
