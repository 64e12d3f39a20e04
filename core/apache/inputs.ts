/**
 * The one declaration of the inputs of `clientcert:apache:ClientAuth`. From it come types, checks, defaults, the args
 * of the components, the package schema, and what the site file says under the same names. Programs that show an input
 * read its doc comment, schemas its description: a lint rule holds the two the same.
 */
import { z } from "zod";
import { connection, port } from "../connection/inputs.ts";
import { crlInputs } from "../crl-refresh/inputs.ts";
import { findIssuerMistake } from "../pki/issuer-name.ts";
import { defaultVerifyDepth, maxVerifyDepth } from "../pki/summary.ts";
import { type Given, type Parsed, absolutePath, checked, filled, matching } from "../schema-kinds.ts";
import { defaultPort } from "./model.ts";

/**
 * A text that httpd compares byte for byte with a name in the users' certificates, so a stray blank locks everybody
 * out. `what` names it in messages; `findMore` finds further mistakes.
 */
const compared = (what: string, findMore: (text: string) => string | undefined = () => undefined) =>
  checked((text) => {
    if (text.trim() === "") return `it is empty; write ${what} as it stands in the users' certificates`;
    if (/\p{Cc}/u.test(text)) return `it has a line end or another control character; write ${what} on one line`;
    return text.trim() === text
      ? findMore(text)
      : "it begins or ends with a blank; httpd compares exactly, so write it as it stands in the users' certificates";
  });

const hostPath = absolutePath("/usr/local/ni/apache/bin/httpd");
const flag = z.boolean().default(false);

/** What detection would find on the host, said by hand. */
export const detection = z.strictObject({
  /** httpd program; overrides detection. */
  httpd: hostPath.optional().describe("httpd program; overrides detection."),
  /** Main configuration file; overrides detection. */
  config: hostPath.optional().describe("Main configuration file; overrides detection."),
  /** Names for httpd's -D, used when the server is stopped. */
  defines: z
    .array(matching(/^[A-Za-z_][A-Za-z0-9_]*(=\S*)?$/, "a name as after httpd's -D"))
    .optional()
    .describe("Names for httpd's -D, used when the server is stopped."),
  /** envvars-like file, used when the server is stopped. */
  environmentFile: hostPath.optional().describe("envvars-like file, used when the server is stopped."),
  /** PidFile; overrides detection. */
  pidFile: hostPath.optional().describe("PidFile; overrides detection."),
});

/** Every input, in the form in which it goes over the wire and lies in states. */
export const clientAuthInputs = z.strictObject({
  /** organization/project/stack/name of the resource: another owner's host is refused. */
  owner: filled("organization/project/stack/name of the resource").describe(
    "organization/project/stack/name of the resource: another owner's host is refused.",
  ),
  /** Take this host over from another stack. */
  takeOver: flag.describe("Take this host over from another stack."),
  /** How to reach the host by SSH, and where the secret for that is; never the secret. */
  connection: connection.describe("How to reach the host by SSH, and where the secret for that is; never the secret."),
  /** Overrides for what is found on the host. */
  detection: detection.default({}).describe("Overrides for what is found on the host."),
  /** TLS port of the virtual hosts to cover. @default {@link defaultPort} */
  port: port.default(defaultPort).describe("TLS port of the virtual hosts to cover."),
  /** Site file, relative to the project. It says where the bytes of the other files are. */
  siteFile: filled("the path of the site file, relative to the project").describe(
    "Site file, relative to the project. It says where the bytes of the other files are.",
  ),
  ...crlInputs.shape,
  /** Accept that with SSLSessionTicketKeyFile a revoked certificate goes on working in resumed sessions. */
  acknowledgeSessionTicketKeys: flag.describe(
    "Accept that with SSLSessionTicketKeyFile a revoked certificate goes on working in resumed sessions.",
  ),
  /** Allowed organizations (O) exactly as in the users' certificates; none listed: any. */
  organizations: z
    .array(compared("the organization (O)"))
    .default([])
    .describe("Allowed organizations (O) exactly as in the users' certificates; none listed: any."),
  /**
   * Allowed organizational units (OU); any of a certificate's first five counts, and a certificate without an OU is let
   * in; none listed: any.
   */
  organizationalUnits: z
    .array(compared("the organizational unit (OU)"))
    .default([])
    .describe(
      "Allowed organizational units (OU); any of a certificate's first five counts, and a certificate without an OU is let in; none listed: any.",
    ),
  /** Allowed countries (C), two capital letters, such as "JP"; none listed: any. */
  countries: z
    .array(matching(/^[A-Z]{2}$/, 'two capital letters, such as "JP"'))
    .default([])
    .describe('Allowed countries (C), two capital letters, such as "JP"; none listed: any.'),
  /**
   * CAs of caFiles whose certificates are let in, by common name or by parts such as "OU=Users CA,O=Harbour"; none
   * listed: any.
   */
  issuers: z
    .array(compared("the issuing CA's name", findIssuerMistake))
    .default([])
    .describe(
      'CAs of caFiles whose certificates are let in, by common name or by parts such as "OU=Users CA,O=Harbour"; none listed: any.',
    ),
  /** How many CAs may stand above a user's certificate, the root included. @default {@link defaultVerifyDepth} */
  verifyDepth: z
    .int()
    .min(1)
    .max(maxVerifyDepth)
    .default(defaultVerifyDepth)
    .describe("How many CAs may stand above a user's certificate, the root included."),
  /**
   * Let our rule for the whole site take the place of what was set up by hand: lines that ours cannot win over become
   * comments, and come back at removal.
   */
  adopt: flag.describe(
    "Let our rule for the whole site take the place of what was set up by hand: lines that ours cannot win over become comments, and come back at removal.",
  ),
  /** ServerName, or ServerName:port, of virtual hosts to leave alone. */
  excludeVirtualHosts: z
    .array(matching(/^\S+$/, "a ServerName, or ServerName:port"))
    .default([])
    .describe("ServerName, or ServerName:port, of virtual hosts to leave alone."),
  /** Reload although others' unfinished edits would go live with it. */
  reloadPendingEdits: flag.describe("Reload although others' unfinished edits would go live with it."),
  /** The server of this host is stopped on purpose now and then: that it does not run is no alarm. */
  mayBeStopped: flag.describe(
    "The server of this host is stopped on purpose now and then: that it does not run is no alarm.",
  ),
  /**
   * Reload although httpd would not start on the files that are installed now, so that the reload may end the site.
   * Refreshes never do.
   */
  reloadUnstartable: flag.describe(
    "Reload although httpd would not start on the files that are installed now, so that the reload may end the site. Refreshes never do.",
  ),
  /** Let the real httpd judge a change in each preview. False: previews start nothing on the host. @default true */
  judgeInPreview: z
    .boolean()
    .default(true)
    .describe("Let the real httpd judge a change in each preview. False: previews start nothing on the host."),
  /** PHP version in quotes, such as "8.3"; overrides what the host says. */
  phpVersion: matching(/^\d+\.\d+(\.\d+)?$/, 'a version in quotes, such as "8.3"')
    .optional()
    .describe('PHP version in quotes, such as "8.3"; overrides what the host says.'),
});

/** The inputs with every default filled in; all of it may be stored in Pulumi's state. */
export type Inputs = Parsed<typeof clientAuthInputs>;
/** As a caller gives them. */
export type GivenInputs = Given<typeof clientAuthInputs>;
/** Overrides for what detection finds on the host. */
export type Detection = Inputs["detection"];

/** What callers may write, as JSON Schema. */
export const makeInputsSchema = (): z.core.JSONSchema.BaseSchema =>
  z.toJSONSchema(clientAuthInputs, { io: "input", unrepresentable: "any" });
