/** A project whose one host is a real lab host. */
import { type LabHost, startLabHost } from "../../lab/host.ts";
import type { LabHostOptions } from "../../lab/options.ts";
import { type Project, createProject } from "./project.ts";

export interface LabSite {
  readonly host: LabHost;
  readonly project: Project;
  /** Writes the site file anew; `changes` replaces lines of it. */
  readonly writeSite: (changes?: SiteChanges) => Promise<void>;
  readonly remove: () => Promise<void>;
}

export interface SiteChanges {
  readonly organizations?: string;
  readonly sshPort?: number;
}

export async function labSite(options: LabHostOptions = {}): Promise<LabSite> {
  const host = await startLabHost(options);
  const project = await createProject();
  await project.write("ca.pem", host.pki.caBundle);
  await project.write("issuing.crl", await host.pki.crl());
  const writeSite = (changes: SiteChanges = {}): Promise<void> => project.write("lab.yaml", siteText(host, changes));
  await writeSite();
  const remove = async (): Promise<void> => {
    await host.stop();
    await project.remove();
  };
  return { host, project, writeSite, remove };
}

function siteText({ address, ports, hostKey, keyFile }: LabHost, changes: SiteChanges): string {
  return `clientAuth:
  caFiles: [ca.pem]
  crlFiles: [issuing.crl]
  organizations: [${changes.organizations ?? "ABC CORPORATION"}]
  countries: [JP]
hosts:
  - name: web1
    address: ${address}
    port: ${ports.https}
    phpVersion: "8.3"
    connection:
      port: ${changes.sshPort ?? ports.ssh}
      hostKey: ${hostKey.trim()}
      login: { keyFile: ${keyFile} }
`;
}
