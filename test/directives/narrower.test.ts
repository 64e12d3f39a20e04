/** SSLVerifyClient and SSLRequire for less than the whole site: they protect something, and are never taken out. */
import { productRoot } from "../../lab/product.ts";
import { allCas, foreignCa, inAdmin, lines, optional, siteCas, within } from "./lines.ts";
import { conflict, untilAdopt, warning, type Row } from "./row.ts";
import { testRows } from "./run-rows.ts";

const base = lines(optional, siteCas);
const verify = "SSLVerifyClient require";
/** Another line, as rows tell lines by their text. */
const verifyAgain = "SSLVerifyClient  require";
const theirRule = 'SSLRequire %{SSL_CLIENT_S_DN_O} eq "ABC CORPORATION"';
const page = "/admin/secret.html";

/**
 * For a rule that is stricter than the virtual host's httpd asks everybody anew, which TLS 1.3 cannot do of every
 * client.
 */
const unasked = ["refused 200 refused", "403 403 refused"] as const;

/** Sections below the whole site, and the URL that they protect. */
const sections: readonly (readonly [section: string, path: string])[] = [
  ["Location /admin", "/admin/"],
  ["LocationMatch ^/admin", "/admin/"],
  [`Directory "${productRoot}/htdocs/admin"`, "/admin/"],
  [`DirectoryMatch "/htdocs/admin"`, "/admin/"],
  ["Files secret.html", page],
  ['FilesMatch "^secret"', page],
  [`If "%{REQUEST_URI} =~ m#^/admin/#"`, "/admin/"],
];

const nameOf = (section: string): string => `\`<${section.replace(`${productRoot}/`, "…/")}>\``;

testRows("For less than the whole site: SSLVerifyClient", [
  ...sections.map(([section, path]): Row => ({
    name: `\`SSLVerifyClient require\` in ${nameOf(section)}, with the site's CAs`,
    covered: lines(base, within(section, verify)),
    findings: [warning(verify)],
    before: { "/": "200 200 refused", [path]: unasked },
  })),
  {
    name: "`SSLVerifyClient require` in the virtual host, and in `<Location /admin>` once more, with the site's CAs",
    covered: lines(siteCas, verify, inAdmin(verifyAgain)),
    findings: [untilAdopt(verify), conflict(verifyAgain, "TLS 1.3")],
    before: { "/": "refused 200 refused", "/admin/": "refused 200 refused" },
  },
  {
    name: "`SSLVerifyClient require` in `<Location /admin>` at server level, with the site's CAs there",
    server: lines(base, inAdmin(verify)),
    findings: [warning(verify)],
    before: { "/": "200 200 refused", "/admin/": unasked },
    onOther: { "/": "200 200 refused", "/admin/": unasked },
  },
  {
    name: "`SSLVerifyClient require` in `<Location /admin>`, and the site's CAs, but nobody asked elsewhere",
    covered: lines(siteCas, inAdmin(verify)),
    findings: [warning(verify)],
    before: { "/": "200 200 200", "/admin/": ["refused 200 refused", "403 403 403"] },
    after: { "/": "200 200 refused", "/admin/": unasked },
  },
  {
    name: "`SSLVerifyClient require` in `<Location /admin>`, with the site's CAs and another one",
    covered: lines(optional, "SSLVerifyDepth 4", allCas, inAdmin(verify)),
    findings: [warning(verify), untilAdopt(allCas, "Foreign CA")],
    before: { "/": "200 200 200", "/admin/": ["refused 200 200", "403 403 403"] },
    after: { "/": "200 200 refused", "/admin/": unasked },
  },
  {
    name: "`SSLVerifyClient require` in `<Location /admin>`, with another CA",
    covered: lines(foreignCa, inAdmin(verify)),
    findings: [conflict(verify), untilAdopt(foreignCa, "Foreign CA")],
    before: { "/": "200 200 200", "/admin/": ["refused refused 200", "403 403 403"] },
  },
  {
    name: "`SSLVerifyClient require` in `<Location /admin>`, with another CA at server level",
    server: foreignCa,
    covered: inAdmin(verify),
    findings: [conflict(verify), untilAdopt(foreignCa, "Foreign CA")],
    before: { "/": "200 200 200", "/admin/": ["refused refused 200", "403 403 403"] },
  },
  {
    name: "`SSLVerifyClient none` in `<Location /admin>`, with the site's CAs",
    covered: lines(base, inAdmin("SSLVerifyClient none")),
    before: { "/": "200 200 refused", "/admin/": "200 200 refused" },
  },
]);

testRows("For less than the whole site: SSLRequire", [
  ...sections.map(([section, path]): Row => ({
    name: `\`SSLRequire\` in ${nameOf(section)}, with the site's CAs`,
    covered: lines(base, within(section, theirRule)),
    findings: [warning(theirRule)],
    before: { "/": "200 200 refused", [path]: "403 200 refused" },
  })),
  {
    name: "`SSLRequire` of another organization in `<Location /admin>`, with the site's CAs (third client: of that organization)",
    covered: lines(base, inAdmin('SSLRequire %{SSL_CLIENT_S_DN_O} eq "OTHER CORPORATION"')),
    theirs: "wrongOrganization",
    findings: [warning('SSLRequire %{SSL_CLIENT_S_DN_O} eq "OTHER CORPORATION"')],
    before: { "/": "200 200 200", "/admin/": "403 403 200" },
    after: { "/": "200 200 403", "/admin/": "403 403 403" },
  },
  {
    name: "`SSLVerifyClient require` and `SSLRequire` in `<Location /admin>`, with the site's CAs",
    covered: lines(siteCas, inAdmin(verify, theirRule)),
    findings: [warning(verify), warning(theirRule)],
    before: { "/": "200 200 200", "/admin/": ["refused 200 refused", "403 403 403"] },
    after: { "/": "200 200 refused", "/admin/": unasked },
  },
  {
    name: "`SSLRequire` in `<Location /admin>`, with the site's CAs and the default SSLVerifyDepth, which is too little for them",
    covered: lines(optional, "SSLCACertificateFile conf/theirs/site.pem", inAdmin(theirRule)),
    findings: [conflict(theirRule, "Lab Issuing CA")],
    before: { "/": "200 refused refused", "/admin/": "403 refused refused" },
  },
  {
    name: "`SSLRequire` in `<Location /admin>`, with another CA",
    covered: lines(optional, foreignCa, inAdmin(theirRule)),
    findings: [conflict(theirRule), untilAdopt(foreignCa, "Foreign CA")],
    before: { "/": "200 refused 200", "/admin/": "403 refused 200" },
  },
  {
    name: "`SSLRequire` in `<Location /admin>` at server level, with another CA there",
    server: lines(optional, foreignCa, inAdmin(theirRule)),
    findings: [conflict(theirRule), untilAdopt(foreignCa, "Foreign CA")],
    before: { "/": "200 refused 200", "/admin/": "403 refused 200" },
    onOther: { "/": "200 refused 200", "/admin/": "403 refused 200" },
  },
  {
    name: "`SSLRequire` on the issuer in `<Location /admin>`, with another CA",
    covered: lines(optional, foreignCa, inAdmin('SSLRequire %{SSL_CLIENT_I_DN_CN} eq "Foreign CA"')),
    isWholeSite: true,
    findings: [warning('SSLRequire %{SSL_CLIENT_I_DN_CN} eq "Foreign CA"'), untilAdopt(foreignCa, "Foreign CA")],
    before: { "/": "200 refused 200", "/admin/": "403 refused 200" },
    after: { "/": "200 200 refused", "/admin/": "403 403 refused" },
  },
]);
