/** Directives that name files which httpd reads when it starts, and what is read of such a file. */

/**
 * What is read of a file.
 * - `certificates`: the whole of a CA file of at most {@link mostCertificateBytes}.
 * - `crl`: the ends of its CRLs.
 * - `server-certificates`: its certificates and nothing else, because a key may stand beside them.
 * - `nothing`: only when it was changed.
 */
export type NamedContents = "certificates" | "crl" | "server-certificates" | "nothing";

/** The directives, as httpd's manual spells them. The program that observes a host is made with this table. */
export const namedContents: Readonly<Record<string, NamedContents>> = {
  SSLCertificateFile: "server-certificates",
  SSLCertificateKeyFile: "nothing",
  SSLCertificateChainFile: "nothing",
  SSLCACertificateFile: "certificates",
  SSLCADNRequestFile: "certificates",
  SSLCARevocationFile: "crl",
  SSLSessionTicketKeyFile: "nothing",
  SSLProxyCACertificateFile: "nothing",
};

/** The largest CA file that is read, in bytes: 1 MiB. */
export const mostCertificateBytes = 1_048_576;

/**
 * The certificates of a PEM file: each block from its BEGIN line to its END line, or to the next BEGIN line where it is
 * never closed. All the rest is left out, because a key may stand there, also in a block that is never closed.
 */
export const certificatesAlone = (pem: string): string =>
  pem
    .split(/^(?=-----BEGIN )/m)
    .filter((block) => block.startsWith("-----BEGIN CERTIFICATE-----"))
    .map((block) => block.replace(/(^-----END .*\n?)[^]*/m, "$1"))
    .join("");
