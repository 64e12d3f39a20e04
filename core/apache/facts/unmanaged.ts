/**
 * Finds the unmanaged directives (those that clientcert did not write) that affect what we manage, wherever they stand:
 * a careful administrator would want to know them first. Directives that an earlier adoption commented out are
 * included, as if they were still in force.
 */
import { hasKeyword, isSingle, isTakenOut, readKind, type Meaning } from "./unmanaged-kinds.ts";
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
interface Occurrence {
  /** The directive as it was read first. */
  readonly directive: Effective;
  readonly place: string;
  readonly kind: UnmanagedKind;
  readonly name: string;
  readonly level: UnmanagedLevel;
  /** Whether the directive, or an SSLRequire around it, says which CA must have issued a certificate. */
  readonly isOfIssuer: boolean;
  /** The covered virtual hosts for which the directive is in scope, as indexes. */
  scope: Set<number> | "every";
  /** Whether the directive is also in force where we do not cover. */
  isElsewhere: boolean;
}

/** All occurrences, in the order of their first reading, and the winners among the kinds that have one value. */
interface Gathered {
  readonly occurrences: readonly Occurrence[];
  readonly winners: Winners;
}

/**
 * Finds the unmanaged directives. A directive has one result for each level on which it is in force, because its file
 * may be included for the whole site and also for a part of it. Each result has the virtual hosts for which the
 * directive is effective there. A directive that is effective for no covered virtual host is left out.
 */
export function findUnmanaged(context: UnmanagedContext): UnmanagedDirective[] {
  const { occurrences, winners } = gather(context);
  const everyHost = context.hosts.map((_, index) => index);
  const narrower = new Set(occurrences.flatMap(({ place, level }) => (level === "narrower" ? [place] : [])));
  const rules = { narrower, isLoopbackExcepted: isLoopbackExcepted(context.resolved) };
  return occurrences.flatMap((occurrence) => {
    const { kind, level } = occurrence;
    const scope = occurrence.scope === "every" ? everyHost : [...occurrence.scope].sort((a, b) => a - b);
    const virtualHosts = isSingle(kind, level)
      ? scope.filter((index) => isInForce(occurrence, winnerOf(winners, kind, index)))
      : scope;
    return virtualHosts.length === 0 ? [] : [describe(context, occurrence, virtualHosts, rules)];
  });
}

/**
 * Reads all effective directives once. A directive that is read again for another virtual host widens its occurrence.
 */
function gather(context: UnmanagedContext): Gathered {
  const indexes = new Map(context.hosts.map(({ facts }, index) => [`${facts.file}:${facts.line}`, index]));
  const issuerSections = sectionsRequiringIssuer(context.resolved);
  const occurrences = new Map<string, Occurrence>();
  const winners: Winners = new Map();
  for (const directive of context.resolved.effective) {
    const meaning = readKind(directive.name, directive.arguments);
    if (meaning === undefined || isOptionOutsideOfIf(meaning.kind, directive)) continue;
    const started = startOccurrence(context, directive, meaning, issuerSections);
    const key = `${started.place} ${started.level} ${started.isOfIssuer}`;
    const occurrence = occurrences.get(key) ?? started;
    occurrences.set(key, occurrence);
    const host = hostPlace(context, directive);
    const index = host === undefined ? undefined : indexes.get(host);
    addScope(context, occurrence, host, index);
    if (isSingle(occurrence.kind, occurrence.level)) addWinner(winners, occurrence, index);
  }
  return { occurrences: [...occurrences.values()], winners };
}

/**
 * Makes the occurrence for the first reading of a directive. {@link addScope} adds the virtual host that reads it. An
 * SSLRequire that requires an issuer also counts for the other directives of its part of the site.
 */
function startOccurrence(
  { resolvedPath }: UnmanagedContext,
  directive: Effective,
  { kind, directive: name }: Meaning,
  issuerSections: ReadonlySet<Section | undefined>,
): Occurrence {
  const level = levelOf(directive.section);
  const isOfIssuer =
    namesIssuer(directive) ||
    (level === "narrower" && sectionsOf(directive.section).some((section) => issuerSections.has(section)));
  const place = `${resolvedPath(directive.file)}:${directive.node.start}`;
  const scope = directive.section?.virtualHost === undefined ? "every" : new Set<number>();
  return { directive, place, kind, name, level, isOfIssuer, scope, isElsewhere: false };
}

/** The place (`file:line`) of the virtual host around the directive; undefined at server level. */
function hostPlace({ resolvedPath }: UnmanagedContext, { section }: Effective): string | undefined {
  const host = section?.virtualHost;
  return host && `${resolvedPath(host.file)}:${host.node.line}`;
}

/**
 * Adds to an occurrence that a virtual host reads it: to its scope, or, where we do not cover that virtual host, to
 * `isElsewhere`. `host` is undefined at server level, where all virtual hosts read it; `index` is undefined for a
 * virtual host that is not covered.
 */
function addScope(
  { others }: UnmanagedContext,
  occurrence: Occurrence,
  host: string | undefined,
  index: number | undefined,
): void {
  // Satisfy also has an effect without TLS, so it counts in every virtual host, and in the main server, which may
  // always answer.
  const countsWithoutTls = occurrence.kind === "satisfyAny";
  if (host === undefined) {
    occurrence.scope = "every";
    occurrence.isElsewhere ||= countsWithoutTls || others.places.size > 0 || others.isMainServer;
  } else if (index === undefined) occurrence.isElsewhere ||= countsWithoutTls || others.places.has(host);
  else if (occurrence.scope !== "every") occurrence.scope.add(index);
}

/**
 * Whether a directive is an SSLOptions that comes before ours, so that it cannot take the variables away from PHP. Of
 * all sections, only `<If>`, `<ElseIf>` and `<Else>` come after ours.
 */
const isOptionOutsideOfIf = (kind: UnmanagedKind, { section }: Effective): boolean =>
  kind === "stdEnvVars" && !sectionsOf(section).some(({ name }) => /^(if|elseif|else)$/.test(name));

/** The directive that counts, by kind: the one at server level, and the one of each virtual host that has its own. */
type Winners = Map<UnmanagedKind, { server?: Occurrence; readonly hosts: Map<number, Occurrence> }>;

/**
 * Records a directive as the winner in its virtual host, or at server level. It replaces the winner before it, because
 * httpd uses the directive that it reads last, wherever its line was read for the first time. `index` is undefined at
 * server level and for a virtual host that is not covered, which needs no winner.
 */
function addWinner(winners: Winners, occurrence: Occurrence, index: number | undefined): void {
  const winnersOfKind = winners.get(occurrence.kind) ?? { hosts: new Map<number, Occurrence>() };
  winners.set(occurrence.kind, winnersOfKind);
  if (occurrence.level === "server") winnersOfKind.server = occurrence;
  else if (index !== undefined) winnersOfKind.hosts.set(index, occurrence);
}

/** The directive of this kind that counts in a virtual host. */
function winnerOf(winners: Winners, kind: UnmanagedKind, index: number): Occurrence | undefined {
  const winnersOfKind = winners.get(kind);
  return winnersOfKind?.hosts.get(index) ?? winnersOfKind?.server;
}

/**
 * Whether the directive counts, or would count after an adoption. Where an adoption takes out the winner, the directive
 * before it counts again; so all directives of such a kind have to go. A winner with the argument `off` is not taken
 * out, and goes on hiding the others.
 */
const isInForce = (occurrence: Occurrence, winner: Occurrence | undefined): boolean =>
  winner === occurrence || (isTakenOut(occurrence.kind) && !/^off$/i.test(winner?.directive.arguments[0] ?? ""));

/**
 * Whether the rule says which CA must have issued a certificate. An SSLRequire and a Require must be true, so their
 * expressions are read. A condition or a RewriteRule may let people in or keep them out; there it is enough that the
 * issuer is mentioned.
 */
const namesIssuer = ({ name, arguments: words }: Effective): boolean =>
  name === "sslrequire" || name === "require" ? requiresIssuer(words) : mentionsIssuer(words);

/** What other directives mean for the directive that is described. */
interface Rules {
  /** The places of lines that are in force for a part of the site. */
  readonly narrower: ReadonlySet<string>;
  readonly isLoopbackExcepted: boolean;
}

/**
 * Whether the proxy header is not needed from 127.0.0.1, where our requests come from: an exception is 127.0.0.1, or a
 * network that is written as 127.0.0.0/… or 127.0.0.1/….
 */
const isLoopbackExcepted = ({ effective }: Resolved): boolean =>
  effective.some(
    ({ name, arguments: words }) =>
      name === "remoteipproxyprotocolexceptions" && words.some((word) => /^127\.0\.0\.(0\/|1(\/|$))/.test(word)),
  );

/**
 * The sections with an SSLRequire that says which CA must have issued a certificate. An SSLRequire must be true in
 * addition to all other rules.
 */
const sectionsRequiringIssuer = ({ effective }: Resolved): ReadonlySet<Section | undefined> =>
  new Set(
    effective
      .filter((directive) => directive.name === "sslrequire" && namesIssuer(directive))
      .map(({ section }) => section),
  );

/** Makes the result for an occurrence, which is effective for `virtualHosts`. */
function describe(
  context: UnmanagedContext,
  { directive, place, kind, name, level, isOfIssuer, isElsewhere }: Occurrence,
  virtualHosts: readonly number[],
  { narrower, isLoopbackExcepted: needsNoHeader }: Rules,
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
    ...(kind === "proxyProtocol" && needsNoHeader ? { value: "loopback" } : valueOf(kind, directive)),
    ...contentOf(context, kind, directive, virtualHosts),
    ...(isOfIssuer && { namesIssuer: true }),
    ...(level !== "narrower" && narrower.has(place) && { isAlsoNarrower: true }),
    ...(lineOffsets.some((offset) => context.isAdopted(file, offset)) && { isAdopted: true }),
    lineOffsets,
  };
}

/** The offsets of the physical lines of a directive in the real file, whose resolved path is `path`. */
function offsetsOf({ resolved, realOffset }: UnmanagedContext, { file, node }: Effective, path: string): number[] {
  const tree = resolved.trees.get(file);
  return tree === undefined ? [] : lineOffsetsOf(tree, node).map((offset) => realOffset(path, offset));
}

/** Words that mod_ssl accepts although its manual does not mention them. */
const verifyClientAliases: Readonly<Record<string, string>> = { on: "require", off: "none" };

/**
 * The first argument of a directive in lower case, where it is needed for the verdict and may be kept. An SSLRequire
 * has a word of ours instead: `certificate` or `mixed`. Any other directive has no value.
 */
function valueOf(kind: UnmanagedKind, { arguments: words }: Effective): Pick<UnmanagedDirective, "value"> {
  const argument = (words[0] ?? "").toLowerCase();
  if (kind === "verifyClient") return { value: verifyClientAliases[argument] ?? argument };
  if (hasKeyword(kind)) return { value: argument };
  // A rule for the whole site may require more than a certificate. Such a rule is not one that ours can replace.
  if (kind === "sslRequire") return { value: isAboutCertificateAlone(words.join(" ")) ? "certificate" : "mixed" };
  return kind === "verifyDepth" && /^\d{1,9}$/.test(argument) ? { value: argument } : {};
}

/**
 * Whether every variable of the expression is about the client's certificate. False where it has no variable, and where
 * it calls a function that reads more than variables.
 */
function isAboutCertificateAlone(expression: string): boolean {
  const variables = [...expression.matchAll(/%\{([^}]*)\}/g)].map(([, variable = ""]) => variable);
  const functions = /\b(file|oid|peerextlist)\s*\(/i.test(expression);
  return !functions && variables.length > 0 && variables.every((variable) => /^(SSL:)?SSL_CLIENT_/i.test(variable));
}

/**
 * What is known of the file that the directive names: its certificates, the one of them that completes the chain of a
 * server's own certificate, or the issuers of its CRLs.
 */
function contentOf(
  { serverRoot, certificatesOf, crlIssuersOf, missingIssuers }: UnmanagedContext,
  kind: UnmanagedKind,
  { arguments: [argument = ""] }: Effective,
  virtualHosts: readonly number[],
): Pick<UnmanagedDirective, "certificates" | "completesChain" | "crlIssuers"> {
  const path = absolutePath(serverRoot, argument);
  const crlIssuers = kind === "crlFile" ? crlIssuersOf(path) : undefined;
  const certificates = kind === "caFile" ? certificatesOf(path) : undefined;
  const wantedIssuers = new Set(virtualHosts.flatMap((index) => missingIssuers[index] ?? []).map(comparable));
  const completingCa = certificates?.find(({ subject }) => wantedIssuers.has(comparable(subject)));
  return {
    ...(certificates && { certificates: certificates.map(nameOf) }),
    ...(completingCa && { completesChain: nameOf(completingCa) }),
    ...(crlIssuers && { crlIssuers }),
  };
}

const nameOf = ({ fingerprint, subject }: CertificateSummary): UnmanagedCa => ({ fingerprint, subject });
