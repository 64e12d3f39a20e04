/** Finds the virtual hosts that answer TLS on a port, and where our line goes in each. */
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
  /** The condition around it that could not be decided. */
  readonly undecided: Section | undefined;
}

/** Directives that tell a virtual host from another. */
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

/** What virtual hosts are found in. */
export interface Context {
  readonly resolved: Resolved;
  readonly dump: Dump | undefined;
  readonly serverRoot: string;
  /** Whose virtual hosts are covered. */
  readonly port: number;
  /** Path of the file itself, by the name that httpd uses. */
  readonly resolvedPath: (file: string) => string;
}

/** In the order in which httpd reads them; a file that is included twice counts once. */
export function findTlsVirtualHosts(context: Context, overview: ConfigurationIndex): TlsVirtualHost[] {
  const found = new Map<string, TlsVirtualHost>();
  for (const directive of context.resolved.effective) {
    const section = directive.opens;
    if (section?.name !== "virtualhost") continue;
    const key = `${context.resolvedPath(section.file)}:${section.node.start}`;
    const facts = found.has(key) ? undefined : readVirtualHost(context, section, overview);
    if (facts !== undefined) found.set(key, { facts, section, undecided: directive.undecided });
  }
  return [...found.values()];
}

/**
 * What a virtual host says itself or has from the server. Not a Map each: thousands of those keep the garbage collector
 * busy.
 */
type Level = { [Name in (typeof inheritedNames)[number]]?: string };

const inheritedNames = [
  "sslengine",
  "sslcertificatefile",
  "sslcertificatechainfile",
  "servername",
  "documentroot",
] as const;

const isInherited = (name: string): name is keyof Level => (inheritedNames as readonly string[]).includes(name);

/** What is looked up for each virtual host, gathered once. */
export interface ConfigurationIndex {
  /** First arguments by the section that directives stand in directly: the last directive of a name wins. */
  readonly levels: ReadonlyMap<Section | undefined, Level>;
  /** Our line by the section that it stands in directly; the last one, if someone copied it. */
  readonly includes: ReadonlyMap<Section | undefined, Effective>;
  /** Where a virtual host for any address can be asked: `*`, unless httpd listens on certain addresses only. */
  readonly anyAddress: string;
  /** Of every Listen. */
  readonly listens: readonly Listen[];
  /** Ports that some `<VirtualHost>` names: one without a port does not answer those. */
  readonly namedPorts: () => ReadonlySet<number>;
  /** What httpd said of the virtual host that begins at `file:line`. */
  readonly dumped: ReadonlyMap<string, readonly DumpedVirtualHost[]>;
}

/** Gathers what is looked up for each virtual host. */
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
    const known = dumped.get(place);
    if (known === undefined) dumped.set(place, [host]);
    else known.push(host);
  }
  return {
    levels: levelsIn(resolved.effective),
    includes,
    anyAddress: listeningAddress(listens, port),
    listens,
    namedPorts: once(() => findNamedPorts(resolved)),
    dumped,
  };
}

function levelsIn(effective: readonly Effective[]): ConfigurationIndex["levels"] {
  const levels = new Map<Section | undefined, Level>();
  for (const { name, section, arguments: words } of effective)
    if (isInherited(name)) levelOf(levels, section)[name] = words[0];
  return levels;
}

function levelOf(levels: Map<Section | undefined, Level>, section: Section | undefined): Level {
  const known = levels.get(section);
  if (known !== undefined) return known;
  const level: Level = {};
  levels.set(section, level);
  return level;
}

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
    serverName: hostName(inherited(levels, section, "servername") ?? saidOf(overview, section)[0]?.name ?? ""),
    addresses,
    ...(otherPorts.length > 0 && { otherPorts }),
    documentRoot: documentRoot === undefined ? undefined : absolutePath(context.serverRoot, documentRoot),
    insertAt: {
      offset: nodeAt(tree, section.node.partner).start,
      eol: tree.text[section.node.end - 2] === "\r" ? "\r\n" : "\n",
    },
    include: findInclude(tree, section, overview),
  };
}

const hasTls = (levels: ConfigurationIndex["levels"], section: Section): boolean =>
  isTlsOn(inherited(levels, section, "sslengine"));

/** Whether a virtual host whose SSLEngine has this argument may answer TLS; undefined where it has no SSLEngine. */
export const isTlsOn = (engine = ""): boolean => /^(on|optional)$/i.test(engine);

/** What a virtual host says itself, or has from the server. */
export const inherited = (
  levels: ConfigurationIndex["levels"],
  section: Section,
  name: keyof Level,
): string | undefined => levels.get(section)?.[name] ?? levels.get(undefined)?.[name];

/** ServerName takes `https://name:443`, too. */
export const hostName = (serverName: string): string => serverName.replace(/^\w+:\/\//, "").replace(/:\d+$/, "");

/** An address as the configuration writes it, and its port; 0 stands for every port. */
export type Address = VirtualHostFacts["addresses"][number];

/** What httpd said of a virtual host. */
const saidOf = ({ dumped }: ConfigurationIndex, { file, node }: Section): readonly DumpedVirtualHost[] =>
  dumped.get(`${file}:${node.lastLine}`) ?? [];

/** The addresses of a virtual host: what httpd said about them first, because it resolves names. */
export function namedAddresses(overview: ConfigurationIndex, section: Section): Address[] {
  const said = saidOf(overview, section);
  const words = said.length > 0 ? said.map(({ address }) => address) : readWords(section.arguments);
  return words.filter((word) => !word.includes("${")).map(readAddress);
}

/** Those of the port, as they can be asked. */
function addressesOf(port: number, section: Section, overview: ConfigurationIndex): Address[] {
  return namedAddresses(overview, section)
    .filter((address) => address.port === port || address.port === 0)
    .map(({ address }) => ({ address: isAny(address) ? overview.anyAddress : address, port }));
}

/** What few configurations need and would take a walk through all of it. */
function once<T>(find: () => T): () => T {
  let found: { readonly value: T } | undefined;
  return () => (found ??= { value: find() }).value;
}

const findNamedPorts = ({ effective }: Resolved): ReadonlySet<number> =>
  new Set(
    effective.flatMap(({ opens }) =>
      opens?.name === "virtualhost" ? readWords(opens.arguments).map((word) => readAddress(word).port) : [],
    ),
  );

/** Of those that httpd listens on. */
function otherPortsOf(port: number, section: Section, { listens, namedPorts }: ConfigurationIndex): number[] {
  const named = readWords(section.arguments).map((word) => readAddress(word).port);
  const taken = named.includes(0) ? namedPorts() : undefined;
  const isAnswered = (other: number): boolean => named.includes(other) || taken?.has(other) === false;
  const ports = listens.flatMap((listen) => (listen.port !== port && isAnswered(listen.port) ? [listen.port] : []));
  return [...new Set(ports)].sort((a, b) => a - b);
}

/** Ports that virtual hosts with SSLEngine on name, in their order as numbers. */
export function findTlsPorts({ effective }: Resolved): readonly number[] {
  const levels = levelsIn(effective);
  const ports = effective.flatMap(({ opens }) => {
    if (opens?.name !== "virtualhost" || !hasTls(levels, opens)) return [];
    return readWords(opens.arguments).map((word) => readAddress(word).port);
  });
  return [...new Set(ports)].filter((port) => port > 0).sort((a, b) => a - b);
}

/**
 * The address of a `<VirtualHost>`; without a port, or with `*`, a virtual host answers on every port that httpd
 * listens on.
 */
export function readAddress(word: string): Address {
  const match = /^(.*):(\d+|\*)$/.exec(word);
  if (match === null) return { address: word, port: 0 };
  return { address: match[1] ?? "", port: match[2] === "*" ? 0 : Number(match[2]) };
}

/** Whether an address of a Listen or a virtual host stands for every one. */
export const isAny = (address: string): boolean =>
  ["*", "_default_", "0.0.0.0", "[::]"].includes(address.toLowerCase());

/**
 * Where openssl and curl reach an address on the host itself: without the brackets in which httpd writes one of IPv6.
 */
export const askedAddress = (address: string): string =>
  address === "*" ? "127.0.0.1" : address.replace(/^\[(.*)\]$/, "$1");

/** Where a virtual host for any address of a port can be asked. */
export function listeningAddress(listens: readonly Listen[], port: number): string {
  const addresses = listens.filter((listen) => listen.port === port);
  const first = addresses[0];
  return first === undefined || addresses.some(({ address }) => isAny(address)) ? "*" : first.address;
}

/** A Listen, and whether it says that TLS is spoken there: without a word of its own, port 443 does. */
export interface Listen extends Address {
  readonly isHttps: boolean;
}

/** A Listen by its arguments: an address, and perhaps a protocol. */
export function readListenLine([word = "", protocol]: readonly string[]): Listen {
  const listen = readListen(word);
  return { ...listen, isHttps: protocol === undefined ? listen.port === 443 : protocol.toLowerCase() === "https" };
}

/** The address of a Listen. */
export const readListen = (word: string): Address =>
  /^\d+$/.test(word) ? { address: "*", port: Number(word) } : readAddress(word);

const anyAddresses = ["*", "_default_"];

/** An IPv6 address may be written in many ways; a name stays as it is. */
const canonical = (address: string): string =>
  URL.canParse(`http://${address}`) && address.startsWith("[")
    ? new URL(`http://${address}`).hostname
    : address.toLowerCase();

/** A Listen of the port on whose address no virtual host answers, so that the main server does. */
export function unansweredListen({ effective }: Resolved, port: number): Address | undefined {
  const answered = new Set(
    effective
      .filter(({ name }) => name === "virtualhost")
      .flatMap(({ arguments: [text = ""] }) => readWords(text).map(readAddress))
      .filter((address) => address.port === port || address.port === 0)
      .map(({ address }) => canonical(address)),
  );
  const isAnswered = (address: string): boolean =>
    [...anyAddresses, canonical(address)].some((one) => answered.has(one));
  const listens = effective.filter(({ name }) => name === "listen");
  return listens
    .map(({ arguments: [word = ""] }) => readListen(word))
    .find((listen) => listen.port === port && !isAnswered(listen.address));
}

/** Our line, when it stands in the virtual host itself and in its file. */
function findInclude(tree: Tree, section: Section, { includes }: ConfigurationIndex): VirtualHostFacts["include"] {
  const own = includes.get(section);
  if (own === undefined || own.file !== section.file) return undefined;
  const { start, end, line } = own.node;
  const before = section.node.partner - 1;
  const last = nodeAt(tree, before).kind === "trivia" ? before - 1 : before;
  return { offset: start, length: end - start, line, last: last === own.node.index };
}
