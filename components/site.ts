import * as pulumi from "@pulumi/pulumi";
import { type Site as SiteFile, type SiteHost, makeTarget } from "../core/site.ts";
import type { LoadedSite, SitePki } from "../provider/site.ts";
import { ApacheHost, type ApacheHostArgs } from "./apache-host.ts";

/** One customer site: every host of its site file. */
export class Site extends pulumi.ComponentResource {
  /** What users need to know of each host, by its name in the site file. */
  declare readonly hosts: pulumi.Output<Readonly<Record<string, object>>>;

  constructor(name: string, args: LoadedSite, opts?: pulumi.ComponentResourceOptions) {
    super("clientcert:index:Site", name, {}, opts);
    const { file, problems, warnings, site, pki } = args;
    if (site === undefined || pki === undefined) throw new pulumi.ResourceError(problems.join("\n"), this, true);
    for (const warning of warnings) void pulumi.log.warn(warning, this);
    const hostOf = (host: SiteHost): ApacheHost =>
      new ApacheHost(host.name, hostArgs(file, site, host, pki), { parent: this });
    const hosts = site.hosts.map((host) => [host.name, hostOf(host).summary] as const);
    this.hosts = pulumi.output(Object.fromEntries(hosts));
    this.registerOutputs({ hosts: this.hosts });
  }
}

function hostArgs(siteFile: string, site: SiteFile, host: SiteHost, pki: SitePki): ApacheHostArgs {
  const { caFiles, crlFiles, crlCheck, organizations, countries } = site.clientAuth;
  const { port, adopt, excludeVirtualHosts, reloadPendingEdits, takeOver, judgeInPreview, phpVersion } = host;
  return {
    ...makeTarget(host),
    ...{ siteFile, caFiles, crlFiles, crlCheck, organizations, countries },
    ...pki,
    ...{ port, adopt, excludeVirtualHosts, reloadPendingEdits, takeOver, judgeInPreview },
    ...(phpVersion === undefined ? {} : { phpVersion }),
  };
}
