/** The text of `clientcert.conf`: what every covered virtual host includes. Deterministic: same inputs, same bytes. */
import { ownDirectory, renegBufferSizeBytes, type Desired, type Facts } from "../model.ts";
import { absolutePath, isPattern } from "../config/paths.ts";
import { renderRequirement } from "./requirement.ts";
import { isTls12Only } from "../php-tls-rule.ts";
import { hasRevocation } from "../../crl-refresh/crl-policy.ts";
import { caName, crlName, undoPath } from "../../own-files.ts";
import { quoteArgument } from "../config/arguments.ts";

/** Absolute path of a file of ours, as bytes. */
export const ownPath = (facts: Facts, name: string): string =>
  absolutePath(facts.server.serverRoot, `conf/${ownDirectory}/${name}`);

/** Names of the CA and CRL files that a `clientcert.conf` names, also of a build that gave their whole paths. */
export const namedIn = (conf = ""): readonly string[] => [
  ...new Set([...conf.matchAll(/^SSLCA\w+File "?(?:.*\/)?(.*?)"?$/gm)].map(([, name = ""]) => name)),
];

/** httpd takes `*`, `?` and `[…]` in the path of a `<Directory>` for a pattern. @see apr_fnmatch */
const asPattern = (path: string): string =>
  isPattern(path) ? path.replace(/[*?[]/g, "[$&]").replace(/\\/g, "\\\\") : path;

/** A file of ours as our configuration names it: relative to the server root, whose path may be in any encoding. */
const namedOwn = (name: string): string => quoteArgument(`conf/${ownDirectory}/${name}`);

/** `documentRoots` are those of the covered virtual hosts, as text. The whole is written as UTF-8. */
export function renderConf(desired: Desired, facts: Facts, documentRoots: readonly string[]): string {
  const lines = [
    ...header(desired, facts),
    `SSLCACertificateFile ${namedOwn(caName(desired))}`,
    `SSLVerifyDepth ${desired.verifyDepth}`,
    "SSLVerifyClient optional",
    ...revocation(desired),
    ...(isTls12Only(desired, facts) ? ["SSLProtocol -All +TLSv1.2"] : []),
    '<Location "/">',
    // What PHP is told of the certificate: several usual ways of running it are told nothing without this.
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
 * Not on a copy of a host's files, where nothing but files is written; a copy of a host that has it keeps the words.
 */
export const hasUndo = (facts: Facts): boolean =>
  facts.server.source === "httpd" || facts.own.conf?.includes(undoPath(facts.server.instance)) === true;

/** Whom the text of `clientcert.conf` says that it was written for: all that a copy of the files tells of the owner. */
export const ownerIn = (conf = ""): string | undefined => /^# Written by clientcert for ([^;]*);/.exec(conf)?.[1];

/** A comment must not end in a backslash, nor hold a line end. */
const commentText = (text: string): string => text.replace(/[^\x20-\x5b\x5d-\x7e]/g, "?");

/**
 * Said in any case: a check that is inherited without a list keeps httpd from starting, also while the files of a
 * change are swapped one after another.
 */
function revocation(desired: Desired): string[] {
  if (!hasRevocation(desired)) return ["SSLCARevocationCheck none"];
  return [`SSLCARevocationFile ${namedOwn(crlName)}`, `SSLCARevocationCheck ${desired.crlCheck}`];
}
