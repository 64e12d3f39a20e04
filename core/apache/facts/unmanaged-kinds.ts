/** Lists the unmanaged directives that matter to us (those that clientcert did not write), and what each one means. */
import type { UnmanagedKind, UnmanagedLevel } from "./unmanaged-model.ts";

/** What a directive means to us. */
export interface Meaning {
  readonly kind: UnmanagedKind;
  /** The name as the manual spells it. */
  readonly directive: string;
}

/** Makes a table of meanings, by the directive's name in lower case. */
function table(entries: readonly (readonly [directive: string, kind: UnmanagedKind])[]): ReadonlyMap<string, Meaning> {
  return new Map(entries.map(([directive, kind]) => [directive.toLowerCase(), { kind, directive }]));
}

/**
 * Directives that a change may take out or override: a condition around such a directive must be decided. SSLProtocol
 * and SSLRenegBufferSize are missing on purpose: our directives simply override them.
 */
const decisive = table([
  ["SSLVerifyClient", "verifyClient"],
  ["SSLVerifyDepth", "verifyDepth"],
  ["SSLCACertificateFile", "caFile"],
  ["SSLCACertificatePath", "caPath"],
  ["SSLCADNRequestFile", "caDnRequestFile"],
  ["SSLCADNRequestPath", "caDnRequestFile"],
  ["SSLCARevocationFile", "crlFile"],
  ["SSLCARevocationPath", "crlPath"],
  ["SSLCARevocationCheck", "crlCheck"],
  ["SSLOCSPEnable", "ocsp"],
  ["SSLRequire", "sslRequire"],
  ["Satisfy", "satisfyAny"],
  ["SSLSessionTicketKeyFile", "sessionTicketKey"],
]);

/**
 * Directives that a change never touches. Each one is a warning or a conflict, and it matters only with certain
 * arguments.
 */
const reported = table([
  ["Require", "certificateRule"],
  ["RewriteCond", "certificateRule"],
  ["RewriteRule", "certificateRule"],
  ["SetEnvIf", "certificateRule"],
  ["SetEnvIfExpr", "certificateRule"],
  ["If", "certificateRule"],
  ["ElseIf", "certificateRule"],
  ["AuthzProviderAlias", "certificateRule"],
  ["SSLUserName", "certificateUser"],
  ["SSLOptions", "stdEnvVars"],
  ["SSLOpenSSLConfCmd", "confCommand"],
  ["RemoteIPProxyProtocol", "proxyProtocol"],
  ["AllowOverride", "allowOverride"],
]);

/** The names, in lower case, of directives that a change may take out or override. */
export const unmanagedNames: readonly string[] = [...decisive.keys()];

const lookedAtNames: ReadonlySet<string> = new Set([
  ...decisive.keys(),
  ...reported.keys(),
  // A Location decides whether a rule is about the whole site. RemoteIPProxyProtocolExceptions lists the clients that
  // need no proxy header.
  ...["location", "remoteipproxyprotocolexceptions"],
]);

/**
 * Whether a directive or section matters here, by its name in lower case. Some matter only with certain arguments; they
 * count where the arguments are not known yet.
 */
export const isLookedAt = (name: string, words?: readonly string[]): boolean =>
  lookedAtNames.has(name) && (words === undefined || !dependsOnArguments(name) || readKind(name, words) !== undefined);

/** Whether the arguments decide if a directive matters. A Location by itself, without a rule in it, never matters. */
const dependsOnArguments = (name: string): boolean => reported.has(name) || name === "location" || name === "satisfy";

/** What a directive means to us; undefined where it has no effect on us. `name` is in lower case. */
export function readKind(name: string, words: readonly string[]): Meaning | undefined {
  const listed = decisive.get(name) ?? reported.get(name);
  if (listed === undefined) return undefined;
  const kind = kindOf(listed.kind, words);
  if (kind === undefined) return undefined;
  const isOption = name === "ssloptions" && kind === "certificateUser";
  return { kind, directive: isOption ? "SSLOptions FakeBasicAuth" : listed.directive };
}

/**
 * The kind of a directive that has these arguments, where the table lists its name under `kind`. Undefined where the
 * arguments have no effect on us.
 */
function kindOf(kind: UnmanagedKind, words: readonly string[]): UnmanagedKind | undefined {
  const [first = ""] = words;
  switch (kind) {
    case "satisfyAny":
      return /^any$/i.test(first) ? kind : undefined;
    case "certificateRule":
      return isAboutCertificates(words) ? kind : undefined;
    case "stdEnvVars":
      return kindOfOptions(words);
    // Commands of OpenSSL about the verification of clients, such as VerifyMode, VerifyCAFile and ClientCAPath.
    case "confCommand":
      return /^(Verify|Client|Request)(CA|Mode)/i.test(first) ? kind : undefined;
    case "proxyProtocol":
      return /^on$/i.test(first) ? kind : undefined;
    // Only these two allow Satisfy, SSLRequire and SSLVerifyClient in a .htaccess file.
    case "allowOverride":
      return words.some((word) => /^(All|AuthConfig)$/i.test(word)) ? kind : undefined;
    default:
      return kind;
  }
}

/** Whether the words are `Require ssl-verify-client`, or an expression on the certificate's variables or extensions. */
const isAboutCertificates = (words: readonly string[]): boolean =>
  words.some((word) => /\bssl-verify-client\b|SSL_CLIENT_|PeerExtList/i.test(word));

/**
 * SSLOptions may make a user name of the certificate. In an `<If>`, which comes after our lines, they may also take the
 * certificate's variables away from PHP.
 */
function kindOfOptions(words: readonly string[]): UnmanagedKind | undefined {
  if (words.some((word) => /^\+?FakeBasicAuth$/i.test(word))) return "certificateUser";
  return takesVariables(words) ? "stdEnvVars" : undefined;
}

/**
 * Whether the options switch StdEnvVars off: by `-StdEnvVars`, or, where StdEnvVars is not among them, by an option
 * without a sign, which replaces all those from before.
 */
function takesVariables(words: readonly string[]): boolean {
  const replacesAll = words.some((word) => !/^[+-]/.test(word)) && !words.some((word) => /^\+?StdEnvVars$/i.test(word));
  return replacesAll || words.some((word) => /^-StdEnvVars$/i.test(word));
}

/** Kinds of which a virtual host has only one value: its own last directive, or else the one of the server. */
const single: ReadonlySet<UnmanagedKind> = new Set([
  ...(["verifyClient", "verifyDepth", "caFile", "caPath", "caDnRequestFile"] as const),
  ...(["crlFile", "crlPath", "crlCheck", "ocsp", "sessionTicketKey", "proxyProtocol"] as const),
]);

/** Whether a directive on this level is about whole virtual hosts: there our line comes later and wins. */
export const isOfWholeHosts = (level: UnmanagedLevel): boolean => level === "server" || level === "virtualHost";

/** Whether another directive of this kind can replace this one in a virtual host. */
export const isSingle = (kind: UnmanagedKind, level: UnmanagedLevel): boolean =>
  single.has(kind) && isOfWholeHosts(level);

/**
 * Whether our directives cannot override this kind, so that an adoption comments it out. These are the kinds that
 * unmanaged-verdict.ts may call `removable` at these levels.
 */
export const isTakenOut = (kind: UnmanagedKind): boolean =>
  kind === "caPath" || kind === "caDnRequestFile" || kind === "crlPath" || kind === "ocsp";

/** Whether directives of this kind have a keyword of httpd as their argument, which may be shown. */
export const hasKeyword = (kind: UnmanagedKind): boolean => ["verifyClient", "crlCheck", "ocsp"].includes(kind);
