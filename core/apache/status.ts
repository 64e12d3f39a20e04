/** Makes the status of an Apache host. */
import { type HostStatus, expiryOf, planStatusOf } from "../host-status.ts";
import { crlStatusOf, timerStatusOf } from "../crl-refresh/refresh-status.ts";
import type { CertificateSummary, CrlSummary } from "../pki/summary.ts";
import { findPendingReload } from "./facts/stopped.ts";
import type { Desired, Facts, Plan, VirtualHostFacts } from "./model.ts";
import { isTls12Only, phpVersion } from "./php-tls-rule.ts";
import { isExcluded } from "./plan/excluded-hosts.ts";

export interface ApacheStatus extends HostStatus {
  readonly opensslVersion: string;
  /** A path, as bytes of the host. */
  readonly configFile: string;
  /** What decided the conditions: the live httpd, a saved observation, or the files alone. */
  readonly source: Facts["server"]["source"];
  /** The version of PHP, and where it was found; undefined where there is no PHP. */
  readonly php: string | undefined;
  /** The TLS versions, with the reason. */
  readonly tlsRule: string;
  readonly virtualHosts: readonly VirtualHostStatus[];
}

/** Names and paths are bytes of the host. */
export interface VirtualHostStatus extends Pick<VirtualHostFacts, "serverName" | "file" | "line"> {
  /** Whether the site file wants it covered: false when it is excluded. */
  readonly isWanted: boolean;
  /** Whether our line stands in it, and the file that the line names is there. */
  readonly isCovered: boolean;
}

/**
 * Makes the status. `plan` must come from the same facts; a caller with further diagnostics adds them to the plan's.
 */
export function statusOf(desired: Desired, facts: Facts, plan: Pick<Plan, "diagnostics" | "change">): ApacheStatus {
  const { server, own, php } = facts;
  return {
    ...planStatusOf(plan),
    serverVersion: server.version,
    opensslVersion: server.openssl,
    isRunning: server.running,
    configFile: server.configFile,
    source: server.source,
    php: php && `${php.version} (${php.source})`,
    tlsRule: tlsRuleOf(desired, facts),
    virtualHosts: facts.virtualHosts.map((host) => virtualHostStatusOf(desired, facts, host)),
    owner: own.owner,
    generation: own.generation,
    caNotAfter: expiryOf(own.ca.map(notAfterOf), desired.ca.certificates.map(notAfterOf)),
    crlNextUpdate: expiryOf(own.crls.map(nextUpdateOf), desired.crls.map(nextUpdateOf)),
    crlStatus: crlStatusOf(desired, facts),
    timer: timerStatusOf(desired, facts),
    pendingReload: findPendingReload(facts),
  };
}

const notAfterOf = ({ notAfter }: CertificateSummary): string => notAfter;
const nextUpdateOf = ({ nextUpdate }: CrlSummary): string | undefined => nextUpdate;

function virtualHostStatusOf(desired: Desired, { own }: Facts, host: VirtualHostFacts): VirtualHostStatus {
  const { serverName, file, line, include } = host;
  const isCovered = include !== undefined && own.conf !== undefined;
  return { serverName, file, line, isWanted: !isExcluded(desired, host), isCovered };
}

/** Describes the TLS versions, which depend on PHP alone by the vendor's rule. */
function tlsRuleOf(desired: Desired, facts: Facts): string {
  const version = phpVersion(desired, facts);
  const source = desired.phpVersion === undefined ? facts.php?.source : "site file";
  const reason = version === undefined ? "no PHP was found" : `PHP ${version} (${source ?? "unknown"})`;
  return isTls12Only(desired, facts) ? `TLS 1.2 only: ${reason}` : `TLS versions as the server has them: ${reason}`;
}
