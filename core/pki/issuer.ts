/** Finds the CAs that a site file lets in by name, among the CAs that it lists. */
import { type IssuerAttribute, issuerVariables, parseIssuer, renderIssuer } from "./issuer-name.ts";
import { type Certificate, isIssuedBy } from "./certificate.ts";
import { type PkiDiagnostic, problem, warning } from "./pki-diagnostic.ts";

/**
 * Reports a text that names no CA of the bundle. Warns of a text that only names CAs that issued another CA of the
 * bundle, which may be meant instead. `bundle` has no repetitions.
 */
export function checkIssuer(issuer: string, bundle: readonly Certificate[]): PkiDiagnostic[] {
  const entry = `${JSON.stringify(issuer)} under issuers`;
  const named = bundle.filter((ca) => ca.isCa && isNamed(ca, issuer));
  if (named.length === 0) {
    const names = bundle.flatMap((ca) => (ca.isCa ? (nameForIssuers(ca, bundle) ?? []) : []));
    const instead = names.length === 0 ? "" : `write one of ${quoteAll(names)}, or `;
    return [
      problem(
        `${entry} is not the name of a CA in caFiles, so it lets nobody in; ${instead}list that CA under caFiles`,
      ),
    ];
  }
  const below = bundle.filter((ca) => named.some((upper) => ca !== upper && isIssuedBy(ca, upper)));
  // A named CA may also issue to users, which no CA file shows. So this is only a warning.
  const isAbove = named.every((upper) => below.some((ca) => isIssuedBy(ca, upper)));
  return isAbove
    ? [
        warning(
          `${entry} is a CA that issued another CA of caFiles, and it lets in only users whose certificates it issued itself; if it issues to CAs only, write the CA below it: ${quoteAll(below.flatMap((ca) => nameForIssuers(ca, bundle) ?? []))}`,
        ),
      ]
    : [];
}

const quoteAll = (names: readonly string[]): string =>
  [...new Set(names)].map((name) => JSON.stringify(name)).join(", ");

/** Whether a text of the site file names the CA: every part stands at its place in the CA's name. */
function isNamed(ca: Certificate, issuer: string): boolean {
  return parseIssuer(issuer).every(({ type, index, text }) => textsOf(ca, type)[index] === text);
}

/**
 * The texts of one kind of attribute, in the order of the certificate. A text is undefined where no site file can name
 * it.
 */
export const textsOf = ({ attributes }: Certificate, wanted: string): readonly (string | undefined)[] =>
  attributes.filter(({ type }) => type === wanted).map(({ text }) => text);

/**
 * The text to write under `issuers`: the CA's only common name where it names no other CA of `bundle`, or else all
 * parts of the CA's name that httpd can compare. Undefined when there is no such part.
 */
export function nameForIssuers(ca: Certificate, bundle: readonly Certificate[] = []): string | undefined {
  const types = Object.keys(issuerVariables) as IssuerAttribute[]; // keys of a const literal
  const parts = types.flatMap((type) => {
    const texts = textsOf(ca, type);
    return texts.some((text) => text === undefined || text === "")
      ? []
      : // The text of a name begins with its last part, while the certificate begins with its first.
        texts.map((text = "") => ({ type, text })).reverse();
  });
  const commonName = parts.filter(({ type }) => type === "CN");
  const shortName = commonName.length === 1 ? renderIssuer(commonName) : undefined;
  const isAlone = bundle.every(
    (other) => other.canonicalSubject === ca.canonicalSubject || shortName === undefined || !isNamed(other, shortName),
  );
  if (shortName !== undefined && isAlone) return shortName;
  return parts.length === 0 ? undefined : renderIssuer(parts);
}
