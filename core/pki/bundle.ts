/** The CA bundle that httpd gets: what is wrong with it, and its one normal form. */
import { createHash } from "node:crypto";
import { type CaBundle, defaultVerifyDepth, maxVerifyDepth } from "../apache/model.ts";
import { type Certificate, findWeakness, hasKeyUsage, hasSameKey, isIssuedBy, isSelfSigned } from "./certificate.ts";
import { dayMilliseconds } from "./days.ts";
import { extensionOid, findExtension, findUnknownCritical, hasRepeats } from "./extensions.ts";
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
  /** @default defaultVerifyDepth */
  readonly verifyDepth?: number | undefined;
}

/** An issuer needs some weeks to send a successor, and the site some more to list it. */
const warnCaDays = 90;

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
  return [
    ...findDuplicates(certificates, distinct),
    ...findings,
    ...checkNamesakes(distinct),
    ...checkChains(distinct, options.verifyDepth ?? defaultVerifyDepth),
  ];
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
  const { isCa, noCaReason, allowsClientAuth, extensions } = certificate;
  const text = refuseForm(certificate);
  const findings = text === undefined ? [] : [problem(`${name} ${text}`)];
  if (!isCa)
    return [
      ...findings,
      problem(`${name} is no CA certificate (${noCaReason}); list the certificate of the CA that issued it`),
    ];
  if (!hasKeyUsage(certificate, "keyCertSign"))
    findings.push(
      problem(
        `${name} may not sign certificates (keyUsage without keyCertSign); list the CA that issues the client certificates`,
      ),
    );
  if (!allowsClientAuth)
    findings.push(
      problem(
        `${name} is not allowed to issue client certificates (extended key usage without clientAuth), so OpenSSL refuses them; list the issuer's CA for clients`,
      ),
    );
  if (findExtension(extensions, extensionOid.nameConstraints))
    findings.push(
      warning(
        `${name} has name constraints, so OpenSSL refuses users whose names it does not permit; make sure that it permits those of all your users`,
      ),
    );
  const weakness = findWeakness(certificate);
  if (weakness !== undefined)
    findings.push(
      warning(`${name} has ${weakness}, which newer OpenSSL versions refuse; ask the issuer for its successor`),
    );
  return findings;
}

/** What OpenSSL never takes in a CA's certificate: errors 34, 94, 13 to 16, 41. */
function refuseForm({ extensions, hasExplicitCurve, hasExactDates }: Certificate): string | undefined {
  const remedy = "so OpenSSL refuses every certificate below it; ask the issuer for another CA certificate";
  const unknown = findUnknownCritical(extensions);
  if (unknown) return `has the critical extension ${unknown.oid}, which OpenSSL does not know, ${remedy}`;
  if (hasRepeats(extensions)) return `has an extension twice, ${remedy}`;
  if (hasExplicitCurve)
    return `has a key that names all parameters of its elliptic curve instead of the curve, ${remedy}`;
  return hasExactDates ? undefined : `has a date with a fraction of a second, ${remedy}`;
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
  return Date.parse(notAfter) - now < warnCaDays * dayMilliseconds
    ? [
        warning(
          `${name} expires on ${notAfter}, in less than ${warnCaDays} days, and then every certificate below it is refused; ask the issuer for its successor and list both`,
        ),
      ]
    : [];
}

/** Two keys under one name: OpenSSL goes by key identifiers, and without them tries one of the CAs only. */
function checkNamesakes(all: readonly Certificate[]): PkiFinding[] {
  const mixedUp = all.filter((ca) =>
    all.some(
      (other) =>
        ca.isCa &&
        other.isCa &&
        ca.canonicalSubject === other.canonicalSubject &&
        !hasSameKey(ca, other) &&
        (ca.subjectKey === undefined || ca.subjectKey === other.subjectKey),
    ),
  );
  return mixedUp.flatMap((ca) =>
    about(ca.summary.fingerprint, [
      problem(
        `${nameOf(ca)} is listed with two different keys, and no subjectKeyIdentifier tells them apart, so OpenSSL refuses the certificates of one of them; list only the CA that is in use`,
      ),
    ]),
  );
}

/** OpenSSL accepts no partial chain: from each CA the bundle must reach a self-signed root within SSLVerifyDepth. */
function checkChains(all: readonly Certificate[], verifyDepth: number): PkiFinding[] {
  const paths = all.filter(({ isCa }) => isCa).map((start) => climb(start, all));
  // Several CAs below one gap are one mistake.
  const gaps = new Set(paths.map(endOf).filter((end) => !isSelfSigned(end)));
  const missing = [...gaps].flatMap((end) =>
    about(end.summary.fingerprint, [
      problem(
        `${nameOf(end)} was issued by ${JSON.stringify(end.summary.issuer)}, which is not listed, and without a chain up to its root every certificate is refused; list that CA, too`,
      ),
    ]),
  );
  const complete = paths.filter((path) => isSelfSigned(endOf(path)));
  const issuersOf = findIssuers(all);
  return [
    ...missing,
    ...complete.flatMap((path) =>
      about(path[0].summary.fingerprint, [...checkDepth(path[0], issuersOf, verifyDepth), ...checkPath(path)]),
    ),
  ];
}

/** Of several ways up OpenSSL may take the longer one, and then refuses instead of trying the other. */
function checkDepth(start: Certificate, issuersOf: IssuersOf, verifyDepth: number): PkiFinding[] {
  const length = longestWay(start, issuersOf);
  if (length <= verifyDepth) return [];
  const instead =
    length > maxVerifyDepth
      ? "list only CAs that are nearer to their root"
      : `write verifyDepth: ${length} under clientAuth`;
  return [problem(`${nameOf(start)} stands ${length} CAs deep, and SSLVerifyDepth allows ${verifyDepth}; ${instead}`)];
}

/** No site has as many ways; hostile files could have endlessly many. */
const mostWays = 1000;

/** CAs from `start` up to a self-signed one; not counted on beyond one more than httpd may be told. */
function longestWay(start: Certificate, issuersOf: IssuersOf): number {
  let longest = 1;
  let ways = 0;
  const go = (ca: Certificate, below: readonly Certificate[]): void => {
    const way = [...below, ca];
    const issuers = issuersOf(ca);
    if (issuers.includes(ca)) longest = Math.max(longest, way.length);
    else if (way.length <= maxVerifyDepth && ++ways <= mostWays)
      for (const upper of issuers) if (!way.includes(upper)) go(upper, way);
  };
  go(start, []);
  return longest;
}

type IssuersOf = (ca: Certificate) => readonly Certificate[];

/** Each is looked for once: that takes checking signatures. */
function findIssuers(all: readonly Certificate[]): IssuersOf {
  const found = new Map<Certificate, readonly Certificate[]>();
  return (ca) => {
    const issuers = found.get(ca) ?? all.filter((upper) => upper.isCa && isIssuedBy(ca, upper));
    found.set(ca, issuers);
    return issuers;
  };
}

/** A CA, the one above it, and so on. */
type Path = readonly [Certificate, ...Certificate[]];

const endOf = (path: Path): Certificate => path.at(-1) ?? path[0];

function checkPath(path: Path): PkiFinding[] {
  const name = nameOf(path[0]);
  const findings: PkiFinding[] = [];
  const limiting = path.find(({ pathLength }, at) => pathLength !== undefined && countBelow(path, at) > pathLength);
  if (limiting !== undefined)
    findings.push(
      problem(
        `${name} stands deeper below ${nameOf(limiting)} than that CA allows (pathLenConstraint ${limiting.pathLength}), so OpenSSL refuses its certificates; list the CA that the issuer names for clients`,
      ),
    );
  return findings;
}

/** CAs below place `at`; those with one name for subject and issuer, as made for a change of keys, do not count. RFC 5280, section 6.1.4 (l). */
const countBelow = (path: Path, at: number): number =>
  path.slice(0, at).filter((ca) => ca.canonicalSubject !== ca.canonicalIssuer).length;

/** Shortest way up, breadth first: a cross-signed CA has several issuers. Never visits a certificate twice. */
function climb(start: Certificate, all: readonly Certificate[]): Path {
  const visited = new Set<Certificate>([start]);
  let longest: Path = [start];
  for (let level: readonly Path[] = [longest]; level.length > 0;) {
    longest = level.find((path) => isSelfSigned(endOf(path))) ?? level[0] ?? longest;
    if (isSelfSigned(endOf(longest))) return longest;
    level = level.flatMap((path) =>
      all
        .filter((upper) => !visited.has(upper) && isIssuedBy(endOf(path), upper) && visited.add(upper))
        .map((upper): Path => [...path, upper]),
    );
  }
  return longest;
}
