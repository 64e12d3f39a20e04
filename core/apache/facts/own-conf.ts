/** Where our files lie on a host, and what is read back from its `clientcert.conf`. */
import { ownDirectory, type Facts } from "../model.ts";
import { absolutePath } from "../config/paths.ts";

/** The absolute path of one of our files, as bytes. */
export const ownPath = (facts: Facts, name: string): string =>
  absolutePath(facts.server.serverRoot, `conf/${ownDirectory}/${name}`);

/**
 * The names of the CA and CRL files that a `clientcert.conf` names. An earlier build wrote their whole paths, which
 * works too.
 */
export const filesNamedIn = (conf = ""): readonly string[] => [
  // The pattern takes the last component of the path, with or without quotes around the path.
  ...new Set([...conf.matchAll(/^SSLCA\w+File "?(?:.*\/)?(.*?)"?$/gm)].map(([, name = ""]) => name)),
];

/** The owner that the text of `clientcert.conf` names. A copy of the files says nothing else about the owner. */
export const ownerIn = (conf = ""): string | undefined => /^# Written by clientcert for ([^;]*);/.exec(conf)?.[1];
