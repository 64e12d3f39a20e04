/** Finds two entries for the same server: each run would undo what the other one has written. */
import type { Mistake } from "./issues.ts";
import { exampleHostKey } from "./placeholders.ts";
import type { SiteHost } from "./schema.ts";

/** A host with its index, because hosts before it may have mistakes and be left out. */
export type NumberedHost = readonly [index: number, host: SiteHost];

export interface SameServers {
  /**
   * Two entries with the same address, port, `httpd` and `config`, which are reached through the same bastion or have
   * the same host key: this is certainly the same server.
   */
  readonly problems: readonly Mistake[];
  /** One host key at two addresses: either one machine with two names, or a machine that was copied with its key. */
  readonly warnings: readonly Mistake[];
}

/** Finds entries for a server that an earlier entry has. `lineOf` returns the line of a path such as `hosts[0]`. */
export function findSameServers(
  hosts: readonly NumberedHost[],
  lineOf: (path: string) => number | undefined,
): SameServers {
  const problems: Mistake[] = [];
  const warnings: Mistake[] = [];
  hosts.forEach(([index, host], position) => {
    // Two servers on one machine have different `httpd` or `config`.
    const earlier = hosts
      .slice(0, position)
      .filter(([, other]) => other.httpd === host.httpd && other.config === host.config);
    const nameOf = (other: number): string => `hosts[${other}] (line ${lineOf(`hosts[${other}]`) ?? 1})`;
    const same = earlier.find(([, other]) => isSameMachine(other, host));
    // The example's host key has a warning of its own.
    const copied = earlier.find(([, other]) => keyOf(other) === keyOf(host) && !keyOf(host).includes(exampleHostKey));
    if (same !== undefined)
      problems.push({
        path: ["hosts", index],
        text: `this is the server of ${nameOf(same[0])}, too; remove one of them, or write httpd or config for each if the machine runs two servers`,
      });
    else if (copied !== undefined)
      warnings.push({
        path: ["hosts", index, "connection", "hostKey"],
        text: `this is the host key of ${nameOf(copied[0])}, too; if that is the same machine, remove one of them; if one was copied from the other, give each its own host key`,
      });
  });
  return { problems, warnings };
}

/**
 * Whether two entries have one address and port, and one bastion (or none) or one host key. Behind two different
 * bastions, one private address may be two machines. Their host keys distinguish them.
 */
function isSameMachine(one: SiteHost, other: SiteHost): boolean {
  const isSameBastion = endpointKey(one.connection.bastion) === endpointKey(other.connection.bastion);
  return (
    endpointKey({ address: one.address, port: one.connection.port }) ===
      endpointKey({ address: other.address, port: other.connection.port }) &&
    (isSameBastion || keyOf(one) === keyOf(other))
  );
}

/** A text that is equal for spellings of one address and port. Empty for no endpoint. */
function endpointKey(endpoint: { readonly address: string; readonly port: number } | undefined): string {
  if (endpoint === undefined) return "";
  const { address, port } = endpoint;
  const url = `http://${address.includes(":") ? `[${address}]` : address.replace(/\.$/, "")}`;
  // As a URL, an IPv6 address has only one spelling. An IPv6 address with a zone is not a URL.
  return `${URL.canParse(url) ? new URL(url).hostname : address.toLowerCase()} ${port}`;
}

/** The host key without its comment. */
const keyOf = ({ connection }: SiteHost): string => connection.hostKey.trim().split(/\s+/).slice(0, 2).join(" ");
