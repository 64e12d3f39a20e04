/** The words of the plan about directives of others: which they are, where they are in force, and what they hold. */

/** What a directive of others is about: by this it is judged. */
export type UnmanagedKind =
  | "verifyClient"
  | "verifyDepth"
  | "caFile"
  | "caPath"
  | "caDnRequestFile"
  | "crlFile"
  | "crlPath"
  | "crlCheck"
  | "ocsp"
  | "sslRequire"
  | "satisfyAny"
  | "sessionTicketKey"
  | "certificateRule"
  | "certificateUser"
  | "stdEnvVars"
  | "confCommand"
  | "proxyProtocol"
  | "allowOverride";

/** How much of a site a directive is about; `narrower`: a part of it, or some requests only. */
export type UnmanagedLevel = "server" | "virtualHost" | "wholeSite" | "narrower";

/** A directive of others on what we manage, at one place: its name and what it means to us, never its line. */
export interface UnmanagedDirective {
  readonly kind: UnmanagedKind;
  /** As the manual spells it. */
  readonly directive: string;
  readonly file: string;
  readonly line: number;
  /** Enclosing sections by name only, outermost first, such as `VirtualHost`, `Location`. */
  readonly context: readonly string[];
  readonly level: UnmanagedLevel;
  /** Indexes into `Facts.virtualHosts` for which it is effective. */
  readonly virtualHosts: readonly number[];
  /** It is also in force where we do not cover: in a TLS virtual host of another port, or in the main server. */
  readonly isElsewhere: boolean;
  /**
   * Its argument in lower case where that is a keyword of httpd's or a number; `certificate` or `mixed` for what an
   * SSLRequire asks about; `loopback` where a proxy's protocol leaves this host out.
   */
  readonly value?: string;
  /** What the CA file that it names holds; undefined where that is not known. */
  readonly certificates?: readonly UnmanagedCa[];
  /** Issuers of the CRLs in the file that it names; undefined where that is not known. */
  readonly crlIssuers?: readonly string[];
  /** The CA in its file that completes the chain of the certificate of a virtual host, for which it is effective. */
  readonly completesChain?: UnmanagedCa;
  /** A rule on certificates that says by which CA they must have been issued. */
  readonly namesIssuer?: true;
  /** Its file is also included where this very line is about a part of the site. */
  readonly isAlsoNarrower?: true;
  /** An earlier `adopt` has commented it out: it is not in force, and would be without that. */
  readonly isAdopted?: true;
  /** Offsets of the physical lines of this directive: what `adopt` comments out. */
  readonly lineOffsets: readonly number[];
}

/** A CA in a file of others. */
export interface UnmanagedCa {
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  readonly subject: string;
}
