/**
 * Finds the unmanaged directives (those that clientcert did not write) that affect what we manage, wherever they stand:
 * a careful administrator would want to know them first. Directives that an earlier adoption commented out are
 * included, as if they were still in force.
 */
import { hasKeyword, isSingle, isTakenOut, readKind } from "./unmanaged-kinds.ts";
import type { UnmanagedCa, UnmanagedDirective, UnmanagedKind, UnmanagedLevel } from "./unmanaged-model.ts";
import { mentionsIssuer, requiresIssuer } from "./issuer-rules.ts";
import type { CertificateSummary } from "../../pki/summary.ts";
import type { OtherHosts } from "./other-hosts.ts";
import { lineOffsetsOf } from "./own-lines.ts";
import { absolutePath } from "../config/paths.ts";
import { comparable } from "../../pki/same-name.ts";
import type { Effective, Resolved } from "../config/resolve-model.ts";
import { levelOf, sectionsOf, spelledSection, type Section } from "../config/sections.ts";
import type { TlsVirtualHost } from "./virtual-hosts.ts";

/** What the search for unmanaged directives needs. */
export interface UnmanagedContext {
  /** The configuration as it would be without the marks of an adoption. */
  readonly resolved: Resolved;
  readonly hosts: readonly TlsVirtualHost[];
  readonly others: OtherHosts;
  readonly serverRoot: string;
  readonly resolvedPath: (file: string) => string;
  /** The certificates of a CA file by its path; undefined when the content of the file is not known. */
  readonly certificatesOf: (path: string) => readonly CertificateSummary[] | undefined;
  /**
   * The issuer of the certificate of each virtual host, by the host's index, where httpd searches the CAs for that
   * issuer.
   */
  readonly missingIssuers: readonly (string | undefined)[];
  /** The issuers of the CRLs in a file by its path; undefined when the content of the file is not known. */
  readonly crlIssuersOf: (path: string) => readonly string[] | undefined;
  /** The offset in the real file, for an offset in the file without the marks. */
  readonly realOffset: (file: string, offset: number) => number;
  /** Whether a mark stands at this offset of the real file. */
  readonly isAdopted: (file: string, offset: number) => boolean;
}

/** A directive at one place and on one level, with all virtual hosts that read it there. */
interface Found {
  readonly directive: Effective;
  readonly place: string;
  readonly kind: UnmanagedKind;
  readonly name: string;
  readonly level: UnmanagedLevel;
  readonly isOfIssuer: boolean;
  /** The covered virtual hosts for which the directive is in scope, as indexes. */
  scope: Set<number> | "every";
  isInAnotherPlace: boolean;
}

/**
 * All directives that were found, in the order of their first reading, and the winners among those that have one value.
 */
interface Gathered {
  readonly found: readonly Found[];
  readonly winners: Winners;
}

/**
 * Finds each place once for each level, because a file may be included for the whole site and also for a part of it.
 * Each result has the virtual hosts for which it is effective there. A directive that is effective for no covered
 * virtual host is left out.
 */
export function findUnmanaged(context: UnmanagedContext): UnmanagedDirective[] {
  const { found, winners } = gather(context);
  const everyHost = context.hosts.map((_, index) => index);
  const narrower = new Set(found.flatMap(({ place, level }) => (level === "narrower" ? [place] : [])));
  const rules = { narrower, exceptsLoopback: exceptsLoopback(context.resolved) };
  return found.flatMap((one) => {
    const scope = one.scope === "every" ? everyHost : [...one.scope].sort((a, b) => a - b);
    const virtualHosts = isSingle(one.kind, one.level)
      ? scope.filter((index) => isInForce(one, winnerOf(winners, one.kind, index)))
      : scope;
    return virtualHosts.length === 0 ? [] : [describe(context, one, virtualHosts, rules)];
  });
}

function gather(context: UnmanagedContext): Gathered {
  const indexes = new Map(context.hosts.map(({ facts }, index) => [`${facts.file}:${facts.line}`, index]));
  const issuers = findIssuerRules(context.resolved);
  const found = new Map<string, Found>();
  const winners: Winners = new Map();
  for (const directive of context.resolved.effective) {
    const named = readKind(directive.name, directive.arguments);
    if (named === undefined || isOutsideOfIf(named.kind, directive)) continue;
    const one = startFound(context, directive, named, issuers);
    const key = `${one.place} ${one.level} ${one.isOfIssuer}`;
    const known = found.get(key) ?? one;
    found.set(key, known);
    const host = hostPlace(context, directive);
    const index = host === undefined ? undefined : indexes.get(host);
    addScope(context, known, host, index);
    if (isSingle(known.kind, known.level)) addWinner(winners, known, index);
  }
  return { found: [...found.values()], winners };
}

function startFound(
  { resolvedPath }: UnmanagedContext,
  directive: Effective,
  { kind, directive: name }: { readonly kind: UnmanagedKind; readonly directive: string },
  issuers: ReadonlySet<Section | undefined>,
): Found {
  const level = levelOf(directive.section);
  const isOfIssuer =
    namesIssuer(directive) ||
    (level === "narrower" && sectionsOf(directive.section).some((section) => issuers.has(section)));
  const place = `${resolvedPath(directive.file)}:${directive.node.start}`;
  const scope = directive.section?.virtualHost === undefined ? "every" : new Set<number>();
  return { directive, place, kind, name, level, isOfIssuer, scope, isInAnotherPlace: false };
}

/** The place (`file:line`) of the virtual host around the directive; undefined at server level. */
function hostPlace({ resolvedPath }: UnmanagedContext, { section }: Effective): string | undefined {
  const host = section?.virtualHost;
  return host && `${resolvedPath(host.file)}:${host.node.line}`;
}

/**
 * Adds a virtual host to the scope. `host` is undefined at server level; `index` is undefined for a virtual host that
 * is not covered.
 */
function addScope(
  { others }: UnmanagedContext,
  found: Found,
  host: string | undefined,
  index: number | undefined,
): void {
  // Without TLS only Satisfy has an effect, and the main server may always answer.
  const isAlways = found.kind === "satisfyAny";
  if (host === undefined) {
    found.scope = "every";
    found.isInAnotherPlace ||= isAlways || others.places.size > 0 || others.isMainServer;
  } else if (index === undefined) found.isInAnotherPlace ||= isAlways || others.places.has(host);
  else if (found.scope !== "every") found.scope.add(index);
}

/**
 * SSLOptions can take the variables away from PHP only when they come after ours; of all sections, only an `<If>`,
 * `<ElseIf>` or `<Else>` does.
 */
const isOutsideOfIf = (kind: UnmanagedKind, { section }: Effective): boolean =>
  kind === "stdEnvVars" && !sectionsOf(section).some(({ name }) => /^(if|elseif|else)$/.test(name));

/** The directive that counts, by kind: the one at server level, and the one of each virtual host that has its own. */
type Winners = Map<UnmanagedKind, { server?: Found; readonly hosts: Map<number, Found> }>;

/** The winner is the directive that httpd reads last, wherever its line was read for the first time. */
function addWinner(winners: Winners, one: Found, index: number | undefined): void {
  const known = winners.get(one.kind) ?? { hosts: new Map<number, Found>() };
  winners.set(one.kind, known);
  if (one.level === "server") known.server = one;
  else if (index !== undefined) known.hosts.set(index, one);
}

function winnerOf(winners: Winners, kind: UnmanagedKind, index: number): Found | undefined {
  const known = winners.get(kind);
  return known?.hosts.get(index) ?? known?.server;
}

/**
 * Whether the directive counts. Where an adoption takes out the winner, the directive before it would count again; so
 * all directives of such a kind have to go.
 */
const isInForce = (one: Found, winner: Found | undefined): boolean =>
  winner === one || (isTakenOut(one.kind) && !/^off$/i.test(winner?.directive.arguments[0] ?? ""));

/**
 * Whether the rule names the issuer. An SSLRequire and a Require must be true; of a condition or a RewriteRule it is
 * not known what it is a condition for.
 */
const namesIssuer = ({ name, arguments: words }: Effective): boolean =>
  name === "sslrequire" || name === "require" ? requiresIssuer(words) : mentionsIssuer(words);

/** What other directives mean for the directive that is described. */
interface Rules {
  /** The places of lines that are in force for a part of the site. */
  readonly narrower: ReadonlySet<string>;
  readonly exceptsLoopback: boolean;
}

/** Whether the proxy header is not needed from 127.0.0.0/8, or from as much of it as our requests come from. */
const exceptsLoopback = ({ effective }: Resolved): boolean =>
  effective.some(
    ({ name, arguments: words }) =>
      name === "remoteipproxyprotocolexceptions" && words.some((word) => /^127\.0\.0\.(0\/|1(\/|$))/.test(word)),
  );

/**
 * The sections with an SSLRequire that says which CA must have issued a certificate. An SSLRequire must be true in
 * addition to all other rules.
 */
const findIssuerRules = ({ effective }: Resolved): ReadonlySet<Section | undefined> =>
  new Set(
    effective
      .filter((directive) => directive.name === "sslrequire" && namesIssuer(directive))
      .map(({ section }) => section),
  );

function describe(
  context: UnmanagedContext,
  { directive, place, kind, name, level, isOfIssuer, isInAnotherPlace: isElsewhere }: Found,
  virtualHosts: readonly number[],
  { narrower, exceptsLoopback: isLoopbackExcepted }: Rules,
): UnmanagedDirective {
  const file = context.resolvedPath(directive.file);
  const lineOffsets = offsetsOf(context, directive, file);
  return {
    kind,
    directive: name,
    file,
    line: directive.node.line,
    context: sectionsOf(directive.section).map(spelledSection),
    level,
    virtualHosts,
    isElsewhere,
    ...(kind === "proxyProtocol" && isLoopbackExcepted ? { value: "loopback" } : valueOf(kind, directive)),
    ...contentOf(context, kind, directive, virtualHosts),
    ...(isOfIssuer && { namesIssuer: true }),
    ...(level !== "narrower" && narrower.has(place) && { isAlsoNarrower: true }),
    ...(lineOffsets.some((offset) => context.isAdopted(file, offset)) && { isAdopted: true }),
    lineOffsets,
  };
}

function offsetsOf({ resolved, realOffset }: UnmanagedContext, { file, node }: Effective, path: string): number[] {
  const tree = resolved.trees.get(file);
  return tree === undefined ? [] : lineOffsetsOf(tree, node).map((offset) => realOffset(path, offset));
}

/** Words that mod_ssl accepts although its manual does not mention them. */
const verifyClientAliases: Readonly<Record<string, string>> = { on: "require", off: "none" };

function valueOf(kind: UnmanagedKind, { arguments: words }: Effective): Pick<UnmanagedDirective, "value"> {
  const argument = (words[0] ?? "").toLowerCase();
  if (kind === "verifyClient") return { value: verifyClientAliases[argument] ?? argument };
  if (hasKeyword(kind)) return { value: argument };
  // A rule for the whole site may require more than a certificate. Such a rule is not one that ours can replace.
  if (kind === "sslRequire") return { value: isAboutCertificateAlone(words.join(" ")) ? "certificate" : "mixed" };
  return kind === "verifyDepth" && /^\d{1,9}$/.test(argument) ? { value: argument } : {};
}

/** Whether every variable of the expression is about the client's certificate. */
function isAboutCertificateAlone(expression: string): boolean {
  const variables = [...expression.matchAll(/%\{([^}]*)\}/g)].map(([, variable = ""]) => variable);
  const functions = /\b(file|oid|peerextlist)\s*\(/i.test(expression);
  return !functions && variables.length > 0 && variables.every((variable) => /^(SSL:)?SSL_CLIENT_/i.test(variable));
}

function contentOf(
  { serverRoot, certificatesOf, crlIssuersOf, missingIssuers }: UnmanagedContext,
  kind: UnmanagedKind,
  { arguments: [argument = ""] }: Effective,
  virtualHosts: readonly number[],
): Pick<UnmanagedDirective, "certificates" | "completesChain" | "crlIssuers"> {
  const path = absolutePath(serverRoot, argument);
  const crlIssuers = kind === "crlFile" ? crlIssuersOf(path) : undefined;
  const certificates = kind === "caFile" ? certificatesOf(path) : undefined;
  const wanted = new Set(virtualHosts.flatMap((index) => missingIssuers[index] ?? []).map(comparable));
  const completing = certificates?.find(({ subject }) => wanted.has(comparable(subject)));
  return {
    ...(certificates && { certificates: certificates.map(nameOf) }),
    ...(completing && { completesChain: nameOf(completing) }),
    ...(crlIssuers && { crlIssuers }),
  };
}

const nameOf = ({ fingerprint, subject }: CertificateSummary): UnmanagedCa => ({ fingerprint, subject });
