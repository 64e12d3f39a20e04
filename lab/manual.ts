/**
 * What an administrator has who followed the vendor's manual by hand, its gaps included: no SSLCARevocationCheck, and
 * wget straight into the CRL.
 */
import type { MachineFile } from "./machine.ts";
import type { LabHostOptions } from "./options.ts";
import type { LabPki } from "./pki.ts";

const configurationDirectory = "/usr/local/ni/apache/conf";
/** Where its CRL lies. */
export const manualCrlFile = `${configurationDirectory}/ssl.crl/ca-bundle.crl`;
const fetchCommand = `/usr/bin/wget -q -O ${manualCrlFile} http://crl.lab.test/ca.crl && /usr/local/ni/apache/bin/apachectl restart`;

/** The directives, as the manual prints them, for the end of the virtual host. */
export const manualDirectives = `SSLCACertificateFile "${configurationDirectory}/ssl.crt/ca-bundle.crt"
SSLVerifyClient optional
SSLVerifyDepth 4
SSLCARevocationFile "${manualCrlFile}"
<Location />
SSLRequire %{SSL_CLIENT_S_DN_O} in {"ABC CORPORATION",""} and %{SSL_CLIENT_S_DN_C} in {"JP",""}
</Location>
<Directory "/usr/local/ni/apache/htdocs">
SSLRenegBufferSize 52428800
</Directory>
`;

/** CA bundle, CRL and the daily job. */
export async function manualFiles(
  job: NonNullable<LabHostOptions["manual"]>,
  pki: LabPki,
): Promise<[string, MachineFile][]> {
  const files: [string, MachineFile][] = [
    [`${configurationDirectory}/ssl.crt/ca-bundle.crt`, { content: pki.caBundle }],
    [manualCrlFile, { content: await pki.crl() }],
  ];
  if (job === "cron.d") return [...files, ["/etc/cron.d/ni-crl", { content: `0 4 * * * root ${fetchCommand}\n` }]];
  return [...files, ["/var/spool/cron/crontabs/root", { content: `0 4 * * * ${fetchCommand}\n`, mode: 0o600 }]];
}
