/**
 * `npm run bench`: one table. Every contender does the same job on lab hosts of its own, each with its own sshd, mount
 * namespace, tree and running httpd; each ratio compares runs that lay side by side in time.
 */
import { requireEngine } from "../scripts/engine.mjs";
import { cacheDirectory, main } from "../scripts/steps.mjs";
import { compareBuilds, renderPairs, type Pairable, type PairRow } from "./against.ts";
import { openBuild, thisBuild, type Build } from "./build.ts";
import { contend, openOn } from "./contend.ts";
import { bareProbe } from "./contender.ts";
import { judgementsOf } from "./judge.ts";
import { largeOf } from "./large.ts";
import { spreadOf, type Sample, type Sampler } from "./measure.ts";
import { ownContenders } from "./ours.ts";
import { readOptions } from "./options.ts";
import { findPeers } from "./peers.ts";
import { pkiOf } from "./pki.ts";
import { readersOf, startsOf, type Comparison } from "./starts.ts";
import { refreshRows } from "./revocation/rows.ts";
import { renderLine, renderTable, type Row } from "./table.ts";

interface Options {
  readonly hosts: readonly number[];
  readonly runs: number;
  readonly only: string;
  /** Folder of another checkout. */
  readonly against: string | undefined;
}

const usage = `npm run bench [-- --hosts 1,10,50] [--runs 5] [--only TEXT] [--against DIR]

  --hosts    how many hosts the tools work on
  --runs     of each, of which the table shows the median
  --only     rows whose name has this text
  --against  a checkout of another commit, such as git worktree add DIR COMMIT makes: it is built there, and each of our
             own rows is measured with this build and with the other one in turn, on lab hosts of this checkout`;

function optionsOf(): Options {
  const values = readOptions(usage, ["hosts", "runs", "only", "against"]);
  const { hosts = "1,10,50", runs = 5, only = "", against } = values;
  return { hosts: hosts.split(",").map(Number), runs: Number(runs), only, against };
}

/** What needs no fleet of hosts. */
const comparisonsOf = (build: Build): readonly Comparison[] =>
  [startsOf, readersOf, largeOf, judgementsOf, pkiOf].flatMap((rowsOf) => rowsOf(build));

async function benchAgainst(directory: string, { hosts, runs, only }: Options): Promise<void> {
  const { env } = await requireEngine();
  const builds = [thisBuild, await openBuild(directory)] as const;
  const fleets = hosts.flatMap((count) =>
    ownContenders(env, thisBuild).map(({ name }): Pairable => ({
      name,
      hosts: count,
      open: (build) => openOn(named(ownContenders(env, build), name), count),
    })),
  );
  const alone = comparisonsOf(thisBuild).map(({ name }): Pairable => ({
    name,
    open: async (build) => samplerOf(named(comparisonsOf(build), name)),
  }));
  const rows: PairRow[] = [];
  for (const row of [...alone, ...refreshRows, ...fleets].filter(({ name }) => name.includes(only)))
    rows.push(...(await compareBuilds(row, builds, runs)));
  console.log(`\n${renderPairs(rows)}`);
  console.log(`\nmedians of ${runs} pairs, measured in turn; the ratio is the median of the pairs'`);
}

async function bench(): Promise<void> {
  const options = optionsOf();
  if (options.against !== undefined) return benchAgainst(options.against, options);
  const wanted = ({ name }: { readonly name: string }): boolean => name.includes(options.only);
  const rows: Row[] = [];
  const add = (row: Row): void => {
    rows.push(row);
    console.log(renderLine(row));
  };
  for (const comparison of comparisonsOf(thisBuild).filter(wanted)) {
    add(await compare(comparison, options.runs));
    await comparison.stop?.();
  }
  for (const row of refreshRows.filter(wanted)) add(await measureRefresh(row, options.runs));
  const { env } = await requireEngine();
  const contenders = [
    bareProbe,
    ...ownContenders(env, thisBuild),
    ...(await findPeers(cacheDirectory, console.log)),
  ].filter(wanted);
  for (const count of options.hosts) {
    for (const contender of contenders) add(await contend(contender, count, options.runs));
  }
  console.log(`\n${renderTable(rows)}`);
  console.log(`\nmedians of ${options.runs}; ratio: to the bare ssh probe on the same hosts, if nothing else is said`);
}

async function compare({ name, sample, baseline, memoryMib }: Comparison, runs: number): Promise<Row> {
  await sample(); // what is read from disk for the first time is no part of it
  const pairs: { readonly base: number; readonly value: number }[] = [];
  for (let run = 0; run < runs; run += 1) pairs.push({ base: await baseline(), value: await sample() });
  const ratio = spreadOf(pairs.map(({ base, value }) => value / base)).median;
  const memory = memoryMib === undefined ? {} : { memoryMib: await memoryMib() };
  return { name, wallSeconds: spreadOf(pairs.map(({ value }) => value)), ratio, ...memory };
}

async function measureRefresh({ name, open }: Pairable, runs: number): Promise<Row> {
  const { sample, stop } = await open(thisBuild);
  try {
    const samples: Sample[] = [];
    for (let run = 0; run < runs; run += 1) samples.push(await sample());
    return {
      name,
      wallSeconds: spreadOf(samples.map(({ wallSeconds }) => wallSeconds)),
      cpuSeconds: spreadOf(samples.map(({ cpuSeconds = 0 }) => cpuSeconds)).median,
      memoryMib: Math.max(...samples.map(({ memoryMib = 0 }) => memoryMib)),
    };
  } finally {
    await stop();
  }
}

function named<T extends { readonly name: string }>(rows: readonly T[], wanted: string): T {
  const found = rows.find(({ name }) => name === wanted);
  if (found === undefined) throw new Error(`bench: no row ${wanted}`);
  return found;
}

const samplerOf = ({ sample, memoryMib, stop }: Comparison): Sampler => ({
  sample: async () => ({ wallSeconds: await sample() }),
  ...(memoryMib && { memoryMib }),
  stop: async () => stop?.(),
});

await main(bench);
