/**
 * Checks the chains of the servers' own certificates: OpenSSL completes such a chain from the CA file where the
 * server's own files do not.
 */
import type { CertificateSummary } from "../../pki/summary.ts";
import { absolutePath } from "../config/paths.ts";
import { isSameName } from "../../pki/same-name.ts";
import { type ConfigurationIndex, type Context, type TlsVirtualHost, inherited } from "./virtual-hosts.ts";

/**
 * The issuer of each virtual host's certificate, in the order of `hosts`, where httpd searches the CAs for it: the
 * certificate stands alone in its file, and there is no SSLCertificateChainFile. Undefined elsewhere, for a self-signed
 * certificate, and for one that is not known.
 *
 * @see https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslcertificatefile
 */
export function findMissingIssuers(
  { serverRoot }: Context,
  { levels }: ConfigurationIndex,
  hosts: readonly TlsVirtualHost[],
  certificatesOf: (path: string) => readonly CertificateSummary[] | undefined,
): readonly (string | undefined)[] {
  return hosts.map(({ section }) => {
    const file = inherited(levels, section, "sslcertificatefile");
    if (file === undefined || inherited(levels, section, "sslcertificatechainfile") !== undefined) return undefined;
    // The server's own certificate is the first one in its file.
    const [own, ...others] = certificatesOf(absolutePath(serverRoot, file)) ?? [];
    return own === undefined || others.length > 0 || isSameName(own.issuer, own.subject) ? undefined : own.issuer;
  });
}
