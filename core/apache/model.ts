/**
 * The words of the plan: what is wanted ({@link Desired}), what is there ({@link Facts}), what must change ({@link
 * Change}). Everything here is plain data, may be stored in Pulumi's state, and holds no byte of the customer's
 * configuration: only file names, line numbers, offsets, hashes, and names of directives that we manage.
 */

import type { Diagnostic } from "../diagnostic.ts";
import type { HostPlan } from "../server-kind.ts";
import type { CertificateSummary, CrlSummary } from "../pki/summary.ts";
import type { UnmanagedDirective } from "./facts/unmanaged-model.ts";
import type { RefreshFacts } from "../crl-refresh/refresh-model.ts";
import type { Inputs } from "./inputs.ts";

/** Directory of ours, relative to the directory `conf` of the server root. */
export const ownDirectory = "clientcert";
/** The one line that each covered virtual host gets, last before `</VirtualHost>`. */
export const includeLine = 'IncludeOptional "conf/clientcert/clientcert.conf"';
export const defaultPort = 443;
/** 50 MiB, the vendor's manual's value for uploads from its smartphone apps. */
export const renegBufferSizeBytes = 52428800;

/** What the site file wants of one host, whatever the way to it is and wherever the files are. */
export interface Desired extends Omit<Inputs, NotPlanned> {
  /** SHA-256 of the program that this build leaves on a host. @default - whatever is there is right */
  readonly program?: string;
}

type NotPlanned =
  "connection" | "detection" | "siteFile" | "caFiles" | "crlFiles" | "reloadUnstartable" | "judgeInPreview";

/** What one look at a host found, without a byte of the customer's: all that a plan is made from. */
export interface Facts {
  readonly server: ServerFacts;
  readonly virtualHosts: readonly VirtualHostFacts[];
  /** TLS virtual hosts of other ports. */
  readonly others: readonly AskedHost[];
  /** Directives of others on what we manage, effective for at least one TLS virtual host, or adopted. */
  readonly foreign: readonly UnmanagedDirective[];
  /** Physical lines that an earlier `adopt` commented out. */
  readonly adopted: readonly AdoptedLine[];
  /** Our include lines anywhere else than in {@link virtualHosts}: every plan takes them out. */
  readonly strayIncludes: readonly StrayInclude[];
  readonly own: OwnFacts;
  readonly refresh: RefreshFacts;
  /** What runs there as root without anybody looking on. @default - nobody looked */
  readonly unattended?: UnattendedFacts;
  readonly php: PhpFacts | undefined;
  readonly pendingEdits: readonly PendingEdit[];
  readonly crlJobs: readonly CrlJobFacts[];
  /** SHA-256 by path of the files that a change may edit. */
  readonly files: Readonly<Record<string, string>>;
  /**
   * What keeps us from touching this host whatever is wanted: a macro that may write virtual hosts, an Include over our
   * directory.
   */
  readonly obstacles: readonly Diagnostic[];
}

export interface ServerFacts {
  readonly version: string;
  readonly openssl: string;
  /** OpenSSL's security level for httpd's handshakes, 0 to 5; undefined where it is not known. */
  readonly securityLevel?: number;
  readonly serverRoot: string;
  readonly configFile: string;
  readonly instance: string;
  readonly running: boolean;
  /** Of a stopped server: what starts it with the machine. @default - nothing was found */
  readonly starter?: string;
  /** Where the truth about conditions came from: the live program, a saved observation, or the files alone. */
  readonly source: "httpd" | "saved" | "files";
}

/** A `<VirtualHost>` that answers TLS on the port. */
export interface VirtualHostFacts {
  readonly file: string;
  /** 1-based line of `<VirtualHost …>`. */
  readonly line: number;
  readonly serverName: string;
  readonly addresses: readonly { readonly address: string; readonly port: number }[];
  /** Other ports that it answers, where what is done in it applies as well. @default - none */
  readonly otherPorts?: readonly number[];
  readonly documentRoot: string | undefined;
  /**
   * Where our line goes (start of the physical line of `</VirtualHost>`), with the indentation-free line end to use.
   */
  readonly insertAt: { readonly offset: number; readonly eol: "\n" | "\r\n" };
  /**
   * Our line, when it is there: byte span including its line end. `last` = nothing but blanks and comments follows it.
   */
  readonly include:
    { readonly offset: number; readonly length: number; readonly line: number; readonly last: boolean } | undefined;
}

export interface AdoptedLine {
  readonly file: string;
  readonly line: number;
  /** Byte span of our mark. */
  readonly offset: number;
  readonly length: number;
  /** A line of a crontab, not of httpd's configuration. */
  readonly isJob: boolean;
}

/** A job of cron that names a CRL file of httpd. */
export interface CrlJobFacts {
  readonly file: string;
  readonly line: number;
  /** Indexes into {@link Facts.virtualHosts}: those whose configuration names that CRL file. */
  readonly virtualHosts: readonly number[];
  /**
   * Where its line begins; undefined where commenting it out would break more: in a script, or a variable of a crontab.
   */
  readonly offset?: number;
}

/** Our include line where it does not belong; its byte span has the line end. */
export interface StrayInclude {
  readonly file: string;
  readonly line: number;
  readonly offset: number;
  readonly length: number;
}

export interface OwnFacts {
  /** Text of clientcert.conf as it stands, undefined when it is missing. */
  readonly conf: string | undefined;
  /** SHA-256 by name of every file in our directory; empty while it is somebody else's. */
  readonly files: Readonly<Record<string, string>>;
  readonly crls: readonly CrlSummary[];
  /** Name of the CA file that clientcert.conf names, undefined when it is not there. */
  readonly caFile: string | undefined;
  /** What is in {@link caFile}. */
  readonly ca: readonly CertificateSummary[];
  readonly owner: string | undefined;
  /** Counts real changes of this host. */
  readonly generation: number;
  /** Why the live server does not yet run what the files say, undefined when it does. */
  readonly owed: string | undefined;
  /** Whether it ran when a change of ours ended. */
  readonly hasRun?: true;
  /**
   * Names of files that clientcert.conf names and of which httpd cannot read all: it does not start with them. @default
   * - none
   */
  readonly unreadable?: readonly string[];
}

export interface UnattendedFacts {
  /** SHA-256 of the program. @default - it is not there */
  readonly program?: string;
  /**
   * By path what is wrong with the program or what calls it, its bytes but for the program's, and who could alter it.
   */
  readonly wrong: Readonly<Record<string, string>>;
}

export interface PhpFacts {
  readonly version: string;
  readonly source: "module" | "fpm" | "cli" | "site file";
  readonly path: string | undefined;
  /** Other versions that were found on the host, and are not what counts. */
  readonly others: readonly { readonly source: string; readonly version: string }[];
}

export interface PendingEdit {
  readonly file: string;
  readonly modifiedSeconds: number;
}

/** One insertion or deletion; `offset` counts bytes of the file before any splice. Sorted, not overlapping. */
export interface Splice {
  readonly offset: number;
  readonly remove: number;
  /** latin1, only text of ours. */
  readonly insert: string;
}

export interface FileEdit {
  readonly path: string;
  /** SHA-256 of the bytes that the splices were made for: judge and apply refuse any other. */
  readonly sha256: string;
  readonly splices: readonly Splice[];
}

/** A file of ours to write; CA and CRL bytes are added by the provider from the site's files. */
export interface OwnFile {
  readonly role: "ca" | "crl" | "conf" | "readme" | "refresh" | "sample" | "timer";
  /** In our directory; of a timer the absolute path. */
  readonly name: string;
  readonly sha256: string;
  /** UTF-8 text; undefined for CA and CRL files and the sample certificate. */
  readonly text: string | undefined;
}

/** What a transaction does to a host. */
export interface Change {
  /** In the order of the swap: what is named before what names it. */
  readonly write: readonly OwnFile[];
  /** Names of our files (of timers: paths) that nothing needs any more, removed last. */
  readonly drop: readonly string[];
  /** The host downloads CRLs from the sources in this very transaction, and adds crl.pem by itself. */
  readonly refresh: boolean;
  readonly edits: readonly FileEdit[];
  /** Virtual hosts that the look asks. */
  readonly healthCheck: readonly AskedHost[];
  /** TLS virtual hosts of this httpd that the change must not be noticed in: of other ports, and excluded ones. */
  readonly others: readonly AskedHost[];
  /** Nothing of it is read by httpd, which is neither asked to judge it nor reloaded. @default false */
  readonly isAside?: boolean;
  /** The live files are started in the shadow as well, because the change takes out or overrules a line of others. */
  readonly needsBaseline: boolean;
}

/** What to do where nothing is to be done. */
export const emptyChange: Change = {
  write: [],
  drop: [],
  refresh: false,
  edits: [],
  healthCheck: [],
  others: [],
  needsBaseline: false,
};

/** Where a server is asked what it answers; the name is empty where there is none. */
export interface AskedHost {
  readonly address: string;
  readonly port: number;
  readonly serverName: string;
}

/** Its files are ours, and each include line. */
export type Plan = HostPlan<Change>;
