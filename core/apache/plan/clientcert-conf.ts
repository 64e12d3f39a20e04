/** Renders `clientcert.conf`, which every covered virtual host includes. The same inputs always give the same bytes. */
import { ownDirectory, renegBufferSizeBytes, type Desired, type Facts } from "../model.ts";
import { isPattern } from "../config/paths.ts";
import { renderRequirement } from "./requirement.ts";
import { isTls12Only } from "../php-tls-rule.ts";
import { hasRevocation } from "../../crl-refresh/crl-policy.ts";
import { caName, crlName, undoPath } from "../../own-files.ts";
import { quoteArgument } from "../config/arguments.ts";

/**
 * A path as the argument of a `<Directory>`, which takes `*`, `?` and `[…]` for a pattern. Brackets around such a
 * character make it stand for itself, and in a pattern a backslash must be doubled.
 *
 * @see apr_fnmatch
 */
const asPattern = (path: string): string =>
  isPattern(path) ? path.replace(/[*?[]/g, "[$&]").replace(/\\/g, "\\\\") : path;

/** One of our files as our configuration names it: relative to the server root, whose path may be in any encoding. */
const ownFileArgument = (name: string): string => quoteArgument(`conf/${ownDirectory}/${name}`);

/**
 * Renders the file. `documentRoots` are those of the covered virtual hosts, as text. The result is written as UTF-8.
 */
export function renderConf(desired: Desired, facts: Facts, documentRoots: readonly string[]): string {
  const lines = [
    ...header(desired, facts),
    `SSLCACertificateFile ${ownFileArgument(caName(desired))}`,
    `SSLVerifyDepth ${desired.verifyDepth}`,
    "SSLVerifyClient optional",
    ...revocation(desired),
    ...(isTls12Only(desired, facts) ? ["SSLProtocol -All +TLSv1.2"] : []),
    '<Location "/">',
    // This option passes the certificate's variables to PHP: several usual ways of running PHP get none without it.
    "    SSLOptions +StdEnvVars",
    ...renderRequirement(desired).map((line) => `    ${line}`),
    "</Location>",
    ...documentRoots.flatMap((path) => [
      `<Directory ${quoteArgument(asPattern(path))}>`,
      `    SSLRenegBufferSize ${renegBufferSizeBytes}`,
      "</Directory>",
    ]),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** The comment at the top of the file. */
function header(desired: Desired, facts: Facts): string[] {
  return [
    `# Written by clientcert for ${commentText(desired.owner)}; changes made by hand are undone by the next \`pulumi up\`.`,
    "# Every TLS virtual host of the port includes this file in its last line.",
    hasUndo(facts)
      ? `# To undo everything without Pulumi, as root: sh ${undoPath(facts.server.instance)}`
      : "# To undo everything: delete the lines that include this file, reload httpd, delete this directory.",
  ];
}

/**
 * Whether the note about undo applies. A copy of a host's files has no undo program, because only files are written
 * there. But if the copied host has the program, its note stays.
 */
export const hasUndo = (facts: Facts): boolean =>
  facts.server.source === "httpd" || facts.own.conf?.includes(undoPath(facts.server.instance)) === true;

/**
 * Makes a text safe for a comment, which must not end in a backslash nor contain a line end: a backslash, and whatever
 * is not printable ASCII, becomes `?`.
 */
const commentText = (text: string): string => text.replace(/[^\x20-\x5b\x5d-\x7e]/g, "?");

/**
 * The revocation lines. They are always written: an inherited check without a CRL keeps httpd from starting, also while
 * the files of a change are swapped one after another.
 */
function revocation(desired: Desired): string[] {
  if (!hasRevocation(desired)) return ["SSLCARevocationCheck none"];
  return [`SSLCARevocationFile ${ownFileArgument(crlName)}`, `SSLCARevocationCheck ${desired.crlCheck}`];
}
