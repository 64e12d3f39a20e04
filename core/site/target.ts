/** A host of the site file in the form that the provider connects with. The types mirror `provider/host/model.ts`, which core/ may not import. */
import type { SiteHost } from "./schema.ts";

type SiteConnection = SiteHost["connection"];

export type HostLogin =
  | { readonly from: "agent" }
  | { readonly from: "keyFile"; readonly path: string; readonly passphraseEnvironment?: string }
  | { readonly from: "keyEnvironment"; readonly name: string }
  | { readonly from: "passwordEnvironment"; readonly name: string };

export type HostSudo =
  | { readonly how: "none" }
  | { readonly how: "passwordless" }
  | { readonly how: "password"; readonly environment?: string; readonly file?: string }
  | { readonly how: "program"; readonly path: string };

export interface HostEndpoint {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly hostKey: string;
  readonly login: HostLogin;
}

export interface HostConnection extends HostEndpoint {
  readonly sudo: HostSudo;
  readonly bastion?: HostEndpoint;
}

export interface HostDetection {
  readonly httpd?: string;
  readonly config?: string;
  readonly pidFile?: string;
  readonly defines?: readonly string[];
  readonly environmentFile?: string;
}

export interface HostTarget {
  readonly connection: HostConnection;
  readonly detection: HostDetection;
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
}: SiteHost): HostTarget {
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
): HostEndpoint => ({
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
}: SiteConnection["login"]): HostLogin {
  if (keyFile !== undefined)
    return { from: "keyFile", path: keyFile, ...(passphraseEnvironment !== undefined && { passphraseEnvironment }) };
  if (keyEnvironment !== undefined) return { from: "keyEnvironment", name: keyEnvironment };
  // The schema lets exactly one way through; what is left is the agent.
  return passwordEnvironment === undefined
    ? { from: "agent" }
    : { from: "passwordEnvironment", name: passwordEnvironment };
}

function makeSudo(sudo: SiteConnection["sudo"]): HostSudo {
  if (typeof sudo === "string") return { how: sudo };
  if (sudo.program !== undefined) return { how: "program", path: sudo.program };
  return sudo.passwordFile === undefined
    ? { how: "password", environment: sudo.passwordEnvironment ?? "" }
    : { how: "password", file: sudo.passwordFile };
}
