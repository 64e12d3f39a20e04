/** The layouts of httpd on Debian and Red Hat: many small files, found by globs and symlinks. */
import type { Layout } from "./layout.ts";
import type { MachineFile } from "./machine.ts";
import type { LabHostOptions, LabPorts } from "./options.ts";
import type { LabPki } from "./pki.ts";
import { environmentCgi, loadableModules, moduleDirectory, virtualHostDirectives, virtualHostName } from "./product.ts";

const documentRoot = "/var/www/html";
const scripts = "/usr/lib/cgi-bin";

/** The layout of Debian's `/etc/apache2` or Red Hat's `/etc/httpd`, cut down to what serves the lab's pages. */
export function distributionLayout(
  name: "debian" | "redhat",
  options: LabHostOptions,
  ports: LabPorts,
  pki: LabPki,
): Layout {
  const content = new Map<string, MachineFile>([
    [`${documentRoot}/index.html`, { content: "It works!\n" }],
    [`${scripts}/env.cgi`, { content: environmentCgi, mode: 0o755 }],
    ["/etc/ssl/lab/server.crt", { content: pki.server.certificate }],
    ["/etc/ssl/lab/server.key", { content: pki.server.key, mode: 0o600 }],
  ]);
  return name === "debian" ? debian(options, ports, content) : redHat(options, ports, content);
}

function debian(options: LabHostOptions, ports: LabPorts, content: Map<string, MachineFile>): Layout {
  const root = "/etc/apache2";
  const modules = loadableModules(options);
  for (const module of modules)
    content.set(`${root}/mods-available/${module}.load`, {
      content: `LoadModule ${module}_module ${moduleDirectory}/mod_${module}.so\n`,
    });
  const sites = Array.from({ length: options.virtualHosts ?? 1 }, (_, index) => `site${index + 1}`);
  for (const [index, site] of sites.entries())
    content.set(`${root}/sites-available/${site}.conf`, {
      content: `<IfModule mod_ssl.c>\n${virtualHost(index + 1, options, ports, "${APACHE_LOG_DIR}")}</IfModule>\n`,
    });
  content.set(`${root}/ports.conf`, {
    content: `Listen 127.0.0.1:${ports.http}\n\n<IfModule ssl_module>\n\tListen 127.0.0.1:${ports.https}\n</IfModule>\n`,
  });
  content.set(`${root}/envvars`, { content: debianEnvironment(options) });
  content.set(`${root}/apache2.conf`, { content: debianMain(options) });
  const enabled = [...modules.map((module) => `mods-%/${module}.load`), ...sites.map((site) => `sites-%/${site}.conf`)];
  const links = enabled.map(
    (file) => `ln -s ../${file.replace("%", "available")} ${root}/${file.replace("%", "enabled")}\n`,
  );
  const defines = (options.defines ?? []).map((define) => ` -D ${define}`).join("");
  return {
    serverRoot: root,
    configFile: `${root}/apache2.conf`,
    pidFile: "/run/apache2/apache2.pid",
    errorLog: "/var/log/apache2/error.log",
    files: content,
    setUp: `mkdir -p ${root}/mods-enabled ${root}/sites-enabled /var/log/apache2 /run/apache2\n${links.join("")}`,
    start: `( . ${root}/envvars && exec /usr/sbin/apache2${defines} -k start )\n`,
  };
}

function debianEnvironment(options: LabHostOptions): string {
  const variables = {
    APACHE_RUN_USER: "www-data",
    APACHE_RUN_GROUP: "www-data",
    APACHE_PID_FILE: "/run/apache2/apache2.pid",
    APACHE_RUN_DIR: "/run/apache2",
    APACHE_LOG_DIR: "/var/log/apache2",
    ...options.environment,
  };
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}='${value}'\n`)
    .join("");
}

function debianMain(options: LabHostOptions): string {
  return `ServerRoot "/etc/apache2"
DefaultRuntimeDir \${APACHE_RUN_DIR}
PidFile \${APACHE_PID_FILE}
User \${APACHE_RUN_USER}
Group \${APACHE_RUN_GROUP}
ErrorLog \${APACHE_LOG_DIR}/error.log
IncludeOptional mods-enabled/*.load
IncludeOptional mods-enabled/*.conf
Include ports.conf
${directories}IncludeOptional sites-enabled/*.conf
${options.serverDirectives ?? ""}
`;
}

function redHat(options: LabHostOptions, ports: LabPorts, content: Map<string, MachineFile>): Layout {
  const root = "/etc/httpd";
  const load = loadableModules(options).map((module) => `LoadModule ${module}_module modules/mod_${module}.so\n`);
  const sections = Array.from({ length: options.virtualHosts ?? 1 }, (_, index) =>
    virtualHost(index + 1, options, ports, "logs"),
  );
  content.set(`${root}/conf.modules.d/00-base.conf`, { content: load.join("") });
  content.set(`${root}/conf.d/ssl.conf`, {
    content: `Listen 127.0.0.1:${ports.https} https\n\n${sections.join("\n")}`,
  });
  content.set(`${root}/conf/httpd.conf`, { content: redHatMain(options, ports) });
  const environment = Object.entries(options.environment ?? {})
    .map(([name, value]) => `${name}='${value}' `)
    .join("");
  const defines = (options.defines ?? []).map((define) => ` -D ${define}`).join("");
  return {
    serverRoot: root,
    configFile: `${root}/conf/httpd.conf`,
    pidFile: "/run/httpd/httpd.pid",
    errorLog: "/var/log/httpd/error_log",
    files: content,
    setUp: `cp /usr/sbin/apache2 /usr/sbin/httpd
mkdir -p /var/log/httpd /run/httpd
ln -s ${moduleDirectory} ${root}/modules
ln -s ../../var/log/httpd ${root}/logs
ln -s /run/httpd ${root}/run
`,
    start: `${environment}/usr/sbin/httpd -d ${root} -f conf/httpd.conf${defines} -k start\n`,
  };
}

function redHatMain(options: LabHostOptions, ports: LabPorts): string {
  return `ServerRoot "/etc/httpd"
Listen 127.0.0.1:${ports.http}
Include conf.modules.d/*.conf
User daemon
Group daemon
DefaultRuntimeDir run
PidFile run/httpd.pid
ErrorLog "logs/error_log"
${directories}${options.serverDirectives ?? ""}
IncludeOptional conf.d/*.conf
`;
}

const directories = `ServerName localhost
TypesConfig /dev/null
<Directory />
    AllowOverride none
    Require all denied
</Directory>
<Directory "${documentRoot}">
    Require all granted
</Directory>
<Directory "${scripts}">
    Require all granted
</Directory>
ScriptAlias /cgi-bin/ ${scripts}/
`;

function virtualHost(number: number, options: LabHostOptions, ports: LabPorts, logs: string): string {
  return `<VirtualHost *:${ports.https}>
    ServerName ${virtualHostName(number)}:${ports.https}
    DocumentRoot ${documentRoot}
    ErrorLog ${logs}/ssl_error_log
    SSLEngine on
    SSLCertificateFile /etc/ssl/lab/server.crt
    SSLCertificateKeyFile /etc/ssl/lab/server.key
    <FilesMatch "\\.(?:cgi|shtml|phtml|php)$">
        SSLOptions +StdEnvVars
    </FilesMatch>
${virtualHostDirectives(options, number)}
</VirtualHost>
`;
}
