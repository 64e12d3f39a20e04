import * as pulumi from "./pulumi.ts";
import type { GivenInputs } from "../core/apache/inputs.ts";
import type { CrlSourceStatus, TimerStatus } from "../core/crl-refresh/refresh-status.ts";
import { outputNames } from "../provider/engine/package-schema.ts";

/** Inputs of {@link ClientAuth}. Each is declared, with its checks and its default, in `core/apache/inputs.ts`. */
export type ClientAuthArgs = PulumiInputs<Omit<GivenInputs, "owner">>;

type PulumiInputs<Given> = { readonly [Name in keyof Given]: pulumi.Input<Exclude<Given[Name], undefined>> };

/**
 * Client-certificate authentication on one Apache httpd: the noun `clientcert:apache:ClientAuth`. Previews and `pulumi
 * up` tell what is wrong with its inputs and with the host, and then change nothing.
 */
export class ClientAuth extends pulumi.CustomResource {
  /** Counts real changes of the host, repairs included: trigger dependent commands on it. */
  declare readonly generation: pulumi.Output<number>;
  /** What the last change did, in this run or an earlier one. */
  declare readonly lastChange: pulumi.Output<readonly string[]>;
  /** Which judge spoke at the last change: shadow, minimal or syntax; undefined when nothing had to be changed yet. */
  declare readonly judge: pulumi.Output<string | undefined>;
  /** Version of httpd as it calls itself, such as `Apache/2.4.71 (Debian)`. */
  declare readonly serverVersion: pulumi.Output<string>;
  /** Version of the OpenSSL that httpd runs with. */
  declare readonly opensslVersion: pulumi.Output<string>;
  /** Version and where it was found, undefined when there is none. */
  declare readonly php: pulumi.Output<string | undefined>;
  /** TLS versions, with the reason. */
  declare readonly tlsRule: pulumi.Output<string>;
  /** Virtual hosts of the port, with file and line. */
  declare readonly virtualHosts: pulumi.Output<readonly string[]>;
  /** When the first CA certificate ends, ISO 8601. */
  declare readonly caNotAfter: pulumi.Output<string | undefined>;
  /** When the first CRL ends, and with it access by certificate; ISO 8601. */
  declare readonly crlNextUpdate: pulumi.Output<string | undefined>;
  /** Of each CRL source, how its downloads went and what it delivered last. */
  declare readonly crlStatus: pulumi.Output<readonly CrlSourceStatus[]>;
  /** What starts the refresh of the CRLs; undefined without sources. */
  declare readonly timer: pulumi.Output<TimerStatus | undefined>;
  /** What should be looked at, one line each. */
  declare readonly warnings: pulumi.Output<readonly string[]>;
  /** What keeps the next change from being made, one line each. */
  declare readonly problems: pulumi.Output<readonly string[]>;
  /** Why the live server does not run what its files say; undefined when it does. */
  declare readonly owed: pulumi.Output<string | undefined>;
  /** That the server should run and does not, and what to do; undefined when all is well. */
  declare readonly stopped: pulumi.Output<string | undefined>;

  /** `name` is part of the owner's name that the host keeps: another name is another owner, who is refused. */
  constructor(name: string, args: ClientAuthArgs, opts?: pulumi.CustomResourceOptions) {
    // Computed outputs must be named here, else the properties never exist.
    const computed = Object.fromEntries(outputNames.map((output) => [output, undefined]));
    const owner = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack(), name].join("/");
    // The facts are for the provider's next plan; packed as they are, a diff of them tells nobody anything.
    const hidden = pulumi.mergeOptions({ hideDiffs: ["facts"] }, opts);
    super("clientcert:apache:ClientAuth", name, { ...args, owner, ...computed }, hidden);
  }
}
