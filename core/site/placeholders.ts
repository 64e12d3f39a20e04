/**
 * Finds values that were copied from `stacks/example.yaml` and not replaced. They are well-formed, but useless on a
 * real site.
 */
import type { Mistake } from "./issues.ts";
import type { Path } from "./problem.ts";
import type { SiteClientAuth, SiteHost } from "./schema.ts";

/** The host key of `stacks/example.yaml`, which no host has. */
export const exampleHostKey = "AAAAC3NzaC1lZDI1NTE5AAAAIEBLjYHViGCaqFMyUIp8qXJHpIlClhosKhtu52v/rVHs";

/** Addresses that are reserved for documentation. @see https://www.rfc-editor.org/rfc/rfc5737 and rfc3849, rfc2606 */
const documentationAddress =
  /^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$|^2001:0?db8:|(^|\.)example(\.(com|net|org))?\.?$/i;

/** Finds the first CA file of the example. */
export function findCaPlaceholders(clientAuth: SiteClientAuth): Mistake[] {
  const index = clientAuth.caFiles.findIndex((file) => /^(\.\/)?example\//.test(file));
  const text =
    "is the example's CA, whose private key nobody has, so no client has such a certificate; give your issuer's";
  return index < 0 ? [] : [{ path: ["clientAuth", "caFiles", index], text }];
}

/**
 * Finds placeholders in the addresses and host keys of a host and of its bastion; `index` is its place among the hosts.
 */
export function findHostPlaceholders({ address, connection }: SiteHost, index: number): Mistake[] {
  const { hostKey, bastion } = connection;
  const path = ["hosts", index];
  const connectionPath = [...path, "connection"];
  return [
    ...checkAddress(address, [...path, "address"]),
    ...checkHostKey(hostKey, [...connectionPath, "hostKey"]),
    ...(bastion === undefined
      ? []
      : [
          ...checkAddress(bastion.address, [...connectionPath, "bastion", "address"]),
          ...checkHostKey(bastion.hostKey, [...connectionPath, "bastion", "hostKey"]),
        ]),
  ];
}

const checkAddress = (address: string, path: Path): Mistake[] =>
  documentationAddress.test(address)
    ? [{ path, text: `${address} is an address for examples, which no host has; write the host's own` }]
    : [];

const checkHostKey = (hostKey: string, path: Path): Mistake[] =>
  hostKey.includes(exampleHostKey)
    ? [{ path, text: "is the example's host key, which no host has; write the host's own" }]
    : [];
