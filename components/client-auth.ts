import * as pulumi from "./pulumi.ts";
import type { GivenInputs } from "../core/apache/inputs.ts";
import type { CrlSourceStatus, TimerStatus } from "../core/crl-refresh/refresh-status.ts";
import { outputNames } from "../provider/engine/package-schema.ts";

/**
 * The inputs of {@link ClientAuth}. Each input is declared in `core/apache/inputs.ts`, with its checks and its default.
 */
export type ClientAuthArgs = PulumiInputs<Omit<GivenInputs, "owner">>;

type PulumiInputs<Given> = { readonly [Name in keyof Given]: pulumi.Input<Exclude<Given[Name], undefined>> };

/**
 * Client-certificate authentication on one Apache httpd: the resource type `clientcert:apache:ClientAuth`. Previews and
 * `pulumi up` report what is wrong with its inputs and with the host, and then change nothing.
 */
export class ClientAuth extends pulumi.CustomResource {
  // Pulumi's constructor sets these properties. Without `declare`, the class would set them to undefined after that.

  /** The number of real changes of the host, repairs included. Trigger dependent commands on it. */
  declare readonly generation: pulumi.Output<number>;
  /** What the last change did, in this run or an earlier one. */
  declare readonly lastChange: pulumi.Output<readonly string[]>;
  /**
   * Which judge decided on the last change: shadow, minimal or syntax. Undefined when nothing had to be changed yet.
   */
  declare readonly judge: pulumi.Output<string | undefined>;
  /** The version that httpd reports, such as `Apache/2.4.71 (Debian)`. */
  declare readonly serverVersion: pulumi.Output<string>;
  /** The version of the OpenSSL that httpd runs with. */
  declare readonly opensslVersion: pulumi.Output<string>;
  /** The version of PHP and where it was found. Undefined when there is none. */
  declare readonly php: pulumi.Output<string | undefined>;
  /** The TLS versions, with the reason for them. */
  declare readonly tlsRule: pulumi.Output<string>;
  /** The virtual hosts of the port, with file and line. */
  declare readonly virtualHosts: pulumi.Output<readonly string[]>;
  /** When the first CA certificate expires, ISO 8601. */
  declare readonly caNotAfter: pulumi.Output<string | undefined>;
  /** When the first CRL expires, and with it access by certificate. ISO 8601. */
  declare readonly crlNextUpdate: pulumi.Output<string | undefined>;
  /** For each CRL source, how its downloads went and what it delivered last. */
  declare readonly crlStatus: pulumi.Output<readonly CrlSourceStatus[]>;
  /** What starts the refresh of the CRLs. Undefined where there are no sources. */
  declare readonly timer: pulumi.Output<TimerStatus | undefined>;
  /** What somebody should look into, one line for each matter. */
  declare readonly warnings: pulumi.Output<readonly string[]>;
  /** What prevents the next change, one line for each blocker. */
  declare readonly problems: pulumi.Output<readonly string[]>;
  /** Why the live server does not run with what its files say. Undefined when it does. */
  declare readonly owed: pulumi.Output<string | undefined>;
  /** Says that the server should run and does not, and what to do. Undefined when all is well. */
  declare readonly stopped: pulumi.Output<string | undefined>;

  /**
   * `name` is part of the owner's name that the host stores. Another name is another owner, and the host refuses it.
   */
  constructor(name: string, args: ClientAuthArgs, opts?: pulumi.CustomResourceOptions) {
    // Computed outputs must be named here. Otherwise the properties never exist.
    const computed = Object.fromEntries(outputNames.map((output) => [output, undefined]));
    const owner = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack(), name].join("/");
    // The provider makes its next plan from the facts. They are packed, so a diff of them would be unreadable.
    const hidden = pulumi.mergeOptions({ hideDiffs: ["facts"] }, opts);
    super("clientcert:apache:ClientAuth", name, { ...args, owner, ...computed }, hidden);
  }
}
