/**
 * The options of a lab host. Every field is optional: the default is a running host in the product's layout with one
 * TLS virtual host.
 */
import type { LabPki } from "./pki.ts";

export interface LabHostOptions {
  /** @default - the PKI of this process */
  readonly pki?: LabPki;
  /** Variants from `manual` to `passphraseKey` exist in the product's layout only. @default "product" */
  readonly layout?: "product" | "debian" | "redhat";
  /** TLS virtual hosts: `a.lab.test`, `b.lab.test`, `v3.lab.test`, … @default 1 */
  readonly virtualHosts?: number;
  /** Directives at the end of the server level. */
  readonly serverDirectives?: string;
  /** Directives at the end of each TLS virtual host, or of the `number`-th, counted from 1. */
  readonly virtualHostDirectives?: string | ((number: number) => string);
  /** `-D` names for httpd. */
  readonly defines?: readonly string[];
  /** Variables in `bin/envvars`. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Modules of httpd and programs that are missing on this host, such as `mod_info`, `openssl`, `unshare`, `ip`. */
  readonly without?: readonly string[];
  /**
   * The program that is /bin/sh once the servers run. The other programs stay the machine's.
   * @default - the machine's own
   */
  readonly shell?: "busybox";
  /**
   * httpd is not started.
   * @default false
   */
  readonly stopped?: boolean;
  /**
   * The host is set up by hand as the vendor's manual says, with its cron job that fetches the CRL by wget.
   * @default - not set up
   */
  readonly manual?: "cron.d" | "crontab";
  /**
   * A real cron daemon runs the jobs of this host, also those that are added later.
   * @default false
   */
  readonly cron?: boolean;
  /**
   * systemd is pid 1 and has none of the machine's units.
   * @default false
   */
  readonly systemd?: boolean;
  /** `conf` is an absolute symlink to a directory elsewhere. */
  readonly confSymlink?: boolean;
  /** `httpd-ssl.conf` is a mount point of its own. */
  readonly bindMountedConf?: boolean;
  /** The pid file lies in `/var/run`, which is a symlink. */
  readonly runSymlink?: boolean;
  /** `access_log` is a sparse file of 2 GB. */
  readonly hugeLogs?: boolean;
  /** httpd sees a private /tmp, and a server root of which it can write only the logs, as systemd arranges it. */
  readonly privateTmp?: boolean;
  /**
   * A stand-in for PHP: a file with the words that every PHP binary holds. httpd loads it, or it lies in the place of
   * the CLI. It runs no PHP.
   */
  readonly phpStandIn?: { readonly version: string; readonly as: "module" | "cli" };
  /** A real PHP behind httpd, and the page `/switch.php`, which applies the product's rule. */
  readonly php?: LabPhp;
  /**
   * The server's key has a passphrase. The passphrase program answers at the first start, and hangs at every later one.
   */
  readonly passphraseKey?: boolean;
  /** A second httpd with its own server root `/usr/local/other`, on another port. */
  readonly secondInstance?: boolean;
  /**
   * Adds a user `ops`, who logs in like root and may use sudo in the given way. `rule` is what follows the user's name
   * in sudoers.
   */
  readonly ops?: { readonly sudo: "passwordless" | "password" | "requiretty" | { readonly rule: string } };
}

/**
 * The ways in which httpd calls PHP, each seen on customers' hosts. `handler` to `withoutStockSection` call php-fpm: by
 * SetHandler, by ProxyPassMatch, by a RewriteRule with [P], and by SetHandler in a virtual host without the stock
 * section that gives the TLS variables to PHP. The other ways are php-cgi by Action, with and without the stock section
 * for `cgi-bin`, and httpd's own module.
 */
export type FpmWay = "handler" | "proxyPassMatch" | "rewrite" | "withoutStockSection";
/** Each way of {@link FpmWay}, and the ways without php-fpm. */
export type PhpWay = FpmWay | "action" | "actionWithoutSection" | "module";

/**
 * `ways` are those of the TLS virtual hosts, in their order. The last one also serves all further virtual hosts.
 * @default ["handler"]
 */
export type LabPhp =
  | { readonly version: "8.2"; readonly ways?: readonly PhpWay[] }
  | { readonly version: "8.4"; readonly ways?: readonly FpmWay[] };

/** Ports on 127.0.0.1. */
export interface LabPorts {
  readonly ssh: number;
  readonly http: number;
  readonly https: number;
  /** The port of php-fpm, where the host runs one. */
  readonly fpm: number;
}
