/** `clientcert pki FILE…`: what certificate and CRL files hold, and whether a certificate is revoked. */
import { checkBundle } from "../core/pki/bundle.ts";
import { type Certificate, readCertificate } from "../core/pki/certificate.ts";
import { type Crl, readCrl } from "../core/pki/crl.ts";
import { DerError } from "../core/pki/der.ts";
import { describeWrongKind } from "../core/pki/kind.ts";
import { readBlocks } from "../core/pki/pem.ts";
import { readFileBytes } from "../provider/site/pki-files.ts";
import { exitCode } from "./exit-code.ts";
import type { Answer } from "./output.ts";
import { type Examined, type Status, examine, statusOf, statusOfSerial } from "./pki-revocation.ts";
import { certificateLines, crlLines, describeCertificate, describeRevocation, describeSerial } from "./format-pki.ts";

export interface PkiOptions {
  readonly json: boolean;
  /** The text that {@link parseSerial} reads. */
  readonly serial: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Says what the files hold, what is wrong with them, and what their CRLs revoke. A file that cannot be read is a
 * problem of that file. A `serial` that is no number is refused before any file is read.
 */
export function explainPki(paths: readonly string[], { json, serial, now }: PkiOptions): Answer {
  const askedSerial = serial === undefined ? undefined : parseSerial(serial);
  if (serial !== undefined && askedSerial === undefined) {
    const output =
      "--serial: this is no number; write it in hex, as 12ab, 0x12ab or 12:ab, or in decimal as dec:4779\n";
    return { output, code: exitCode.wrongInput };
  }
  const files = paths.map(readFile);
  const certificates = files.flatMap((file) => file.certificates);
  const crls = files.flatMap((file) => file.crls);
  const contents: Contents = { certificates, crls, askedSerial, now };
  const all: AllFiles = { ...contents, ...examineAll(contents) };
  return { output: json ? renderJson(files, all) : renderText(files, all), code: exitCodeFor(files, all) };
}

/**
 * Reads a serial number: `dec:4779` in decimal, and `12ab`, `0x12ab`, `12:ab` or `12 ab` in hex. Returns lower-case hex
 * without zeros in front, or undefined for any other text. A text without a prefix is hex, too, because openssl,
 * browsers and Windows print serial numbers in this form. Many small CAs count 10, 11, …: such a number could be
 * either, so that nothing is guessed, and a decimal one needs its prefix.
 */
export function parseSerial(text: string): string | undefined {
  const trimmed = text.trim();
  // Real serial numbers have at most 20 bytes. A number of megabytes would take minutes to read.
  if (trimmed.length > 200) return undefined;
  const decimal = /^dec:(.*)$/i.exec(trimmed)?.[1];
  if (decimal !== undefined) return /^\d+$/.test(decimal) ? BigInt(decimal).toString(16) : undefined;
  const hex = trimmed.replace(/^0x/i, "").replace(/[: ]/g, "");
  return /^[0-9a-f]+$/i.test(hex) ? BigInt(`0x${hex}`).toString(16) : undefined;
}

interface File {
  readonly file: string;
  readonly certificates: Certificate[];
  readonly crls: Crl[];
  readonly problems: string[];
}

/** What all files hold together, and what the user asked about them. */
interface Contents {
  readonly certificates: readonly Certificate[];
  readonly crls: readonly Crl[];
  /** The serial number of `--serial`, in hex. */
  readonly askedSerial: string | undefined;
  readonly now: number;
}

/** What the CRLs among the files tell. */
interface Examination {
  readonly examined: ReadonlyMap<Crl, Examined>;
  /**
   * Whether each certificate is revoked by the given CRLs, and whether each CRL revokes the serial number that was
   * asked for. Undefined for a certificate that `statusOf` says nothing about, and for a CRL when no number was asked
   * for.
   */
  readonly statuses: ReadonlyMap<Certificate | Crl, Status | undefined>;
}

type AllFiles = Contents & Examination;

/**
 * Reads the certificates and CRLs of one file, which may be mixed. Whatever else the file holds, or cannot be read,
 * becomes a text in `problems`.
 */
function readFile(file: string): File {
  const bytes = readFileBytes(file);
  const read: File = { file, certificates: [], crls: [], problems: [] };
  if (typeof bytes === "string") return { ...read, problems: [bytes] };
  const { blocks, diagnostics } = readBlocks(bytes, "a certificate or CRL");
  read.problems.push(...diagnostics.map(({ text }) => text));
  for (const { kind, der } of blocks) {
    try {
      if (kind === "certificate") read.certificates.push(readCertificate(der));
      else if (kind === "crl") read.crls.push(readCrl(der));
      else read.problems.push(describeWrongKind(kind, "a certificate or CRL"));
    } catch (error) {
      if (!(error instanceof DerError)) throw error;
      read.problems.push(`cannot be read: ${error.message}; download or export it again`);
    }
  }
  return read;
}

/**
 * The exit code: 2 where a file has a problem, else 7 where a certificate or the asked serial number is revoked, else 1
 * where an answer is in doubt or no CRL was given for the serial number, else 0.
 */
function exitCodeFor(files: readonly File[], all: AllFiles): number {
  if (files.some(({ problems }) => problems.length > 0)) return exitCode.wrongInput;
  const statuses = [...all.statuses.values()].flatMap((status) => status ?? []);
  if (statuses.some(({ revoked }) => revoked !== undefined)) return exitCode.different;
  const isKnown = statuses.every(({ doubt }) => doubt === undefined);
  return isKnown && (all.askedSerial === undefined || all.crls.length > 0) ? exitCode.fine : exitCode.unknown;
}

/** Examines every CRL once, and finds the status of every certificate and of the serial number by these CRLs. */
function examineAll({ certificates, crls, askedSerial, now }: Contents): Examination {
  const examined = new Map(crls.map((crl) => [crl, examine(crl, certificates, now)]));
  const cas = certificates.filter(({ isCa }) => isCa);
  const certificateStatuses = certificates.map((one) => [one, statusOf(one, [...examined.values()])] as const);
  const crlStatuses = [...examined].map(
    ([crl, result]) => [crl, askedSerial === undefined ? undefined : statusOfSerial(result, askedSerial, cas)] as const,
  );
  return {
    examined,
    statuses: new Map<Certificate | Crl, Status | undefined>([...certificateStatuses, ...crlStatuses]),
  };
}

/**
 * `good` where one of the given CAs with the name of the CRL's issuer signed the CRL, `bad` where none of them did.
 * Undefined where no given CA has that name.
 */
function signatureOf(examined: Examined | undefined): "good" | "bad" | undefined {
  if (examined === undefined || examined.named.length === 0) return undefined;
  return examined.signers.length > 0 ? "good" : "bad";
}

/** One JSON object: for each file its problems, certificates and CRLs, and the findings about all CAs together. */
function renderJson(files: readonly File[], all: AllFiles): string {
  const explained = files.map(({ file, problems, certificates, crls }) => ({
    file,
    problems,
    certificates: certificates.map((certificate) => ({
      ...describeCertificate(certificate, all.now),
      ...all.statuses.get(certificate),
    })),
    crls: crls.map((crl) => ({
      ...crl.summary,
      signature: signatureOf(all.examined.get(crl)),
      // JSON leaves out `undefined`, so `revoked` is null where it is not certain that the CRL revokes the number.
      ...(all.askedSerial === undefined
        ? {}
        : { revoked: all.statuses.get(crl)?.revoked ?? null, doubt: all.statuses.get(crl)?.doubt }),
    })),
  }));
  const bundle = checkCas(all).map(({ severity, text }) => ({ severity, text }));
  return `${JSON.stringify({ files: explained, serial: all.askedSerial, bundle }, undefined, 2)}\n`;
}

/**
 * A block of lines for each file, one about all CAs together, and one where no CRL can answer `--serial`. An empty line
 * ends each block.
 */
function renderText(files: readonly File[], all: AllFiles): string {
  const parts = files.map(({ file, certificates, crls, problems }) => [
    file,
    ...[
      ...certificates.flatMap((certificate) => linesOfCertificate(certificate, all)),
      ...crls.flatMap((crl) => linesOfCrl(crl, all)),
      ...problems,
    ].map((line) => `  ${line}`),
  ]);
  const { askedSerial, crls } = all;
  if (all.certificates.some(({ isCa }) => isCa))
    parts.push(["together, as the CA bundle of a site", ...bundleLines(all)]);
  if (askedSerial !== undefined && crls.length === 0)
    parts.push([`${describeSerial(askedSerial)}: could not tell, no CRL is among the files`]);
  return parts.flatMap((lines) => [...lines, ""]).join("\n");
}

/** The lines about a certificate, and its status where the given CRLs say something about it. */
function linesOfCertificate(certificate: Certificate, { statuses, now }: AllFiles): string[] {
  const status = statuses.get(certificate);
  const lines = certificateLines(certificate, now);
  return status === undefined ? lines : [...lines, `  by the given CRL of its issuer: ${describeStatus(status)}`];
}

const signatureLines = {
  good: "  signed by the given CA of that name",
  bad: "  not signed by the given CA of that name: damaged, forged, or the CA has another key now",
  unknown: "  signature not checked; give its CA's file, too",
} as const;

/** The lines about a CRL, its signature, and whether it revokes the serial number that was asked for. */
function linesOfCrl(crl: Crl, { examined, statuses, askedSerial, now }: AllFiles): string[] {
  const lines = [...crlLines(crl, now), signatureLines[signatureOf(examined.get(crl)) ?? "unknown"]];
  const status = statuses.get(crl);
  if (askedSerial === undefined || status === undefined) return lines;
  return [...lines, `  ${describeSerial(askedSerial)}: ${describeStatus(status)}`];
}

const describeStatus = ({ revoked, doubt }: Status): string =>
  doubt === undefined ? describeRevocation(revoked) : `could not tell: ${doubt}`;

/** The findings about the given CAs, taken together as the CA bundle of a site. */
const checkCas = ({ certificates, now }: AllFiles) => {
  const cas = certificates.filter(({ isCa }) => isCa);
  return cas.length === 0 ? [] : checkBundle(cas, { now });
};

/** The findings about all CAs together as lines, or one line where there are none. */
function bundleLines(all: AllFiles): string[] {
  const findings = checkCas(all).map(({ severity, text }) => `  ${severity}: ${text}`);
  return findings.length > 0 ? findings : ["  fine: every CA has its chain up to a root"];
}
