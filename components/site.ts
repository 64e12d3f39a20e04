import * as pulumi from "./pulumi.ts";
import type { SiteHost } from "../core/site/schema.ts";
import { type LoadedSite, hostInputs } from "../provider/site/load-site.ts";
import { ApacheHost } from "./apache-host.ts";

/**
 * One customer site: every host of its site file. It ends the program with everything that is wrong with the site at
 * once.
 */
export class Site extends pulumi.ComponentResource {
  /** What users need to know of each host, by the host's name in the site file. */
  declare readonly hosts: pulumi.Output<Readonly<Record<string, object>>>;

  /** `args` are what `loadSite` has returned, with problems or without. */
  constructor(name: string, args: LoadedSite, opts?: pulumi.ComponentResourceOptions) {
    const { file, problems, warnings, site, pki } = args;
    super("clientcert:index:Site", name, { file }, opts);
    if (site === undefined || pki === undefined) throw new pulumi.ResourceError(problems.join("\n"), this, true);
    for (const warning of warnings) void pulumi.log.warn(warning, this);
    const createHost = (host: SiteHost): ApacheHost =>
      new ApacheHost(host.name, hostInputs(file, site, host, pki), { parent: this });
    const hosts = site.hosts.map((host) => [host.name, createHost(host).summary] as const);
    this.hosts = pulumi.output(Object.fromEntries(hosts));
    this.registerOutputs({ hosts: this.hosts });
  }
}
