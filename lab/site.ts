/** A site file for lab hosts, as an integrator would write it. */
import { dump } from "js-yaml";
import type { LabHost } from "./host.ts";

export interface LabSite {
  /** The files as the site file names them. */
  readonly caFiles: readonly string[];
  readonly crlFiles?: readonly string[];
  /** Further keys of `clientAuth`, such as `crlSources`. */
  readonly clientAuth?: Readonly<Record<string, unknown>> | undefined;
  readonly hosts: readonly LabSiteHost[];
  /** @default ["ABC CORPORATION"] */
  readonly organizations?: readonly string[] | undefined;
}

export interface LabSiteHost {
  readonly name: string;
  readonly lab: Pick<LabHost, "address" | "ports" | "hostKey" | "keyFile">;
  /** Keys that replace or join those of `connection`, such as `sudo`. */
  readonly connection?: Readonly<Record<string, unknown>>;
  /** Further keys of the host, such as `adopt: true`. */
  readonly more?: Readonly<Record<string, unknown>>;
}

export function siteText({
  caFiles,
  crlFiles,
  clientAuth,
  organizations = ["ABC CORPORATION"],
  hosts,
}: LabSite): string {
  const lists = crlFiles === undefined ? {} : { crlFiles };
  const site = {
    clientAuth: { caFiles, ...lists, organizations, countries: ["JP"], ...clientAuth },
    hosts: hosts.map(({ name, lab, connection, more }) => ({
      name,
      address: lab.address,
      port: lab.ports.https,
      connection: {
        user: "root",
        port: lab.ports.ssh,
        hostKey: lab.hostKey,
        login: { keyFile: lab.keyFile },
        sudo: "none",
        ...connection,
      },
      ...more,
    })),
  };
  return dump(site, { lineWidth: -1 }); // keys of hosts on one line, as sshd has them
}
