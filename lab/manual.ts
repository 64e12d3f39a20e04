/**
 * The files of an administrator who followed the vendor's manual by hand, with the gaps of that manual: no
 * SSLCARevocationCheck, and a wget that writes directly into the CRL.
 */
import type { MachineFile } from "./machine.ts";
import type { LabHostOptions } from "./options.ts";
import type { LabPki } from "./pki.ts";

const configurationDirectory = "/usr/local/ni/apache/conf";
/** The path of the CRL in the vendor's manual. */
export const manualCrlFile = `${configurationDirectory}/ssl.crl/ca-bundle.crl`;
const fetchCommand = `/usr/bin/wget -q -O ${manualCrlFile} http://crl.lab.test/ca.crl && /usr/local/ni/apache/bin/apachectl restart`;

/** The directives for the end of the virtual host, as the manual prints them. */
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

/** The CA bundle, the CRL and the daily job. */
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
