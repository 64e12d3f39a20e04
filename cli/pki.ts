/** `clientcert pki FILE…`: what certificate and CRL files hold, in plain words and dates. */
import { type Certificate, findWeakness, hasKeyUsage, isSelfSigned, readCertificate } from "../core/pki/certificate.ts";
import { type Crl, type Revocation, findRevocation, readCrl } from "../core/pki/crl.ts";
import { extensionOid, findExtension } from "../core/pki/extensions.ts";
import { DerError } from "../core/pki/der.ts";
import { describeWrongKind } from "../core/pki/kind.ts";
import { readBlocks } from "../core/pki/pem.ts";
import { readFileBytes } from "../provider/site-files.ts";
import { type Answer, exitCode } from "./output.ts";

export interface PkiOptions {
  readonly json: boolean;
  /** Decimal, or hex with `0x` or colons. */
  readonly serial: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

interface Explained {
  readonly file: string;
  readonly certificates: readonly object[];
  readonly crls: readonly object[];
  readonly problems: readonly string[];
  readonly lines: readonly string[];
}

/** Exit code 2 when a file is neither, or the serial number is malformed; 7 when the serial number is revoked. */
export function explainPki(files: readonly string[], { json, serial, now }: PkiOptions): Answer {
  const wanted = serial === undefined ? undefined : parseSerial(serial);
  if (serial !== undefined && wanted === undefined) {
    return {
      output: "--serial: this is no number; write it in decimal, or in hex as 0x12ab or 12:ab\n",
      code: exitCode.wrongInput,
    };
  }
  const explained = files.map((file) => explainFile(file, wanted, now));
  const output = json
    ? `${JSON.stringify({ files: explained.map(({ lines: _, ...rest }) => rest) }, undefined, 2)}\n`
    : explained.flatMap(({ file, lines }) => [file, ...lines.map((line) => `  ${line}`), ""]).join("\n");
  const isWrong = explained.some(({ problems }) => problems.length > 0);
  const isRevoked = explained.some(({ crls }) => crls.some((crl) => "revoked" in crl && crl.revoked !== undefined));
  return { output, code: isWrong ? exitCode.wrongInput : isRevoked ? exitCode.different : exitCode.fine };
}

/** Lower-case hex, undefined when it is no number. */
export function parseSerial(text: string): string | undefined {
  const trimmed = text.trim();
  // Real ones have 20 bytes; a number of megabytes would take minutes to read.
  if (trimmed.length > 200) return undefined;
  if (/^\d+$/.test(trimmed)) return BigInt(trimmed).toString(16);
  const hex = trimmed.replace(/^0x/i, "").replace(/:/g, "");
  return /^[0-9a-f]+$/i.test(hex) ? BigInt(`0x${hex}`).toString(16) : undefined;
}

function explainFile(file: string, serial: string | undefined, now: number): Explained {
  const bytes = readFileBytes(file);
  const read = typeof bytes === "string" ? { certificates: [], crls: [], problems: [bytes] } : readBoth(bytes);
  const crls = read.crls.map((crl) => ({
    crl,
    revoked: serial === undefined ? undefined : findRevocation(crl, serial),
  }));
  return {
    file,
    problems: read.problems,
    certificates: read.certificates.map((certificate) => describeCertificate(certificate, now)),
    crls: crls.map(({ crl, revoked }) => ({ ...crl.summary, revoked })),
    lines: [
      ...read.certificates.flatMap((certificate) => certificateLines(certificate, now)),
      ...crls.flatMap(({ crl, revoked }) => [
        ...crlLines(crl, now),
        ...(serial === undefined ? [] : [`  serial number 0x${serial}: ${describeRevocation(revoked)}`]),
      ]),
      ...read.problems,
    ],
  };
}

interface Read {
  readonly certificates: Certificate[];
  readonly crls: Crl[];
  readonly problems: string[];
}

/** Certificates and CRLs of one file, mixed as they may be. */
function readBoth(bytes: Buffer): Read {
  const { blocks, findings } = readBlocks(bytes, "a certificate or CRL");
  const read: Read = { certificates: [], crls: [], problems: findings.map(({ text }) => text) };
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

function describeCertificate(certificate: Certificate, now: number): object {
  const { summary, serial } = certificate;
  return {
    ...summary,
    serial,
    isCa: certificate.isCa,
    isSelfSigned: isSelfSigned(certificate),
    pathLength: certificate.pathLength,
    organization: certificate.organization,
    days: daysLeft(summary.notAfter, now),
    weakness: findWeakness(certificate),
  };
}

function certificateLines(certificate: Certificate, now: number): string[] {
  const { subject, issuer, notBefore, notAfter, fingerprint } = certificate.summary;
  const role = certificate.isCa ? (isSelfSigned(certificate) ? "root CA" : "CA") : "certificate";
  const weakness = findWeakness(certificate);
  return [
    `${role} ${subject}`,
    ...(isSelfSigned(certificate) ? [] : [`  issued by ${issuer}`]),
    `  valid from ${notBefore} to ${notAfter} (${describeDays(notAfter, now)})`,
    `  serial number 0x${certificate.serial}, SHA-256 ${fingerprint}`,
    ...(certificate.isCa ? authorityLines(certificate) : userLines(certificate)),
    ...(weakness === undefined ? [] : [`  weak: it has ${weakness}`]),
  ];
}

/** httpd compares bytes: a name in an old encoding looks right here and differs there. */
function userLines({ organization }: Certificate): string[] {
  return organization === undefined
    ? ["  no organization (O) that a site file could name"]
    : [`  organization for httpd: ${JSON.stringify(organization)}; write it so under organizations`];
}

function authorityLines(certificate: Certificate): string[] {
  const { pathLength, allowsClientAuth, extensions } = certificate;
  const below = pathLength === 0 ? "no CA" : `at most ${pathLength} ${pathLength === 1 ? "CA" : "CAs"}`;
  return [
    ...(pathLength === undefined ? [] : [`  allows ${below} between itself and a user`]),
    ...(hasKeyUsage(certificate, "keyCertSign") ? [] : ["  may not sign certificates"]),
    ...(hasKeyUsage(certificate, "cRLSign") ? [] : ["  may not sign CRLs"]),
    ...(allowsClientAuth ? [] : ["  may not issue client certificates"]),
    ...(findExtension(extensions, extensionOid.nameConstraints)
      ? ["  permits certain names only (name constraints)"]
      : []),
  ];
}

const describeRevocation = (revoked: Revocation | undefined): string =>
  revoked ? `revoked on ${revoked.date ?? "an unreadable date"}` : "not revoked";

function crlLines(crl: Crl, now: number): string[] {
  const { issuer, thisUpdate, nextUpdate, number, entries } = crl.summary;
  return [
    `CRL of ${issuer}`,
    `  number ${number ?? "(none)"}, from ${thisUpdate}, ${entries === 1 ? "1 revoked certificate" : `${entries} revoked certificates`}`,
    nextUpdate === undefined
      ? "  never expires"
      : `  next one due ${nextUpdate} (${describeDays(nextUpdate, now)}); from then on httpd refuses every certificate of this CA`,
  ];
}

const dayMilliseconds = 86_400_000;
const daysLeft = (date: string, now: number): number => Math.floor((Date.parse(date) - now) / dayMilliseconds);

function describeDays(date: string, now: number): string {
  const days = daysLeft(date, now);
  if (Date.parse(date) <= now) return "over";
  return days === 1 ? "in 1 day" : `in ${days} days`;
}
