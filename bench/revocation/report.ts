/** The comparison in words: docs/revocation-compared.md. */
import { answerWords, type Fault } from "../../lab/publisher-faults.ts";
import type { Cell } from "./cell.ts";
import type { State } from "./site.ts";
import { ways } from "./ways.ts";

export interface ComparedRow {
  readonly fault: Fault | "ok";
  /** One for each way. */
  readonly cells: readonly Cell[];
}

const stateWords: Readonly<Record<State, string>> = {
  down: "**site down**",
  trustsForeign: "**trusts a foreign CA**",
  locksOut: "**refuses every certificate**",
  admitsRevoked: "**admits revoked**",
  isNew: "new list",
  isOld: "as before",
};

const wordsOf = (states: readonly State[]): string => states.map((state) => stateWords[state]).join(", ");

/** One cell, such as `as before; the file is empty; after a restart **site down**`. */
export function renderCell({ states, statesAfterRestart, damage, isHung }: Cell): string {
  const later = wordsOf(statesAfterRestart);
  return [
    wordsOf(states),
    ...(isHung ? ["the refresh hangs"] : []),
    ...(damage === undefined ? [] : [damage]),
    ...(later === wordsOf(states) ? [] : [`after a restart ${later}`]),
  ].join("; ");
}

const harmful: readonly State[] = ["down", "trustsForeign", "locksOut", "admitsRevoked"];
const has = (state: State) => (cell: Cell) => [...cell.states, ...cell.statesAfterRestart].includes(state);

const sums: readonly { readonly title: string; readonly counts: (cell: Cell) => boolean }[] = [
  ...harmful.map((state) => ({ title: stateWords[state].replaceAll("*", ""), counts: has(state) })),
  { title: "bad file", counts: ({ damage }) => damage !== undefined },
  { title: "refresh hangs", counts: ({ isHung }) => isHung },
];

const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  [line(heads), line(heads.map(() => "---")), ...rows.map(line)].join("\n");

/** The whole page. */
export function renderComparison(rows: readonly ComparedRow[], versions: readonly string[], date: Date): string {
  const titles = ways.map(({ title }) => title);
  const countOf = (column: number, counts: (cell: Cell) => boolean): number =>
    rows.filter(({ cells }) => cells.slice(column, column + 1).some(counts)).length;
  const counts = sums.map(({ title, counts }) => [title, ...ways.map((_, column) => String(countOf(column, counts)))]);
  const details = rows.map(({ fault, cells }) => [answerWords[fault], ...cells.map(renderCell)]);
  return `# Ways to refresh a CRL, compared

Made by \`npm run compare:revocation\` on ${date.toISOString().slice(0, 10)}: ${versions.join("; ")}. Do not edit.

Each cell is a lab host of its own: a real httpd that runs with the issuer's list 1. The issuer revokes one more certificate
and publishes list 2, in the way that the row says. The refresh runs once, then httpd is reloaded (clientcert does that by
itself, and only for a new list; the others get \`apachectl graceful\`, as logrotate does it), and clients connect: without a
certificate, with a good one, with one that both lists revoke, with one that only list 2 revokes, with one of a CA that the
site does not trust. Then httpd is stopped and started, as at a reboot, and they connect again. A refresh that is not done
after 150 s, or at 1 GiB of disk or 4 GiB of memory, is ended.

All have \`SSLCARevocationCheck leaf\`, which the manual forgets: without it nobody revoked is ever refused. fetch-crl writes for
\`SSLCARevocationPath\`, which never keeps httpd from starting.

How many of the ${rows.length} answers of the issuer did this to the site, at once or at the next restart:

${table(["", ...titles], counts)}

"As before": list 1 is in effect, everybody is served as it says. "New list": list 2 is in effect.

${table(["the issuer answers", ...titles], details)}
`;
}
