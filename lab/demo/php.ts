/** The PHP of the demo's hosts: a real one where it can be fetched, else a stand-in with the words of PHP. */
import { requirePhp } from "../../scripts/php.mjs";
import type { LabHostOptions } from "../options.ts";

/** The PHP of each kind of host in the demo. */
export interface DemoPhp {
  /** PHP from 8.3 on, for which the vendor requires TLS 1.2 alone. */
  readonly newer: Pick<LabHostOptions, "php" | "phpStandIn">;
  readonly older: Pick<LabHostOptions, "php">;
  /** What the reader must know about the PHP of these hosts. */
  readonly words: readonly string[];
}

/** Fetches each PHP that can be fetched. */
export async function findDemoPhp(): Promise<DemoPhp> {
  const [newer, older] = [await missing("8.4"), await missing("8.2")];
  return {
    newer: newer === undefined ? { php: { version: "8.4" } } : { phpStandIn: { version: "8.3.12", as: "module" } },
    older: older === undefined ? { php: { version: "8.2" } } : {},
    words: [
      newer === undefined
        ? "PHP 8.4 is real: php-fpm from Debian's packages, behind httpd on web1 and web3."
        : `No PHP 8.4 could be had (${newer}). On web1 and web3 a stand-in says PHP 8.3.12; it runs no page, so a CGI says what an application sees.`,
      older === undefined
        ? "PHP 8.2 is real, too: php-fpm on web2."
        : `No PHP 8.2 could be had (${older}), so web2 has none.`,
    ],
  };
}

/** Returns in one line why this PHP cannot be fetched; undefined where it can. */
async function missing(version: "8.2" | "8.4"): Promise<string | undefined> {
  return requirePhp(version).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " "),
  );
}
