/** What a certificate or a CRL says, in plain words and dates. */
import { comparedUnits } from "../core/apache/plan/requirement.ts";
import { type Certificate, findWeakness, hasKeyUsage, isSelfSigned } from "../core/pki/certificate.ts";
import type { Crl } from "../core/pki/crl.ts";
import type { Revocation } from "../core/pki/crl-entries.ts";
import { dayMilliseconds } from "../core/pki/days.ts";
import { findCrlUrls } from "../core/pki/distribution-points.ts";
import { extensionOid, findExtension } from "../core/pki/extensions.ts";
import { nameForIssuers, textsOf } from "../core/pki/issuer.ts";
import { findRefusals } from "../core/pki/user-check.ts";

/** The facts of {@link certificateLines} as an object, for `--json`. */
export function describeCertificate(certificate: Certificate, now: number): object {
  const { summary, serial } = certificate;
  return {
    ...summary,
    serial,
    isCa: certificate.isCa,
    isSelfSigned: isSelfSigned(certificate),
    pathLength: certificate.pathLength,
    // A site file's organizations are compared with the first O alone (SSL_CLIENT_S_DN_O).
    organization: textsOf(certificate, "O")[0],
    organizationalUnits: textsOf(certificate, "OU").slice(0, comparedUnits),
    ...(certificate.isCa && { nameForIssuers: nameForIssuers(certificate) }),
    days: daysLeft(summary.notAfter, now),
    weakness: findWeakness(certificate),
    crlUrls: findCrlUrls(certificate),
    ...(!certificate.isCa && { refusals: findRefusals(certificate) }),
  };
}

/** The lines about one certificate. The first line says which kind it is. The lines after it are indented. */
export function certificateLines(certificate: Certificate, now: number): string[] {
  const { subject, issuer, notBefore, notAfter, fingerprint } = certificate.summary;
  const isRoot = isSelfSigned(certificate);
  const role = certificate.isCa ? (isRoot ? "root CA" : "CA") : "certificate";
  const weakness = findWeakness(certificate);
  const notYetValid = Date.parse(notBefore) > now ? "; not valid yet" : "";
  return [
    `${role} ${subject}`,
    ...(isRoot ? [] : [`  issued by ${issuer}`]),
    `  valid from ${notBefore} to ${notAfter} (${describeDays(notAfter, now)}${notYetValid})`,
    `  ${describeSerial(certificate.serial)}, SHA-256 ${fingerprint}`,
    ...(certificate.isCa ? authorityLines(certificate) : userLines(certificate)),
    ...(isRoot ? [] : crlUrlLines(certificate)),
    ...(weakness === undefined ? [] : [`  weak: it has ${weakness}`]),
  ];
}

/** The addresses where the certificate says that the CRL of its issuer can be downloaded. */
function crlUrlLines(certificate: Certificate): string[] {
  const urls = findCrlUrls(certificate);
  if (urls.length === 0) return ["  names no address for the CRL of its issuer; ask its CA for it"];
  return urls.map((url) => `  names for the CRL of its issuer: ${url}`);
}

/**
 * Shows the number both in hex and in decimal, because the digits 10 mean another number in hex. A negative number,
 * which no CA should give, is shown in hex only.
 */
export const describeSerial = (serial: string): string =>
  serial.startsWith("-")
    ? `serial number -0x${serial.slice(1)}`
    : `serial number 0x${serial} (decimal ${BigInt(`0x${serial}`)})`;

/**
 * The lines about a user's certificate: its organization, its organizational units, and why httpd would refuse it. The
 * names are shown as httpd compares them, so that they can be copied into the site file.
 */
function userLines(certificate: Certificate): string[] {
  // httpd compares the first O alone (SSL_CLIENT_S_DN_O), and the first few OUs.
  const [organization] = textsOf(certificate, "O");
  const units = textsOf(certificate, "OU").slice(0, comparedUnits);
  const named = units.flatMap((unit) => (unit === undefined ? [] : JSON.stringify(unit)));
  return [
    organization === undefined
      ? "  no organization (O) that a site file could name"
      : `  organization for httpd: ${JSON.stringify(organization)}; write it so under organizations`,
    ...(named.length === 0 ? [] : [`  organizational units (OU): ${named.join(", ")}; any of them will do`]),
    ...findRefusals(certificate).map((refusal) => `  httpd refuses its holder: it ${refusal}`),
  ];
}

/** The lines about a CA's certificate: the name for `issuers`, and what the CA may not do. */
function authorityLines(certificate: Certificate): string[] {
  const { pathLength, allowsClientAuth, extensions } = certificate;
  const issuerName = nameForIssuers(certificate);
  const allowedCas = pathLength === 0 ? "no CA" : `at most ${pathLength} ${pathLength === 1 ? "CA" : "CAs"}`;
  return [
    ...(issuerName === undefined ? [] : [`  name for issuers: ${JSON.stringify(issuerName)}`]),
    ...(pathLength === undefined ? [] : [`  allows ${allowedCas} between itself and a user`]),
    ...(hasKeyUsage(certificate, "keyCertSign") ? [] : ["  may not sign certificates"]),
    ...(hasKeyUsage(certificate, "cRLSign") ? [] : ["  may not sign CRLs"]),
    ...(allowsClientAuth ? [] : ["  may not issue client certificates"]),
    ...(findExtension(extensions, extensionOid.nameConstraints)
      ? ["  permits certain names only (name constraints)"]
      : []),
  ];
}

/** When and why the CRL revokes a certificate. Undefined stands for a certificate that it does not list. */
export function describeRevocation(revoked: Revocation | undefined): string {
  if (revoked === undefined) return "not revoked";
  const reason = revoked.reason === undefined ? "no reason given" : `reason: ${revoked.reason}`;
  return `revoked on ${revoked.date ?? "an unreadable date"} (${reason})`;
}

/** The lines about one CRL. The first line says whether it is a delta CRL. The lines after it are indented. */
export function crlLines({ summary, extensions }: Crl, now: number): string[] {
  const { issuer, thisUpdate, nextUpdate, number, entries } = summary;
  const isDelta = findExtension(extensions, extensionOid.deltaCrlIndicator) !== undefined;
  return [
    `${isDelta ? "delta CRL, which lists changes only," : "CRL"} of ${issuer}`,
    `  number ${number ?? "(none)"}, from ${thisUpdate}, ${entries === 1 ? "1 revoked certificate" : `${entries} revoked certificates`}`,
    ...(Date.parse(thisUpdate) > now ? ["  not valid yet: until then httpd refuses every certificate of this CA"] : []),
    `  ${describeEnd(nextUpdate, now)}`,
  ];
}

/** Until when the CRL serves. httpd refuses every certificate of its CA from `nextUpdate` on. */
function describeEnd(nextUpdate: string | undefined, now: number): string {
  if (nextUpdate === undefined) return "never expires";
  if (Date.parse(nextUpdate) <= now) return `ended on ${nextUpdate}: httpd refuses every certificate of this CA`;
  return `next one due ${nextUpdate} (${describeDays(nextUpdate, now)}); from then on httpd refuses every certificate of this CA`;
}

/** The whole days from `now` until the date; negative for a date that has passed. */
const daysLeft = (date: string, now: number): number => Math.floor((Date.parse(date) - now) / dayMilliseconds);

/** `over`, `in 1 day` or `in 3 days`. The last day is `in 0 days`. */
function describeDays(date: string, now: number): string {
  const days = daysLeft(date, now);
  if (Date.parse(date) <= now) return "over";
  return days === 1 ? "in 1 day" : `in ${days} days`;
}
