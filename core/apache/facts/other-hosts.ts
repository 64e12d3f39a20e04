/**
 * TLS virtual hosts of this httpd that we do not cover, because they answer other ports. A change must not be
 * noticeable there.
 */
import type { AskedHost } from "../model.ts";
import type { Section } from "../config/sections.ts";
import {
  type Address,
  type ConfigurationIndex,
  type Context,
  askedAddress,
  hostName,
  inherited,
  isAny,
  isTlsOn,
  listeningAddress,
  namedAddresses,
  unansweredListen,
} from "./virtual-hosts.ts";

/** What answers TLS on this httpd beside the covered virtual hosts. */
export interface OtherHosts {
  /** Where the checks of a change can reach them. */
  readonly asked: readonly AskedHost[];
  /** The place of their `<VirtualHost>`, as `file:line`. */
  readonly places: ReadonlySet<string>;
  /** Whether the main server itself answers TLS where no virtual host does. */
  readonly isMainServer: boolean;
}

/**
 * Finds the virtual hosts of other ports that answer TLS, and whether the main server does. `covered` has the
 * `file:line` of each virtual host of our port.
 */
export function findOtherHosts(
  context: Context,
  overview: ConfigurationIndex,
  covered: ReadonlySet<string>,
): OtherHosts {
  const asked = new Map<string, AskedHost>();
  const places = new Set<string>();
  for (const { opens: section } of context.resolved.effective) {
    if (section?.name !== "virtualhost" || !mayAnswerTls(overview, section)) continue;
    const place = `${context.resolvedPath(section.file)}:${section.node.line}`;
    const addresses = covered.has(place) ? [] : tlsAddresses(context, overview, section);
    if (addresses.length === 0) continue;
    places.add(place);
    const serverName = hostName(inherited(overview.levels, section, "servername") ?? "");
    for (const address of addresses) addOnce(asked, { ...reachableAt(overview, address), serverName });
  }
  const mainAddresses = mainServerAddresses(context, overview);
  const isOnOwnPort = hasMainServerTls(overview) && unansweredListen(context.resolved, context.port) !== undefined;
  for (const address of mainAddresses) addOnce(asked, { ...reachableAt(overview, address), serverName: "" });
  return { asked: [...asked.values()], places, isMainServer: mainAddresses.length > 0 || isOnOwnPort };
}

/** Adds a host under a key of all its values, so that equal hosts are asked once. */
function addOnce(asked: Map<string, AskedHost>, host: AskedHost): void {
  asked.set(`${host.address} ${host.port} ${host.serverName}`, host);
}

/** The addresses on other ports than ours. A virtual host without a port answers on every port of a Listen. */
const otherPortAddresses = ({ port: own }: Context, overview: ConfigurationIndex, section: Section): Address[] =>
  namedAddresses(overview, section)
    .flatMap((named) => (named.port === 0 ? overview.listens.map(({ port }) => ({ ...named, port })) : [named]))
    .filter(({ port }) => port !== own);

/**
 * Whether a virtual host has SSLEngine on, or a certificate and no SSLEngine. Asking one host too many harms nobody: an
 * answer without TLS is the same before and after the change.
 */
function mayAnswerTls({ levels }: ConfigurationIndex, section: Section): boolean {
  const engine = inherited(levels, section, "sslengine");
  return engine === undefined ? inherited(levels, section, "sslcertificatefile") !== undefined : isTlsOn(engine);
}

/**
 * The addresses on other ports where a virtual host that may answer TLS answers it. Without SSLEngine, a virtual host
 * with a certificate answers TLS only where a Listen says https; one such Listen makes all its addresses count.
 */
function tlsAddresses(context: Context, overview: ConfigurationIndex, section: Section): readonly Address[] {
  const addresses = otherPortAddresses(context, overview, section);
  if (inherited(overview.levels, section, "sslengine") !== undefined) return addresses;
  const isHttps = (port: number): boolean => overview.listens.some((listen) => listen.isHttps && listen.port === port);
  return addresses.some(({ port }) => isHttps(port)) ? addresses : [];
}

const hasMainServerTls = ({ levels }: ConfigurationIndex): boolean => isTlsOn(levels.get(undefined)?.sslengine);

/**
 * Each Listen on another port than ours for which there is no virtual host at all, so that the main server answers TLS
 * itself; none where the main server has no TLS. Only ports are compared, not addresses.
 */
function mainServerAddresses(context: Context, overview: ConfigurationIndex): Address[] {
  if (!hasMainServerTls(overview)) return [];
  const answered = new Set(
    context.resolved.effective.flatMap(({ opens }) =>
      opens?.name === "virtualhost" ? otherPortAddresses(context, overview, opens).map(({ port }) => port) : [],
    ),
  );
  return overview.listens.filter(({ port }) => port !== context.port && !answered.has(port));
}

/** The form of an address in which a client on the host can reach it. */
function reachableAt({ listens }: ConfigurationIndex, { address, port }: Address): Omit<AskedHost, "serverName"> {
  const listening = isAny(address) ? listeningAddress(listens, port) : address;
  return { address: askedAddress(listening), port };
}
