/** `pulumi import`: Read gets nothing but an id, so the id must say how to reach the host. */
import { crlName, refreshName, sampleName } from "../../core/own-files.ts";
import { defaultVerifyDepth } from "../../core/pki/summary.ts";
import type { Facts } from "../../core/apache/model.ts";
import type { ObservedFile, Observation } from "../../core/apache/observation.ts";
import type { CrlSource } from "../../core/crl-refresh/inputs.ts";
import { readRequirement } from "../../core/apache/plan/requirement.ts";
import { hostText } from "../../core/host-text.ts";
import { readCertificates } from "../../core/pki/certificate.ts";
import type { Inputs } from "../../core/apache/inputs.ts";
import type { Login } from "../../core/connection/inputs.ts";
import { parseInputs, validateInputs, withDefaults } from "./parse-inputs.ts";
import type { Properties } from "../engine/resource.ts";

const idForm =
  "ssh://USER@ADDRESS:PORT?hostKey=ssh-ed25519%20AAAA…[&keyFile=PATH][&sudo=passwordless][&config=PATH][&httpsPort=443]";

/**
 * The inputs that an import id names, and defaults for all others. They are enough to reach the host, from which
 * {@link importedInputs} reads the others. Throws an error where the id is not of the form {@link idForm}, or has a
 * value that Check would refuse.
 */
export function importTarget(id: string, owner: string): Inputs {
  const url = parseUrl(id);
  const { searchParams: parameters } = url;
  const keyFile = parameters.get("keyFile");
  const login: Login = keyFile === null ? { from: "agent" } : { from: "keyFile", path: keyFile };
  const config = parameters.get("config");
  const sudo = parameters.get("sudo");
  const connection = {
    // A URL has an IPv6 address in brackets.
    address: url.hostname.replace(/^\[|\]$/g, ""),
    ...(url.port === "" ? {} : { port: Number(url.port) }),
    user: decodeURIComponent(url.username) || "root",
    hostKey: parameters.get("hostKey") ?? "",
    login,
    ...(sudo === null ? {} : { sudo: { how: sudo } }),
  };
  const detection = config === null ? {} : { config };
  const port = parameters.has("httpsPort") ? { port: Number(parameters.get("httpsPort")) } : {};
  const siteFile = `stacks/${owner.split("/")[2] ?? "site"}.yaml`; // the owner is organization/project/stack/name
  // This stands in for an input that must be there. `importedInputs` replaces it.
  const ca = { sha256: "unknown until the host is read", certificates: [] };
  const inputs = withDefaults({ owner, siteFile, ca, connection, detection, ...port });
  const [failure] = validateInputs(inputs);
  if (failure !== undefined) throw new Error(`import id: ${failure.reason}`);
  return parseInputs(inputs);
}

/** The import id as a URL. Throws an error where it is not one, or has no host key. */
function parseUrl(id: string): URL {
  const url = URL.canParse(id) ? new URL(id) : undefined;
  if (url?.protocol === "ssh:" && url.searchParams.has("hostKey")) return url;
  throw new Error(`import id ${JSON.stringify(id)}: does not say how to reach the host; write ${idForm}`);
}

/**
 * The inputs that describe the host as it is, so that an import changes nothing. They are read from our own files on
 * the host. The paths of CA, CRL and sample files become the names that these files have there.
 */
export function importedInputs(inputs: Inputs, facts: Facts, { own }: Observation): Properties {
  const { conf = "", files, ca, owner } = facts.own;
  const refresh = importedRefresh(textOf(own.get(refreshName)));
  // The host does not show which of the CRLs a source renews. Where there are sources, all CRLs count as renewed.
  const crls = facts.own.crls.map((crl) => (refresh.crlSources === undefined ? crl : { ...crl, isFirstList: true }));
  const caFile = facts.own.caFile;
  return withDefaults({
    ...inputs,
    owner: owner ?? inputs.owner,
    ca: { sha256: files[caFile ?? ""] ?? "none", certificates: ca },
    caFiles: caFile === undefined ? [] : [caFile],
    crls,
    crlSha256: files[crlName] ?? "",
    crlFiles: crls.length === 0 ? [] : [crlName],
    crlCheck: /^\s*SSLCARevocationCheck\s+chain\b/m.test(conf) ? "chain" : "leaf",
    ...refresh,
    ...importedSample(own.get(sampleName)),
    // What stands on the host counts as acknowledged. Otherwise an import would report a problem at once.
    acknowledgeSessionTicketKeys: facts.foreign.some(({ kind }) => kind === "sessionTicketKey"),
    ...readRequirement(conf),
    verifyDepth: Number(/^\s*SSLVerifyDepth\s+(\d+)/m.exec(conf)?.[1] ?? defaultVerifyDepth),
  });
}

const textOf = (file: ObservedFile | undefined): string => hostText(file?.bytes ?? "");

/**
 * The inputs about the refresh of CRLs, from the text of the file that the host's own program reads. Empty where it has
 * no source.
 */
function importedRefresh(conf: string): Partial<Inputs> {
  const lines = conf.split("\n").map((line) => line.split(" "));
  const valueOf = (key: string): string | undefined => lines.find(([word]) => word === key)?.[1];
  const sources: CrlSource[] = [];
  // A line `source ID` begins a source, and the `url` lines after it belong to this source. The word `file` after the
  // id means that the site file gives a first list, which is now part of our crl.pem.
  for (const [word, value = "", option] of lines) {
    const last = sources.at(-1);
    if (word === "source") sources.push({ id: value, urls: [], ...(option === "file" && { file: crlName }) });
    if (word === "url" && last !== undefined) sources[sources.length - 1] = { ...last, urls: [...last.urls, value] };
  }
  if (sources.length === 0) return {};
  const times = lines.find(([word]) => word === "times")?.slice(1) ?? [];
  const numbers = { spreadMinutes: Number(valueOf("spread-minutes")), alarmHours: Number(valueOf("alarm-hours")) };
  const crlRefresh = { times, ...numbers, timeZone: valueOf("time-zone"), proxyFile: restOf(conf, "proxy-file") };
  const acceptOlderCrls = lines.flatMap(([word, sha256 = ""]) => (word === "accept-older" ? [sha256] : []));
  return { crlSources: sources, crlRefresh, acceptOlderCrls };
}

/** The rest of the line that begins with `key`, because a path may contain blanks. Undefined where none does. */
const restOf = (conf: string, key: string): string | undefined => new RegExp(`^${key} (.*)$`, "m").exec(conf)?.[1];

/** The sample certificate that is installed on the host. Empty where there is none that can be read. */
function importedSample(file: ObservedFile | undefined): Partial<Inputs> {
  // We install exactly one certificate.
  const [certificate] = file === undefined ? [] : readCertificates(Buffer.from(file.bytes, "latin1")).certificates;
  if (file === undefined || certificate === undefined) return {};
  return { sample: { sha256: file.sha256, subject: certificate.summary.subject, file: sampleName } };
}
