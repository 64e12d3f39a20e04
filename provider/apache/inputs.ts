/** Inputs of `clientcert:apache:ClientAuth`: their shape, their defaults, and what they mean to core and to the host. */
import { findIssuerMistake } from "../../core/pki/issuer-name.ts";
import { type CaBundle, type CrlSummary, defaultVerifyDepth, maxVerifyDepth } from "../../core/pki/summary.ts";
import { type Desired, type Facts, defaultPort } from "../../core/apache/model.ts";
import { type CrlRefresh, defaultCrlRefresh } from "../../core/crl-refresh/refresh-model.ts";
import { hostText } from "../../core/host-text.ts";
import type { Connection, Detection, Target } from "./host-model.ts";
import { hostProgramSha256 } from "./host-program.ts";
import { type CheckFailure, type Properties } from "../engine/resource.ts";
import type { SiteFilesWanted } from "../site/pki-files.ts";

/** What the site's file says about one host; all of it may be stored in Pulumi's state. */
export interface Inputs {
  /** `organization/project/stack/name` of the resource. */
  readonly owner: string;
  readonly connection: Connection;
  readonly detection: Detection;
  /** Relative to the project. With the file names below it says where bytes are, so none of them is compared. */
  readonly siteFile: string;
  /** Relative to the site file, as {@link crlFiles}. */
  readonly caFiles: readonly string[];
  readonly ca: CaBundle;
  readonly crlFiles: readonly string[];
  readonly crls: readonly CrlSummary[];
  /** SHA-256 of the PEM text of all of them, as it is installed; empty without CRLs. */
  readonly crlSha256: string;
  readonly crlCheck: "leaf" | "chain";
  readonly crlSources: readonly CrlSourceInput[];
  readonly crlRefresh: CrlRefresh;
  /** SHA-256 of CRLs that may replace one with a higher number. */
  readonly acceptOlderCrls: readonly string[];
  readonly sample: SampleCertificateInput | undefined;
  readonly acknowledgeSessionTicketKeys: boolean;
  readonly port: number;
  readonly organizations: readonly string[];
  readonly organizationalUnits: readonly string[];
  readonly countries: readonly string[];
  readonly issuers: readonly string[];
  readonly verifyDepth: number;
  readonly adopt: boolean;
  readonly excludeVirtualHosts: readonly string[];
  readonly reloadPendingEdits: boolean;
  readonly mayBeStopped: boolean;
  readonly reloadUnstartable: boolean;
  readonly takeOver: boolean;
  readonly judgeInPreview: boolean;
  readonly phpVersion: string | undefined;
}

/** Where the host downloads one CRL. */
export interface CrlSourceInput {
  readonly id: string;
  readonly urls: readonly string[];
  /** First list, relative to the site file. */
  readonly file?: string;
}

/** A user's certificate that every new CRL must go on accepting. */
export interface SampleCertificateInput {
  /** Of its PEM text, as it is installed. */
  readonly sha256: string;
  readonly subject: string;
  /** Relative to the site file. */
  readonly file: string;
}

/** What Check and Read add, for display and for the next Check: never wished, never compared. */
const computedInputs = ["files", "facts"] as const;

type Rule = readonly [isRight: (value: unknown) => boolean, expected: string];

const isText = (value: unknown): boolean => typeof value === "string" && value !== "";
const isObject = (value: unknown): value is Properties =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isPort = (value: unknown): boolean => Number.isInteger(value) && Number(value) > 0 && Number(value) < 65536;

const isDepth = (value: unknown): boolean =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= maxVerifyDepth;
const isHashes = (value: unknown): boolean =>
  Array.isArray(value) && value.every((text) => typeof text === "string" && /^[0-9a-f]{64}$/.test(text));
const isIssuers = (value: unknown): boolean =>
  Array.isArray(value) && value.every((text) => isText(text) && findIssuerMistake(String(text)) === undefined);

const texts: Rule = [isTexts, "a list of texts"];
const flag: Rule = [(value) => typeof value === "boolean", "true or false"];

const optionalText = (expected: string): Rule => [(value) => value === undefined || isText(value), expected];

const rules: Readonly<Record<keyof Inputs, Rule>> = {
  owner: [isText, "organization/project/stack/name of the resource"],
  connection: [isConnection, "an object with address, user and hostKey"],
  detection: [isObject, "an object"],
  siteFile: [isText, "the path of the site file, relative to the project"],
  caFiles: texts,
  ca: [(value) => isObject(value) && isText(value.sha256), "an object with sha256 and certificates"],
  crlFiles: texts,
  crls: [(value) => Array.isArray(value) && value.every(isObject), "a list of objects with sha256 and issuer"],
  crlSha256: [(value) => typeof value === "string", "the SHA-256 of the CRLs to install, empty without any"],
  crlCheck: [(value) => value === "leaf" || value === "chain", '"leaf" or "chain"'],
  crlSources: [(value) => Array.isArray(value) && value.every(isSource), "a list of objects with id and urls"],
  crlRefresh: [isRefresh, "an object with times, spreadMinutes and alarmHours"],
  acceptOlderCrls: [isHashes, "a list of SHA-256 in lower-case hexadecimal digits"],
  sample: [(value) => value === undefined || isSample(value), "an object with sha256, subject and file"],
  acknowledgeSessionTicketKeys: flag,
  port: [isPort, "a port from 1 to 65535"],
  organizations: texts,
  organizationalUnits: texts,
  countries: texts,
  issuers: [isIssuers, "a list of names of CAs, such as Users CA or OU=Users CA,O=Harbour"],
  verifyDepth: [isDepth, `a whole number from 1 to ${maxVerifyDepth}`],
  adopt: flag,
  excludeVirtualHosts: texts,
  reloadPendingEdits: flag,
  mayBeStopped: flag,
  reloadUnstartable: flag,
  takeOver: flag,
  judgeInPreview: flag,
  phpVersion: optionalText('a version such as "8.3"'),
};

function isConnection(value: unknown): boolean {
  return isObject(value) && [value.address, value.user, value.hostKey].every(isText);
}

function isSource(value: unknown): boolean {
  return isObject(value) && isText(value.id) && isTexts(value.urls) && (value.file === undefined || isText(value.file));
}

function isRefresh(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { times, spreadMinutes, alarmHours, timeZone, proxyFile } = value;
  const isOptional = [timeZone, proxyFile].every((text) => text === undefined || isText(text));
  return isTexts(times) && [spreadMinutes, alarmHours].every(Number.isInteger) && isOptional;
}

function isSample(value: unknown): boolean {
  return isObject(value) && isText(value.sha256) && typeof value.subject === "string" && isText(value.file);
}

/** The one place for defaults of the noun. */
const defaults: Partial<Inputs> = {
  detection: {},
  caFiles: [],
  crlFiles: [],
  crls: [],
  crlSha256: "",
  crlCheck: "leaf",
  crlSources: [],
  crlRefresh: defaultCrlRefresh,
  acceptOlderCrls: [],
  acknowledgeSessionTicketKeys: false,
  port: defaultPort,
  organizations: [],
  organizationalUnits: [],
  countries: [],
  issuers: [],
  verifyDepth: defaultVerifyDepth,
  adopt: false,
  excludeVirtualHosts: [],
  reloadPendingEdits: false,
  mayBeStopped: false,
  reloadUnstartable: false,
  takeOver: false,
  judgeInPreview: true,
};

const inputNames = Object.keys(rules) as readonly (keyof Inputs)[]; // `rules` has every name of Wishes and no other

/** Names of the inputs whose values differ between two property bags; a state of an earlier version lacks the newer ones. */
export function changedInputs(a: Properties, b: Properties): readonly (keyof Inputs)[] {
  return inputNames.filter((name) => canonical(a[name] ?? defaults[name]) !== canonical(b[name] ?? defaults[name]));
}

/** JSON with sorted keys: the wire keeps no order of keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    isObject(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  );
}

/** Inputs with every default filled in, and without what Check adds. */
export function withDefaults(inputs: Properties): Properties {
  const merged: Record<string, unknown> = { ...defaults, ...inputs };
  for (const name of computedInputs) delete merged[name];
  if (isObject(merged.connection)) {
    const { connection } = merged;
    const sudo = { how: connection.user === "root" ? "none" : "passwordless" };
    merged.connection = { port: 22, login: { from: "agent" }, sudo, ...connection };
  }
  return merged;
}

/** What is wrong with inputs that are all known. The site file has been checked before: this is for other callers. */
export function validateInputs(inputs: Properties): readonly CheckFailure[] {
  const wrong = inputNames.filter((name) => !rules[name][0](inputs[name]));
  const unknownNames = Object.keys(inputs).filter((name) => !(name in rules));
  return [
    ...wrong.map((name) => ({ property: name, reason: `${name}: ${found(inputs[name])}; write ${rules[name][1]}` })),
    ...unknownNames.map((name) => ({ property: name, reason: `${name}: there is no such input; remove it` })),
  ];
}

function found(value: unknown): string {
  if (value === undefined) return "is missing";
  return `is not of the right form (${Array.isArray(value) ? "list" : typeof value})`;
}

/** Inputs that {@link validateInputs} has found right, typed. */
export function parseInputs(inputs: Properties): Inputs {
  const complete = withDefaults(inputs);
  const [failure] = validateInputs(complete);
  if (failure !== undefined) throw new Error(failure.reason);
  return complete as unknown as Inputs; // each field has just been looked at
}

/** The part of the inputs that core plans from. */
export function desiredOf(inputs: Inputs): Desired {
  const { owner, takeOver, port, ca, crls, crlSha256, crlCheck, crlSources, crlRefresh, sample } = inputs;
  const { organizations, organizationalUnits, countries, issuers, verifyDepth } = inputs;
  const { adopt, excludeVirtualHosts, reloadPendingEdits, mayBeStopped, phpVersion } = inputs;
  return {
    owner,
    takeOver,
    port,
    ca,
    crls,
    crlSha256,
    crlCheck,
    crlSources: crlSources.map(({ id, urls, file }) => ({ id, urls, hasFile: file !== undefined })),
    crlRefresh,
    acceptOlderCrls: inputs.acceptOlderCrls,
    sample: sample && { sha256: sample.sha256, subject: sample.subject },
    acknowledgeSessionTicketKeys: inputs.acknowledgeSessionTicketKeys,
    organizations,
    organizationalUnits,
    countries,
    issuers,
    verifyDepth,
    adopt,
    excludeVirtualHosts,
    reloadPendingEdits,
    mayBeStopped,
    phpVersion,
    program: hostProgramSha256(),
  };
}

/** The files of the site, as they are read. */
export const filesOf = ({ caFiles, crlFiles, crlCheck, crlSources, sample, ...inputs }: Inputs): SiteFilesWanted => ({
  caFiles,
  issuers: inputs.issuers,
  verifyDepth: inputs.verifyDepth,
  crlFiles,
  crlCheck,
  crlSources,
  sampleCertificate: sample?.file,
});

export function targetOf(inputs: Inputs): Target {
  return { connection: inputs.connection, detection: inputs.detection };
}

/** How a resource is called in the state: `address|apache|main configuration file`. */
export function resourceId(inputs: Inputs, facts: Facts): string {
  return [inputs.connection.address, "apache", hostText(facts.server.configFile)].join("|");
}
