/**
 * The PHP rule of the vendor's manual: with PHP 8.3 and later, httpd must speak only TLS 1.2. This module finds the PHP
 * that counts, decides whether the rule applies, and makes the diagnostics about it.
 */
import { compareVersions } from "./config/conditions.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { Desired, Facts, PhpFacts } from "./model.ts";
import type { PhpObservation } from "./observation.ts";

const phpSources = ["module", "fpm", "cli"] as const;

/**
 * Chooses the PHP that counts: the one that httpd itself loads, or else that of php-fpm, or else that of the command
 * line. Among several of one source the highest version counts, because the rule is stricter from 8.3 on. Undefined
 * where there is no PHP.
 */
export function findPhp(observed: readonly PhpObservation[]): PhpFacts | undefined {
  const ranked = [...observed].sort(
    (a, b) => phpSources.indexOf(a.source) - phpSources.indexOf(b.source) || compareVersions(b.version, a.version),
  );
  const [first, ...rest] = ranked;
  if (first === undefined) return undefined;
  const others = rest
    .filter(({ version }) => version !== first.version)
    .map(({ source, version }) => ({ source, version }));
  return { version: first.version, source: first.source, path: first.path, others };
}

/** From this version of PHP on, the vendor's manual demands only TLS 1.2. */
const firstTls12Php = "8.3";

/** The version of PHP that decides about TLS: the one in the site file, or else the one that was found on the host. */
export const phpVersion = (desired: Desired, facts: Facts): string | undefined =>
  desired.phpVersion ?? facts.php?.version;

/** Whether TLS 1.3 must be off. An unknown PHP changes nothing: the administrator's SSLProtocol stays. */
export function isTls12Only(desired: Desired, facts: Facts): boolean {
  const version = phpVersion(desired, facts);
  return version !== undefined && compareVersions(version, firstTls12Php) >= 0;
}

/** Whether the server is the vendor's product, which needs PHP; another server may have none. */
const isProduct = ({ server }: Facts): boolean => `${server.serverRoot}/`.startsWith("/usr/local/ni/");

/**
 * The diagnostics about the PHP that decides: that none was found, or that the host has other versions as well, where
 * the site file does not say which one counts.
 */
export function diagnosePhp(desired: Desired, facts: Facts): Diagnostic[] {
  const place = facts.server.configFile;
  if (phpVersion(desired, facts) === undefined) {
    const text = "no PHP was found, so TLS versions stay as they are; give phpVersion to have TLS 1.2 only from 8.3 on";
    return [{ severity: isProduct(facts) ? "warning" : "note", place, text }];
  }
  if (desired.phpVersion !== undefined || facts.php === undefined || facts.php.others.length === 0) return [];
  const others = facts.php.others.map(({ source, version }) => `${version} (${source})`).join(", ");
  const text = `PHP ${facts.php.version} (${facts.php.source}) decides about TLS; there is also ${others}`;
  return [{ severity: "note", place, text }];
}
