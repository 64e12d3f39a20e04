/** TLS virtual hosts of this httpd that we do not cover, because they answer other ports: a change must not be noticed there. */
import type { AskedHost } from "./model.ts";
import type { Section } from "./sections.ts";
import {
  type Address,
  type Overview,
  type Surroundings,
  askedAddress,
  hostName,
  inherited,
  isAny,
  isTlsOn,
  listeningAddress,
  overlook,
  readAddress,
  unansweredListen,
} from "./virtual-hosts.ts";
import { readWords } from "./words.ts";

/** What answers TLS beside what we cover. */
export interface OtherHosts {
  /** Where they can be asked. */
  readonly asked: readonly AskedHost[];
  /** `file:line` of their `<VirtualHost>`. */
  readonly places: ReadonlySet<string>;
  /** The main server itself answers TLS where no virtual host does. */
  readonly isMainServer: boolean;
}

/** `covered`: `file:line` of each virtual host of our port. */
export function findOtherHosts(around: Surroundings, covered: ReadonlySet<string>): OtherHosts {
  const overview = overlook(around);
  const asked = new Map<string, AskedHost>();
  const places = new Set<string>();
  const answered = new Set<number>();
  for (const { opens } of around.resolved.effective) {
    if (opens?.name !== "virtualhost") continue;
    const addresses = addressesOf(around, overview, opens);
    for (const { port } of addresses) answered.add(port);
    const place = `${around.resolvedPath(opens.file)}:${opens.node.line}`;
    if (covered.has(place) || addresses.length === 0 || !mayAnswerTls(overview, opens, addresses)) continue;
    places.add(place);
    const serverName = hostName(inherited(overview.levels, opens, "servername") ?? "");
    for (const address of addresses) add(asked, { ...askedAt(overview, address), serverName });
  }
  const main = mainServerAddresses(around, overview, answered);
  const isOnOwnPort = hasMainServerTls(overview) && unansweredListen(around.resolved, around.port) !== undefined;
  for (const address of main) add(asked, { ...askedAt(overview, address), serverName: "" });
  return { asked: [...asked.values()], places, isMainServer: main.length > 0 || isOnOwnPort };
}

const add = (asked: Map<string, AskedHost>, host: AskedHost): Map<string, AskedHost> =>
  asked.set(`${host.address} ${host.port} ${host.serverName}`, host);

/** As httpd resolved them where it was asked; a virtual host without a port answers on each one. */
function addressesOf({ port: own }: Surroundings, overview: Overview, section: Section): Address[] {
  const said = overview.dumped.get(`${section.file}:${section.node.lastLine}`) ?? [];
  const words = said.length > 0 ? said.map(({ address }) => address) : readWords(section.arguments);
  return words
    .filter((word) => !word.includes("${"))
    .map(readAddress)
    .flatMap((one) => (one.port === 0 ? overview.listens.map(({ port }) => ({ ...one, port })) : [one]))
    .filter(({ port }) => port !== own);
}

/** To ask once too often harms nobody: an answer that is no TLS is the same before and after. */
function mayAnswerTls({ levels, listens }: Overview, section: Section, addresses: readonly Address[]): boolean {
  const engine = inherited(levels, section, "sslengine");
  if (engine !== undefined) return isTlsOn(engine);
  const isHttps = listens.some((listen) => listen.isHttps && addresses.some(({ port }) => port === listen.port));
  return isHttps && inherited(levels, section, "sslcertificatefile") !== undefined;
}

const hasMainServerTls = ({ levels }: Overview): boolean => isTlsOn(levels.get(undefined)?.sslengine);

function mainServerAddresses(
  { port: own }: Surroundings,
  overview: Overview,
  answered: ReadonlySet<number>,
): Address[] {
  const { listens } = overview;
  if (!hasMainServerTls(overview)) return [];
  return listens.filter(({ port }) => port !== own && !answered.has(port));
}

function askedAt({ listens }: Overview, { address, port }: Address): Omit<AskedHost, "serverName"> {
  const listening = isAny(address) ? listeningAddress(listens, port) : address;
  return { address: askedAddress(listening), port };
}
