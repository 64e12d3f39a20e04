/** What each kind of client gets, on one line each. */
import { handshakeTable, type Reachable } from "../../lab/client.ts";

/** What the manual wants each kind of client to see. */
export const wantedTable = {
  none: "200 NONE",
  good: "200 SUCCESS",
  revoked: "refused",
  expired: "refused",
  notYetValid: "refused",
  wrongOrganization: "403",
  wrongCountry: "403",
  lowercaseOrganization: "403",
  noOrganization: "200 SUCCESS",
  foreign: "refused",
};

/** `servername`: null sends none. @default - the first virtual host's */
export async function clientsOf(host: Reachable, servername?: string | null): Promise<Record<string, string>> {
  const rows = await handshakeTable(host, servername === undefined ? {} : { servername });
  return Object.fromEntries(rows.map(({ client, outcome, verify }) => [client, `${outcome} ${verify ?? ""}`.trim()]));
}
