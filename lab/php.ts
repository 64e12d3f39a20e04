/** A real PHP on a lab host in the product's layout, and the page that applies the product's rule. */
import { existsSync, readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { requirePhp } from "../scripts/php.mjs";
import type { MachineFile } from "./machine.ts";
import type { LabPhp, PhpWay } from "./options.ts";

const documentRoot = "/usr/local/ni/apache/htdocs";
/**
 * A page in the document root. It applies the rule by which the product shows its switch, and prints the result and the
 * values that decide it as `key=value` lines.
 */
export const switchPage = "/switch.php";
const cgiProgram = "/usr/local/ni/apache/cgi-bin/php-cgi";
/** PHP 8.4 is linked with a newer libc than the machine's, so it runs in a root of its own. */
const newerRoot = "/opt/php8.4";
const isChrooted = ({ version }: LabPhp): boolean => version === "8.4";
const rootOf = (php: LabPhp): string => (isChrooted(php) ? newerRoot : "");
const fpmConfiguration = "/etc/php-lab/fpm.conf";

/** The ways of the TLS virtual hosts, in their order. The last one also serves all further virtual hosts. */
const waysOf = ({ ways }: LabPhp): readonly PhpWay[] => ways ?? ["handler"];

const wayOf = (php: LabPhp, number: number): PhpWay => waysOf(php)[number - 1] ?? waysOf(php).at(-1) ?? "handler";

const uses = (php: LabPhp | undefined, ...ways: readonly PhpWay[]): boolean =>
  php !== undefined && waysOf(php).some((way) => ways.includes(way));

const cgiWays = ["action", "actionWithoutSection"] as const;
const usesFpm = (php: LabPhp): boolean => waysOf(php).some((way) => way !== "module" && !/^action/.test(way));

/**
 * The modules of httpd that PHP needs. libphp needs `mpm_prefork` in place of `mpm_event`, because it is not made for
 * threads.
 */
export function phpModules(php: LabPhp | undefined, modules: readonly string[]): string[] {
  if (php === undefined) return [...modules];
  const mpm = uses(php, "module") ? "mpm_prefork" : "mpm_event";
  return [...modules.map((name) => (name === "mpm_event" ? mpm : name)), "actions", "proxy", "proxy_fcgi"];
}

/** Directives at the server level. */
export const phpServerDirectives = (php: LabPhp | undefined): string =>
  uses(php, "module") ? "LoadModule php_module modules/libphp8.2.so\n" : "";

const stockSection = /<FilesMatch "\\\.\(cgi\|shtml\|phtml\|php\)\$">[\s\S]*?<\/FilesMatch>\n/;
const cgiSection = /<Directory "[^"]*cgi-bin">[\s\S]*?<\/Directory>\n/;

/** Returns the `number`-th virtual host, counted from 1, with the directives that call PHP in its way. */
export function phpVirtualHost(section: string, number: number, php: LabPhp | undefined, fpmPort: number): string {
  if (php === undefined) return section;
  const way = wayOf(php, number);
  const changed =
    way === "withoutStockSection"
      ? section.replace(stockSection, "")
      : way === "actionWithoutSection"
        ? section.replace(cgiSection, "")
        : section;
  return changed.replace("</VirtualHost>", `${wayDirectives(way, `fcgi://127.0.0.1:${fpmPort}`)}</VirtualHost>`);
}

function wayDirectives(way: PhpWay, fpm: string): string {
  const handler = (name: string) => `<FilesMatch "\\.php$">\n    SetHandler "${name}"\n</FilesMatch>\n`;
  switch (way) {
    case "handler":
    case "withoutStockSection":
      return handler(`proxy:${fpm}`);
    case "proxyPassMatch":
      return `ProxyPassMatch "^/(.*\\.php)$" "${fpm}${documentRoot}/$1"\n`;
    case "rewrite":
      return `RewriteEngine on\nRewriteRule "^/(.*\\.php)$" "${fpm}${documentRoot}/$1" [P]\n`;
    case "action":
    case "actionWithoutSection":
      return `Action application/x-lab-php /cgi-bin/php-cgi\n${handler("application/x-lab-php")}`;
    case "module":
      return handler("application/x-httpd-php");
  }
}

/** PHP's programs with what they are linked with, its settings, and the page. */
export async function phpFiles(php: LabPhp | undefined, fpmPort: number): Promise<[string, MachineFile][]> {
  if (php === undefined) return [];
  const tree = await requirePhp(php.version);
  const page = { content: readFileSync(new URL("switch.php", import.meta.url)) };
  const settings = "post_max_size = 64M\n";
  const etc = `${rootOf(php)}/etc/php/${php.version}`;
  return [
    ...(await programFiles(php, tree)),
    ...["fpm", "cgi", "apache2"].map((name): [string, MachineFile] => [
      `${etc}/${name}/php.ini`,
      { content: settings },
    ]),
    [rootOf(php) + fpmConfiguration, { content: fpmText(fpmPort) }],
    [documentRoot + switchPage, page],
    ...(isChrooted(php) ? [[newerRoot + documentRoot + switchPage, page] satisfies [string, MachineFile]] : []),
  ];
}

/** Returns the programs of the tree that this host runs, and the libraries that they need and this machine lacks. */
async function programFiles(php: LabPhp, tree: string): Promise<[string, MachineFile][]> {
  const fpm = `/usr/sbin/php-fpm${php.version}`;
  const module = `/usr/lib/apache2/modules/libphp${php.version}.so`;
  const cgi = `/usr/bin/php-cgi${php.version}`;
  const wanted: readonly (readonly [string, boolean, string])[] = [
    [fpm, usesFpm(php), rootOf(php) + fpm],
    [cgi, uses(php, ...cgiWays), cgiProgram],
    [module, uses(php, "module"), module],
  ];
  const programs = wanted.filter(([, isWanted]) => isWanted).map(([from, , to]) => [from, to] as const);
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  const libraries = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name).slice(tree.length))
    .filter((name) => !wanted.some(([from]) => from === name) && (isChrooted(php) || !existsSync(name)))
    .map((name) => [name, rootOf(php) + name] as const);
  const load = async ([from, to]: readonly [string, string]): Promise<[string, MachineFile]> => {
    return [to, { content: await readFile(tree + from), mode: 0o755 }];
  };
  return Promise.all([...programs, ...libraries].map(load));
}

/**
 * The settings of php-fpm. httpd's user runs the page. The user is a number, because the root of PHP 8.4 has no list of
 * users.
 */
const fpmText = (port: number): string => `[global]
error_log = /dev/null
[www]
user = 1
group = 1
listen = 127.0.0.1:${port}
pm = static
pm.max_children = 3
`;

/** Shell commands that start php-fpm, where this host has one. */
export function phpStart(php: LabPhp | undefined): string {
  if (php === undefined || !usesFpm(php)) return "";
  const root = rootOf(php);
  // PHP keeps uploads in /tmp.
  const folders = `mkdir -p ${root}/dev ${root}/tmp\nchmod 1777 ${root}/tmp\nmknod -m 666 ${root}/dev/null c 1 3\n`;
  const [setUp, enter] = isChrooted(php) ? [folders, `chroot ${root} `] : ["", ""];
  return `${setUp}${enter}/usr/sbin/php-fpm${php.version} --daemonize --fpm-config ${fpmConfiguration}\n`;
}
