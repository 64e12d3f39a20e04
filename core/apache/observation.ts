import type { Diagnostic } from "../diagnostic.ts";
import type { RefreshObservation } from "../crl-refresh/refresh-model.ts";

/**
 * What one observation of a host found: the input of {@link readFacts}. `provider/apache/observation-reader.ts` makes
 * it from a live host, and `cli/tree-observation.ts` from a copy of the host's files. It is held only in memory,
 * because `files` has the customer's bytes.
 *
 * All texts that come from the host are bytes held as latin1: a configuration may be in Shift_JIS.
 */
export interface Observation extends RefreshObservation {
  readonly server: ServerObservation;
  /**
   * What `httpd -t -D DUMP_VHOSTS -D DUMP_RUN_CFG -D DUMP_MODULES -D DUMP_INCLUDES -D DUMP_CONFIG` printed, standard
   * output and standard error together. Undefined where httpd could not be asked (on a copy of the files).
   */
  readonly dump: string | undefined;
  /** What httpd reported when an observation was saved, for a copy of the files. In that case `defines` is complete. */
  readonly saved?: { readonly modules: ReadonlyMap<string, "static" | "shared"> };
  /** Only for a copy of the files. */
  readonly copy?: CopyObservation;
  /** Every configuration file that httpd loads, by the path under which httpd names it (symlinks not resolved). */
  readonly files: ReadonlyMap<string, ObservedFile>;
  /**
   * The files in our directory `conf/clientcert/`, by name. A file above 1 MiB has the bytes that
   * `core/pki/sparse-crl.ts` reads.
   */
  readonly own: ReadonlyMap<string, ObservedFile>;
  /** The host's journal, which has lines `key value`. The last line of a key wins. Empty before the first change. */
  readonly journal: ReadonlyMap<string, string>;
  /**
   * The SHA-256 of each file with our lines, by path: of the bytes that httpd read at our last reload, without those
   * lines.
   */
  readonly loadedHashes?: ReadonlyMap<string, string>;
  readonly php: readonly PhpObservation[];
  /** Files that the configuration names and that httpd reads when it starts: certificates, keys, CA and CRL files. */
  readonly namedFiles: readonly NamedFile[];
  /** Crontabs and cron scripts, by path, that may download a CRL or that have a line which we commented out. */
  readonly crontabs: ReadonlyMap<string, ObservedFile>;
  /** Our files that start a refresh, by absolute path. */
  readonly timers: ReadonlyMap<string, ObservedFile>;
  /**
   * The program that stays on the host, the files that call it, and their directories (with `/.` at the end), by
   * absolute path. Files that do not exist are left out. Undefined where this was not observed: on a copy of the files,
   * and with an observation program of an earlier build.
   */
  readonly unattended?: ReadonlyMap<string, UnattendedFile>;
}

/** What is only known or needed for a copy of the files. */
export interface CopyObservation {
  /** Whether the host has something at this path; undefined where the copy does not show it. */
  readonly has: (path: string) => boolean | undefined;
  /** What `httpd -M` printed; undefined where that was not saved. */
  readonly modules: ReadonlyMap<string, "static" | "shared"> | undefined;
  /** Includes that could not be followed. Anything else that is missing may only follow from these. */
  readonly unread: readonly Diagnostic[];
}

export interface ServerObservation {
  /** Seconds since 1970 on the host's clock. */
  readonly nowSeconds: number;
  /** The version that `httpd -V` prints, such as `Apache/2.4.71 (Debian)`. */
  readonly version: string;
  /** The version of the OpenSSL with which mod_ssl is linked, or else of the host's `openssl version`. */
  readonly openssl: string;
  /** OpenSSL's security level there, 0 to 5. @default - not known */
  readonly securityLevel?: number;
  readonly serverRoot: string;
  /** The main configuration file, with symlinks resolved. */
  readonly configFile: string;
  /** The `-D` names on the command line of the live parent process. */
  readonly defines: readonly string[];
  /** Whether `defines` is complete although the server was not seen running. */
  readonly hasAllDefines?: boolean;
  readonly isRunning: boolean;
  /**
   * What starts a stopped server when the machine starts: the link of a unit, or an init script.
   *
   * @default - none was found
   */
  readonly starter?: string;
  /**
   * When httpd last read its configuration: when its parent process started, or at its last reload by the journal or
   * the error log.
   */
  readonly loadedSeconds: number | undefined;
  /** The instance: the first 16 hex digits of the SHA-256 of `configFile`. */
  readonly instance: string;
}

export interface ObservedFile {
  /** The path with every symlink resolved: an edit replaces the file at this path. */
  readonly resolvedPath: string;
  readonly bytes: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly modifiedSeconds: number;
  readonly changedSeconds: number;
}

export interface UnattendedFile {
  readonly userId: number;
  /** The mode in octal digits, such as `700`. */
  readonly mode: string;
  readonly sizeBytes: number;
  /** Undefined unless it is a regular file. */
  readonly sha256: string | undefined;
}

export interface PhpObservation {
  /**
   * Where the version was found: in the module that httpd loads, in php-fpm, or in the command-line program of the
   * product.
   */
  readonly source: "module" | "fpm" | "cli";
  readonly path: string;
  /** The version, such as `8.3.12`. */
  readonly version: string;
}

export interface NamedFile {
  readonly path: string;
  readonly modifiedSeconds: number;
  readonly changedSeconds: number;
  /**
   * The contents of a CA file of at most 1 MiB, or the bytes of a CRL file that `core/pki/sparse-crl.ts` reads, or only
   * the certificates in a server's certificate file. Never a key.
   */
  readonly bytes?: string;
  /** The size of the whole file, where `bytes` may be less. */
  readonly sizeBytes?: number;
}
