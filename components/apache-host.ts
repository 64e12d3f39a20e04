import * as pulumi from "./pulumi.ts";
import type { CrlRefresh } from "../core/crl-refresh/inputs.ts";
import { type SiteCrlSource, makeCrlRefresh, makeCrlSources } from "../core/site/crl-sources.ts";
import type { Connection, Endpoint } from "../core/connection/inputs.ts";
import { ClientAuth, type ClientAuthArgs } from "./client-auth.ts";
import { type PkiArgs, readPki, recordedPkiArgs } from "./pki-args.ts";

/** Where and how to log in. Each part may be an output of a resource that is yet to be created. */
export interface ConnectionArgs {
  /** The host name or IP address alone. */
  readonly address: pulumi.Input<string>;
  /** The user of the login, such as `root`. */
  readonly user: pulumi.Input<string>;
  /**
   * The public host key, `ssh-ed25519 AAAA…`. A key is never trusted on first sight, so it must be known before the
   * first login.
   */
  readonly hostKey: pulumi.Input<string>;
  /** The TCP port of the SSH server, 1 to 65535. @default 22 */
  readonly port?: pulumi.Input<number>;
  /** Where the secret for the login is. @default `{ from: "agent" }`: the running ssh-agent */
  readonly login?: pulumi.Input<Connection["login"]>;
  /** How to become root. @default `{ how: "none" }` for root, `{ how: "passwordless" }` for other users */
  readonly sudo?: pulumi.Input<Connection["sudo"]>;
  /** The jump host through which the connection goes. @default - the host is dialled directly */
  readonly bastion?: pulumi.Input<InputsOf<Endpoint>>;
}

/** An object whose fields may become known one by one. */
type InputsOf<T> = { readonly [Name in keyof T]: pulumi.Input<T[Name]> };

/**
 * Inputs of {@link ApacheHost}. Each may be an output that is not known yet: a preview then connects to no host.
 *
 * @see https://httpd.apache.org/docs/2.4/mod/mod_ssl.html
 */
export interface ApacheHostArgs
  extends Omit<ClientAuthArgs, keyof PkiArgs | "connection" | "crlSources" | "crlRefresh">, PkiArgs {
  /** How to reach the host, and where the secret for that is, but never the secret itself. */
  readonly connection: pulumi.Input<ConnectionArgs>;
  /** Where the host downloads CRLs, with one entry for each CA. `file` may be PEM text. @default - nowhere */
  // eslint-disable-next-line inputs/declared-once -- without ids, and with PEM text
  readonly crlSources?: pulumi.Input<readonly SiteCrlSource[]>;
  /** When the host downloads CRLs. @default - each part as in `defaultCrlRefresh`: four times a day */
  // eslint-disable-next-line inputs/declared-once -- each part may be left out
  readonly crlRefresh?: pulumi.Input<Partial<CrlRefresh>>;
}

/**
 * A web host whose Apache httpd asks clients for a certificate and never requires one.
 *
 * Where the CA certificates and CRLs have mistakes, the component reports all of them at once and ends the program.
 * Mistakes of the host are reported by previews and by `pulumi up`, which then changes nothing.
 */
export class ApacheHost extends pulumi.ComponentResource {
  /** What was found and done on the host. */
  declare readonly clientAuth: ClientAuth;
  /** The number of real changes of the host, repairs included. Trigger dependent commands on it. */
  declare readonly generation: pulumi.Output<number>;

  /** `name` names the resource for ever: another name means another resource. */
  constructor(name: string, args: ApacheHostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("clientcert:index:ApacheHost", name, recordedArgs(args), opts);
    this.clientAuth = new ClientAuth(name, clientAuthArgs(args, this, name), { parent: this });
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

/**
 * The arguments as the state stores them and diffs show them: without what was read from the files, and with PEM text
 * replaced by its hash. A renewed file is not a change of an argument.
 */
function recordedArgs(args: ApacheHostArgs): object {
  const contentsOfFiles = { ca: undefined, crls: undefined, crlSha256: undefined, sample: undefined };
  return { ...args, ...recordedPkiArgs(args), ...contentsOfFiles };
}

/**
 * The arguments of the resource inside the component: with what the files contain, and with the defaults of the CRL
 * sources and of their refresh. Arguments that have `ca` are returned as they are.
 */
function clientAuthArgs(args: ApacheHostArgs, host: ApacheHost, name: string): ClientAuthArgs {
  // A site has read its files once for all of its hosts, and has filled in the defaults of its schema.
  if (args.ca !== undefined) return args as ClientAuthArgs;
  const { crlSources = [], crlRefresh = {} } = args;
  // The resource has no input `sampleCertificate`. `readPki` has read it and returns it as `sample`.
  const { sampleCertificate: _sample, ...complete } = {
    ...args,
    ...readPki(args, host, name),
    // as: the provider fills in the parts that may be left out.
    connection: args.connection as pulumi.Input<Connection>,
    crlSources: pulumi.output(crlSources).apply((sources) => makeCrlSources(sources)),
    crlRefresh: pulumi.output(crlRefresh).apply((refresh) => makeCrlRefresh(refresh)),
  };
  return complete;
}
