/** A project whose one host is a real lab host. */
import { type LabHost, startLabHost } from "../../lab/host.ts";
import type { LabHostOptions } from "../../lab/options.ts";
import { type Project, createProject } from "../../lab/project.ts";
import { siteText } from "../../lab/site.ts";

export interface LabSite {
  readonly host: LabHost;
  readonly project: Project;
  /** Writes the site file anew; `changes` replaces lines of it. */
  readonly writeSite: (changes?: SiteChanges) => Promise<void>;
  readonly remove: () => Promise<void>;
}

export interface SiteChanges {
  readonly organizations?: readonly string[];
  readonly sshPort?: number;
  readonly connection?: Readonly<Record<string, unknown>>;
  /** Further keys of the host, such as `adopt: true`. */
  readonly more?: Readonly<Record<string, unknown>>;
}

export async function labSite(options: LabHostOptions = {}, environment: NodeJS.ProcessEnv = {}): Promise<LabSite> {
  const host = await startLabHost(options);
  const project = await createProject({ environment });
  await project.write("ca.pem", host.pki.caBundle);
  await project.write("issuing.crl", await host.pki.crl());
  const writeSite = (changes: SiteChanges = {}): Promise<void> => {
    const { organizations, sshPort = host.ports.ssh, connection = {}, more } = changes;
    const lab = { ...host, ports: { ...host.ports, ssh: sshPort } };
    const hosts = [{ name: "web1", lab, connection, more: { phpVersion: "8.3", ...more } }];
    return project.write(
      "lab.yaml",
      siteText({ caFiles: ["ca.pem"], crlFiles: ["issuing.crl"], hosts, organizations }),
    );
  };
  await writeSite();
  const remove = async (): Promise<void> => {
    await host.stop();
    await project.remove();
  };
  return { host, project, writeSite, remove };
}
