/**
 * The single description of a site file: its checks, its TypeScript types and the JSON Schema for editors come from
 * here.
 */
import { z } from "zod";
import { clientAuthInputs, detection } from "../apache/inputs.ts";
import { endpoint, localFile, variable } from "../connection/inputs.ts";
import { crlSource } from "../crl-refresh/inputs.ts";
import { type Parsed, absolutePath, crlPath, matching, siteRelativePath } from "../schema-kinds.ts";
import { checkLists } from "./crl-sources.ts";

const { shape } = clientAuthInputs;
const { address, hostKey, port: sshPort, user } = endpoint.shape;

const login = z
  .strictObject({
    agent: z.literal(true).optional().describe("Use the running ssh-agent (SSH_AUTH_SOCK)."),
    keyFile: localFile.optional().describe("Private key file on this machine, such as ~/.ssh/id_ed25519."),
    passphraseEnvironment: variable.optional().describe("Environment variable with the passphrase of keyFile."),
    keyEnvironment: variable.optional().describe("Environment variable that holds the private key itself (CI)."),
    passwordEnvironment: variable.optional().describe("Environment variable that holds the password."),
  })
  .superRefine((value, context) => {
    const ways = [value.agent, value.keyFile, value.keyEnvironment, value.passwordEnvironment].filter(
      (way) => way !== undefined,
    );
    if (ways.length !== 1)
      context.addIssue({
        code: "custom",
        message: "write exactly one of agent: true, keyFile, keyEnvironment, passwordEnvironment",
      });
    if (value.passphraseEnvironment !== undefined && value.keyFile === undefined) {
      context.addIssue({
        code: "custom",
        message: "passphraseEnvironment belongs to keyFile; write keyFile, or remove it",
      });
    }
  })
  .describe("Where the secret for the SSH login is. Never the secret itself.");

const sudoSecret = z
  .strictObject({
    passwordEnvironment: variable.optional().describe("Environment variable with the sudo password."),
    passwordFile: localFile.optional().describe("File on this machine with the sudo password."),
    program: absolutePath("/usr/local/sbin/clientcert-observe")
      .optional()
      .describe("The one root-owned program that sudoers allows: enough for check, refresh and previews."),
  })
  .superRefine((value, context) => {
    if (Object.values(value).filter((way) => way !== undefined).length !== 1) {
      context.addIssue({ code: "custom", message: "write exactly one of passwordEnvironment, passwordFile, program" });
    }
  });

const sudo = z
  .union([z.enum(["none", "passwordless"]), sudoSecret])
  .default("none")
  .describe("How to become root: none (the user is root), passwordless, or where the password is.");

const bastion = z
  .strictObject({
    address: address.describe("Host name or IP address of the jump host."),
    port: sshPort,
    user: user.describe("User on the jump host."),
    hostKey,
    login,
  })
  .describe("Jump host through which the connection goes.");

const connection = z
  .strictObject({
    user: user.default("root"),
    port: sshPort,
    hostKey,
    login: login.default({ agent: true }),
    sudo,
    bastion: bastion.optional(),
  })
  .describe("How to reach the host by SSH.");

const host = z.strictObject({
  name: matching(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
    "letters, digits, dots, hyphens and underscores, at most 63",
  ).describe("Name of the Pulumi resource. Never rename it: a new name is a new resource."),
  address,
  port: shape.port,
  adopt: shape.adopt,
  excludeVirtualHosts: shape.excludeVirtualHosts,
  reloadPendingEdits: shape.reloadPendingEdits,
  mayBeStopped: shape.mayBeStopped,
  reloadUnstartable: shape.reloadUnstartable,
  judgeInPreview: shape.judgeInPreview,
  acknowledgeSessionTicketKeys: shape.acknowledgeSessionTicketKeys,
  takeOver: shape.takeOver,
  phpVersion: shape.phpVersion,
  ...detection.shape,
  connection,
});

const clientAuthKeys = z.strictObject({
  caFiles: z
    .array(siteRelativePath)
    .min(1)
    .describe(shape.caFiles.description ?? ""),
  crlFiles: z
    .array(crlPath)
    .default([])
    .describe(shape.crlFiles.description ?? ""),
  crlSources: z
    .array(crlSource)
    .default([])
    .describe(shape.crlSources.description ?? ""),
  crlRefresh: shape.crlRefresh.unwrap().optional(),
  sampleCertificate: siteRelativePath
    .optional()
    .describe(
      "A user's certificate (no key), relative to the site file: a CRL with which it would be refused is not installed, unless it is that CRL that revokes it.",
    ),
  acceptOlderCrls: shape.acceptOlderCrls,
  crlCheck: shape.crlCheck,
  organizations: shape.organizations,
  organizationalUnits: shape.organizationalUnits,
  countries: shape.countries,
  issuers: shape.issuers,
  verifyDepth: shape.verifyDepth,
});

const clientAuth = clientAuthKeys.superRefine(checkLists);

/** Editors show the texts of `.describe()`. */
export const siteSchema = z.strictObject({
  clientAuth: clientAuth.describe("What every host of this site gets."),
  hosts: z.array(host).min(1).describe("The web hosts of this site."),
});

export type Site = Parsed<typeof siteSchema>;
export type SiteHost = Site["hosts"][number];
export type SiteClientAuth = Site["clientAuth"];

/** The content of `site.schema.json`. */
export function makeJsonSchema(): z.core.JSONSchema.BaseSchema {
  const schema = z.toJSONSchema(siteSchema, { io: "input" });
  return { $id: "site.schema.json", title: "Site file of clientcert", ...schema };
}

/** The bytes of `site.schema.json`. */
export const renderJsonSchema = (): string => `${JSON.stringify(makeJsonSchema(), undefined, 2)}\n`;
