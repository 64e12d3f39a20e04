/** How a host is reached by SSH: the one declaration of these inputs. No secret is in here, only its place. */
import { z } from "zod";
import { type Parsed, absolutePath, checked, matching } from "../schema-kinds.ts";
import { findHostKeyMistake } from "./host-key.ts";

/** The number of a TCP port. */
export const port = z.int().min(1).max(65535);
/** A file on the machine that runs Pulumi or the command line. */
export const localFile = matching(
  /^(~\/|\/)[^\0\r\n]+$/,
  "an absolute path on this machine, or one that begins with ~/",
);
/** The name of an environment variable that holds a secret. */
export const variable = matching(
  /^[A-Z_][A-Z0-9_]*$/,
  "the name of an environment variable in capitals, such as WEB1_PASSWORD; the secret itself never stands in a site file",
);
/** A host name of at most 253 characters, or an IPv4 or IPv6 address, which may have a zone such as `%eth0`. */
const address = matching(
  /^(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)*\.?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9]+)?)$/,
  "a host name or an IP address alone, without scheme, user, port or brackets",
);

const login = z.discriminatedUnion("from", [
  z.strictObject({ from: z.literal("agent") }),
  z.strictObject({ from: z.literal("keyFile"), path: localFile, passphraseEnvironment: variable.optional() }),
  z.strictObject({ from: z.literal("keyEnvironment"), name: variable }),
  z.strictObject({ from: z.literal("passwordEnvironment"), name: variable }),
]);

const sudo = z.discriminatedUnion("how", [
  z.strictObject({ how: z.literal("none") }),
  z.strictObject({ how: z.literal("passwordless") }),
  z.strictObject({ how: z.literal("password"), environment: variable.optional(), file: localFile.optional() }),
  // A sudoers rule allows one root-owned program (the observation script, with its digest) and nothing else.
  z.strictObject({ how: z.literal("program"), path: absolutePath("/usr/local/sbin/clientcert-observe") }),
]);

/** Where to log in: a host, or the bastion before it. */
export const endpoint = z.strictObject({
  /** Host name or IP address for SSH. */
  address: address.describe("Host name or IP address for SSH."),
  /** SSH port. */
  port: port.default(22).describe("SSH port."),
  /** SSH user. */
  user: matching(/^[A-Za-z_][A-Za-z0-9_.@\\-]*\$?$/, "a user name, such as root").describe("SSH user."),
  /** Public host key, such as "ssh-ed25519 AAAA…". Never trusted on first sight. */
  hostKey: checked(findHostKeyMistake).describe(
    'Public host key, such as "ssh-ed25519 AAAA…". Never trusted on first sight.',
  ),
  /** Where the secret for the SSH login is. Never the secret itself. */
  login: login.default({ from: "agent" }).describe("Where the secret for the SSH login is. Never the secret itself."),
});

/** How to reach a host. @default for sudo - none for root, else passwordless */
export const connection = endpoint
  .extend({
    /** How to become root. */
    sudo: sudo.optional().describe("How to become root."),
    /** Jump host through which the connection goes. */
    bastion: endpoint.optional().describe("Jump host through which the connection goes."),
  })
  .transform(({ sudo: given, ...rest }) => ({ ...rest, sudo: given ?? defaultSudo(rest.user) }));

const defaultSudo = (user: string): z.output<typeof sudo> => ({ how: user === "root" ? "none" : "passwordless" });

/** Where to log in: a host, or the bastion before it. */
export type Endpoint = Parsed<typeof endpoint>;
/** How to reach a host, defaults filled in. */
export type Connection = Parsed<typeof connection>;
/** How to log in. `name` is the name of an environment variable. */
export type Login = Parsed<typeof login>;
/** How to become root. */
export type Sudo = Parsed<typeof sudo>;
