/** A site that refreshes its CRL in some way, and what its clients see of it. */
import { setTimeout as wait } from "node:timers/promises";
import { request } from "../../lab/client.ts";
import type { LabHost } from "../../lab/host.ts";
import type { LabPki } from "../../lab/pki.ts";

/** One way to keep a CRL fresh, set up on a lab host of its own. */
export interface Way {
  readonly title: string;
  /** What the issuer publishes. */
  readonly form: "DER" | "PEM";
  /** Starts a host that has the list which `url` delivers. */
  readonly start: (pki: LabPki, url: string) => Promise<Site>;
}

export interface Site {
  readonly lab: LabHost;
  /** Shell command that refreshes, as cron would run it. */
  readonly refreshCommand: string;
  /** Shell command of what reloads httpd afterwards. */
  readonly reloadCommand: string;
  /** Shell pattern of the files that httpd reads CRLs from. */
  readonly crlFiles: string;
  readonly stop: () => Promise<void>;
}

export const serverRoot = "/usr/local/ni/apache";
export const apachectl = `${serverRoot}/bin/apachectl`;

/** What each kind of client gets: an HTTP status, `refused` in the TLS handshake, or `unreachable`. */
export interface Look {
  readonly none: string;
  readonly good: string;
  readonly revoked: string;
  /** Revoked by the newest list only. */
  readonly news: string;
  /** Its CA is none of the site's. */
  readonly foreign: string;
}

const clients = { good: "good", revoked: "revoked", news: "noOrganization", foreign: "foreign" } as const;
/** The client that the newest list revokes. */
export const newsClient = clients.news;

export async function look(host: LabHost): Promise<Look> {
  const ask = async (certificate?: (typeof clients)[keyof typeof clients]): Promise<string> =>
    (await request(host, certificate === undefined ? {} : { certificate })).outcome;
  const [none, good, revoked, news, foreign] = await Promise.all([
    ask(),
    ask(clients.good),
    ask(clients.revoked),
    ask(clients.news),
    ask(clients.foreign),
  ]);
  return { none, good, revoked, news, foreign };
}

const pauseMilliseconds = 700;
const mostLooks = 40;

/** A reload takes a moment, and one that kills the server too: looks until two looks in a row say the same. */
export async function settledLook(host: LabHost): Promise<Look> {
  let last = await look(host);
  for (let count = 0; count < mostLooks; count += 1) {
    await wait(pauseMilliseconds);
    const next = await look(host);
    if (JSON.stringify(next) === JSON.stringify(last)) return next;
    last = next;
  }
  throw new Error(`the site never came to rest: ${JSON.stringify(last)}`);
}

export type State = "down" | "trustsForeign" | "locksOut" | "admitsRevoked" | "isNew" | "isOld";

/** The states of a site, worst first; `isNew` and `isOld` are well. */
export function statesOf(seen: Look): readonly State[] {
  if (seen.none !== "200") return ["down"];
  const states: State[] = [];
  if (seen.foreign === "200") states.push("trustsForeign");
  if (seen.good !== "200") states.push("locksOut");
  else if (seen.revoked !== "refused") states.push("admitsRevoked");
  if (states.length === 0) states.push(seen.news === "refused" ? "isNew" : "isOld");
  return states;
}
