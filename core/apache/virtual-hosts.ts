/** Finds the virtual hosts that answer TLS on a port, and where our line goes in each. */
import type { Dump, DumpedVirtualHost } from "./dump.ts";
import type { VirtualHostFacts } from "./model.ts";
import { isIncludeLine } from "./own-lines.ts";
import type { Node, Tree } from "./parse.ts";
import { absolutePath } from "./paths.ts";
import { sectionsOf, type Effective, type Resolved, type Section } from "./resolve.ts";
import { readWords } from "./words.ts";

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
  "servername",
  "documentroot",
  "listen",
  "include",
  "includeoptional",
];

interface Surroundings {
  readonly resolved: Resolved;
  readonly dump: Dump | undefined;
  readonly serverRoot: string;
  readonly port: number;
  /** Path of the file itself, by the name that httpd uses. */
  readonly resolvedPath: (file: string) => string;
}

/** The virtual host around a directive; undefined at server level. */
export function virtualHostOf(directive: Effective): Section | undefined {
  const outermost = sectionsOf(directive.section)[0];
  return outermost?.name === "virtualhost" ? outermost : undefined;
}

/** In the order in which httpd reads them; a file that is included twice counts once. */
export function findTlsVirtualHosts(around: Surroundings): TlsVirtualHost[] {
  const levels = byLevel(around.resolved.effective);
  const found = new Map<string, TlsVirtualHost>();
  for (const directive of around.resolved.effective) {
    const section = directive.opens;
    if (section?.name !== "virtualhost") continue;
    const key = `${around.resolvedPath(section.file)}:${section.node.start}`;
    const facts = found.has(key) ? undefined : readVirtualHost(around, section, levels);
    if (facts !== undefined) found.set(key, { facts, section, undecided: directive.undecided });
  }
  return [...found.values()];
}

type Levels = ReadonlyMap<Section | undefined, readonly Effective[]>;

/** Directives by the section that they stand in directly. */
function byLevel(effective: readonly Effective[]): Levels {
  const levels = new Map<Section | undefined, Effective[]>();
  for (const directive of effective) {
    const level = levels.get(directive.section);
    if (level === undefined) levels.set(directive.section, [directive]);
    else level.push(directive);
  }
  return levels;
}

/** The last one of its level wins, and the virtual host beats the server level. */
function findLast(levels: Levels, section: Section | undefined, name: string): Effective | undefined {
  return levels
    .get(section)
    ?.filter((directive) => directive.name === name)
    .at(-1);
}

function readVirtualHost(around: Surroundings, section: Section, levels: Levels): VirtualHostFacts | undefined {
  const inherited = (name: string): string | undefined =>
    (findLast(levels, section, name) ?? findLast(levels, undefined, name))?.arguments[0];
  if (!/^(on|optional)$/i.test(inherited("sslengine") ?? "")) return undefined;
  const dumped = around.dump?.virtualHosts.filter(
    (host) => host.file === section.file && host.line === section.node.lastLine,
  );
  const addresses = addressesOf(around.port, section, dumped, levels.get(undefined) ?? []);
  const tree = around.resolved.trees.get(section.file);
  const close = tree?.nodes[section.node.partner];
  if (addresses.length === 0 || tree === undefined || close === undefined) return undefined;
  const documentRoot = inherited("documentroot");
  return {
    file: around.resolvedPath(section.file),
    line: section.node.line,
    serverName: hostName(inherited("servername") ?? dumped?.[0]?.name ?? ""),
    addresses,
    documentRoot: documentRoot === undefined ? undefined : absolutePath(around.serverRoot, documentRoot),
    insertAt: { offset: close.start, eol: tree.text[section.node.end - 2] === "\r" ? "\r\n" : "\n" },
    include: findInclude(tree, section, close, levels),
  };
}

/** ServerName takes `https://name:443`, too. */
const hostName = (serverName: string): string => serverName.replace(/^\w+:\/\//, "").replace(/:\d+$/, "");

type Address = VirtualHostFacts["addresses"][number];

/** The addresses of the port; what httpd said about them first, because it resolves names. */
function addressesOf(
  port: number,
  section: Section,
  dumped: readonly DumpedVirtualHost[] | undefined,
  server: readonly Effective[],
): Address[] {
  const said = dumped?.map((host) => host.address) ?? [];
  const words = said.length > 0 ? said : readWords(section.arguments);
  const listens = server.filter((directive) => directive.name === "listen").map(({ arguments: [first = ""] }) => first);
  return words
    .map(readAddress)
    .filter((address) => address.port === port || address.port === 0)
    .map(({ address }) => ({ address: isAny(address) ? listeningAddress(listens, port) : address, port }));
}

/** Without a port, or with `*`, a virtual host answers on every port that httpd listens on. */
function readAddress(word: string): Address {
  const match = /^(.*):(\d+|\*)$/.exec(word);
  if (match === null) return { address: word, port: 0 };
  return { address: match[1] ?? "", port: match[2] === "*" ? 0 : Number(match[2]) };
}

const isAny = (address: string): boolean => ["*", "_default_", "0.0.0.0", "[::]"].includes(address.toLowerCase());

/** Where a virtual host for any address can be asked: `*`, unless httpd listens on certain addresses of the port only. */
function listeningAddress(listens: readonly string[], port: number): string {
  const addresses = listens.map(readListen).filter((listen) => listen.port === port);
  const first = addresses[0];
  return first === undefined || addresses.some(({ address }) => isAny(address)) ? "*" : first.address;
}

const readListen = (word: string): Address =>
  /^\d+$/.test(word) ? { address: "*", port: Number(word) } : readAddress(word);

/** Our line, when it stands in the virtual host itself; the last one, if someone copied it. */
function findInclude(tree: Tree, section: Section, close: Node, levels: Levels): VirtualHostFacts["include"] {
  const own = levels
    .get(section)
    ?.filter((directive) => directive.file === section.file && isIncludeLine(tree, directive.node))
    .at(-1);
  if (own === undefined) return undefined;
  const { start, end, line } = own.node;
  const before = tree.nodes[section.node.partner - 1];
  const last = before?.kind === "trivia" ? tree.nodes[section.node.partner - 2] : before;
  return { offset: start, length: end - start, line, last: last === own.node };
}
