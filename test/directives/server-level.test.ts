/** SSLVerifyClient and SSLVerifyDepth at server and virtual-host level: ours wins there, and the lines stay. */
import { open, takenOut, conflict, untilAdopt, warning } from "./row.ts";
import { testRows } from "./run-rows.ts";

/** Without a depth it is 1, which is too little for two CAs. */
const site = "SSLCACertificateFile conf/theirs/site.pem\nSSLVerifyDepth 4";

testRows("SSLVerifyClient and SSLVerifyDepth", [
  { name: "nothing about certificates", before: open("/"), after: { "/": "200 200 refused" } },
  {
    name: "`SSLVerifyClient none` in the virtual host",
    covered: "SSLVerifyClient none",
    before: open("/"),
    after: { "/": "200 200 refused" },
  },
  {
    name: "`SSLVerifyClient require` in the virtual host, with the site's CAs",
    covered: `SSLVerifyClient require\n${site}`,
    isWholeSite: true,
    findings: [untilAdopt("SSLVerifyClient require")],
    before: { "/": "refused 200 refused" },
    after: { "/": "200 200 refused" },
  },
  {
    name: "`SSLVerifyClient require` at server level, with the site's CAs",
    server: `SSLVerifyClient require\n${site}`,
    isWholeSite: true,
    findings: [untilAdopt("SSLVerifyClient require")],
    before: { "/": "refused 200 refused" },
    after: { "/": "200 200 refused" },
    onOther: { "/": "refused 200 refused" },
  },
  {
    name: "`SSLVerifyDepth 1` in `<Location /admin>`",
    covered: `SSLVerifyClient optional\n${site}\n<Location /admin>\nSSLVerifyDepth 1\n</Location>`,
    findings: [takenOut("SSLVerifyDepth 1")],
    before: { "/": "200 200 refused", "/admin/": "200 200 refused" },
  },
  {
    name: "`SSLRequire` in `<Location /admin>`",
    covered: `SSLVerifyClient optional\n${site}\n<Location /admin>\nSSLRequire %{SSL_CLIENT_S_DN_O} eq "ABC CORPORATION"\n</Location>`,
    findings: [warning('SSLRequire %{SSL_CLIENT_S_DN_O} eq "ABC CORPORATION"')],
    before: { "/": "200 200 refused", "/admin/": "403 200 refused" },
  },
  {
    name: "`SSLVerifyClient require` in `<Location /admin>`, of another CA",
    covered: `SSLCACertificateFile conf/theirs/foreign.pem\n<Location /admin>\nSSLVerifyClient require\n</Location>`,
    findings: [
      untilAdopt("SSLCACertificateFile conf/theirs/foreign.pem", "Foreign CA"),
      conflict("SSLVerifyClient require"),
    ],
    before: { "/": "200 200 200", "/admin/": ["refused refused 200", "403 403 403"] },
  },
]);
