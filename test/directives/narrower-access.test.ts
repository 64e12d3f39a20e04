/** Rules on the certificate by other modules: Require, RewriteCond, If; and users that are made of certificates. */
import { productRoot } from "../../lab/product.ts";
import { foreignCa, inAdmin, lines, optional, siteCas, within } from "./lines.ts";
import { conflict, open, untilAdopt, warning, type Row } from "./row.ts";
import { testRows } from "./run-rows.ts";

const base = lines(optional, siteCas);
const organization = "Require expr \"%{SSL_CLIENT_S_DN_O} == 'ABC CORPORATION'\"";
const condition = "RewriteCond %{SSL:SSL_CLIENT_VERIFY} !=SUCCESS";
const handedOn = "RewriteRule ^ - [E=V:%{SSL:SSL_CLIENT_VERIFY}]";
const alias = `<AuthzProviderAlias expr holder "%{SSL_CLIENT_VERIFY} == 'SUCCESS'">`;
const variable = "SetEnvIfExpr \"%{SSL_CLIENT_VERIFY} == 'SUCCESS'\" admitted";
const opened = `<If "%{SSL_CLIENT_VERIFY} != 'SUCCESS' && %{REQUEST_URI} =~ m#^/admin#">`;

/** Rules that let in who has a certificate: what is written, and the line that is named. */
const rules: readonly { name: string; text: string; at: string }[] = [
  {
    name: "`Require ssl-verify-client` in `<Location /admin>`",
    text: inAdmin("Require ssl-verify-client"),
    at: "Require ssl-verify-client",
  },
  {
    name: "`Require ssl-verify-client` in `<Limit GET>` of `<Location /admin>`",
    text: inAdmin(within("Limit GET", "Require ssl-verify-client")),
    at: "Require ssl-verify-client",
  },
  {
    name: "`Require ssl-verify-client` in `<RequireAll>` of a `<Directory>`",
    text: within(`Directory "${productRoot}/htdocs/admin"`, within("RequireAll", "Require ssl-verify-client")),
    at: "Require ssl-verify-client",
  },
  {
    name: "`Require expr` on the certificate's organization in `<Location /admin>`",
    text: inAdmin(organization),
    at: organization,
  },
  {
    name: "`RewriteCond` on the certificate, for `/admin`",
    text: lines("RewriteEngine on", condition, "RewriteRule ^/admin - [F]"),
    at: condition,
  },
  {
    name: "`RewriteRule` that hands the certificate's state on to a `RewriteCond`, for `/admin`",
    text: lines("RewriteEngine on", handedOn, "RewriteCond %{ENV:V} !=SUCCESS", "RewriteRule ^/admin - [F]"),
    at: handedOn,
  },
  {
    name: "`SetEnvIfExpr` on the certificate, and `Require env` in `<Location /admin>`",
    text: lines(variable, inAdmin("Require env admitted")),
    at: variable,
  },
  { name: "`<If>` on the certificate, for `/admin`", text: lines(opened, "Require all denied", "</If>"), at: opened },
];

testRows("For less than the whole site: Require, RewriteCond, If", [
  ...rules.map(({ name, text, at }): Row => ({
    name: `${name}, with the site's CAs`,
    covered: lines(base, text),
    findings: [warning(at)],
    before: { "/": "200 200 refused", "/admin/": "403 200 refused" },
  })),
  ...rules.map(({ name, text, at }): Row => ({
    name: `${name}, with another CA`,
    covered: lines(optional, foreignCa, text),
    findings: [conflict(at), untilAdopt(foreignCa, "Foreign CA")],
    before: { "/": "200 refused 200", "/admin/": "403 refused 200" },
  })),
  {
    name: "`<AuthzProviderAlias>` on the certificate, and its name in `<Location /admin>`, with another CA",
    server: lines(alias, "</AuthzProviderAlias>", inAdmin("Require holder")),
    covered: lines(optional, foreignCa),
    findings: [conflict(alias), untilAdopt(foreignCa, "Foreign CA")],
    before: { "/": "200 refused 200", "/admin/": "403 refused 200" },
    onOther: { "/": "200 200 200", "/admin/": "403 403 403" },
  },
  {
    name: "`Require ssl-verify-client` in `<Location /admin>`, where no certificate is believed yet",
    covered: inAdmin("Require ssl-verify-client"),
    findings: [conflict("Require ssl-verify-client")],
    before: { "/": "200 200 200", "/admin/": "403 403 403" },
  },
  {
    name: "`Require expr` on the issuer in `<Location /admin>`, with another CA",
    isWholeSite: true,
    covered: lines(optional, foreignCa, inAdmin("Require expr \"%{SSL_CLIENT_I_DN_CN} == 'Foreign CA'\"")),
    findings: [warning("Require expr \"%{SSL_CLIENT_I_DN_CN} == 'Foreign CA'\""), untilAdopt(foreignCa, "Foreign CA")],
    before: { "/": "200 refused 200", "/admin/": "403 refused 200" },
    after: { "/": "200 200 refused", "/admin/": "403 403 refused" },
  },
  {
    name: "`Satisfy Any` in `<Location /admin>`, which is closed by address",
    covered: lines(base, inAdmin("Satisfy Any", "Order deny,allow", "Deny from all", "Require all denied")),
    findings: [warning("Satisfy Any")],
    before: { "/": "200 200 refused", "/admin/": "403 403 refused" },
  },
  {
    name: "`Satisfy Any` in `<Location /admin>`, which is open (third client: another organization)",
    covered: lines(base, inAdmin("Satisfy Any")),
    theirs: "wrongOrganization",
    findings: [warning("Satisfy Any")],
    before: open("/", "/admin/"),
    after: { "/": "200 200 403", "/admin/": "200 200 200" },
  },
]);

const modules = lines(
  "LoadModule auth_basic_module modules/mod_auth_basic.so",
  "LoadModule authn_file_module modules/mod_authn_file.so",
);
const passwords = (file: string): string[] => [
  "AuthType Basic",
  "AuthName administration",
  "AuthBasicProvider file",
  `AuthUserFile conf/theirs/${file}`,
  "Require valid-user",
];
const fake = "SSLOptions +FakeBasicAuth";
const userName = "SSLUserName SSL_CLIENT_S_DN_CN";

testRows("Users: FakeBasicAuth and SSLUserName", [
  {
    name: "`SSLOptions +FakeBasicAuth` in `<Location /admin>`, with the site's CAs",
    server: modules,
    covered: lines(base, inAdmin(fake, ...passwords("users"))),
    findings: [warning(fake, "FakeBasicAuth")],
    before: { "/": "200 200 refused", "/admin/": "401 200 refused" },
  },
  {
    name: "`SSLOptions +FakeBasicAuth` in `<Location /admin>`, with another CA (third client: of the same name)",
    server: modules,
    covered: lines(optional, foreignCa, inAdmin(fake, ...passwords("users"))),
    findings: [conflict(fake, "FakeBasicAuth"), untilAdopt(foreignCa, "Foreign CA")],
    before: { "/": "200 refused 200", "/admin/": "401 refused 200" },
  },
  {
    name: "`SSLOptions +FakeBasicAuth` in the virtual host, with the site's CAs; `<Location /admin>` has users with passwords",
    server: modules,
    covered: lines(base, fake, inAdmin(...passwords("passwords"))),
    findings: [warning(fake, "FakeBasicAuth")],
    before: { "/": "200 200 refused", "/admin/": "401 401 refused" },
  },
  {
    name: "`SSLUserName` in `<Location /admin>`, with the site's CAs",
    server: modules,
    covered: lines(base, inAdmin(userName, ...passwords("passwords"))),
    findings: [warning(userName)],
    // Who has a name needs no password for `Require valid-user`.
    before: { "/": "200 200 refused", "/admin/": "401 200 refused" },
  },
  {
    name: "`SSLUserName` in `<Location /admin>`, with another CA",
    server: modules,
    covered: lines(optional, foreignCa, inAdmin(userName, ...passwords("passwords"))),
    findings: [conflict(userName), untilAdopt(foreignCa, "Foreign CA")],
    before: { "/": "200 refused 200", "/admin/": "401 refused 200" },
  },
  {
    name: "`SSLUserName` in `<Location /admin>`, where no certificate is believed yet",
    server: modules,
    covered: inAdmin(userName, ...passwords("passwords")),
    findings: [conflict(userName)],
    before: { "/": "200 200 200", "/admin/": "401 401 401" },
  },
]);
