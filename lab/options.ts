/** What a lab host can be asked to be. Every field is optional: the default is a running host in the product's layout with one TLS virtual host. */
import type { LabPki } from "./pki.ts";

export interface LabHostOptions {
  /** @default - the PKI of this process */
  readonly pki?: LabPki;
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
  /** Does not start httpd. @default false */
  readonly stopped?: boolean;
  /** Adds a user `ops`, who logs in like root and may use sudo in this way; `rule` is what follows the user's name in sudoers. */
  readonly ops?: { readonly sudo: "passwordless" | "password" | "requiretty" | { readonly rule: string } };
}

/** Ports on 127.0.0.1. */
export interface LabPorts {
  readonly ssh: number;
  readonly http: number;
  readonly https: number;
}
