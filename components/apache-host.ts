import * as pulumi from "./pulumi.ts";
import { ClientAuth, type ClientAuthArgs } from "./client-auth.ts";

/** Inputs of {@link ApacheHost}: those of its noun. */
export type ApacheHostArgs = ClientAuthArgs;

/** A web host whose Apache httpd asks clients for a certificate and never requires one. */
export class ApacheHost extends pulumi.ComponentResource {
  /** What was found on the host and done there. */
  declare readonly clientAuth: ClientAuth;
  /** Counts real changes of the host, repairs included: trigger dependent commands on it. */
  declare readonly generation: pulumi.Output<number>;

  constructor(name: string, args: ApacheHostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("clientcert:index:ApacheHost", name, {}, opts);
    this.clientAuth = new ClientAuth(name, args, { parent: this });
    this.generation = this.clientAuth.generation;
    this.registerOutputs({ generation: this.generation });
  }

  /** What users need to know, as one object for a stack output. */
  get summary(): pulumi.Output<object> {
    const { generation, lastChange, judge, serverVersion, opensslVersion, php, tlsRule } = this.clientAuth;
    const { virtualHosts, caNotAfter, crlNextUpdate, crlStatus, timer, warnings, problems } = this.clientAuth;
    const { owed, stopped } = this.clientAuth;
    const versions = { serverVersion, opensslVersion, php, tlsRule };
    const revocation = { caNotAfter, crlNextUpdate, crlSources: crlStatus, timer };
    return pulumi.output({
      generation,
      lastChange,
      judge,
      ...versions,
      virtualHosts,
      ...revocation,
      warnings,
      problems,
      owed,
      stopped,
    });
  }
}
