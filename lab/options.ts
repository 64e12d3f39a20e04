/**
 * What a lab host can be asked to be. Every field is optional: the default is a running host in the product's layout
 * with one TLS virtual host.
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
  /** Modules of httpd and programs that this host lacks, such as `mod_info`, `openssl`, `unshare`, `ip`. */
  readonly without?: readonly string[];
  /** What /bin/sh is, once the servers run. The other programs stay the machine's. @default - the machine's own */
  readonly shell?: "busybox";
  /** Does not start httpd. @default false */
  readonly stopped?: boolean;
  /**
   * Set up by hand as the vendor's manual says, with its cron job that fetches the CRL by wget. @default - not set up
   */
  readonly manual?: "cron.d" | "crontab";
  /** A real cron daemon runs the jobs that this host has, those that come later included. @default false */
  readonly cron?: boolean;
  /** systemd is pid 1, with none of the machine's units. @default false */
  readonly systemd?: boolean;
  /** `conf` is an absolute symlink to a directory elsewhere. */
  readonly confSymlink?: boolean;
  /** `httpd-ssl.conf` is a mount point of its own. */
  readonly bindMountedConf?: boolean;
  /** The pid file lies in `/var/run`, which is a symlink. */
  readonly runSymlink?: boolean;
  /** `access_log` is a sparse file of 2 GB. */
  readonly hugeLogs?: boolean;
  /** httpd sees a private /tmp and a server root that it cannot write, but for its logs, as systemd arranges it. */
  readonly privateTmp?: boolean;
  /**
   * A stand-in for PHP: a file with the words that every PHP binary carries, loaded by httpd or lying at the CLI's
   * place. It runs no PHP.
   */
  readonly phpStandIn?: { readonly version: string; readonly as: "module" | "cli" };
  /** A real PHP behind httpd, and the page `/switch.php` that plays the product's rule. */
  readonly php?: LabPhp;
  /** The server's key has a passphrase; its program answers at the first start and hangs ever after. */
  readonly passphraseKey?: boolean;
  /** A second httpd with its own server root `/usr/local/other`, on another port. */
  readonly secondInstance?: boolean;
  /**
   * Adds a user `ops`, who logs in like root and may use sudo in this way; `rule` is what follows the user's name in
   * sudoers.
   */
  readonly ops?: { readonly sudo: "passwordless" | "password" | "requiretty" | { readonly rule: string } };
}

/**
 * How httpd comes to PHP, each seen on customers' hosts. `handler` to `withoutStockSection` go to php-fpm: by
 * SetHandler, by ProxyPassMatch, by a RewriteRule with [P], and by SetHandler in a virtual host without the stock
 * section that hands the TLS variables to PHP. The other ways: php-cgi by Action, with and without the stock section
 * for `cgi-bin`, and httpd's own module.
 */
export type FpmWay = "handler" | "proxyPassMatch" | "rewrite" | "withoutStockSection";
/** Each of {@link FpmWay}, and those without php-fpm. */
export type PhpWay = FpmWay | "action" | "actionWithoutSection" | "module";

/**
 * `ways`: those of the TLS virtual hosts, in their order; the last one is that of all further ones. @default
 * ["handler"]
 */
export type LabPhp =
  | { readonly version: "8.2"; readonly ways?: readonly PhpWay[] }
  | { readonly version: "8.4"; readonly ways?: readonly FpmWay[] };

/** Ports on 127.0.0.1. */
export interface LabPorts {
  readonly ssh: number;
  readonly http: number;
  readonly https: number;
  /** Of php-fpm, where the host runs one. */
  readonly fpm: number;
}
