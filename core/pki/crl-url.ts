/** Addresses of CRLs, in a site file and in certificates. */

/**
 * Why a host could not download from this address. Undefined when it could. The address gets into a shell, into curl
 * and into files of lines unchanged, so only the characters that RFC 3986 allows in a URL are allowed.
 */
export function findUrlMistake(text: string): string | undefined {
  if (/-----BEGIN/.test(text))
    return "the content of a file is pasted here; save it beside the site file and write its path under file:";
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined || !["http", "https", "ldap", "ldaps"].includes(scheme))
    return "this is no address that a host can download from; write one that begins with http://, https://, ldap:// or ldaps://, in quotes if it has a comma";
  if (/[^\x21-\x7e]|["<>\\^`{|}]/.test(text))
    return "it has a blank or another character that no URL has; write it percent-encoded, such as %20 for a blank";
  // What stands between `//` and the path, the query or the fragment.
  const authority = /^[^/]*\/\/([^/?#]*)/.exec(text)?.[1] ?? "";
  if (authority.includes("@"))
    return "it has a user name or a password, and everybody can read a CRL without one; remove them";
  // The server's name is empty where the authority is empty or begins with the colon of a port.
  if (/^(:|$)/.test(authority))
    return "it names no server; write the server's name after ://, for a Microsoft CA that of a domain controller";
  if (text.includes("#")) return "it has a fragment (#), which no server gets to see; remove it";
  return URL.canParse(text)
    ? undefined
    : "it is malformed; compare it with the issuer's page, or with a certificate of it";
}
