/** Finds the virtual hosts that answer TLS on a port, and the place of our line in each of them. */
import type { Dump, DumpedVirtualHost } from "../config/dump.ts";
import type { VirtualHostFacts } from "../model.ts";
import { isIncludeLine } from "./own-lines.ts";
import { nodeAt, type Tree } from "../config/parse.ts";
import { absolutePath } from "../config/paths.ts";
import type { Effective, Resolved } from "../config/resolve-model.ts";
import type { Section } from "../config/sections.ts";
import { readWords } from "../config/arguments.ts";

/** A virtual host with what is needed to judge the directives in it. */
export interface TlsVirtualHost {
  readonly facts: VirtualHostFacts;
  readonly section: Section;
  /** The condition around the virtual host that could not be decided. */
  readonly undecided: Section | undefined;
}

/** The names of directives that distinguish one virtual host from another. */
export const virtualHostNames: readonly string[] = [
  "virtualhost",
  "sslengine",
  "sslcertificatefile",
  "sslcertificatechainfile",
  "servername",
  "documentroot",
  "listen",
  "include",
  "includeoptional",
];

/** What the search for virtual hosts needs. */
export interface Context {
  readonly resolved: Resolved;
  readonly dump: Dump | undefined;
  readonly serverRoot: string;
  /** The port whose virtual hosts are covered. */
  readonly port: number;
  /** The path of the file itself, for the name that httpd uses. */
  readonly resolvedPath: (file: string) => string;
}

/** Finds the virtual hosts in the order in which httpd reads them; a file that is included twice counts once. */
export function findTlsVirtualHosts(context: Context, overview: ConfigurationIndex): TlsVirtualHost[] {
  const hosts = new Map<string, TlsVirtualHost>();
  for (const directive of context.resolved.effective) {
    const section = directive.opens;
    if (section?.name !== "virtualhost") continue;
    const key = `${context.resolvedPath(section.file)}:${section.node.start}`;
    const facts = hosts.has(key) ? undefined : readVirtualHost(context, section, overview);
    if (facts !== undefined) hosts.set(key, { facts, section, undecided: directive.undecided });
  }
  return [...hosts.values()];
}

/**
 * The values that a virtual host sets itself or inherits from the server. This is not a Map, because thousands of Maps
 * keep the garbage collector busy.
 */
type Level = { [Name in (typeof inheritedNames)[number]]?: string };

/** The levels by section: a virtual host, any other section, or undefined for the server level. */
type Levels = ReadonlyMap<Section | undefined, Level>;

const inheritedNames = [
  "sslengine",
  "sslcertificatefile",
  "sslcertificatechainfile",
  "servername",
  "documentroot",
] as const;

const isInherited = (name: string): name is keyof Level => (inheritedNames as readonly string[]).includes(name);

/** What each virtual host needs to look up, gathered once. */
export interface ConfigurationIndex {
  /**
   * The first arguments of directives, by the section in which they stand directly. The last directive of a name wins.
   */
  readonly levels: Levels;
  /** Our line, by the section in which it stands directly. If someone copied the line, the last copy counts. */
  readonly includes: ReadonlyMap<Section | undefined, Effective>;
  /** Where a virtual host for any address can be reached: `*`, unless httpd listens only on certain addresses. */
  readonly anyAddress: string;
  /** The address of every Listen. */
  readonly listens: readonly Listen[];
  /** The ports that some `<VirtualHost>` names: a virtual host without a port does not answer these. */
  readonly namedPorts: () => ReadonlySet<number>;
  /** What httpd printed about the virtual host that begins at `file:line`. */
  readonly dumped: ReadonlyMap<string, readonly DumpedVirtualHost[]>;
}

/** Gathers what each virtual host needs to look up. */
export function indexConfiguration({ resolved, dump, port }: Context): ConfigurationIndex {
  const includes = new Map<Section | undefined, Effective>();
  const listens: Listen[] = [];
  for (const directive of resolved.effective) {
    const tree = resolved.trees.get(directive.file);
    if (tree !== undefined && isIncludeLine(tree, directive.node)) includes.set(directive.section, directive);
    if (directive.name === "listen") listens.push(readListenLine(directive.arguments));
  }
  const dumped = new Map<string, DumpedVirtualHost[]>();
  for (const host of dump?.virtualHosts ?? []) {
    const place = `${host.file}:${host.line}`;
    const hostsAtPlace = dumped.get(place);
    if (hostsAtPlace === undefined) dumped.set(place, [host]);
    else hostsAtPlace.push(host);
  }
  return {
    levels: levelsIn(resolved.effective),
    includes,
    anyAddress: listeningAddress(listens, port),
    listens,
    namedPorts: lazily(() => findNamedPorts(resolved)),
    dumped,
  };
}

/** The inherited values that each section sets itself, and those of the server. */
function levelsIn(effective: readonly Effective[]): Levels {
  const levels = new Map<Section | undefined, Level>();
  for (const { name, section, arguments: words } of effective)
    if (isInherited(name)) ensureLevel(levels, section)[name] = words[0];
  return levels;
}

/** The level of a section, which is added to `levels` where it is missing. */
function ensureLevel(levels: Map<Section | undefined, Level>, section: Section | undefined): Level {
  const existing = levels.get(section);
  if (existing !== undefined) return existing;
  const level: Level = {};
  levels.set(section, level);
  return level;
}

/**
 * Reads one virtual host. Undefined when it does not answer TLS on the port, or when it is never closed, so that our
 * line has no place.
 */
function readVirtualHost(
  context: Context,
  section: Section,
  overview: ConfigurationIndex,
): VirtualHostFacts | undefined {
  const { levels } = overview;
  if (!hasTls(levels, section)) return undefined;
  const addresses = addressesOf(context.port, section, overview);
  const tree = context.resolved.trees.get(section.file);
  if (addresses.length === 0 || tree === undefined || section.node.partner < 0) return undefined;
  const documentRoot = inherited(levels, section, "documentroot");
  const otherPorts = otherPortsOf(context.port, section, overview);
  return {
    file: context.resolvedPath(section.file),
    line: section.node.line,
    serverName: hostName(inherited(levels, section, "servername") ?? printedHosts(overview, section)[0]?.name ?? ""),
    addresses,
    ...(otherPorts.length > 0 && { otherPorts }),
    documentRoot: documentRoot === undefined ? undefined : absolutePath(context.serverRoot, documentRoot),
    insertAt: {
      offset: nodeAt(tree, section.node.partner).start,
      // The line end of the `<VirtualHost …>` line is the one to use.
      eol: tree.text[section.node.end - 2] === "\r" ? "\r\n" : "\n",
    },
    include: findInclude(tree, section, overview),
  };
}

const hasTls = (levels: Levels, section: Section): boolean => isTlsOn(inherited(levels, section, "sslengine"));

/**
 * Whether a virtual host with this argument of SSLEngine may answer TLS. Without SSLEngine the argument is undefined,
 * and the answer is no.
 */
export const isTlsOn = (engine = ""): boolean => /^(on|optional)$/i.test(engine);

/** The value that a virtual host sets itself, or else inherits from the server. */
export const inherited = (levels: Levels, section: Section, name: keyof Level): string | undefined =>
  levels.get(section)?.[name] ?? levels.get(undefined)?.[name];

/** The host name in a ServerName, which may also be written as `https://name:443`. */
export const hostName = (serverName: string): string => serverName.replace(/^\w+:\/\//, "").replace(/:\d+$/, "");

/** An address as the configuration writes it, and its port; port 0 stands for every port. */
export type Address = VirtualHostFacts["addresses"][number];

/** What httpd printed about a virtual host. */
const printedHosts = ({ dumped }: ConfigurationIndex, { file, node }: Section): readonly DumpedVirtualHost[] =>
  dumped.get(`${file}:${node.lastLine}`) ?? [];

/**
 * The addresses of a virtual host: those that httpd printed, because httpd resolves names, or else those of its tag. An
 * address with a variable of unknown value is left out.
 */
export function namedAddresses(overview: ConfigurationIndex, section: Section): Address[] {
  const printed = printedHosts(overview, section);
  const words = printed.length > 0 ? printed.map(({ address }) => address) : readWords(section.arguments);
  return words.filter((word) => !word.includes("${")).map(readAddress);
}

/** The addresses with this port, in the form in which a client on the host can reach them. */
function addressesOf(port: number, section: Section, overview: ConfigurationIndex): Address[] {
  return namedAddresses(overview, section)
    .filter((address) => address.port === port || address.port === 0)
    .map(({ address }) => ({ address: isAny(address) ? overview.anyAddress : address, port }));
}

/**
 * Wraps `find` so that the value is found when it is first needed, and only then: few configurations need it, and it
 * takes a walk through the whole configuration.
 */
function lazily<T>(find: () => T): () => T {
  // The object shows that the value has been found, whatever the value is.
  let result: { readonly value: T } | undefined;
  return () => (result ??= { value: find() }).value;
}

/** The ports in all `<VirtualHost>` tags; 0 stands for a tag without a port. */
const findNamedPorts = ({ effective }: Resolved): ReadonlySet<number> =>
  new Set(
    effective.flatMap(({ opens }) =>
      opens?.name === "virtualhost" ? readWords(opens.arguments).map((word) => readAddress(word).port) : [],
    ),
  );

/** The other ports that a virtual host answers, among those that httpd listens on, in ascending order. */
function otherPortsOf(port: number, section: Section, { listens, namedPorts }: ConfigurationIndex): number[] {
  const ownPorts = readWords(section.arguments).map((word) => readAddress(word).port);
  // A virtual host without a port answers every port, except those that other virtual hosts name.
  const portsOfOthers = ownPorts.includes(0) ? namedPorts() : undefined;
  const isAnswered = (other: number): boolean => ownPorts.includes(other) || portsOfOthers?.has(other) === false;
  const ports = listens.flatMap((listen) => (listen.port !== port && isAnswered(listen.port) ? [listen.port] : []));
  return [...new Set(ports)].sort((a, b) => a - b);
}

/** The ports that virtual hosts with SSLEngine on name, in ascending order. */
export function findTlsPorts({ effective }: Resolved): readonly number[] {
  const levels = levelsIn(effective);
  const ports = effective.flatMap(({ opens }) => {
    if (opens?.name !== "virtualhost" || !hasTls(levels, opens)) return [];
    return readWords(opens.arguments).map((word) => readAddress(word).port);
  });
  return [...new Set(ports)].filter((port) => port > 0).sort((a, b) => a - b);
}

/**
 * Reads the address of a `<VirtualHost>`. Without a port, or with `*` as the port, the virtual host answers on every
 * port that httpd listens on.
 */
export function readAddress(word: string): Address {
  const match = /^(.*):(\d+|\*)$/.exec(word);
  if (match === null) return { address: word, port: 0 };
  return { address: match[1] ?? "", port: match[2] === "*" ? 0 : Number(match[2]) };
}

/**
 * Whether an address of a Listen or a virtual host stands for every address. In a virtual host the zeros of one family
 * stand for the addresses of both (findings/virtual-host-zero-is-any.sh).
 */
export const isAny = (address: string): boolean =>
  ["*", "_default_", "0.0.0.0", "[::]"].includes(address.toLowerCase());

/**
 * The form in which openssl and curl reach an address on the host itself: `*` becomes 127.0.0.1, and an IPv6 address
 * loses the brackets in which httpd writes it.
 */
export const askedAddress = (address: string): string =>
  address === "*" ? "127.0.0.1" : address.replace(/^\[(.*)\]$/, "$1");

/**
 * Where a virtual host for any address of a port can be reached: `*`, or the address of the first Listen where httpd
 * listens only on certain addresses.
 */
export function listeningAddress(listens: readonly Listen[], port: number): string {
  const addresses = listens.filter((listen) => listen.port === port);
  const first = addresses[0];
  return first === undefined || addresses.some(({ address }) => isAny(address)) ? "*" : first.address;
}

/** A Listen, and whether TLS is spoken there. A Listen that names no protocol means TLS on port 443. */
export interface Listen extends Address {
  readonly isHttps: boolean;
}

/** Reads the arguments of a Listen: an address, and perhaps a protocol. */
export function readListenLine([word = "", protocol]: readonly string[]): Listen {
  const listen = readListen(word);
  return { ...listen, isHttps: protocol === undefined ? listen.port === 443 : protocol.toLowerCase() === "https" };
}

/** Reads the address of a Listen. */
export const readListen = (word: string): Address =>
  /^\d+$/.test(word) ? { address: "*", port: Number(word) } : readAddress(word);

/**
 * One form of an address for comparison. An IPv6 address may be written in many ways, and the parser of URLs brings all
 * of them to one form. Any other address or name is only put in lower case.
 */
const canonical = (address: string): string =>
  URL.canParse(`http://${address}`) && address.startsWith("[")
    ? new URL(`http://${address}`).hostname
    : address.toLowerCase();

/** The first Listen of the port on whose address no virtual host answers, so that the main server answers there. */
export function unansweredListen({ effective }: Resolved, port: number): Address | undefined {
  const answered = new Set(
    effective
      .filter(({ name }) => name === "virtualhost")
      .flatMap(({ arguments: [text = ""] }) => readWords(text).map(readAddress))
      .filter((address) => address.port === port || address.port === 0)
      .map(({ address }) => canonical(address)),
  );
  const isEverywhere = [...answered].some(isAny);
  const isAnswered = (address: string): boolean => isEverywhere || answered.has(canonical(address));
  const listens = effective.filter(({ name }) => name === "listen");
  return listens
    .map(({ arguments: [word = ""] }) => readListen(word))
    .find((listen) => listen.port === port && !isAnswered(listen.address));
}

/** Our line, if it stands directly in the virtual host and in the same file. */
function findInclude(tree: Tree, section: Section, { includes }: ConfigurationIndex): VirtualHostFacts["include"] {
  const own = includes.get(section);
  if (own === undefined || own.file !== section.file) return undefined;
  const { start, end, line } = own.node;
  // The last directive before the close tag; one node of blank lines and comments may stand between them.
  const beforeClose = section.node.partner - 1;
  const last = nodeAt(tree, beforeClose).kind === "trivia" ? beforeClose - 1 : beforeClose;
  return { offset: start, length: end - start, line, last: last === own.node.index };
}
