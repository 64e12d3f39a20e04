/** The Pulumi package schema: `pulumi import` writes a program's code from it. */
import { version } from "../version.ts";

const text = { type: "string" };
const flag = { type: "boolean" };
const texts = { type: "array", items: text };
/** Objects whose fields the site file's own schema describes. */
const object = { type: "object", additionalProperties: { $ref: "pulumi.json#/Any" } };
const objects = { type: "array", items: object };
const described = (type: object, description: string): object => ({ ...type, description });

const inputs = {
  owner: described(text, "organization/project/stack/name of the resource: another owner's host is refused."),
  connection: described(object, "How to reach the host, and where the secret for that is; never the secret."),
  detection: described(
    object,
    "Overrides for what is found on the host: httpd, config, pidFile, defines, environmentFile.",
  ),
  siteFile: described(text, "Site file, relative to the project."),
  caFiles: described(texts, "CA files, relative to the site file."),
  ca: described(object, "SHA-256 of the CA bundle, and its certificates."),
  crlFiles: described(texts, "CRL files, relative to the site file."),
  crls: described(objects, "The CRLs: issuer, dates, number."),
  crlSha256: described(text, "SHA-256 of the CRLs as they are installed."),
  crlCheck: described(text, "leaf or chain."),
  crlSources: described(objects, "Where the host downloads CRLs: id, urls, and the file of a first list."),
  crlRefresh: described(object, "When it does: times, timeZone, spreadMinutes, alarmHours, proxyFile."),
  acceptOlderCrls: described(texts, "SHA-256 of CRLs that may replace one with a higher number."),
  sample: described(object, "A user's certificate that every new CRL must go on accepting: sha256, subject, file."),
  acknowledgeSessionTicketKeys: described(flag, "Go on although revoked certificates work in resumed sessions."),
  port: described({ type: "integer" }, "TLS port of the virtual hosts to cover."),
  organizations: described(texts, "Allowed organizations (O); none: any."),
  organizationalUnits: described(texts, "Allowed organizational units (OU); none: any."),
  countries: described(texts, "Allowed countries (C); none: any."),
  issuers: described(texts, "CAs that may have issued a certificate, by name; none: any listed CA."),
  verifyDepth: described({ type: "integer" }, "CAs above a user's certificate, the root included."),
  adopt: described(
    flag,
    "Let our rule for the whole site take the place of what was set up by hand; what ours cannot win over becomes a comment until removal.",
  ),
  excludeVirtualHosts: described(texts, "ServerName, or ServerName:port, of virtual hosts to leave alone."),
  reloadPendingEdits: described(flag, "Reload although others' unfinished edits go live with it."),
  mayBeStopped: described(flag, "The server is stopped on purpose now and then: that is no alarm."),
  reloadUnstartable: described(flag, "Reload although httpd would not start on the files that are installed now."),
  takeOver: described(flag, "Take the host over from another stack."),
  judgeInPreview: described(flag, "Let the real httpd judge a change in each preview."),
  phpVersion: described(text, "Overrides the PHP version found on the host."),
  files: described({ type: "object", additionalProperties: text }, "Added by the provider: what diffs show."),
  facts: described(text, "Added by the provider: what the last look found, packed."),
};

const outputs = {
  generation: described({ type: "integer" }, "Counts real changes of the host."),
  lastChange: described(texts, "What the last change did, in this run or an earlier one."),
  judge: described(text, "Which judge spoke at the last change: shadow, minimal or syntax."),
  serverVersion: described(text, "Version of httpd."),
  opensslVersion: described(text, "Version of OpenSSL."),
  php: described(text, "Version of PHP, and where it was found."),
  tlsRule: described(text, "TLS versions that follow, with the reason."),
  virtualHosts: described(texts, "Virtual hosts of the port."),
  caNotAfter: described(text, "When the first CA certificate ends."),
  crlNextUpdate: described(text, "When the first CRL ends, and with it access by certificate."),
  crlStatus: described(objects, "Of each CRL source: last success and failure, dates, number and entries of its CRL."),
  timer: described(object, "What starts the refresh of the CRLs, and how the last one ended."),
  warnings: described(texts, "What should be looked at."),
  problems: described(texts, "What keeps the next change from being made."),
  owed: described(text, "Why the live server does not run what its files say."),
  stopped: described(text, "That the server should run and does not, and what to do."),
};

/** Names of what only the provider knows; components must name them, else the properties never exist. */
export const outputNames: readonly string[] = Object.keys(outputs);

/** The schema as JSON. */
export function packageSchema(): string {
  const resource = {
    description: "Client-certificate authentication on one Apache httpd: asked for, never required.",
    inputProperties: inputs,
    requiredInputs: ["owner", "connection", "siteFile", "ca"],
    properties: { ...inputs, ...outputs },
    required: [
      "generation",
      "lastChange",
      "serverVersion",
      "opensslVersion",
      "tlsRule",
      "virtualHosts",
      "crlStatus",
      "warnings",
      "problems",
    ],
  };
  const languages = { language: { nodejs: { packageName: "clientcert" } } };
  return JSON.stringify({
    name: "clientcert",
    version,
    ...languages,
    resources: { "clientcert:apache:ClientAuth": resource },
  });
}
