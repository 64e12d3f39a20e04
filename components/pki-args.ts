/** CA certificates and CRLs in the forms that a program has: paths or PEM text, known now or later. */
import * as pulumi from "./pulumi.ts";
import type { CaBundle } from "../core/pki/summary.ts";
import type { SiteCrlSource } from "../core/site/crl-sources.ts";
import type { SampleCertificateInput } from "../core/crl-refresh/inputs.ts";
import * as site from "../provider/site/load-site.ts";
import { type SiteFilesWanted, shownFile } from "../provider/site/pki-files.ts";
import type { ClientAuthArgs } from "./client-auth.ts";

/* eslint-disable inputs/declared-once -- a program gives these in other forms: paths or PEM text, known now or later */

/** The arguments that say where the CA certificates and CRLs are. */
export interface PkiArgs {
  /**
   * The CA that issues to users, and every CA above it up to the root: paths of PEM or DER files, or PEM text of at
   * most 1 MiB each.
   *
   * @see https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslcacertificatefile
   */
  readonly caFiles: pulumi.Input<readonly pulumi.Input<string>[]>;
  /**
   * CRLs that nothing renews, in the same forms.
   *
   * @default - no revocation check, unless there are `crlSources`
   * @see https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslcarevocationfile
   */
  readonly crlFiles?: pulumi.Input<readonly pulumi.Input<string>[]>;
  /** A user's certificate that every new CRL must go on accepting, in the same forms. @default - none */
  readonly sampleCertificate?: pulumi.Input<string>;
  /**
   * The file whose folder is the start of relative paths. Its own path is relative to the program's folder.
   *
   * @default - that folder
   */
  readonly siteFile?: pulumi.Input<string>;
  /** The CA certificates in the form in which they are installed. @default - read from `caFiles` */
  readonly ca?: pulumi.Input<CaBundle>;
}

/** This file is not opened. It stands for the program's folder, in which the engine starts the provider, too. */
const programFolder = "Pulumi.yaml";

/** The other arguments on which the checks of the files depend. */
interface CheckArgs extends Partial<Pick<ClientAuthArgs, "crlCheck" | "issuers" | "verifyDepth">> {
  readonly crlSources?: pulumi.Input<readonly SiteCrlSource[]>;
}

type ReadArgs = Pick<ClientAuthArgs, "sample"> &
  Required<Pick<ClientAuthArgs, "siteFile" | "caFiles" | "ca" | "crlFiles" | "crls" | "crlSha256">>;

/**
 * Reads and checks the files: at once where every argument is known, otherwise when the last of them becomes known.
 * Where there are problems, it ends the program with all of them. A message begins with the file that it is about, or
 * with `name` where it is about no single file.
 */
export function readPki(args: PkiArgs & CheckArgs, host: pulumi.ComponentResource, name: string): ReadArgs {
  const { siteFile = programFolder, caFiles, crlFiles = [], sampleCertificate } = args;
  const { crlCheck = "leaf", crlSources = [], issuers, verifyDepth } = args;
  const files = { siteFile, caFiles, crlFiles, sampleCertificate, crlCheck, crlSources, issuers, verifyDepth };
  const readNow = (known: KnownFiles): site.SitePki => readKnown(known, host, name);
  // Files that are known are read at once, because Pulumi reports an error in `apply` as an error of serialization.
  const read = isKnown(files) ? pulumi.output(readNow(files)) : pulumi.output(files).apply(readNow);
  return {
    siteFile,
    caFiles: pulumi.output(caFiles),
    crlFiles: pulumi.output(crlFiles),
    ca: read.ca,
    crls: read.crls,
    crlSha256: read.crlSha256,
    // as: the sample is set when it was asked for. Otherwise `readKnown` has ended the program.
    ...(sampleCertificate !== undefined && { sample: read.sample as pulumi.Output<SampleCertificateInput> }),
  };
}

type KnownFiles = SiteFilesWanted & { readonly siteFile: string };

/** Whether every argument has its value already, so that no part of it is an output or a promise. */
const isKnown = (value: object): value is KnownFiles => !hasOutput(value);

/** Whether the value is an output or a promise, or contains one at any depth. */
const hasOutput = (value: unknown): boolean =>
  pulumi.Output.isInstance(value) ||
  value instanceof Promise ||
  (typeof value === "object" && value !== null && Object.values(value).some(hasOutput));

/**
 * Reads and checks the files. Throws one error with every problem, and logs the warnings. In messages, the name of the
 * resource stands for the site file, because a program may have none.
 */
function readKnown({ siteFile, ...wanted }: KnownFiles, host: pulumi.ComponentResource, name: string): site.SitePki {
  // The place of a key of the site file begins with that file, see `keyPlace`.
  const placeOf = (place: string) => ({
    file: place.startsWith(siteFile) ? name + place.slice(siteFile.length) : place,
  });
  const { pki, problems, warnings } = site.readPki(siteFile, wanted, placeOf);
  // true: Pulumi prints the message without a stack trace.
  if (problems.length > 0) throw new pulumi.ResourceError(problems.join("\n"), host, true);
  for (const warning of warnings) void pulumi.log.warn(warning, host);
  return pki;
}

/**
 * The arguments for the state of the component, with PEM text replaced by its hash: a private key that was given in the
 * place of a certificate must not get into the state. Paths stay as they are.
 */
export function recordedPkiArgs({ caFiles, crlFiles = [], sampleCertificate, crlSources }: PkiArgs & CheckArgs) {
  const shown = (paths: PkiArgs["caFiles"]) => pulumi.output(paths).apply((known) => known.map(shownFile));
  const sample = sampleCertificate && { sampleCertificate: pulumi.output(sampleCertificate).apply(shownFile) };
  const sources = crlSources && { crlSources: pulumi.output(crlSources).apply((known) => known.map(shownSource)) };
  return { caFiles: shown(caFiles), crlFiles: shown(crlFiles), ...sample, ...sources };
}

const shownSource = (source: SiteCrlSource): SiteCrlSource =>
  source.file === undefined ? source : { ...source, file: shownFile(source.file) };
