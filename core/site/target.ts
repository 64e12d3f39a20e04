/** How a host is reached, and a host of the site file in that form. */
import type { SiteHost } from "./schema.ts";

type SiteConnection = SiteHost["connection"];

/** Where to log in: a host, or the bastion before it. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Public host key, `ssh-ed25519 AAAA…`; never trusted on first sight. */
  readonly hostKey: string;
  readonly login: Login;
}

/** How to reach a host. No secret is in here, only where the secret is: `environment` names a variable, `file` a path. */
export interface Connection extends Endpoint {
  readonly sudo: Sudo;
  readonly bastion?: Endpoint;
}

export type Login =
  | { readonly from: "agent" }
  | { readonly from: "keyFile"; readonly path: string; readonly passphraseEnvironment?: string }
  | { readonly from: "keyEnvironment"; readonly name: string }
  | { readonly from: "passwordEnvironment"; readonly name: string };

export type Sudo =
  | { readonly how: "none" }
  | { readonly how: "passwordless" }
  | { readonly how: "password"; readonly environment?: string; readonly file?: string }
  /** A sudoers rule allows one root-owned program (the observation script, with its digest) and nothing else. */
  | { readonly how: "program"; readonly path: string };

/** Overrides for what detection finds on the host. */
export interface Detection {
  /** Absolute path of the httpd program. */
  readonly httpd?: string;
  /** Absolute path of the main configuration file. */
  readonly config?: string;
  readonly pidFile?: string;
  /** Names for `-D`, used when the server is stopped. */
  readonly defines?: readonly string[];
  /** `envvars`-like file, used when the server is stopped. */
  readonly environmentFile?: string;
}

export interface Target {
  readonly connection: Connection;
  readonly detection: Detection;
}

/** Has no key with the value `undefined`: it goes into Pulumi properties. */
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

function makeLogin({
  keyFile,
  passphraseEnvironment,
  keyEnvironment,
  passwordEnvironment,
}: SiteConnection["login"]): Login {
  if (keyFile !== undefined)
    return { from: "keyFile", path: keyFile, ...(passphraseEnvironment !== undefined && { passphraseEnvironment }) };
  if (keyEnvironment !== undefined) return { from: "keyEnvironment", name: keyEnvironment };
  // The schema lets exactly one way through; what is left is the agent.
  return passwordEnvironment === undefined
    ? { from: "agent" }
    : { from: "passwordEnvironment", name: passwordEnvironment };
}

function makeSudo(sudo: SiteConnection["sudo"]): Sudo {
  if (typeof sudo === "string") return { how: sudo };
  if (sudo.program !== undefined) return { how: "program", path: sudo.program };
  return sudo.passwordFile === undefined
    ? { how: "password", environment: sudo.passwordEnvironment ?? "" }
    : { how: "password", file: sudo.passwordFile };
}
