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

/** The exit codes are those of the command's help. 2 takes precedence over 7, and 7 takes precedence over 1. */
export function explainPki(paths: readonly string[], { json, serial, now }: PkiOptions): Answer {
  const wanted = serial === undefined ? undefined : parseSerial(serial);
  if (serial !== undefined && wanted === undefined) {
    const output =
      "--serial: this is no number; write it in hex, as 12ab, 0x12ab or 12:ab, or in decimal as dec:4779\n";
    return { output, code: exitCode.wrongInput };
  }
  const files = paths.map(readFile);
  const certificates = files.flatMap((file) => file.certificates);
  const crls = files.flatMap((file) => file.crls);
  const given = { certificates, crls, wanted, now };
  const all: All = { ...given, ...findStatuses(given) };
  return { output: json ? renderJson(files, all) : renderText(files, all), code: judge(files, all) };
}

/**
 * Returns lower-case hex, or undefined when the text is not a number. A text without a prefix is hex, too, because
 * openssl, browsers and Windows print serial numbers in this form. Many small CAs count 10, 11, …, and such a number
 * looks the same in hex and in decimal.
 */
export function parseSerial(text: string): string | undefined {
  const trimmed = text.trim();
  // Real serial numbers have 20 bytes. A number of megabytes would take minutes to read.
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
interface All {
  readonly certificates: readonly Certificate[];
  readonly crls: readonly Crl[];
  readonly examined: ReadonlyMap<Crl, Examined>;
  /**
   * Whether each certificate is revoked by the given CRLs, and whether each CRL revokes the serial number that was
   * asked for.
   */
  readonly statuses: ReadonlyMap<Certificate | Crl, Status | undefined>;
  /** Serial number in hex. */
  readonly wanted: string | undefined;
  readonly now: number;
}

/** Reads the certificates and CRLs of one file, which may be mixed. */
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

function judge(files: readonly File[], all: All): number {
  if (files.some(({ problems }) => problems.length > 0)) return exitCode.wrongInput;
  const statuses = [...all.statuses.values()].flatMap((status) => status ?? []);
  if (statuses.some(({ revoked }) => revoked !== undefined)) return exitCode.different;
  const isKnown = statuses.every(({ doubt }) => doubt === undefined);
  return isKnown && (all.wanted === undefined || all.crls.length > 0) ? exitCode.fine : exitCode.unknown;
}

function findStatuses({
  certificates,
  crls,
  wanted,
  now,
}: Omit<All, "statuses" | "examined">): Pick<All, "statuses" | "examined"> {
  const examined = new Map(crls.map((crl) => [crl, examine(crl, certificates, now)]));
  const cas = certificates.filter(({ isCa }) => isCa);
  const ofCertificates = certificates.map((one) => [one, statusOf(one, [...examined.values()])] as const);
  const ofCrls = [...examined].map(
    ([crl, one]) => [crl, wanted === undefined ? undefined : statusOfSerial(one, wanted, cas)] as const,
  );
  return { examined, statuses: new Map<Certificate | Crl, Status | undefined>([...ofCertificates, ...ofCrls]) };
}

/** Checks the signature with the given CAs that have the name of the CRL's issuer. Undefined when there is none. */
function signatureOf(examined: Examined | undefined): "good" | "bad" | undefined {
  if (examined === undefined || examined.named.length === 0) return undefined;
  return examined.signers.length > 0 ? "good" : "bad";
}

function renderJson(files: readonly File[], all: All): string {
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
      ...(all.wanted === undefined
        ? {}
        : { revoked: all.statuses.get(crl)?.revoked ?? null, doubt: all.statuses.get(crl)?.doubt }),
    })),
  }));
  const bundle = checkCas(all).map(({ severity, text }) => ({ severity, text }));
  return `${JSON.stringify({ files: explained, serial: all.wanted, bundle }, undefined, 2)}\n`;
}

function renderText(files: readonly File[], all: All): string {
  const parts = files.map(({ file, certificates, crls, problems }) => [
    file,
    ...[
      ...certificates.flatMap((certificate) => linesOfCertificate(certificate, all)),
      ...crls.flatMap((crl) => linesOfCrl(crl, all)),
      ...problems,
    ].map((line) => `  ${line}`),
  ]);
  const { wanted, crls } = all;
  if (all.certificates.some(({ isCa }) => isCa))
    parts.push(["together, as the CA bundle of a site", ...bundleLines(all)]);
  if (wanted !== undefined && crls.length === 0)
    parts.push([`${describeSerial(wanted)}: could not tell, no CRL is among the files`]);
  return parts.flatMap((lines) => [...lines, ""]).join("\n");
}

function linesOfCertificate(certificate: Certificate, { statuses, now }: All): string[] {
  const status = statuses.get(certificate);
  const lines = certificateLines(certificate, now);
  return status === undefined ? lines : [...lines, `  by the given CRL of its issuer: ${describeStatus(status)}`];
}

const signatureLines = {
  good: "  signed by the given CA of that name",
  bad: "  not signed by the given CA of that name: damaged, forged, or the CA has another key now",
  unknown: "  signature not checked; give its CA's file, too",
} as const;

function linesOfCrl(crl: Crl, { examined, statuses, wanted, now }: All): string[] {
  const lines = [...crlLines(crl, now), signatureLines[signatureOf(examined.get(crl)) ?? "unknown"]];
  const status = statuses.get(crl);
  if (wanted === undefined || status === undefined) return lines;
  return [...lines, `  ${describeSerial(wanted)}: ${describeStatus(status)}`];
}

const describeStatus = ({ revoked, doubt }: Status): string =>
  doubt === undefined ? describeRevocation(revoked) : `could not tell: ${doubt}`;

const checkCas = ({ certificates, now }: All) => {
  const cas = certificates.filter(({ isCa }) => isCa);
  return cas.length === 0 ? [] : checkBundle(cas, { now });
};

function bundleLines(all: All): string[] {
  const findings = checkCas(all).map(({ severity, text }) => `  ${severity}: ${text}`);
  return findings.length > 0 ? findings : ["  fine: every CA has its chain up to a root"];
}
