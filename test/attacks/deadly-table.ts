/** Ways to end httpd with its next reload while `httpd -t` says OK, one for each code of `deadly.sh`. */

export interface DeadlyRow {
  readonly code: string;
  readonly server?: string;
  readonly virtualHost?: string;
  /** Before httpd starts. */
  readonly prepare?: string;
  /** While it runs. */
  readonly mar: string;
  /** What `up` says of it. */
  readonly says: RegExp;
}

const root = "/usr/local/ni/apache";
const conf = `${root}/conf`;
const tls = `${conf}/extra/httpd-ssl.conf`;
const program = "cp /bin/cat /opt/program";
const logs = "mkdir /opt/logs";
const asDirectory = "rm /opt/logs/log; mkdir /opt/logs/log";
const certificate = `cp ${conf}/server.crt /opt/pem`;
const garbage = "echo garbage >/opt/pem";
const forensic = "LoadModule log_forensic_module modules/mod_log_forensic.so";
const proxy = "LoadModule proxy_module modules/mod_proxy.so";
const directive = (name: string, value: string) => `sed -i 's/^${name} .*/${name} ${value}/' ${tls}`;

export const deadlyRows: readonly DeadlyRow[] = [
  {
    code: "AH00089",
    ...{ server: 'ErrorLog "|/opt/program -u"', prepare: program, mar: "rm /opt/program" },
    says: /program of an ErrorLog cannot be started \(\/opt\/program, /,
  },
  {
    code: "AH00104",
    ...{ virtualHost: 'CustomLog "|/opt/program" common', prepare: program, mar: "chmod 644 /opt/program" },
    says: /program that a log is piped to cannot be started \(\/opt\/program, /,
  },
  {
    code: "AH00654",
    virtualHost: "RewriteEngine on\nRewriteMap map prg:/opt/program",
    ...{ prepare: program, mar: "chmod 644 /opt/program" },
    says: /program of a RewriteMap cannot be started \(\/opt\/program, /,
  },
  {
    code: "AH00091",
    ...{ virtualHost: "ErrorLog /opt/logs/log", prepare: logs, mar: asDirectory },
    says: /an ErrorLog cannot be opened \(\/opt\/logs\/log, /,
  },
  {
    code: "AH00649",
    virtualHost: "CustomLog /opt/logs/log common",
    prepare: `${logs} /opt/real; ln -s /opt/real/log /opt/logs/log`,
    mar: "rm -r /opt/real",
    says: /a log cannot be opened \(\/opt\/logs\/log, /,
  },
  {
    code: "AH00651",
    ...{ server: forensic, virtualHost: "ForensicLog /opt/logs/log", prepare: logs, mar: "rm -r /opt/logs" },
    says: /a ForensicLog cannot be opened \(\/opt\/logs\/log, /,
  },
  { code: "AH01597", mar: `rm ${conf}/mime.types`, says: /TypesConfig cannot be opened \(\S+mime\.types, / },
  {
    code: "AH01895",
    server: proxy,
    virtualHost: "SSLProxyEngine on\nSSLProxyCACertificateFile /opt/pem",
    ...{ prepare: certificate, mar: garbage },
    says: /file of CA certificates holds none that can be read/,
  },
  {
    code: "AH01896",
    virtualHost: `SSLVerifyClient optional\nSSLCACertificateFile /opt/ca\nSSLCADNRequestFile /opt/pem`,
    prepare: `${certificate}; cp /opt/pem /opt/ca`,
    mar: garbage,
    says: /file of CA names for clients holds none/,
  },
  { code: "AH01898", mar: directive("SSLCipherSuite", "NONSENSE"), says: /SSLCipherSuite names no cipher that/ },
  {
    code: "AH01901",
    // One for clients ours would overrule, and so mend.
    server: proxy,
    virtualHost: "SSLProxyEngine on\nSSLProxyCARevocationFile /opt/pem\nSSLProxyCARevocationCheck leaf",
    ...{ prepare: "cp /srv/crl.pem /opt/pem", mar: garbage },
    says: /a file of CRLs holds none/,
  },
  { code: "AH02231", mar: directive("SSLProtocol", "-all"), says: /SSLProtocol leaves no TLS version/ },
  {
    code: "AH02287",
    virtualHost: "SSLSessionTicketKeyFile /opt/pem",
    ...{ prepare: "head -c 48 /dev/urandom >/opt/pem", mar: garbage },
    says: /SSLSessionTicketKeyFile is too short \(\/opt\/pem, /,
  },
  {
    code: "AH02326",
    server: proxy,
    virtualHost: "SSLProxyEngine on\nSSLProxyMachineCertificateFile /opt/pem",
    prepare: `cat ${conf}/server.crt ${conf}/server.key >/opt/pem`,
    mar: `{ cat ${conf}/server.crt; openssl genpkey -algorithm RSA 2>/dev/null; } >/opt/pem`,
    says: /certificate for the proxy and its key do not match/,
  },
  {
    code: "AH02561",
    ...{
      virtualHost: "SSLCertificateChainFile /opt/pem",
      prepare: certificate,
      mar: `echo garbage >${conf}/server.crt`,
    },
    says: /a certificate cannot be used \(\S+server\.crt, /,
  },
  { code: "AH02562", mar: `echo garbage >${conf}/server.crt`, says: /a certificate cannot be used \(\S+server\.crt, / },
  {
    code: "AH02565",
    mar: `openssl genpkey -algorithm RSA -out ${conf}/server.key 2>/dev/null`,
    says: /a certificate and its key do not match \(\S+server\.crt, /,
  },
  { code: "AH02572", mar: `sed -i '/^SSLCertificate/d' ${tls}`, says: /SSLEngine on has no certificate/ },
  { code: "AH02579", mar: `echo garbage >${conf}/server.key`, says: /a key cannot be read/ },
  { code: "AH10127", mar: directive("SSLCipherSuite", "TLSv1.3 NONSENSE"), says: /no cipher for TLS 1\.3/ },
];
