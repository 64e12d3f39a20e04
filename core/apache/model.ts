/**
 * The types of the plan: what the site file wants ({@link Desired}), what is on the host ({@link Facts}), and what must
 * change ({@link Change}). Everything here is plain data that may be stored in Pulumi's state. It holds no byte of the
 * customer's configuration: only file names, line numbers, offsets, hashes, and names of directives that we manage.
 */

import type { Diagnostic } from "../diagnostic.ts";
import type { HostPlan } from "../server-kind.ts";
import type { CertificateSummary, CrlSummary } from "../pki/summary.ts";
import type { UnmanagedDirective } from "./facts/unmanaged-model.ts";
import type { RefreshFacts } from "../crl-refresh/refresh-model.ts";
import type { Inputs } from "./inputs.ts";

/** Our directory, relative to the directory `conf` of the server root. */
export const ownDirectory = "clientcert";
/** The one line that we put into each covered virtual host, as the last line before `</VirtualHost>`. */
export const includeLine = 'IncludeOptional "conf/clientcert/clientcert.conf"';
export const defaultPort = 443;
/** 50 MiB: the value in the vendor's manual for uploads from its smartphone apps. */
export const renegBufferSizeBytes = 52428800;

/** What the site file wants of one host. It does not depend on how the host is reached or where the files are. */
export interface Desired extends Omit<Inputs, NotPlanned> {
  /** SHA-256 of the program that this build installs on a host. @default - any program on the host is right */
  readonly program?: string;
}

type NotPlanned =
  "connection" | "detection" | "siteFile" | "caFiles" | "crlFiles" | "reloadUnstartable" | "judgeInPreview";

/** What one observation of a host found, without a byte of the customer's. A plan is made from this alone. */
export interface Facts {
  readonly server: ServerFacts;
  readonly virtualHosts: readonly VirtualHostFacts[];
  /** Where TLS is answered on other ports, by virtual hosts or the main server. */
  readonly others: readonly AskedHost[];
  /**
   * Unmanaged directives (which clientcert did not write) that affect what we manage. Each is effective for at least
   * one TLS virtual host, or adopted.
   */
  readonly foreign: readonly UnmanagedDirective[];
  /** Physical lines that an earlier `adopt` commented out. */
  readonly adopted: readonly AdoptedLine[];
  /** Our include lines outside of {@link virtualHosts}: every plan removes them. */
  readonly strayIncludes: readonly StrayInclude[];
  readonly own: OwnFacts;
  readonly refresh: RefreshFacts;
  /** The files that run there as root while nobody watches. @default - they were not observed */
  readonly unattended?: UnattendedFacts;
  readonly php: PhpFacts | undefined;
  readonly pendingEdits: readonly PendingEdit[];
  readonly crlJobs: readonly CrlJobFacts[];
  /** The SHA-256 of each file that a change may edit, by path. */
  readonly files: Readonly<Record<string, string>>;
  /**
   * The blockers, which forbid a change of this host whatever the inputs are: for example a macro that may write
   * virtual hosts, or an Include of our directory.
   */
  readonly obstacles: readonly Diagnostic[];
}

export interface ServerFacts {
  readonly version: string;
  readonly openssl: string;
  /** OpenSSL's security level for httpd's handshakes, from 0 to 5; undefined where it is not known. */
  readonly securityLevel?: number;
  readonly serverRoot: string;
  readonly configFile: string;
  readonly instance: string;
  readonly running: boolean;
  /** What starts a stopped server when the machine starts. @default - nothing was found */
  readonly starter?: string;
  /** What decided the conditions: the live httpd, a saved observation, or the files alone. */
  readonly source: "httpd" | "saved" | "files";
}

/** A `<VirtualHost>` that answers TLS on the port. */
export interface VirtualHostFacts {
  readonly file: string;
  /** The line of `<VirtualHost …>`, counted from 1. */
  readonly line: number;
  readonly serverName: string;
  readonly addresses: readonly { readonly address: string; readonly port: number }[];
  /** Other ports that it answers: a change of the virtual host applies there as well. @default - none */
  readonly otherPorts?: readonly number[];
  readonly documentRoot: string | undefined;
  /**
   * Where our line goes: the start of the physical line of `</VirtualHost>`. `eol` is the line end to use; our line has
   * no indentation.
   */
  readonly insertAt: { readonly offset: number; readonly eol: "\n" | "\r\n" };
  /**
   * Our line, when it is there: its bytes including its line end. `last` means that only blanks and comments follow it.
   */
  readonly include:
    { readonly offset: number; readonly length: number; readonly line: number; readonly last: boolean } | undefined;
}

export interface AdoptedLine {
  readonly file: string;
  readonly line: number;
  /** The bytes of our mark. */
  readonly offset: number;
  readonly length: number;
  /** Whether this is a line of a crontab, rather than of httpd's configuration. */
  readonly isJob: boolean;
}

/** A cron job that names a CRL file of httpd. */
export interface CrlJobFacts {
  readonly file: string;
  readonly line: number;
  /** The virtual hosts whose configuration names that CRL file, as indexes into {@link Facts.virtualHosts}. */
  readonly virtualHosts: readonly number[];
  /**
   * Where its line begins. Undefined in a script and for a variable of a crontab, where to comment the line out would
   * break more.
   */
  readonly offset?: number;
}

/** Our include line in a place where it does not belong; its bytes include the line end. */
export interface StrayInclude {
  readonly file: string;
  readonly line: number;
  readonly offset: number;
  readonly length: number;
}

export interface OwnFacts {
  /** The text of the installed clientcert.conf; undefined when the file is missing. */
  readonly conf: string | undefined;
  /** The SHA-256 of every file in our directory, by name; empty while the directory belongs to somebody else. */
  readonly files: Readonly<Record<string, string>>;
  readonly crls: readonly CrlSummary[];
  /** The name of the CA file that clientcert.conf names; undefined when that file is missing. */
  readonly caFile: string | undefined;
  /** The certificates in {@link caFile}. */
  readonly ca: readonly CertificateSummary[];
  readonly owner: string | undefined;
  /** The number of real changes of this host so far. */
  readonly generation: number;
  /** Why the live server does not use yet what the files say; undefined when it does. */
  readonly owed: string | undefined;
  /** Whether the server was running when one of our changes ended. */
  readonly hasRun?: true;
  /**
   * Names of files that clientcert.conf names and that httpd cannot read completely: httpd does not start with them.
   *
   * @default - none
   */
  readonly unreadable?: readonly string[];
}

export interface UnattendedFacts {
  /** SHA-256 of the program. @default - the program is missing */
  readonly program?: string;
  /**
   * What is wrong with the program and with the files that call it, by path: their contents (except the program's), and
   * who could alter them.
   */
  readonly wrong: Readonly<Record<string, string>>;
}

export interface PhpFacts {
  readonly version: string;
  readonly source: "module" | "fpm" | "cli" | "site file";
  readonly path: string | undefined;
  /** Other versions that were found on the host and that do not count. */
  readonly others: readonly { readonly source: string; readonly version: string }[];
}

export interface PendingEdit {
  readonly file: string;
  readonly modifiedSeconds: number;
}

/**
 * One insertion or deletion. `offset` counts the bytes of the file before any splice. Splices are sorted and do not
 * overlap.
 */
export interface Splice {
  readonly offset: number;
  readonly remove: number;
  /** Text of ours only, as latin1. */
  readonly insert: string;
}

export interface FileEdit {
  readonly path: string;
  /** The SHA-256 of the bytes for which the splices were made: judge and apply refuse a file with any other. */
  readonly sha256: string;
  readonly splices: readonly Splice[];
}

/** One of our files, to be written. The provider adds the bytes of CA and CRL files from the site's files. */
export interface OwnFile {
  readonly role: "ca" | "crl" | "conf" | "readme" | "refresh" | "sample" | "timer";
  /** The name in our directory; for a timer the absolute path. */
  readonly name: string;
  readonly sha256: string;
  /** UTF-8 text; undefined for CA and CRL files and the sample certificate. */
  readonly text: string | undefined;
}

/** What a transaction does to a host. */
export interface Change {
  /** The files in the order in which they are swapped: a file comes before the file that names it. */
  readonly write: readonly OwnFile[];
  /** Names of our files that nothing needs any more (paths, for timers). They are removed last. */
  readonly drop: readonly string[];
  /** Whether the host downloads CRLs from the sources in this transaction, and adds crl.pem itself. */
  readonly refresh: boolean;
  readonly edits: readonly FileEdit[];
  /** The virtual hosts to which the health check connects. */
  readonly healthCheck: readonly AskedHost[];
  /**
   * TLS virtual hosts of this httpd in which the change must not be noticeable: those of other ports, and excluded
   * ones.
   */
  readonly others: readonly AskedHost[];
  /** Whether httpd reads nothing of the change, so that httpd neither judges it nor reloads for it. @default false */
  readonly isAside?: boolean;
  /**
   * Whether the shadow httpd starts with the live files as well, because the change takes out or overrules an unmanaged
   * line.
   */
  readonly needsBaseline: boolean;
}

/** The change that does nothing. */
export const emptyChange: Change = {
  write: [],
  drop: [],
  refresh: false,
  edits: [],
  healthCheck: [],
  others: [],
  needsBaseline: false,
};

/** An address at which the checks of a change connect to a server; the name is empty where there is none. */
export interface AskedHost {
  readonly address: string;
  readonly port: number;
  readonly serverName: string;
}

/** A plan for Apache: its files are our files and each include line. */
export type Plan = HostPlan<Change>;
