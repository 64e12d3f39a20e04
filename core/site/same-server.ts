/** Two entries for one server: each run would take back what the other has written. */
import type { Mistake } from "./issues.ts";
import { exampleHostKey } from "./placeholders.ts";
import type { SiteHost } from "./schema.ts";

/** A host with its place in the list, as it may have mistakes before it. */
export type NumberedHost = readonly [index: number, host: SiteHost];

export interface SameServers {
  /** One address and port on one way: there is no doubt. */
  readonly problems: readonly Mistake[];
  /** One host key at two addresses: one machine with two names, or one that was copied with its key. */
  readonly warnings: readonly Mistake[];
}

/** `lineOf`: the line of `hosts[0]`. Two servers of one machine have different `httpd` or `config`. */
export function findSameServers(
  hosts: readonly NumberedHost[],
  lineOf: (path: string) => number | undefined,
): SameServers {
  const problems: Mistake[] = [];
  const warnings: Mistake[] = [];
  hosts.forEach(([index, host], at) => {
    const earlier = hosts
      .slice(0, at)
      .filter(([, other]) => other.httpd === host.httpd && other.config === host.config);
    const called = (other: number): string => `hosts[${other}] (line ${lineOf(`hosts[${other}]`) ?? 1})`;
    const same = earlier.find(([, other]) => isSameMachine(other, host));
    const copied = earlier.find(([, other]) => keyOf(other) === keyOf(host) && !keyOf(host).includes(exampleHostKey));
    if (same !== undefined)
      problems.push({
        path: ["hosts", index],
        text: `this is the server of ${called(same[0])}, too; remove one of them, or write httpd or config for each if the machine runs two servers`,
      });
    else if (copied !== undefined)
      warnings.push({
        path: ["hosts", index, "connection", "hostKey"],
        text: `this is the host key of ${called(copied[0])}, too; if that is the same machine, remove one of them; if one was copied from the other, give each its own host key`,
      });
  });
  return { problems, warnings };
}

/** Behind two bastions one private address may be two machines, which their host keys tell apart. */
function isSameMachine(one: SiteHost, other: SiteHost): boolean {
  const isSameWay = wayOf(one.connection.bastion) === wayOf(other.connection.bastion);
  return (
    wayOf({ address: one.address, port: one.connection.port }) ===
      wayOf({ address: other.address, port: other.connection.port }) &&
    (isSameWay || keyOf(one) === keyOf(other))
  );
}

function wayOf(endpoint: { readonly address: string; readonly port: number } | undefined): string {
  if (endpoint === undefined) return "";
  const { address, port } = endpoint;
  const url = `http://${address.includes(":") ? `[${address}]` : address.replace(/\.$/, "")}`;
  // As a URL, an IPv6 address has one spelling; one with a zone is none.
  return `${URL.canParse(url) ? new URL(url).hostname : address.toLowerCase()} ${port}`;
}

/** Without its comment. */
const keyOf = ({ connection }: SiteHost): string => connection.hostKey.trim().split(/\s+/).slice(0, 2).join(" ");
