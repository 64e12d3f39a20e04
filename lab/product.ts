/**
 * The product's layout: upstream's stock configuration of httpd 2.4 under `/usr/local/ni/apache`, with HTTPS switched
 * on.
 */
import { existsSync, readFileSync } from "node:fs";
import type { Layout } from "./layout.ts";
import type { MachineFile } from "./machine.ts";
import type { LabHostOptions, LabPorts } from "./options.ts";
import { manualDirectives } from "./manual.ts";
import { phpModules, phpServerDirectives, phpVirtualHost } from "./php.ts";
import type { LabPki } from "./pki.ts";

export const productRoot = "/usr/local/ni/apache";
/**
 * The path of the stand-in for PHP where httpd loads it. The stand-in is a copy of a small module that is not needed.
 */
export const standInModule = "/usr/local/ni/php/lib/libphp.so";
export const moduleDirectory = "/usr/lib/apache2/modules";

const modules = [
  "mpm_event",
  "authn_core",
  "authz_core",
  "authz_host",
  "authz_user",
  "access_compat",
  "unixd",
  "log_config",
  "mime",
  "env",
  "setenvif",
  "headers",
  "version",
  "alias",
  "dir",
  "autoindex",
  "socache_shmcb",
  "ssl",
  "cgid",
  "rewrite",
  "info",
  "status",
];

/**
 * A CGI that prints what httpd gives to an application. Its name has an extension for which the stock configuration
 * exports the TLS variables.
 */
export const environmentCgi = `#!/bin/sh
bytes=$(wc -c)
printf 'Content-Type: text/plain\\r\\n\\r\\n'
echo "verify=$SSL_CLIENT_VERIFY organization=$SSL_CLIENT_S_DN_O protocol=$SSL_PROTOCOL body=$bytes"
`;

/** The address at which every layout serves this CGI. */
export const environmentPage = "/cgi-bin/env.cgi";

/** The product's own layout. */
export function productLayout(options: LabHostOptions, ports: LabPorts, pki: LabPki): Layout {
  return {
    serverRoot: productRoot,
    configFile: `${productRoot}/conf/httpd.conf`,
    pidFile: pidFile(options),
    errorLog: `${productRoot}/logs/error_log`,
    files: productFiles(options, ports, pki),
    setUp: `cp /usr/sbin/apache2 ${productRoot}/bin/httpd\nln -s ${moduleDirectory} ${productRoot}/modules\n`,
    start: `${productRoot}/bin/apachectl start\n`,
  };
}

function productFiles(options: LabHostOptions, ports: LabPorts, pki: LabPki): Map<string, MachineFile> {
  const at = (name: string) => `${productRoot}/${name}`;
  return new Map<string, MachineFile>([
    [at("bin/envvars"), { content: environmentFile(options.environment ?? {}) }],
    [at("bin/apachectl"), { content: apachectl(options.defines ?? []), mode: 0o755 }],
    [at("conf/httpd.conf"), { content: mainConfiguration(options, ports) }],
    [at("conf/extra/httpd-ssl.conf"), { content: tlsConfiguration(options, ports) }],
    [at("conf/mime.types"), { content: stockFile("mime.types") }],
    [at("conf/magic"), { content: stockFile("magic") }],
    [at("conf/server.crt"), { content: pki.server.certificate }],
    [at("conf/server.key"), { content: pki.server.key, mode: 0o600 }],
    [at("htdocs/index.html"), { content: "It works!\n" }],
    [at("cgi-bin/env.cgi"), { content: environmentCgi, mode: 0o755 }],
    [at("logs/.keep"), { content: "" }],
  ]);
}

/** The pid file that the configuration names. */
function pidFile(options: LabHostOptions): string {
  return options.runSymlink === true ? "/var/run/ni-httpd.pid" : `${productRoot}/logs/httpd.pid`;
}

function stockFile(name: string): string {
  return readFileSync(new URL(`httpd-2.4/${name}`, import.meta.url), "latin1");
}

function stockConfiguration(name: string, ports: LabPorts): string {
  const values: Readonly<Record<string, string>> = {
    "@@ServerRoot@@": productRoot,
    "@@Port@@": `127.0.0.1:${ports.http}`,
    "@@SSLPort@@": String(ports.https),
    "@exp_htdocsdir@": `${productRoot}/htdocs`,
    "@exp_cgidir@": `${productRoot}/cgi-bin`,
    "@exp_sysconfdir@": `${productRoot}/conf`,
    "@rel_sysconfdir@": "conf",
    "@rel_logfiledir@": "logs",
    "@exp_logfiledir@": `${productRoot}/logs`,
    "@exp_runtimedir@": `${productRoot}/logs`,
  };
  return stockFile(name).replace(/@@?\w+@@?/g, (placeholder) => values[placeholder] ?? placeholder);
}

/**
 * The modules of the stock configuration that this machine has as files (the others are built in), without those that
 * are to be missing on this host.
 */
export function loadableModules(options: LabHostOptions): string[] {
  return phpModules(options.php, modules).filter(
    (name) => existsSync(`${moduleDirectory}/mod_${name}.so`) && !(options.without ?? []).includes(`mod_${name}`),
  );
}

function mainConfiguration(options: LabHostOptions, ports: LabPorts): string {
  const loaded = loadableModules(options);
  return stockConfiguration("httpd.conf.in", ports)
    .replace("@@LoadModule@@", loaded.map((name) => `LoadModule ${name}_module modules/mod_${name}.so`).join("\n"))
    .replace("#Include conf/extra/httpd-ssl.conf", "Include conf/extra/httpd-ssl.conf")
    .replace("#ServerName www.example.com:80", `ServerName localhost:${ports.http}`)
    .concat(`\nDefaultRuntimeDir "logs"\nPidFile "${pidFile(options)}"\n`) // what upstream has compiled in; Debian's program has other paths
    .concat(options.phpStandIn?.as === "module" ? `LoadModule asis_module ${standInModule}\n` : "")
    .concat(phpServerDirectives(options.php))
    .concat(options.serverDirectives === undefined ? "" : `\n${options.serverDirectives}\n`);
}

function tlsConfiguration(options: LabHostOptions, ports: LabPorts): string {
  const manual = options.manual === undefined ? "" : manualDirectives;
  const finish = (section: string, number: number) =>
    phpVirtualHost(section, number, options.php, ports.fpm).replace(
      "</VirtualHost>",
      () => `${manual}${virtualHostDirectives(options, number)}\n</VirtualHost>`,
    );
  const stock = stockConfiguration("extra/httpd-ssl.conf.in", ports)
    .replace(/^Listen \d+/m, `Listen 127.0.0.1:${ports.https}`)
    .replace("ServerName www.example.com", `ServerName ${virtualHostName(1)}`);
  const section = /^<VirtualHost[\s\S]*<\/VirtualHost>/m.exec(stock)?.[0] ?? "";
  const further = Array.from({ length: (options.virtualHosts ?? 1) - 1 }, (_, index) =>
    finish(section, index + 2)
      .replace(/^#.*\n|^\n/gm, "") // upstream's comments once are enough
      .replace(virtualHostName(1), virtualHostName(index + 2)),
  );
  return [stock.replace(section, () => finish(section, 1)).trimEnd(), ...further].join("\n\n") + "\n";
}

/** The customer's own directives, for the end of the `number`-th TLS virtual host. */
export const virtualHostDirectives = ({ virtualHostDirectives: own = "" }: LabHostOptions, number: number): string =>
  typeof own === "string" ? own : own(number);

/** ServerName of the n-th TLS virtual host, counted from 1. */
export function virtualHostName(number: number): string {
  return number === 1 ? "a.lab.test" : number === 2 ? "b.lab.test" : `v${number}.lab.test`;
}

function environmentFile(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}='${value}'\n`)
    .join("");
}

/**
 * Names the server root and the configuration file, because Debian's program has another prefix compiled in than the
 * product's.
 */
function apachectl(defines: readonly string[]): string {
  const flags = defines.map((name) => `-D ${name} `).join("");
  return `#!/bin/sh\n. ${productRoot}/bin/envvars\nexec ${productRoot}/bin/httpd -d ${productRoot} -f conf/httpd.conf ${flags}-k "$@"\n`;
}
