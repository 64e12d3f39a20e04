import type { Diagnostic } from "../diagnostic.ts";
import type { RefreshObservation } from "../crl-refresh/refresh-model.ts";

/**
 * What one look at a host found: the input of {@link readFacts}. Made by `provider/apache/observation-reader.ts` from a
 * live host, or by `cli/tree-observation.ts` from a copy of its files. Held in memory only: `files` has the customer's
 * bytes.
 *
 * All texts that come from the host are bytes held as latin1: a configuration may be in Shift_JIS.
 */
export interface Observation extends RefreshObservation {
  readonly server: ServerObservation;
  /**
   * What `httpd -t -D DUMP_VHOSTS -D DUMP_RUN_CFG -D DUMP_MODULES -D DUMP_INCLUDES -D DUMP_CONFIG` printed, standard
   * output and error together; undefined where no httpd could be asked (a copy of the files).
   */
  readonly dump: string | undefined;
  /** What httpd said when an observation was saved, for a copy of the files; `defines` are then all that there were. */
  readonly saved?: { readonly modules: ReadonlyMap<string, "static" | "shared"> };
  /** Of a copy of the files only. */
  readonly copy?: CopyObservation;
  /** Every configuration file that httpd loads, by the path under which httpd names it (symlinks not resolved). */
  readonly files: ReadonlyMap<string, ObservedFile>;
  /** Files in our directory `conf/clientcert/`, by name; above 1 MiB as `core/pki/sparse-crl.ts` reads them. */
  readonly own: ReadonlyMap<string, ObservedFile>;
  /** The host's journal: lines `key value`, last one wins; empty before the first change. */
  readonly journal: ReadonlyMap<string, string>;
  /** SHA-256 of the files with our lines, by path, as httpd read them at our last reload, but without those lines. */
  readonly loadedHashes?: ReadonlyMap<string, string>;
  readonly php: readonly PhpObservation[];
  /** Files that the configuration names and httpd reads at its start: certificates, keys, CA and CRL files. */
  readonly namedFiles: readonly NamedFile[];
  /** Crontabs and scripts of cron that may fetch a CRL, or have a line that we commented out, by path. */
  readonly crontabs: ReadonlyMap<string, ObservedFile>;
  /** Files of ours that start a refresh, by absolute path. */
  readonly timers: ReadonlyMap<string, ObservedFile>;
  /**
   * The program that stays on the host, what calls it, and the directories in which it lies (with `/.`), by absolute
   * path, of those that are there; undefined where nobody looked: on a copy of the files, and by an observation program
   * of an earlier build.
   */
  readonly unattended?: ReadonlyMap<string, UnattendedFile>;
}

/** What only a copy of the files needs: what it lacks. */
export interface CopyObservation {
  /** Whether the host has something at this path; undefined where the copy does not tell. */
  readonly has: (path: string) => boolean | undefined;
  /** What `httpd -M` printed; undefined where nobody kept it. */
  readonly modules: ReadonlyMap<string, "static" | "shared"> | undefined;
  /** Includes that could not be followed: what is missing elsewhere may only follow from these. */
  readonly unread: readonly Diagnostic[];
}

export interface ServerObservation {
  /** Seconds since 1970 on the host's clock. */
  readonly nowSeconds: number;
  /** From `httpd -V`, such as `Apache/2.4.71 (Debian)`. */
  readonly version: string;
  /** The OpenSSL that mod_ssl is linked with, or else the host's `openssl version`. */
  readonly openssl: string;
  /** OpenSSL's security level there, 0 to 5. @default - not known */
  readonly securityLevel?: number;
  readonly serverRoot: string;
  /** The main configuration file, symlinks resolved. */
  readonly configFile: string;
  /** `-D` names of the live parent's command line. */
  readonly defines: readonly string[];
  /** Whether these are all, of a server that was not seen running. */
  readonly hasAllDefines?: boolean;
  readonly isRunning: boolean;
  /**
   * Of a stopped server: the link of a unit or an init script that starts it with the machine. @default - none was
   * found
   */
  readonly starter?: string;
  /** When httpd last read its configuration: parent start, or its last reload in the journal or the error log. */
  readonly loadedSeconds: number | undefined;
  /** Instance: first 16 hex digits of the SHA-256 of `configFile`. */
  readonly instance: string;
}

export interface ObservedFile {
  /** The path with every symlink resolved: what an edit replaces. */
  readonly resolvedPath: string;
  readonly bytes: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly modifiedSeconds: number;
  readonly changedSeconds: number;
}

export interface UnattendedFile {
  readonly userId: number;
  /** Octal digits, such as `700`. */
  readonly mode: string;
  readonly sizeBytes: number;
  /** Of a regular file. */
  readonly sha256: string | undefined;
}

export interface PhpObservation {
  /**
   * Where the version was found: the module httpd loads, php-fpm, or the command line program of the product's tree.
   */
  readonly source: "module" | "fpm" | "cli";
  readonly path: string;
  /** Such as `8.3.12`. */
  readonly version: string;
}

export interface NamedFile {
  readonly path: string;
  readonly modifiedSeconds: number;
  readonly changedSeconds: number;
  /**
   * Contents of CA files of at most 1 MiB; of a CRL file as `core/pki/sparse-crl.ts` reads it; of a server's
   * certificate the certificates alone. Never a key.
   */
  readonly bytes?: string;
  /** Of the whole file, where `bytes` may be less. */
  readonly sizeBytes?: number;
}
