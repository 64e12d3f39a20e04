/** Handles a server that does not run: whether this must be reported, and what keeps the server from starting. */
import { hostText } from "../../host-text.ts";
import { readCertificates } from "../../pki/certificate.ts";
import { readCrls } from "../../pki/crl.ts";
import { readSparseCrls } from "../../pki/sparse-crl.ts";
import { crlName } from "../../own-files.ts";
import { filesNamedIn, ownPath } from "./own-conf.ts";
import type { Diagnostic } from "../../diagnostic.ts";
import type { Desired, Facts, OwnFacts } from "../model.ts";
import type { ObservedFile } from "../observation.ts";

/** The text that the host's program writes into its journal. */
const stoppedAtChange = "httpd was stopped when this was written";

/**
 * Why the live server does not use what its files say; undefined when it does. When a change found the server stopped
 * and it is still stopped, nothing is pending: the server reads the files when it starts.
 */
export const findPendingReload = ({ own, server }: Facts): string | undefined =>
  server.running || own.owed !== stoppedAtChange ? own.owed : undefined;

/**
 * Reads from the journal whether the server was running at one of our changes. An older build does not record this; but
 * unless its last change says that httpd was stopped, httpd ran when that change ended.
 */
export function readHasRun(journal: ReadonlyMap<string, string>): Pick<OwnFacts, "hasRun"> {
  const isOwedByStop = journal.get("owed") === stoppedAtChange;
  return journal.has("ran-as") || (journal.has("generation") && !isOwedByStop) ? { hasRun: true } : {};
}

/** The files that our configuration names and that are missing, or that hold anything but certificates or CRLs. */
export function findUnreadable(
  own: ReadonlyMap<string, ObservedFile>,
  conf: string | undefined,
): Pick<OwnFacts, "unreadable"> {
  const unreadable = filesNamedIn(conf).filter((name) => !isReadable(name, own.get(name)));
  return unreadable.length === 0 ? {} : { unreadable };
}

/**
 * Whether httpd can read a file of ours: it must hold certificates or CRLs, and nothing that is broken. A large CA file
 * counts as readable.
 */
function isReadable(name: string, file: ObservedFile | undefined): boolean {
  if (file === undefined) return false;
  const { bytes, sizeBytes } = file;
  // The middle of a large file was not sent. Only a CRL can be judged by its ends.
  if (bytes.length < sizeBytes) return name !== crlName || readSparseCrls(bytes, sizeBytes).length > 0;
  const all = Buffer.from(bytes, "latin1");
  const { diagnostics, count } = name === crlName ? countCrls(all) : countCertificates(all);
  return count > 0 && !diagnostics.some(({ severity }) => severity === "problem");
}

/** How many certificates or CRLs were read, and what is wrong with the rest. */
interface Counted {
  readonly diagnostics: readonly Pick<Diagnostic, "severity">[];
  readonly count: number;
}

function countCrls(bytes: Buffer): Counted {
  const { crls, diagnostics } = readCrls(bytes);
  return { diagnostics, count: crls.length };
}

function countCertificates(bytes: Buffer): Counted {
  const { certificates, diagnostics } = readCertificates(bytes);
  return { diagnostics, count: certificates.length };
}

/**
 * Reports a server that should run and does not, because it serves nobody: something starts it with the machine, or it
 * ran at one of our changes. This does not block a change: the change may be what lets the server start.
 */
export function findStopped({ mayBeStopped }: Desired, facts: Facts): Diagnostic[] {
  const { server, own } = facts;
  const { starter, configFile: place } = server;
  // Only a live host shows whether its server runs.
  if (mayBeStopped || server.running || server.source !== "httpd") return [];
  if (starter === undefined && own.hasRun !== true) return [];
  const why =
    starter === undefined ? "it ran when it was changed last" : `${hostText(starter)} starts it with the machine`;
  const text = `httpd does not run, so nobody is served, and it should: ${why}; ${remedyFor(facts)}, or write mayBeStopped: true for a host that is stopped on purpose`;
  return [{ severity: "problem", place, text, isAlarm: true }];
}

/** What a person must do to start the server; this names our files that keep it from starting. */
function remedyFor(facts: Facts): string {
  const { unreadable = [], files } = facts.own;
  if (unreadable.length === 0) return "start it (where it ends at once, its error log says why)";
  const faults = unreadable.map(
    (name) => `${hostText(ownPath(facts, name))} ${files[name] === undefined ? "is missing" : "cannot be read"}`,
  );
  return `${faults.join(" and ")}, which keeps it from starting: pulumi up mends that, then start it`;
}
