/** The CA bundle that httpd gets: what is wrong with it, and its one normal form. */
import { createHash } from "node:crypto";
import { type CaBundle, verifyDepth } from "../apache/model.ts";
import { type Certificate, findWeakness, hasKeyUsage, isIssuedBy, isSelfSigned } from "./certificate.ts";
import { type PkiFinding, about, problem, warning } from "./finding.ts";
import { encodePem } from "./pem.ts";

export interface Bundle extends CaBundle {
  /** What is installed: PEM, one block per certificate. */
  readonly pem: string;
}

export interface BundleOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Fingerprints that the host already has: their dates only warn, because refusing them would change nothing. */
  readonly installed?: readonly string[];
}

/** Normal form: no duplicates, sorted by fingerprint, so that the order in the site file never causes a change. */
export function makeBundle(certificates: readonly Certificate[]): Bundle {
  const sorted = unique(certificates).sort((a, b) => (a.summary.fingerprint < b.summary.fingerprint ? -1 : 1));
  const pem = sorted.map(({ der }) => encodePem("CERTIFICATE", der)).join("");
  return {
    pem,
    sha256: createHash("sha256").update(pem).digest("hex"),
    certificates: sorted.map(({ summary }) => summary),
  };
}

/** One per fingerprint, in the order given. */
export const unique = (certificates: readonly Certificate[]): Certificate[] => [
  ...new Map(certificates.map((certificate) => [certificate.summary.fingerprint, certificate])).values(),
];

/** Everything that would make httpd refuse certificates of this bundle's CAs, or that deserves a warning. */
export function checkBundle(certificates: readonly Certificate[], options: BundleOptions): PkiFinding[] {
  if (certificates.length === 0)
    return [problem("there is no CA certificate; list the issuing CA and its root under caFiles")];
  const distinct = unique(certificates);
  const findings = distinct.flatMap((certificate) =>
    about(certificate.summary.fingerprint, [...checkAuthority(certificate), ...checkDates(certificate, options)]),
  );
  return [...findDuplicates(certificates, distinct), ...findings, ...checkChains(distinct)];
}

function findDuplicates(certificates: readonly Certificate[], distinct: readonly Certificate[]): PkiFinding[] {
  const repeated = distinct.filter(
    ({ summary }) => certificates.filter((other) => other.summary.fingerprint === summary.fingerprint).length > 1,
  );
  return repeated.flatMap((certificate) =>
    about(certificate.summary.fingerprint, [
      warning(`${nameOf(certificate)} is listed more than once; remove the repetition`),
    ]),
  );
}

const nameOf = ({ summary }: Certificate): string =>
  JSON.stringify(summary.subject || `(no name, fingerprint ${summary.fingerprint.slice(0, 16)})`);

function checkAuthority(certificate: Certificate): PkiFinding[] {
  const name = nameOf(certificate);
  if (!certificate.isCa)
    return [problem(`${name} is no CA certificate; list the certificate of the CA that issued it`)];
  const findings: PkiFinding[] = [];
  if (!hasKeyUsage(certificate, "keyCertSign"))
    findings.push(
      problem(
        `${name} may not sign certificates (keyUsage without keyCertSign); list the CA that issues the client certificates`,
      ),
    );
  if (!certificate.allowsClientAuth)
    findings.push(
      problem(
        `${name} is not allowed to issue client certificates (extended key usage without clientAuth), so OpenSSL refuses them; list the issuer's CA for clients`,
      ),
    );
  const weakness = findWeakness(certificate);
  if (weakness !== undefined)
    findings.push(
      warning(`${name} has ${weakness}, which newer OpenSSL versions refuse; ask the issuer for its successor`),
    );
  return findings;
}

function checkDates(certificate: Certificate, { now, installed = [] }: BundleOptions): PkiFinding[] {
  const { notBefore, notAfter, fingerprint } = certificate.summary;
  const report = installed.includes(fingerprint) ? warning : problem;
  const name = nameOf(certificate);
  if (Date.parse(notAfter) <= now)
    return [report(`${name} expired on ${notAfter}; replace it by the issuer's current CA certificate`)];
  if (Date.parse(notBefore) > now)
    return [
      report(`${name} is not valid before ${notBefore}; list it from that day on, or check this machine's clock`),
    ];
  return [];
}

/** OpenSSL accepts no partial chain: from each CA the bundle must reach a self-signed root within SSLVerifyDepth. */
function checkChains(all: readonly Certificate[]): PkiFinding[] {
  const climbs = all.filter(({ isCa }) => isCa).map((start) => ({ start, ...climb(start, all) }));
  // Several CAs below one gap are one mistake.
  const gaps = new Set(climbs.map(({ end }) => end).filter((end) => !isSelfSigned(end)));
  const missing = [...gaps].flatMap((end) =>
    about(end.summary.fingerprint, [
      problem(
        `${nameOf(end)} was issued by ${JSON.stringify(end.summary.issuer)}, which is not listed, and without a chain up to its root every certificate is refused; list that CA, too`,
      ),
    ]),
  );
  const deep = climbs.filter(({ depth, end }) => isSelfSigned(end) && depth > verifyDepth);
  const tooDeep = deep.flatMap(({ start, depth }) =>
    about(start.summary.fingerprint, [
      problem(
        `${nameOf(start)} stands ${depth} CAs deep, and SSLVerifyDepth allows ${verifyDepth}; list only CAs that are nearer to their root`,
      ),
    ]),
  );
  return [...missing, ...tooDeep];
}

/** Shortest way up, breadth first: a cross-signed CA has several issuers. Never visits a certificate twice. */
function climb(start: Certificate, all: readonly Certificate[]): { readonly depth: number; readonly end: Certificate } {
  const visited = new Set<Certificate>([start]);
  let level: readonly Certificate[] = [start];
  let last = start;
  for (let depth = 1; level.length > 0; depth++) {
    const root = level.find(isSelfSigned);
    if (root !== undefined) return { depth, end: root };
    last = level[0] ?? last;
    level = level.flatMap((lower) =>
      all.filter((upper) => !visited.has(upper) && isIssuedBy(lower, upper) && visited.add(upper)),
    );
  }
  return { depth: visited.size, end: last };
}
