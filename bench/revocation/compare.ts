/**
 * `npm run compare:revocation [-- --only FAULT,FAULT]`: three ways to keep a CRL fresh against every fault of a
 * publisher, on real httpd, each cell on a lab host of its own. Writes docs/revocation-compared.md when nothing was
 * left out.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createPki } from "../../lab/pki.ts";
import { faults, type Fault } from "../../lab/publisher-faults.ts";
import { startPublisher } from "../../lab/publisher.ts";
import { readOptions } from "../options.ts";
import { fillCell, type Cell } from "./cell.ts";
import { renderComparison, renderCell, type ComparedRow } from "./report.ts";
import { newsClient } from "./site.ts";
import { ways } from "./ways.ts";

const report = new URL("../../docs/revocation-compared.md", import.meta.url);
/** There are two cores. */
const atOnce = 2;

async function compare(chosen: readonly (Fault | "ok")[]): Promise<readonly ComparedRow[]> {
  const pki = await createPki();
  const lists = { old: await pki.crl({ thisUpdateHours: -2 }), new: await pki.revoke(pki.clients[newsClient].serial) };
  const publisher = await startPublisher(pki);
  const rows = chosen.map((fault) => ({ fault, cells: [] as Cell[] }));
  const work = rows.flatMap(({ fault, cells }) => ways.map((way, column) => ({ fault, cells, way, column })));
  const next = async (): Promise<void> => {
    for (let cell = work.shift(); cell !== undefined; cell = work.shift()) {
      const { fault, cells, way, column } = cell;
      cells[column] = await fillCell(way, fault, pki, publisher, lists);
      console.log(`${fault}, ${way.title}: ${renderCell(cells[column])}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, next));
    return rows;
  } finally {
    work.length = 0;
    await publisher.stop();
  }
}

const firstLine = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { encoding: "utf8" }).split("\n")[0] ?? "";

function versions(): readonly string[] {
  const debian = (name: string): string => `${name} ${firstLine("dpkg-query", "-W", "-f", "${Version}", name)}`;
  const commit = firstLine("git", "rev-parse", "--short", "HEAD");
  return [
    firstLine("/usr/sbin/apache2", "-v").replace("Server version: ", ""),
    firstLine("openssl", "version").replace(/ \(Library:.*/, ""),
    ...["wget", "fetch-crl"].map(debian),
    `clientcert at ${commit}`,
  ];
}

const all = ["ok", ...faults] as const;
const usage = `npm run compare:revocation [-- --only ANSWER,ANSWER]

  --only  these answers of the issuer, of ${all.join(", ")}`;
const only = readOptions(usage, ["only"]).only?.split(",");
const unknown = only?.find((name) => !all.some((fault) => fault === name));
if (unknown !== undefined) {
  console.error(`compare:revocation: ${JSON.stringify(unknown)} is no fault; write any of ${all.join(", ")}`);
  process.exitCode = 2;
} else {
  const rows = await compare(all.filter((fault) => only?.includes(fault) ?? true));
  const text = renderComparison(rows, versions(), new Date());
  console.log(`\n${text}`);
  if (only === undefined) writeFileSync(report, text);
}
