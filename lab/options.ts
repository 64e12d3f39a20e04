/** What a lab host can be asked to be. Every field is optional: the default is a running host in the product's layout with one TLS virtual host. */
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
  /** Directives at the end of each TLS virtual host. */
  readonly virtualHostDirectives?: string;
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
  /** Set up by hand as the vendor's manual says, with its cron job that fetches the CRL by wget. @default - not set up */
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
  /** A stand-in for PHP: a file with the words that every PHP binary carries, loaded by httpd or lying at the CLI's place. It runs no PHP. */
  readonly phpStandIn?: { readonly version: string; readonly as: "module" | "cli" };
  /** The server's key has a passphrase; its program answers at the first start and hangs ever after. */
  readonly passphraseKey?: boolean;
  /** A second httpd with its own server root `/usr/local/other`, on another port. */
  readonly secondInstance?: boolean;
  /** Adds a user `ops`, who logs in like root and may use sudo in this way; `rule` is what follows the user's name in sudoers. */
  readonly ops?: { readonly sudo: "passwordless" | "password" | "requiretty" | { readonly rule: string } };
}

/** Ports on 127.0.0.1. */
export interface LabPorts {
  readonly ssh: number;
  readonly http: number;
  readonly https: number;
}
