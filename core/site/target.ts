/** Describes how a host is reached, and converts a host of the site file into that description. */
import type { Inputs } from "../apache/inputs.ts";
import type { Endpoint, Login, Sudo } from "../connection/inputs.ts";
import type { SiteHost } from "./schema.ts";

type SiteConnection = SiteHost["connection"];

/** Where a server is, and the values that are given instead of being detected. */
export type Target = Pick<Inputs, "connection" | "detection">;

/**
 * Converts a host of the site file. The result has no key with the value `undefined`, because it goes into Pulumi
 * properties.
 */
export function makeTarget({
  address,
  connection,
  httpd,
  config,
  pidFile,
  defines,
  environmentFile,
}: SiteHost): Target {
  const { bastion } = connection;
  return {
    connection: {
      ...makeEndpoint(address, connection),
      sudo: makeSudo(connection.sudo),
      ...(bastion && { bastion: makeEndpoint(bastion.address, bastion) }),
    },
    detection: {
      ...(httpd !== undefined && { httpd }),
      ...(config !== undefined && { config }),
      ...(pidFile !== undefined && { pidFile }),
      ...(defines && { defines }),
      ...(environmentFile !== undefined && { environmentFile }),
    },
  };
}

const makeEndpoint = (
  address: string,
  { port, user, hostKey, login }: Pick<SiteConnection, "port" | "user" | "hostKey" | "login">,
): Endpoint => ({
  address,
  port,
  user,
  hostKey: hostKey.trim(),
  login: makeLogin(login),
});

/** The way to log in that the site file gives: a key, a password, or the agent where neither is given. */
function makeLogin({
  keyFile,
  passphraseEnvironment,
  keyEnvironment,
  passwordEnvironment,
}: SiteConnection["login"]): Login {
  if (keyFile !== undefined)
    return { from: "keyFile", path: keyFile, ...(passphraseEnvironment !== undefined && { passphraseEnvironment }) };
  if (keyEnvironment !== undefined) return { from: "keyEnvironment", name: keyEnvironment };
  // The schema accepts exactly one way to log in, so without a password this is the agent.
  return passwordEnvironment === undefined
    ? { from: "agent" }
    : { from: "passwordEnvironment", name: passwordEnvironment };
}

/** The way to become root that the site file gives: a word, or the place of the password, or a program. */
function makeSudo(sudo: SiteConnection["sudo"]): Sudo {
  if (typeof sudo === "string") return { how: sudo };
  if (sudo.program !== undefined) return { how: "program", path: sudo.program };
  // The schema accepts exactly one key, so without a file this is a variable.
  return sudo.passwordFile === undefined
    ? { how: "password", environment: sudo.passwordEnvironment ?? "" }
    : { how: "password", file: sudo.passwordFile };
}
