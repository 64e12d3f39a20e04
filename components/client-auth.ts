import * as pulumi from "./pulumi.ts";
import type { CaBundle, CrlSummary } from "../core/pki/summary.ts";
import type { CrlRefresh } from "../core/crl-refresh/refresh-model.ts";
import type { SampleCertificateInput, CrlSourceInput } from "../provider/apache/inputs.ts";
import type { Connection, Detection } from "../provider/apache/host-model.ts";
import type { CrlSourceStatus, TimerStatus } from "../provider/apache/revocation-outputs.ts";
import { outputNames } from "../provider/engine/package-schema.ts";

/** Inputs of {@link ClientAuth}; what each means is said where the site file's schema describes it. */
export interface ClientAuthArgs {
  /** How to reach the host, and where the secret for that is; never the secret. */
  readonly connection: pulumi.Input<Connection>;
  /** Overrides for what is found on the host. @default - everything is detected */
  readonly detection?: pulumi.Input<Detection>;
  /** Site file, relative to the project. */
  readonly siteFile: pulumi.Input<string>;
  /** CA files, relative to the site file. */
  readonly caFiles: pulumi.Input<readonly string[]>;
  /** The CA certificates of those files, as they are installed. */
  readonly ca: pulumi.Input<CaBundle>;
  /** CRL files, relative to the site file. @default - no revocation check */
  readonly crlFiles?: pulumi.Input<readonly string[]>;
  /** What those CRLs say of themselves. @default - none */
  readonly crls?: pulumi.Input<readonly CrlSummary[]>;
  /** SHA-256 of the CRLs' PEM text. */
  readonly crlSha256?: pulumi.Input<string>;
  /** `leaf` checks the user's certificate alone, `chain` every CA above it, too. @default "leaf" */
  readonly crlCheck?: pulumi.Input<"leaf" | "chain">;
  /** Where the host downloads CRLs. @default - nowhere */
  readonly crlSources?: pulumi.Input<readonly CrlSourceInput[]>;
  /** @default defaultCrlRefresh */
  readonly crlRefresh?: pulumi.Input<CrlRefresh>;
  /** CRLs that may replace one with a higher number and an earlier date, by SHA-256 of the DER. @default - none */
  readonly acceptOlderCrls?: pulumi.Input<readonly string[]>;
  /** A user's certificate that every new CRL must go on accepting. @default - none */
  readonly sample?: pulumi.Input<SampleCertificateInput>;
  /** Accept SSLSessionTicketKeyFile, with which revoked certificates can resume old sessions. @default false */
  readonly acknowledgeSessionTicketKeys?: pulumi.Input<boolean>;
  /** TLS port of the virtual hosts to cover. @default 443 */
  readonly port?: pulumi.Input<number>;
  /** Organizations (O) that are let in, exactly as in the users' certificates. @default - any */
  readonly organizations?: pulumi.Input<readonly string[]>;
  /** Organizational units (OU) that are let in; of a certificate any of the first five counts. @default - any */
  readonly organizationalUnits?: pulumi.Input<readonly string[]>;
  /** Countries (C) that are let in, as two capitals. @default - any */
  readonly countries?: pulumi.Input<readonly string[]>;
  /** CAs whose certificates are let in, by common name or parts such as `OU=Users CA,O=Harbour`. @default - every listed CA */
  readonly issuers?: pulumi.Input<readonly string[]>;
  /** How many CAs may stand above a user's certificate, the root included: 1 to 10. @default 4 */
  readonly verifyDepth?: pulumi.Input<number>;
  /** Let our rule for the whole site take the place of what was set up by hand, and give that back at removal. @default false */
  readonly adopt?: pulumi.Input<boolean>;
  /** Virtual hosts to leave alone, by ServerName or ServerName:port. @default - none */
  readonly excludeVirtualHosts?: pulumi.Input<readonly string[]>;
  /** Let edits of others that httpd has not read yet go live with a change. @default false */
  readonly reloadPendingEdits?: pulumi.Input<boolean>;
  /** The server is stopped on purpose now and then: that it does not run is no alarm. @default false */
  readonly mayBeStopped?: pulumi.Input<boolean>;
  /** Reload although httpd would not start on the files that are installed now, which ends the site. @default false */
  readonly reloadUnstartable?: pulumi.Input<boolean>;
  /** Take over a host that another stack has set up. @default false */
  readonly takeOver?: pulumi.Input<boolean>;
  /** Start the shadow on the host in previews, too; false looks only. @default true */
  readonly judgeInPreview?: pulumi.Input<boolean>;
  /** Such as 8.3 or 8.3.12: TLS 1.2 only from 8.3 on. @default - found on the host */
  readonly phpVersion?: pulumi.Input<string>;
}

/** Client-certificate authentication on one Apache httpd: the noun `clientcert:apache:ClientAuth`. */
export class ClientAuth extends pulumi.CustomResource {
  /** Counts real changes of the host, repairs included: trigger dependent commands on it. */
  declare readonly generation: pulumi.Output<number>;
  /** What the last change did, in this run or an earlier one. */
  declare readonly lastChange: pulumi.Output<readonly string[]>;
  /** Which judge spoke at the last change: shadow, minimal or syntax; undefined when nothing had to be changed yet. */
  declare readonly judge: pulumi.Output<string | undefined>;
  declare readonly serverVersion: pulumi.Output<string>;
  declare readonly opensslVersion: pulumi.Output<string>;
  /** Version and where it was found, undefined when there is none. */
  declare readonly php: pulumi.Output<string | undefined>;
  /** TLS versions, with the reason. */
  declare readonly tlsRule: pulumi.Output<string>;
  declare readonly virtualHosts: pulumi.Output<readonly string[]>;
  /** When the first CA certificate ends, ISO 8601. */
  declare readonly caNotAfter: pulumi.Output<string | undefined>;
  /** When the first CRL ends, and with it access by certificate; ISO 8601. */
  declare readonly crlNextUpdate: pulumi.Output<string | undefined>;
  /** Of each CRL source, how its downloads went and what it delivered last. */
  declare readonly crlStatus: pulumi.Output<readonly CrlSourceStatus[]>;
  /** What starts the refresh of the CRLs; undefined without sources. */
  declare readonly timer: pulumi.Output<TimerStatus | undefined>;
  declare readonly warnings: pulumi.Output<readonly string[]>;
  /** What keeps the next change from being made. */
  declare readonly problems: pulumi.Output<readonly string[]>;
  /** Why the live server does not run what its files say; undefined when it does. */
  declare readonly owed: pulumi.Output<string | undefined>;
  /** That the server should run and does not, and what to do; undefined when all is well. */
  declare readonly stopped: pulumi.Output<string | undefined>;

  constructor(name: string, args: ClientAuthArgs, opts?: pulumi.CustomResourceOptions) {
    // Computed outputs must be named here, else the properties never exist.
    const computed = Object.fromEntries(outputNames.map((output) => [output, undefined]));
    const owner = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack(), name].join("/");
    // The facts are for the provider's next plan; packed as they are, a diff of them tells nobody anything.
    const hidden = pulumi.mergeOptions({ hideDiffs: ["facts"] }, opts);
    super("clientcert:apache:ClientAuth", name, { ...args, owner, ...computed }, hidden);
  }
}
