/**
 * The types for unmanaged directives, which clientcert did not write: what each is about, where it is in force, and
 * what its file holds.
 */

/** What an unmanaged directive is about. The verdict on it depends on this kind. */
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

/** How much of a site a directive is about; `narrower` means a part of the site, or only some requests. */
export type UnmanagedLevel = "server" | "virtualHost" | "wholeSite" | "narrower";

/** An unmanaged directive at one place: its name and what it means to us, but never the text of its line. */
export interface UnmanagedDirective {
  readonly kind: UnmanagedKind;
  /** The name as the manual spells it. */
  readonly directive: string;
  readonly file: string;
  readonly line: number;
  /** The names of the enclosing sections, outermost first, such as `VirtualHost`, `Location`. */
  readonly context: readonly string[];
  readonly level: UnmanagedLevel;
  /** The virtual hosts for which the directive is effective, as indexes into `Facts.virtualHosts`. */
  readonly virtualHosts: readonly number[];
  /**
   * Whether it is also in force where we do not cover: in a TLS virtual host of another port, or in the main server
   * where that answers TLS. For `satisfyAny` any virtual host and the main server count, also without TLS.
   */
  readonly isElsewhere: boolean;
  /**
   * The argument in lower case, where it is a keyword of httpd or a number. For an SSLRequire it is `certificate` when
   * the expression is about the certificate alone, and `mixed` otherwise. It is `loopback` where this host itself needs
   * no proxy header.
   */
  readonly value?: string;
  /** The certificates in the CA file that the directive names; undefined where they are not known. */
  readonly certificates?: readonly UnmanagedCa[];
  /** The issuers of the CRLs in the file that the directive names; undefined where they are not known. */
  readonly crlIssuers?: readonly string[];
  /** The CA in its file that completes the certificate chain of a virtual host for which the directive is effective. */
  readonly completesChain?: UnmanagedCa;
  /** Whether this is a rule on certificates that says which CA must have issued them. */
  readonly namesIssuer?: true;
  /** Whether its file is also included in another place, where this very line is about a part of the site. */
  readonly isAlsoNarrower?: true;
  /** Whether an earlier `adopt` has commented it out. The directive is not in force, but would be without that. */
  readonly isAdopted?: true;
  /** The offsets of the physical lines of this directive, which `adopt` comments out. */
  readonly lineOffsets: readonly number[];
}

/** A CA in a file that an unmanaged directive names. */
export interface UnmanagedCa {
  /** The SHA-256 of the DER, in lower-case hex. */
  readonly fingerprint: string;
  readonly subject: string;
}
