/** What stands at server and virtual-host level: ours wins there, and the lines stay. */
import { allCas, foreignCa, inAdmin, lines, optional, siteCas } from "./lines.ts";
import { conflict, open, takenOut, untilAdopt, warning } from "./row.ts";
import { testRows } from "./run-rows.ts";

const require = "SSLVerifyClient require";
const asked = { "/": "200 200 refused" };

testRows("Who is asked for a certificate: SSLVerifyClient and SSLVerifyDepth", [
  { name: "nothing about certificates", before: open("/"), after: asked },
  {
    name: "`SSLVerifyClient none` in the virtual host",
    covered: "SSLVerifyClient none",
    before: open("/"),
    after: asked,
  },
  { name: "`SSLVerifyClient none` at server level", server: "SSLVerifyClient none", before: open("/"), after: asked },
  {
    name: "`SSLVerifyClient optional` in the virtual host, with the site's CAs",
    covered: lines(optional, siteCas),
    before: asked,
  },
  {
    name: "`SSLVerifyClient require` in the virtual host, with the site's CAs",
    covered: lines(require, siteCas),
    isWholeSite: true,
    findings: [untilAdopt(require)],
    before: { "/": "refused 200 refused" },
    after: asked,
  },
  {
    name: "`SSLVerifyClient on` in the virtual host, another word for `require`, with the site's CAs",
    covered: lines("SSLVerifyClient on", siteCas),
    isWholeSite: true,
    findings: [untilAdopt("SSLVerifyClient on", "refuses people without a certificate")],
    before: { "/": "refused 200 refused" },
    after: asked,
  },
  {
    name: "`SSLVerifyClient off` in the virtual host, another word for `none`, with another CA",
    covered: lines("SSLVerifyClient off", foreignCa),
    before: open("/"),
    after: asked,
  },
  {
    name: "`SSLVerifyClient ${theirs}` in the virtual host, a variable for `require`, with the site's CAs",
    covered: lines("Define theirs require", "SSLVerifyClient ${theirs}", siteCas),
    isWholeSite: true,
    findings: [untilAdopt("SSLVerifyClient ${theirs}")],
    before: { "/": "refused 200 refused" },
    after: asked,
  },
  {
    name: "`SSLVerifyClient require` at server level, with the site's CAs",
    server: lines(require, siteCas),
    isWholeSite: true,
    findings: [untilAdopt(require)],
    before: { "/": "refused 200 refused" },
    after: asked,
    onOther: { "/": "refused 200 refused" },
  },
  {
    name: "`SSLVerifyClient require` at server level, with CAs, `SSLCARevocationCheck leaf` and its list",
    server: lines(require, siteCas, "SSLCARevocationCheck leaf", "SSLCARevocationFile conf/theirs/site-crl.pem"),
    theirs: "revoked",
    isWholeSite: true,
    findings: [untilAdopt(require)],
    before: { "/": "refused 200 refused" },
    after: asked,
    onOther: { "/": "refused 200 refused" },
  },
  {
    name: "`SSLVerifyClient require` at server level, and `none` in the virtual host",
    server: lines(require, siteCas),
    covered: "SSLVerifyClient none",
    before: open("/"),
    after: asked,
    onOther: { "/": "refused 200 refused" },
  },
  {
    name: "`SSLVerifyClient require` in a file that both ports' virtual hosts include",
    both: lines(require, siteCas),
    isWholeSite: true,
    findings: [untilAdopt(require)],
    before: { "/": "refused 200 refused" },
    after: asked,
    onOther: { "/": "refused 200 refused" },
  },
  {
    name: "`SSLVerifyClient optional_no_ca` in the virtual host",
    covered: lines("SSLVerifyClient optional_no_ca", siteCas),
    findings: [untilAdopt("SSLVerifyClient optional_no_ca")],
    before: open("/"),
    after: asked,
  },
  {
    name: "`SSLVerifyClient none` in `<IfVersion >= 2.4>`",
    server: "<IfVersion >= 2.4>\nSSLVerifyClient none\n</IfVersion>",
    before: open("/"),
    after: asked,
  },
  {
    name: "`SSLVerifyDepth 2` in the virtual host",
    covered: lines(optional, siteCas.replace("Depth 4", "Depth 2")),
    before: asked,
  },
  {
    name: "`SSLVerifyDepth 1` at server level",
    server: "SSLVerifyDepth 1",
    covered: lines(optional, siteCas),
    before: asked,
  },
  {
    name: "`SSLVerifyDepth 2` in `<Location /admin>`",
    covered: lines(optional, siteCas, inAdmin("SSLVerifyDepth 2")),
    findings: [takenOut("SSLVerifyDepth 2")],
    // To check anew what was let in already, httpd asks anew.
    before: { "/": "200 200 refused", "/admin/": ["200 200 refused", "403 403 refused"] },
    after: { "/": "200 200 refused", "/admin/": "200 200 refused" },
  },
  {
    name: "`SSLVerifyClient require` and `SSLVerifyDepth 1` in `<Location /admin>`, which is too little for the site's CAs",
    covered: lines(siteCas, inAdmin(require, "SSLVerifyDepth 1")),
    findings: [warning(require), conflict("SSLVerifyDepth 1")],
    before: { "/": "200 200 200", "/admin/": ["refused refused refused", "403 403 403"] },
  },
  {
    name: "`SSLVerifyDepth 2` in `<Location /admin>` at server level",
    server: inAdmin("SSLVerifyDepth 2"),
    covered: lines(optional, siteCas),
    findings: [conflict("SSLVerifyDepth 2")],
    before: { "/": "200 200 refused", "/admin/": ["200 200 refused", "403 403 refused"] },
  },
]);

testRows("Whom it is believed: SSLCACertificateFile", [
  {
    name: "a CA above the site's issuing CA, in the virtual host, with `SSLVerifyClient optional`",
    covered: lines(optional, siteCas.replace("site.pem", "root.pem")),
    before: asked,
  },
  {
    name: "the site's CAs and another one, in the virtual host, with `SSLVerifyClient optional`",
    covered: lines(optional, "SSLVerifyDepth 4", allCas),
    findings: [untilAdopt(allCas, "Foreign CA")],
    before: open("/"),
    after: asked,
  },
  {
    name: "another CA in the virtual host, with `SSLVerifyClient optional`",
    covered: lines(optional, foreignCa),
    isWholeSite: true,
    findings: [untilAdopt(foreignCa, "Foreign CA")],
    before: { "/": "200 refused 200" },
    after: asked,
  },
  {
    name: "another CA at server level, with `SSLVerifyClient optional`",
    server: lines(optional, foreignCa),
    isWholeSite: true,
    findings: [untilAdopt(foreignCa, "Foreign CA")],
    before: { "/": "200 refused 200" },
    after: asked,
    onOther: { "/": "200 refused 200" },
  },
  {
    name: "another CA in the virtual host, with `SSLVerifyClient require`",
    covered: lines(require, foreignCa),
    isWholeSite: true,
    findings: [untilAdopt(require), untilAdopt(foreignCa, "Foreign CA")],
    before: { "/": "refused refused 200" },
    after: asked,
  },
  {
    name: "another CA at server level with `SSLVerifyClient optional`, the site's CAs in the virtual host",
    server: lines(optional, foreignCa),
    covered: siteCas,
    before: asked,
    onOther: { "/": "200 refused 200" },
  },
  {
    name: "another CA in the virtual host, with `SSLVerifyClient none`",
    covered: lines("SSLVerifyClient none", foreignCa),
    before: open("/"),
    after: asked,
  },
  {
    name: "another CA at server level, and no SSLVerifyClient",
    server: foreignCa,
    before: open("/"),
    after: asked,
  },
  {
    name: "the file holds the intermediate CA of the server's own certificate, with `SSLVerifyClient none`",
    isChained: true,
    covered: "SSLCACertificateFile conf/theirs/chain.pem",
    findings: [conflict("SSLCACertificateFile conf/theirs/chain.pem", "chain")],
    before: open("/"),
  },
  {
    name: "the file holds the intermediate CA of the server's own certificate, with `SSLVerifyClient optional`",
    isChained: true,
    covered: lines(optional, "SSLVerifyDepth 4", "SSLCACertificateFile conf/theirs/chain.pem"),
    findings: [conflict("SSLCACertificateFile conf/theirs/chain.pem", "chain")],
    before: asked,
  },
]);
