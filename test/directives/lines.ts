/** Lines of configuration that many rows have. Relative paths are below the server root. */

/** The site's CAs. Without a depth it is 1, which is too little for two CAs. */
export const siteCas = "SSLCACertificateFile conf/theirs/site.pem\nSSLVerifyDepth 4";
/** A CA that the site does not name. */
export const foreignCa = "SSLCACertificateFile conf/theirs/foreign.pem";
/** The site's CAs, and that one. */
export const allCas = "SSLCACertificateFile conf/theirs/all.pem";
export const optional = "SSLVerifyClient optional";

/** Lines in a section, such as `Location /admin`. */
export const within = (section: string, ...lines: readonly string[]): string =>
  `<${section}>\n${lines.join("\n")}\n</${section.split(" ")[0] ?? ""}>`;

export const inAdmin = (...lines: readonly string[]): string => within("Location /admin", ...lines);

export const lines = (...each: readonly string[]): string => each.join("\n");
