/** What a change of an Apache host sends: files of the site, probe certificates, and what is reported to a person. */
import { randomUUID } from "node:crypto";
import type { Change, Facts, OwnFile } from "../../core/apache/model.ts";
import { hostText } from "../../core/host-text.ts";
import { type SiteFiles, readSiteFiles } from "../site/pki-files.ts";
import type { Transaction } from "./host-model.ts";
import type { Inputs } from "../../core/apache/inputs.ts";
import { filesOf } from "./parse-inputs.ts";
import { makeProbeFiles } from "./probe-files.ts";

/**
 * The transaction that carries out a change. `remove` means that everything of ours is removed, including the host's
 * own record. Throws an error where a file of the site is to be written that is not fit to be installed, or that has
 * changed since the program read it.
 */
export function transactionOf(inputs: Inputs, facts: Facts, change: Change, remove = false): Transaction {
  let cached: SiteFiles | undefined;
  // The files are read once for both parts, because a CRL of a million entries takes seconds.
  const read = (): SiteFiles => (cached ??= readFilesOf(inputs, facts));
  return {
    id: randomUUID(),
    owner: inputs.owner,
    takeOver: inputs.takeOver,
    reloadUnstartable: inputs.reloadUnstartable,
    configFile: facts.server.configFile,
    change,
    contents: contentsOf(inputs, change.write, read),
    // Without a reload of httpd on our files, there is nothing to probe.
    probes: remove || change.isAside === true ? new Map() : probesOf(inputs, read()),
    remove,
  };
}

/**
 * The bytes of the files to write, by name. A file without a text in the plan gets its content from the site's own
 * files. Only then is `read` called. Throws an error when the site's files are not fit to be installed, or are other
 * files than the inputs describe.
 */
export function contentsOf(
  inputs: Inputs,
  files: readonly OwnFile[],
  read: () => SiteFiles,
): ReadonlyMap<string, Buffer> {
  const needsSite = files.some((file) => file.text === undefined);
  const site: SiteTexts = needsSite ? requireSiteFiles(inputs, read()) : {};
  return new Map(
    files.flatMap(({ name, role, text = site[role] }) =>
      text === undefined ? [] : [[name, Buffer.from(text, "utf8")] as const],
    ),
  );
}

/**
 * One probe certificate for each CA whose files can be read. Files that cannot be read are reported where they are
 * needed.
 */
const probesOf = (inputs: Inputs, { material }: SiteFiles): Transaction["probes"] =>
  makeProbeFiles({ ...material, urls: inputs.crlSources.flatMap(({ urls }) => urls) });

/** Reads and checks the site's own files, as they are now. */
export const readFilesOf = (inputs: Inputs, { own }: Facts): SiteFiles =>
  readSiteFiles(inputs.siteFile, filesOf(inputs), {
    now: Date.now(),
    installedCa: own.ca.map((certificate) => certificate.fingerprint),
    installedCrls: own.crls,
  });

/** The texts of the site's own files, by their role in a change. */
type SiteTexts = Partial<Record<OwnFile["role"], string>>;

/**
 * The texts of the site's own files. Throws an error unless the files are fit to be installed and are still those that
 * the program has read.
 */
function requireSiteFiles(inputs: Inputs, read: SiteFiles): SiteTexts {
  const problems = read.diagnostics.filter(({ severity }) => severity === "problem");
  if (problems.length > 0) throw new Error(problems.map(({ place, text }) => `${place}: ${text}`).join("\n"));
  const isSameSample = read.sample?.sha256 === inputs.sample?.sha256;
  const isSame =
    isSameSample && read.ca.sha256 === inputs.ca.sha256 && joinedHashes(read.crls) === joinedHashes(inputs.crls);
  if (isSame) return { ca: read.ca.pem, crl: read.crlPem, ...(read.sample && { sample: read.sample.pem }) };
  throw new Error(`${inputs.siteFile}: the files that it names changed while this command ran; run it again`);
}

/** The hashes as one text, for a comparison of two lists. */
const joinedHashes = (items: readonly { readonly sha256: string }[]): string => items.map((item) => item.sha256).join();

/** What was done, one line for each step, without a line of the customer's. */
export function describeChange({ write, edits, drop, refresh, isAside }: Change): readonly string[] {
  return [
    ...(isAside === true ? ["wrote the program that refreshes and undoes"] : []),
    ...(refresh ? ["asked the CRL sources"] : []),
    ...write.map((file) => `wrote ${file.name}`),
    ...edits.map(
      (edit) => `edited ${hostText(edit.path)} in ${edit.splices.length} place${edit.splices.length === 1 ? "" : "s"}`,
    ),
    ...drop.map((name) => `removed ${name}`),
  ];
}

/** Reports the unmanaged lines that an earlier version had commented out and that are now put back. */
export function describeRestored({ edits }: Change): string {
  const count = edits.reduce((sum, { splices }) => sum + splices.length, 0);
  return `${count === 1 ? "a line was" : `${count} lines were`} put back that an earlier version had commented out`;
}
