/** The one description of a site file: its checks, its TypeScript types and the JSON Schema that editors read. */
import { z } from "zod";
import { findIssuerMistake } from "../pki/issuer-name.ts";
import { defaultVerifyDepth, maxVerifyDepth } from "../pki/summary.ts";
import { defaultPort } from "../apache/model.ts";
import { checkLists, crlRefresh, crlSources } from "./crl-sources.ts";
import { findHostKeyMistake } from "./host-key.ts";
import { absolutePath as absolutePathLike, checked, crlPath, matching, siteRelativePath } from "./values.ts";

const port = z.int().min(1).max(65535);
const absolutePath = absolutePathLike("/usr/local/ni/apache/bin/httpd");
const localFile = matching(/^(~\/|\/)[^\0\r\n]+$/, "an absolute path on this machine, or one that begins with ~/");
const variable = matching(
  /^[A-Z_][A-Z0-9_]*$/,
  "the name of an environment variable in capitals, such as WEB1_PASSWORD; the secret itself never stands in a site file",
);
const address = matching(
  /^(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)*\.?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9]+)?)$/,
  "a host name or an IP address alone, without scheme, user, port or brackets",
);
const user = matching(/^[A-Za-z_][A-Za-z0-9_.@\\-]*\$?$/, "a user name, such as root");

/** Compared byte for byte with the certificate's subject by httpd, so a stray blank locks everybody out. */
const compared = (what: string, findMore: (text: string) => string | undefined = () => undefined) =>
  checked((text) => {
    if (text.trim() === "") return `it is empty; write ${what} as it stands in the users' certificates`;
    if (/\p{Cc}/u.test(text)) return `it has a line end or another control character; write ${what} on one line`;
    return text.trim() === text
      ? findMore(text)
      : "it begins or ends with a blank; httpd compares exactly, so write it as it stands in the users' certificates";
  });

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
    program: absolutePath
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

const hostKey = checked(findHostKeyMistake).describe(
  'Public host key, such as "ssh-ed25519 AAAA…". Never trusted on first sight.',
);

const bastion = z
  .strictObject({
    address: address.describe("Host name or IP address of the jump host."),
    port: port.default(22).describe("SSH port."),
    user: user.describe("User on the jump host."),
    hostKey,
    login,
  })
  .describe("Jump host through which the connection goes.");

const connection = z
  .strictObject({
    user: user.default("root").describe("SSH user."),
    port: port.default(22).describe("SSH port."),
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
  address: address.describe("Host name or IP address for SSH."),
  port: port.default(defaultPort).describe("TLS port of the virtual hosts to cover."),
  adopt: z
    .boolean()
    .default(false)
    .describe(
      "Let our rule for the whole site take the place of what was set up by hand: lines that ours cannot win over become comments, and come back at removal.",
    ),
  excludeVirtualHosts: z
    .array(matching(/^\S+$/, "a ServerName, or ServerName:port"))
    .default([])
    .describe("ServerName, or ServerName:port, of virtual hosts to leave alone."),
  reloadPendingEdits: z
    .boolean()
    .default(false)
    .describe("Reload although others' unfinished edits would go live with it."),
  mayBeStopped: z
    .boolean()
    .default(false)
    .describe("The server of this host is stopped on purpose now and then: that it does not run is no alarm."),
  reloadUnstartable: z
    .boolean()
    .default(false)
    .describe(
      "Reload although httpd would not start on the files that are installed now, so that the reload may end the site. Refreshes never do.",
    ),
  judgeInPreview: z
    .boolean()
    .default(true)
    .describe("Let the real httpd judge a change in each preview. False: previews start nothing on the host."),
  acknowledgeSessionTicketKeys: z
    .boolean()
    .default(false)
    .describe("Accept that with SSLSessionTicketKeyFile a revoked certificate goes on working in resumed sessions."),
  takeOver: z.boolean().default(false).describe("Take this host over from another stack."),
  phpVersion: matching(/^\d+\.\d+(\.\d+)?$/, 'a version in quotes, such as "8.3"')
    .optional()
    .describe('PHP version in quotes, such as "8.3"; overrides what the host says.'),
  httpd: absolutePath.optional().describe("httpd program; overrides detection."),
  config: absolutePath.optional().describe("Main configuration file; overrides detection."),
  defines: z
    .array(matching(/^[A-Za-z_][A-Za-z0-9_]*(=\S*)?$/, "a name as after httpd's -D"))
    .optional()
    .describe("Names for httpd's -D, used when the server is stopped."),
  environmentFile: absolutePath.optional().describe("envvars-like file, used when the server is stopped."),
  pidFile: absolutePath.optional().describe("PidFile; overrides detection."),
  connection,
});

const clientAuthLists = z.strictObject({
  caFiles: z
    .array(siteRelativePath)
    .min(1)
    .describe("CA certificates (PEM or DER) up to and including the root, relative to this file."),
  crlFiles: z
    .array(crlPath)
    .default([])
    .describe(
      "CRLs (PEM or DER) that nothing renews, relative to this file. No CRL at all: revoked certificates are accepted.",
    ),
  crlSources,
  crlRefresh,
  sampleCertificate: siteRelativePath
    .optional()
    .describe(
      "A user's certificate (no key), relative to this file: a CRL with which it would be refused is not installed, unless it is that CRL that revokes it.",
    ),
  acceptOlderCrls: z
    .array(matching(/^[0-9a-f]{64}$/, "the SHA-256 of a CRL in DER, 64 lower-case hexadecimal digits"))
    .default([])
    .describe(
      "CRLs that may take the place of one with a higher number and an earlier date, by SHA-256: for a CA that has begun its numbers anew.",
    ),
  crlCheck: z
    .enum(["leaf", "chain"])
    .default("leaf")
    .describe("leaf: users' certificates are checked; chain: the CAs too, which needs the CRL of every CA."),
  organizations: z
    .array(compared("the organization (O)"))
    .default([])
    .describe("Allowed organizations (O) exactly as in the users' certificates; none listed: any."),
  organizationalUnits: z
    .array(compared("the organizational unit (OU)"))
    .default([])
    .describe(
      "Allowed organizational units (OU); any of a certificate's first five counts, and a certificate without an OU is let in; none listed: any.",
    ),
  countries: z
    .array(matching(/^[A-Z]{2}$/, 'two capital letters, such as "JP"'))
    .default([])
    .describe('Allowed countries (C), two capital letters, such as "JP"; none listed: any.'),
  issuers: z
    .array(compared("the issuing CA's name", findIssuerMistake))
    .default([])
    .describe(
      'CAs of caFiles whose certificates are let in, by common name or by parts such as "OU=Users CA,O=Harbour"; none listed: any.',
    ),
  verifyDepth: z
    .int()
    .min(1)
    .max(maxVerifyDepth)
    .default(defaultVerifyDepth)
    .describe("How many CAs may stand above a user's certificate, the root included."),
});

const clientAuth = clientAuthLists.superRefine(checkLists);

/** `.describe()` texts show in editors. */
export const siteSchema = z.strictObject({
  clientAuth: clientAuth.describe("What every host of this site gets."),
  hosts: z.array(host).min(1).describe("The web hosts of this site."),
});

export type Site = z.output<typeof siteSchema>;
export type SiteHost = Site["hosts"][number];
export type SiteClientAuth = Site["clientAuth"];

/** What `site.schema.json` holds. */
export function makeJsonSchema(): z.core.JSONSchema.BaseSchema {
  const schema = z.toJSONSchema(siteSchema, { io: "input" });
  return { $id: "site.schema.json", title: "Site file of clientcert", ...schema };
}

/** The bytes of `site.schema.json`. */
export const renderJsonSchema = (): string => `${JSON.stringify(makeJsonSchema(), undefined, 2)}\n`;
