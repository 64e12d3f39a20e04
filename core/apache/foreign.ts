/** Directives of others on what we manage, wherever they stand: what a careful administrator would want to know first. */
import type { ForeignDirective, ForeignKind } from "./model.ts";
import { lineOffsetsOf } from "./own-lines.ts";
import { absolutePath } from "./paths.ts";
import type { Effective, Resolved } from "./resolve.ts";
import { sectionsOf } from "./sections.ts";
import { verifyDepth } from "./model.ts";
import { type TlsVirtualHost } from "./virtual-hosts.ts";

interface Kind {
  readonly kind: ForeignKind;
  /** As the manual spells it. */
  readonly directive: string;
}

/** By name in lower case. SSLProtocol and SSLRenegBufferSize are not here: ours simply override them. */
const kinds: ReadonlyMap<string, Kind> = new Map(
  (
    [
      ["SSLVerifyClient", "verifyClient"],
      ["SSLVerifyDepth", "verifyDepth"],
      ["SSLCACertificateFile", "caFile"],
      ["SSLCACertificatePath", "caPath"],
      ["SSLCADNRequestFile", "caDnRequestFile"],
      ["SSLCADNRequestPath", "caDnRequestFile"],
      ["SSLCARevocationFile", "crlFile"],
      ["SSLCARevocationPath", "crlPath"],
      ["SSLCARevocationCheck", "crlCheck"],
      ["SSLRequire", "sslRequire"],
      ["Satisfy", "satisfyAny"],
      ["SSLSessionTicketKeyFile", "sessionTicketKey"],
    ] as const
  ).map(([directive, kind]) => [directive.toLowerCase(), { kind, directive }]),
);

/** Names of the directives that are looked at, in lower case. */
export const foreignNames: readonly string[] = [...kinds.keys()];

const sectionNames: ReadonlyMap<string, string> = new Map(
  [
    "Directory",
    "DirectoryMatch",
    "Else",
    "ElseIf",
    "Files",
    "FilesMatch",
    "If",
    "Limit",
    "LimitExcept",
    "Location",
    "LocationMatch",
    "Proxy",
    "ProxyMatch",
    "RequireAll",
    "RequireAny",
    "RequireNone",
    "VirtualHost",
  ].map((name) => [name.toLowerCase(), name]),
);

interface Surroundings {
  readonly resolved: Resolved;
  readonly hosts: readonly TlsVirtualHost[];
  readonly serverRoot: string;
  readonly resolvedPath: (file: string) => string;
  /** SHA-256 of the certificates in a file; undefined when its content is not known. */
  readonly fingerprintsOf: (path: string) => readonly string[] | undefined;
}

/** Each place once, with all virtual hosts for which it is effective. */
export function findForeign(around: Surroundings): ForeignDirective[] {
  const everyHost = around.hosts.map((_, index) => index);
  const hostIndexes = new Map(around.hosts.map(({ facts }, index) => [`${facts.file}:${facts.line}`, [index]]));
  const found = new Map<string, ForeignDirective>();
  for (const directive of around.resolved.effective) {
    const kind = kinds.get(directive.name);
    if (kind === undefined || directive.opens !== undefined || isHarmless(kind.kind, directive)) continue;
    const host = directive.section?.virtualHost;
    const covered =
      host === undefined ? everyHost : (hostIndexes.get(`${around.resolvedPath(host.file)}:${host.node.line}`) ?? []);
    if (covered.length === 0) continue;
    const key = `${around.resolvedPath(directive.file)}:${directive.node.start}`;
    const before = found.get(key)?.virtualHosts ?? [];
    const virtualHosts = before.length === 0 ? covered : [...new Set([...before, ...covered])].sort((a, b) => a - b);
    found.set(key, describe(around, directive, kind, virtualHosts));
  }
  return [...found.values()];
}

/** What ours override, or what does what ours do. */
function isHarmless(kind: ForeignKind, directive: Effective): boolean {
  const argument = (directive.arguments[0] ?? "").toLowerCase();
  if (kind === "verifyClient") return argument === "optional";
  if (kind === "satisfyAny") return argument !== "any";
  if (kind !== "verifyDepth") return false;
  // In a Directory or Location a smaller depth asks for the certificate again; elsewhere ours comes later and wins.
  return isServerOrVirtualHost(directive) || Number(argument) >= verifyDepth;
}

const isServerOrVirtualHost = (directive: Effective): boolean =>
  directive.section === undefined || directive.section.name === "virtualhost";

function describe(
  around: Surroundings,
  directive: Effective,
  { kind, directive: name }: Kind,
  virtualHosts: readonly number[],
): ForeignDirective {
  const tree = around.resolved.trees.get(directive.file);
  const argument = directive.arguments[0] ?? "";
  const fingerprints = kind === "caFile" ? around.fingerprintsOf(absolutePath(around.serverRoot, argument)) : undefined;
  return {
    kind,
    directive: name,
    file: around.resolvedPath(directive.file),
    line: directive.node.line,
    context: sectionsOf(directive.section).map((section) => sectionNames.get(section.name) ?? section.name),
    virtualHosts,
    ...(kind === "verifyClient" || kind === "crlCheck" ? { value: argument.toLowerCase() } : {}),
    ...(fingerprints === undefined ? {} : { fingerprints }),
    lineOffsets: tree === undefined ? [] : lineOffsetsOf(tree, directive.node),
  };
}
