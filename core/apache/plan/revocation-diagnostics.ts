/** Diagnostics about the CRLs: whom they would lock out, and whom they would let in. */
import type { CrlSummary } from "../../pki/summary.ts";
import type { Diagnostic } from "../../diagnostic.ts";
import type { Desired, Facts } from "../model.ts";
import {
  crlNameOf,
  findLacking,
  isFixed,
  findOlderCrls,
  hasNewerCrl,
  hasRevocation,
  isAcceptable,
  isOfSameCa,
} from "../../crl-refresh/crl-policy.ts";
import { isExcluded } from "./excluded-hosts.ts";

/** The diagnostics about CRLs; none where the site checks no CRL. */
export function diagnoseRevocation(desired: Desired, facts: Facts): Diagnostic[] {
  if (!hasRevocation(desired)) return [];
  const hasSources = desired.crlSources.length > 0;
  return [
    ...(hasSources ? findMissingSources(desired) : findMissingCrls(desired)),
    // Where there are sources, the host builds crl.pem from the newest CRL of each CA.
    ...(hasSources ? [] : diagnoseOlderCrls(desired, facts)),
    ...findNewPartialCrls(desired, facts),
    ...findExpiring(desired, facts),
  ];
}

/**
 * Reports each CA that needs a CRL and has none in the site's files, for a site without sources. With `leaf` this is
 * only a warning.
 */
function findMissingCrls(desired: Desired): Diagnostic[] {
  return findLacking(desired, desired.crls).map((subject): Diagnostic =>
    desired.crlCheck === "chain"
      ? {
          severity: "problem",
          place: "crlCheck",
          text: `"chain" needs a CRL of every CA, and there is none of ${subject}; add its file to crlFiles, or write "leaf"`,
        }
      : {
          severity: "warning",
          place: "crlFiles",
          text: `there is no CRL of ${subject}, so every certificate that it issued is refused; add its file`,
        },
  );
}

/**
 * Reports that there are too few sources for the CAs that need a CRL. It is only known after a download which CA a
 * source is for, so only the number of sources shows whether there can be enough.
 */
function findMissingSources(desired: Desired): Diagnostic[] {
  const { crls, crlCheck, crlSources } = desired;
  const firstLists = crls.filter(({ isFirstList }) => isFirstList === true);
  const uncovered = findLacking(desired, crls);
  // A source with a first CRL is for the CA of that CRL, which the first CRL covers already.
  const freeSources = crlSources.length - firstLists.length;
  if (uncovered.length <= freeSources) return [];
  const names = uncovered.join(" and ");
  const sources = freeSources === 1 ? "one source is" : `${freeSources} sources are`;
  const found = freeSources === 0 ? `there is no CRL of ${names}` : `only ${sources} left for the CRLs of ${names}`;
  const [place, why, otherRemedy] =
    crlCheck === "chain"
      ? (["crlCheck", '"chain" needs a CRL of every CA', 'or write "leaf"'] as const)
      : (["crlSources", "every certificate that such a CA issued would be refused", "or remove the CA"] as const);
  return [{ severity: "problem", place, text: `${found}, and ${why}; add a source for each CA, ${otherRemedy}` }];
}

/**
 * Reports CRLs of the site's files that are older than those on the host. crl.pem is written as a whole, where one of
 * its CRLs is newer than on the host: then an older one among them forbids the change. Else it only causes a warning.
 */
function diagnoseOlderCrls(desired: Desired, facts: Facts): Diagnostic[] {
  const isAnotherNewer = hasNewerCrl(desired, facts);
  return findOlderCrls(desired, facts).map((crl): Diagnostic => {
    const name = crlNameOf(crl);
    const found = `the CRL of ${name} (${crl.thisUpdate}, number ${crl.number ?? "none"}) is older than the one on the host`;
    const acceptIt = `, or, if its CA has begun its numbers anew and this is the current one, write acceptOlderCrls: [${crl.sha256}]`;
    const remedy = `download the current CRL of ${name} into its file${isAcceptable(desired, facts, crl) ? acceptIt : ""}`;
    return isAnotherNewer
      ? {
          severity: "problem",
          place: "crlFiles",
          text: `${found}, and all CRLs are installed together, of which another one is newer; ${remedy}`,
        }
      : { severity: "warning", place: "crlFiles", text: `${found}, which stays; ${remedy}` };
  });
}

/**
 * Warns of a partial CRL that replaces the complete one of its CA: the host has only complete CRLs of that CA, and the
 * site has none. OpenSSL uses a partial CRL only for certificates that name its address, byte by byte, and the complete
 * CRL is not renewed any more.
 */
function findNewPartialCrls({ crls, sample }: Desired, { own }: Facts): Diagnostic[] {
  return crls.flatMap((crl): Diagnostic[] => {
    const installed = own.crls.filter((candidate) => isOfSameCa(candidate, crl));
    const isComplete = ({ distributionPoint }: CrlSummary): boolean => distributionPoint === undefined;
    if (isComplete(crl) || installed.length === 0 || !installed.every(isComplete)) return [];
    if (crls.some((other) => isOfSameCa(other, crl) && isComplete(other))) return [];
    const proof =
      sample === undefined
        ? "a user's certificate as sampleCertificate shows whether they do"
        : "the sample certificate shows it of one";
    return [
      {
        severity: "warning",
        place: crl.isFirstList === true ? "crlSources" : "crlFiles",
        text: `the CRL of ${crlNameOf(crl)} is one part of several (issuingDistributionPoint), and the one on the host is for all: from now on httpd refuses users of that CA whose certificates do not name this address; ${proof}`,
      },
    ];
  });
}

/** Says when each CRL expires that no source renews, of the CRLs that the host has after this change. */
function findExpiring(desired: Desired, facts: Facts): Diagnostic[] {
  const crls = hasNewerCrl(desired, facts) ? desired.crls : facts.own.crls;
  const isWithoutSource = (crl: CrlSummary): boolean => desired.crlSources.length === 0 || isFixed(desired, crl);
  return crls.filter(isWithoutSource).flatMap((crl): Diagnostic[] =>
    crl.nextUpdate === undefined
      ? []
      : [
          {
            severity: "warning",
            place: "crlFiles",
            text: `after ${crl.nextUpdate} the CRL of ${crlNameOf(crl)} has expired and everyone with a certificate of it is refused; install a newer one before`,
          },
        ],
  );
}

/**
 * Reports files of session-ticket keys. Their keys outlive a reload, so an old session keeps what httpd once decided
 * about its certificate. This is only a warning where the site file acknowledges it, and for excluded virtual hosts.
 */
export function diagnoseSessionTickets(desired: Desired, facts: Facts): Diagnostic[] {
  if (!hasRevocation(desired)) return [];
  const covered = facts.virtualHosts.map((host) => !isExcluded(desired, host));
  return facts.foreign
    .filter(({ kind }) => kind === "sessionTicketKey")
    .map(({ file, line, directive, virtualHosts }) => {
      const place = `${file}:${line}`;
      const text = `with ${directive} a revoked certificate goes on working in resumed sessions, also after a reload; remove it`;
      const isWarning = desired.acknowledgeSessionTicketKeys || !virtualHosts.some((index) => covered[index]);
      return isWarning
        ? { severity: "warning", place, text }
        : { severity: "problem", place, text: `${text}, or set acknowledgeSessionTicketKeys: true` };
    });
}
