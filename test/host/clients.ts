/** What each kind of client gets, on one line each. */
import { handshakeTable, type HandshakeRow, type Reachable } from "../../lab/client.ts";

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

/** The same where PHP serves the page, which shows the product's switch to whoever presents a certificate. */
export const wantedPhpTable = Object.fromEntries(
  Object.entries(wantedTable).map(([client, answer]) => [
    client,
    answer.replace(/NONE$/, "NONE hidden").replace(/SUCCESS$/, "SUCCESS shown"),
  ]),
);

/** `servername`: null sends none. @default - the first virtual host's */
export async function clientsOf(host: Reachable, servername?: string | null): Promise<Record<string, string>> {
  const rows = await handshakeTable(host, servername === undefined ? {} : { servername });
  const words = (row: HandshakeRow) => [row.outcome, row.verify, row.switch].filter((word) => word !== undefined);
  return Object.fromEntries(rows.map((row) => [row.client, words(row).join(" ")]));
}
