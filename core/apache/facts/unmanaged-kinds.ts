/** Which directives of others are looked at, and what each means to us. */
import type { UnmanagedKind, UnmanagedLevel } from "./unmanaged-model.ts";

interface Named {
  readonly kind: UnmanagedKind;
  /** As the manual spells it. */
  readonly directive: string;
}

/** Names in lower case. SSLProtocol and SSLRenegBufferSize are not here: ours simply override them. */
function table(entries: readonly (readonly [directive: string, kind: UnmanagedKind])[]): ReadonlyMap<string, Named> {
  return new Map(entries.map(([directive, kind]) => [directive.toLowerCase(), { kind, directive }]));
}

/** Those that a change may take out or overrule: a condition around one of them must be decided. */
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

/** Those that a change never touches: each is a warning or a conflict, and of each only some arguments matter. */
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

/** Names, in lower case, of directives that a change may take out or overrule. */
export const unmanagedNames: readonly string[] = [...decisive.keys()];

/** Names, in lower case, of all directives and sections that are looked at here. */
export const lookedAtNames: readonly string[] = [
  ...decisive.keys(),
  ...reported.keys(),
  // Location tells what is the whole site's; the other one, whom a proxy's protocol leaves out.
  ...["location", "remoteipproxyprotocolexceptions"],
];

/** Whether only some arguments of a directive or section of this name matter. */
export const isOfArguments = (name: string): boolean => reported.has(name) || name === "location" || name === "satisfy";

/** What a directive is to us; undefined where it does us nothing. `name` is in lower case. */
export function readKind(name: string, words: readonly string[]): Named | undefined {
  const known = decisive.get(name) ?? reported.get(name);
  if (known === undefined) return undefined;
  const kind = kindOf(known.kind, words);
  if (kind === undefined) return undefined;
  const isOption = name === "ssloptions" && kind === "certificateUser";
  return { kind, directive: isOption ? "SSLOptions FakeBasicAuth" : known.directive };
}

function kindOf(kind: UnmanagedKind, words: readonly string[]): UnmanagedKind | undefined {
  const [first = ""] = words;
  switch (kind) {
    case "satisfyAny":
      return /^any$/i.test(first) ? kind : undefined;
    case "certificateRule":
      return isAboutCertificates(words) ? kind : undefined;
    case "stdEnvVars":
      return kindOfOptions(words);
    case "confCommand":
      return /^(Verify|Client|Request)(CA|Mode)/i.test(first) ? kind : undefined;
    case "proxyProtocol":
      return /^on$/i.test(first) ? kind : undefined;
    case "allowOverride":
      return words.some((word) => /^(All|AuthConfig)$/i.test(word)) ? kind : undefined;
    default:
      return kind;
  }
}

/** `Require ssl-verify-client`, or an expression on the certificate's variables or extensions. */
const isAboutCertificates = (words: readonly string[]): boolean =>
  words.some((word) => /\bssl-verify-client\b|SSL_CLIENT_|PeerExtList/i.test(word));

/** A user made of the certificate; or, in an `<If>`, which comes after ours, no variables for PHP. */
function kindOfOptions(words: readonly string[]): UnmanagedKind | undefined {
  if (words.some((word) => /^\+?FakeBasicAuth$/i.test(word))) return "certificateUser";
  return takesVariables(words) ? "stdEnvVars" : undefined;
}

/** Without a sign, options replace all earlier ones. */
function takesVariables(words: readonly string[]): boolean {
  const isAbsolute = words.some((word) => !/^[+-]/.test(word)) && !words.some((word) => /^\+?StdEnvVars$/i.test(word));
  return isAbsolute || words.some((word) => /^-StdEnvVars$/i.test(word));
}

/** Of which a virtual host has one value: its own last one, or else the server's. */
const single: ReadonlySet<UnmanagedKind> = new Set([
  ...(["verifyClient", "verifyDepth", "caFile", "caPath", "caDnRequestFile"] as const),
  ...(["crlFile", "crlPath", "crlCheck", "ocsp", "sessionTicketKey", "proxyProtocol"] as const),
]);

/** Whether what is said on this level is about whole virtual hosts: there ours comes later, and wins. */
export const isOfWholeHosts = (level: UnmanagedLevel): boolean => level === "server" || level === "virtualHost";

/** Whether another directive of this kind takes its place in a virtual host. */
export const isSingle = (kind: UnmanagedKind, level: UnmanagedLevel): boolean =>
  single.has(kind) && isOfWholeHosts(level);

/**
 * Whether ours cannot override it, so that an adoption takes it out: the kinds that unmanaged-verdict.ts may call
 * `removable` at these levels.
 */
export const isTakenOut = (kind: UnmanagedKind): boolean =>
  kind === "caPath" || kind === "caDnRequestFile" || kind === "crlPath" || kind === "ocsp";

/** Whether its argument is a keyword of httpd's, which may be told. */
export const hasKeyword = (kind: UnmanagedKind): boolean => ["verifyClient", "crlCheck", "ocsp"].includes(kind);
