/**
 * Decides what happens to an unmanaged directive (one that clientcert did not write). Our line stands last in each
 * covered virtual host. So a directive at server or virtual-host level stays, and the verdict depends on what it did. A
 * directive for a part of the site stays, because it protects something. A directive that ours cannot override is taken
 * out, where that changes nothing for anybody else.
 */
import type { UnmanagedDirective, UnmanagedKind } from "../facts/unmanaged-model.ts";
import type { Desired, Facts } from "../model.ts";
import { isTls12Only } from "../php-tls-rule.ts";
import { isOfWholeHosts } from "../facts/unmanaged-kinds.ts";
import { findLacking, hasRevocation } from "../../crl-refresh/crl-policy.ts";
import { isSameName } from "../../pki/same-name.ts";
import { readTrust, type Trust } from "./previous-trust.ts";
import { isExcluded } from "./excluded-hosts.ts";

/**
 * - `harmless`: there is nothing to report.
 * - `reported`: the directive stays beside ours, and somebody should know about it.
 * - `overruled`: ours wins over the directive, which changes what the customer had. It stays, and the change waits for
 *   `adopt`.
 * - `removable`: the directive stands in our way, and `adopt` comments it out.
 * - `forbidding`: only a person can change the directive.
 */
export type Verdict =
  | { readonly is: "harmless" }
  | { readonly is: "reported"; readonly severity: "warning" | "note"; readonly why: string }
  | { readonly is: "overruled"; readonly why: string }
  | { readonly is: "removable"; readonly why: string }
  | { readonly is: "forbidding"; readonly why: string; readonly remedy: string };

const harmless: Verdict = { is: "harmless" };
const reported = (why: string, severity: "warning" | "note" = "warning"): Verdict => ({
  is: "reported",
  severity,
  why,
});
const overruled = (why: string): Verdict => ({ is: "overruled", why });
const removable = (why: string): Verdict => ({ is: "removable", why });
const forbidding = (why: string, remedy: string): Verdict => ({ is: "forbidding", why, remedy });

/** What a verdict is based on. */
interface Question {
  readonly desired: Desired;
  readonly facts: Facts;
  readonly trust: Trust;
  readonly directive: UnmanagedDirective;
  /** The covered virtual hosts for which the directive is effective, as indexes. */
  readonly hosts: readonly number[];
}

/**
 * Returns a function that makes the verdicts of one plan. What several verdicts need is computed once. A directive that
 * is effective for excluded virtual hosts only is harmless.
 */
export function judgeUnmanaged(desired: Desired, facts: Facts): (directive: UnmanagedDirective) => Verdict {
  const covered = facts.virtualHosts.map((host) => !isExcluded(desired, host));
  const trust = readTrust(desired, facts);
  return (directive) => {
    const hosts = directive.virtualHosts.filter((index) => covered[index] === true);
    if (hosts.length === 0) return harmless;
    const verdict = judges[directive.kind]({ desired, facts, trust, directive, hosts });
    const otherPorts = hosts.flatMap((index) => facts.virtualHosts[index]?.otherPorts ?? []);
    return forbidOnOtherPorts(verdict, otherPorts);
  };
}

/**
 * Turns a verdict that waits for `adopt` into `forbidding` where the virtual hosts also answer other ports: `adopt` is
 * about one port, and an adoption would change what the other ports answer.
 */
function forbidOnOtherPorts(verdict: Verdict, otherPorts: readonly number[]): Verdict {
  // The text names one of these ports, as an example.
  const [otherPort] = otherPorts;
  return otherPort === undefined || (verdict.is !== "overruled" && verdict.is !== "removable")
    ? verdict
    : forbidding(
        `${verdict.why}, and on port ${otherPort}, which the same virtual host answers, that would change as well`,
        "give that port a virtual host of its own",
      );
}

/** The judge of each kind. */
const judges: Readonly<Record<UnmanagedKind, (question: Question) => Verdict>> = {
  verifyClient: judgeVerifyClient,
  verifyDepth: judgeDepth,
  caFile: judgeCaFile,
  caPath: () => removable("adds CAs that clientcert's own directives cannot take away"),
  caDnRequestFile: () =>
    removable("names other CAs to browsers than caFiles does, so that they may not offer the users' certificates"),
  crlFile: judgeCrlFile,
  crlPath: judgeCrlPath,
  crlCheck: judgeCrlCheck,
  ocsp: judgeOcsp,
  // A rule for the whole site goes only if it is about nothing but the certificate: ours does not replace the rest.
  sslRequire: (question) =>
    question.directive.level === "wholeSite" && question.directive.value === "certificate"
      ? removableAlone(question, "is a rule for the whole site, and clientcert's rule takes its place")
      : judgeRule(question),
  certificateRule: judgeRule,
  satisfyAny: (question) =>
    question.directive.level === "wholeSite"
      ? removableAlone(question, "lets in people whom clientcert's rule refuses")
      : reported("lets people into this part of the site whom clientcert's rule on names refuses"),
  sessionTicketKey: () => harmless, // revocation-diagnostics.ts reports it
  certificateUser: judgeUser,
  stdEnvVars: () =>
    reported("takes the certificate's variables away from PHP, so the product does not see the certificate there"),
  confCommand: () =>
    forbidding("changes how certificates are verified, and clientcert's directives cannot override it", "remove it"),
  proxyProtocol: judgeProxyProtocol,
  allowOverride: judgeOverride,
};

/**
 * The verdict on a line that is to be taken out for the whole site: `removable`, or `forbidding` where its file is also
 * included for a part of the site, which would lose the line as well.
 */
const removableAlone = ({ directive }: Question, why: string): Verdict =>
  directive.isAlsoNarrower === true
    ? forbidding(
        `${why}, and its file is included for a part of the site as well, which the line protects`,
        "write the line out in the two places",
      )
    : removable(why);

/** Whether the site file restricts who gets in by names in the certificate. */
const restrictsNames = ({ organizations, organizationalUnits, countries, issuers }: Desired): boolean =>
  organizations.length + organizationalUnits.length + countries.length + issuers.length > 0;

/**
 * Judges an SSLVerifyClient. Ours is `optional`, so a directive that required a certificate, or that accepted one of
 * any CA, had another effect.
 */
function judgeVerifyClient(question: Question): Verdict {
  const { level, value = "" } = question.directive;
  // In a section, `none` does not undo what the handshake has already requested (seen with 2.4.71).
  if (value === "optional" || value === "none") return harmless;
  if (isOfWholeHosts(level))
    return overruled(
      value === "require"
        ? "refuses people without a certificate, and clientcert lets them in"
        : "lets in whoever has any certificate, and clientcert only those whose certificate a CA of caFiles issued",
    );
  if (level === "wholeSite")
    return removableAlone(question, "asks for a certificate in another way than clientcert, for the whole site");
  return judgeRequireOfPart(question);
}

/**
 * Judges a part of the site that requires a certificate. Where the whole virtual host required one before, the part did
 * not request it a second time. With our line, which makes the certificate optional, it would, and TLS 1.3 forbids
 * that. Elsewhere this is a rule like others.
 */
function judgeRequireOfPart(question: Question): Verdict {
  const { desired, facts, trust, hosts } = question;
  const verdict = judgeRule(question);
  const isAskedAgain = hosts.some((index) => trust.requires(index)) && !isTls12Only(desired, facts);
  return verdict.is === "reported" && isAskedAgain
    ? forbidding(
        "asks for the certificate a second time once the whole virtual host only asks for it: TLS 1.3 answers that with 403",
        "write Require ssl-verify-client in its place",
      )
    : verdict;
}

/**
 * Judges an SSLVerifyDepth. In a section, a smaller depth than ours requests the certificate again, and refuses people
 * whose chain is longer. A depth that no chain of the site exceeds refuses nobody, so it can go. So can one for the
 * whole site, where our own depth is meant to count.
 */
function judgeDepth(question: Question): Verdict {
  const { desired, trust, directive } = question;
  const depth = Number(directive.value);
  if (isOfWholeHosts(directive.level) || depth >= desired.verifyDepth) return harmless;
  const asksAgain = "asks for the certificate a second time, which TLS 1.3 answers with 403";
  if (depth >= trust.deepestChain) return removable(asksAgain);
  return directive.level === "wholeSite"
    ? removableAlone(question, asksAgain)
    : forbidding(
        `keeps holders of certificates that stand ${trust.deepestChain} CAs deep out of this part of the site, and ${asksAgain}`,
        "remove it, and protect that part in another way (Require) if they may not get in there",
      );
}

/**
 * Judges an SSLCACertificateFile: whether it completes the server's own chain, and whether it lets in people whom
 * caFiles does not.
 */
function judgeCaFile({ desired, facts, trust, directive, hosts }: Question): Verdict {
  const { certificates, completesChain, isAdopted } = directive;
  const siteCas = new Set(desired.ca.certificates.map(({ fingerprint }) => fingerprint));
  if (completesChain !== undefined && !siteCas.has(completesChain.fingerprint))
    return forbidding(
      `also completes the chain of the server's own certificate (by ${completesChain.subject}), which clients would no longer receive`,
      "append that CA's certificate to the file of SSLCertificateFile, behind the server's own",
    );
  if (!hosts.some((index) => trust.verifies(index))) return harmless;
  if (certificates === undefined)
    return isAdopted === true
      ? harmless // the file is read after the line has come back
      : overruled(
          `names a file of CAs that could not be read${adviceOnCopy(facts)}, and the CAs of caFiles take their place`,
        );
  const missing = certificates.filter(({ fingerprint }) => !siteCas.has(fingerprint)).map(({ subject }) => subject);
  return missing.length === 0
    ? harmless
    : overruled(`lets in holders of certificates of ${listed(missing)}, which caFiles lacks: they would be refused`);
}

/** An advice for a copy of the host's files, in which the file may be missing. */
const adviceOnCopy = ({ server }: Facts): string => (server.source === "httpd" ? "" : " (copy it, too)");

/** Names up to three CAs; longer lists end in a number. */
const listed = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(" and ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more CAs`;

/** The verdict on a directive that checks revocation, where our configuration would not check it for these CAs. */
const endsRevocation = (uncovered: readonly string[]): Verdict =>
  forbidding(
    `checks revocation, and the site file is not known to have a CRL of ${listed(uncovered)}: revoked certificates would be accepted`,
    "give one for each of these CAs: in crlSources, where file: says which CA a source is for, or in crlFiles",
  );

/**
 * Judges an SSLCARevocationCheck: only how much is checked. httpd does not start with a check and without a CRL, so the
 * configuration names a CRL as well, and {@link judgeCrlFile} reports what would be lost of that.
 */
function judgeCrlCheck({ desired, directive }: Question): Verdict {
  return directive.value === "chain" && desired.crlCheck === "leaf" && hasRevocation(desired)
    ? overruled("checks the CRLs of all CAs, and crlCheck: leaf only those of the CAs that issue to users")
    : harmless;
}

/** Judges an SSLCARevocationFile: each CA whose CRLs it brings, and that needs one, must get one from the site file. */
function judgeCrlFile({ desired, facts, trust, directive, hosts }: Question): Verdict {
  const checks = hosts.flatMap((index) => trust.crlCheck(index) ?? []);
  if (checks.length === 0) return harmless;
  // A file whose CRLs are not known may be about any CA.
  const isAbout = (name: string): boolean => directive.crlIssuers?.some((issuer) => isSameName(issuer, name)) ?? true;
  const lost = findUncoveredCas(desired, facts, checks.includes("chain") ? "chain" : "leaf").filter(isAbout);
  return lost.length > 0 ? endsRevocation(lost) : harmless;
}

/**
 * Judges an SSLCARevocationPath. The CRLs in its directory are not known, so where they were checked, there must be a
 * CRL of each CA that issues to users.
 */
function judgeCrlPath({ desired, facts, trust, hosts }: Question): Verdict {
  const uncovered = findUncoveredCas(desired, facts, "leaf");
  return uncovered.length > 0 && hosts.some((index) => trust.crlCheck(index) !== undefined)
    ? endsRevocation(uncovered)
    : removable("adds CRLs that clientcert's own directives cannot take away");
}

/** Judges an SSLOCSPEnable: OCSP checks revocation as well, so it may only go where CRLs take its place. */
function judgeOcsp({ desired, facts, directive }: Question): Verdict {
  if (directive.value === "off") return harmless;
  const uncovered = findUncoveredCas(desired, facts, "leaf");
  return uncovered.length > 0
    ? endsRevocation(uncovered)
    : removable("refuses everybody who has a certificate while its responder does not answer");
}

/**
 * The CAs of the site that need a CRL under this check, and whose CRL neither is installed, nor comes with the site
 * file, nor can come from a source. Which CA a source is for is only known where it came with a first CRL: all CAs
 * without a CRL are returned where there are fewer other sources than such CAs, and none otherwise.
 */
function findUncoveredCas(desired: Desired, { own }: Facts, crlCheck: "leaf" | "chain"): string[] {
  // Installed CRLs are removed when the site file no longer wants revocation.
  const installed = hasRevocation(desired) ? own.crls : [];
  const uncovered = findLacking({ ...desired, crlCheck }, [...desired.crls, ...installed]);
  // A source with a first CRL is for the CA of that CRL, so it cannot serve another CA.
  const firstLists = desired.crls.filter(({ isFirstList }) => isFirstList === true).length;
  return uncovered.length <= desired.crlSources.length - firstLists ? [] : uncovered;
}

/**
 * Judges a rule about certificates. The rule stays beside ours. It lets the same people in as before, unless ours
 * trusts a CA that was not trusted before.
 */
function judgeRule({ trust, directive, hosts }: Question): Verdict {
  const newCas = directive.namesIssuer === true ? [] : [...new Set(hosts.flatMap((index) => trust.newCas(index)))];
  return newCas.length === 0
    ? reported("decides by the client's certificate who gets in here; it stays, and applies beside clientcert's rule")
    : forbidding(
        `decides by the client's certificate who gets in here, and would also let in holders of certificates of ${listed(newCas)}`,
        issuerRemedy(directive),
      );
}

/**
 * How a rule can be held to the CAs from before. In a section, an SSLRequire must be true in addition to everything
 * else. Elsewhere only the rule itself can require the issuer.
 */
const issuerRemedy = ({ level }: UnmanagedDirective): string =>
  level === "narrower"
    ? 'require the issuer as well, by SSLRequire %{SSL_CLIENT_I_DN_CN} eq "…" in the same <Location> or <Directory>'
    : "name in it the CA whose certificates may get in, by %{SSL_CLIENT_I_DN_CN}, or move it into a <Location> with an SSLRequire that does";

/**
 * Judges a directive that makes a user name of the certificate. Such a client is not asked for a password, so its name
 * must be one that is known where a user is required.
 */
function judgeUser(question: Question): Verdict {
  const verdict = judgeRule(question);
  return verdict.is === "reported"
    ? reported("makes a user name of the certificate: whoever shows one gets 401 or 403 where that name is not known")
    : verdict;
}

/**
 * Says what a `.htaccess` file may do beside our rules. Such files are not read here: they may be anywhere, and httpd
 * reads them again at each request.
 */
function judgeOverride({ desired, trust, hosts }: Question): Verdict {
  const liftsRule = restrictsNames(desired) ? ["switch clientcert's rule on names off (by Satisfy Any)"] : [];
  const newCas = [...new Set(hosts.flatMap((index) => trust.newCas(index)))];
  const letsIn = `let in holders of certificates of ${listed(newCas)} where it asks for a certificate itself (SSLVerifyClient, SSLRequire)`;
  const effects = [...liftsRule, ...(newCas.length > 0 ? [letsIn] : [])];
  return effects.length === 0 ? harmless : reported(`lets a .htaccess file ${effects.join(", and ")}`, "note");
}

/** Judges RemoteIPProxyProtocol: our own requests come over loopback, without the header of a proxy. */
function judgeProxyProtocol({ directive }: Question): Verdict {
  return directive.value === "loopback"
    ? harmless
    : forbidding(
        "expects a proxy's header in each connection, so clientcert cannot ask httpd on this host whether a change is good",
        "add RemoteIPProxyProtocolExceptions 127.0.0.0/8",
      );
}

/** Whether the change would affect the line for a virtual host that we do not cover. */
export const isInForceElsewhere = (desired: Desired, facts: Facts, directive: UnmanagedDirective): boolean =>
  directive.isElsewhere ||
  directive.virtualHosts.some((index) => {
    const host = facts.virtualHosts[index];
    return host !== undefined && isExcluded(desired, host);
  });
