/** What only the customer can mend, and what is told only. */
import { productRoot } from "../../lab/product.ts";
import { lines, optional, siteCas, within } from "./lines.ts";
import { conflict, note, open, warning, type Row } from "./row.ts";
import { testRows } from "./run-rows.ts";

const base = lines(optional, siteCas);
const asked = { "/": "200 200 refused" };
const foreign = `${productRoot}/conf/theirs/foreign.pem`;

const command = (line: string, more: Pick<Row, "before">): Row => ({
  ...more,
  name: `\`SSLOpenSSLConfCmd ${line.split(" ")[0] ?? ""}\` in the virtual host`,
  covered: lines(base, `SSLOpenSSLConfCmd ${line}`),
  findings: [conflict(`SSLOpenSSLConfCmd ${line}`)],
});

testRows("OpenSSL's own commands: SSLOpenSSLConfCmd", [
  // Takes the place of the CAs that stand there.
  command(`VerifyCAFile ${foreign}`, { before: { "/": "200 refused 200" } }),
  command("VerifyMode Request", { before: asked }),
  command(`ClientCAFile ${foreign}`, { before: asked }),
  command(`RequestCAFile ${foreign}`, { before: asked }),
  {
    name: "`SSLOpenSSLConfCmd VerifyMode` at server level",
    server: "SSLOpenSSLConfCmd VerifyMode Request",
    findings: [conflict("SSLOpenSSLConfCmd VerifyMode Request")],
    before: { "/": "200 refused refused" },
    onOther: { "/": "200 refused refused" },
  },
  {
    name: "`SSLOpenSSLConfCmd` on something else than verification",
    covered: "SSLOpenSSLConfCmd Options -SessionTicket",
    before: open("/"),
    after: asked,
  },
]);

const remoteip = "LoadModule remoteip_module modules/mod_remoteip.so";

testRows("In front of the server: RemoteIPProxyProtocol", [
  {
    name: "`RemoteIPProxyProtocol On` in the virtual host",
    server: remoteip,
    covered: "RemoteIPProxyProtocol On",
    findings: [conflict("RemoteIPProxyProtocol On")],
    before: { "/": "refused refused refused" },
    onOther: open("/"),
  },
  {
    name: "`RemoteIPProxyProtocol On` with `RemoteIPProxyProtocolExceptions 127.0.0.0/8`",
    server: lines(remoteip, "RemoteIPProxyProtocolExceptions 127.0.0.0/8"),
    covered: "RemoteIPProxyProtocol On",
    before: open("/"),
    after: asked,
  },
]);

testRows("What the application is told, and who may change it: SSLOptions, AllowOverride, Macro", [
  {
    name: "`SSLOptions -StdEnvVars` in an `<If>`",
    covered: within('If "true"', "SSLOptions -StdEnvVars"),
    findings: [warning("SSLOptions -StdEnvVars")],
    before: open("/"),
    after: asked,
  },
  {
    name: "`SSLOptions StrictRequire`, without a sign, in an `<If>`",
    covered: within('If "true"', "SSLOptions StrictRequire"),
    findings: [warning("SSLOptions StrictRequire")],
    before: open("/"),
    after: asked,
  },
  {
    name: "`SSLOptions +StrictRequire` in an `<If>`",
    covered: within('If "true"', "SSLOptions +StrictRequire"),
    before: open("/"),
    after: asked,
  },
  {
    name: "`AllowOverride All` in the document root",
    directory: "AllowOverride All",
    findings: [note("AllowOverride All")],
    before: open("/"),
    after: asked,
  },
  {
    name: "`AllowOverride AuthConfig` in the document root",
    directory: "AllowOverride AuthConfig",
    findings: [note("AllowOverride AuthConfig")],
    before: open("/"),
    after: asked,
  },
  {
    name: "`Macro` and `Use` for something else, such as compression on port 80",
    server:
      "LoadModule macro_module modules/mod_macro.so\n<Macro Cached $seconds>\nHeader set Cache-Control max-age=$seconds\n</Macro>\nUse Cached 60",
    before: open("/"),
    after: asked,
  },
]);
