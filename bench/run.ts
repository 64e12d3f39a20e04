/**
 * `npm run bench`: one table. Every contender does the same job on lab hosts of its own, each with its own sshd, mount
 * namespace, tree and running httpd; each ratio compares runs that lay side by side in time.
 */
import { requireEngine } from "../scripts/engine.mjs";
import { cacheDirectory } from "../scripts/steps.mjs";
import { bareProbe, probe, type Contender } from "./contender.ts";
import { startFleet, type Fleet } from "./fleet.ts";
import { judgements } from "./judge.ts";
import { measure, measureMemory, spreadOf, type Command, type Run } from "./measure.ts";
import { ownContenders } from "./ours.ts";
import { readOptions } from "./options.ts";
import { findPeers } from "./peers.ts";
import { pki } from "./pki.ts";
import { readers, starts, type Comparison } from "./starts.ts";
import { refreshRows } from "./revocation/rows.ts";
import { renderLine, renderTable, type Row } from "./table.ts";

interface Options {
  readonly hosts: readonly number[];
  readonly runs: number;
  readonly only: string;
}

const usage = `npm run bench [-- --hosts 1,10,50] [--runs 5] [--only TEXT]

  --hosts  how many hosts the tools work on
  --runs   of each, of which the table shows the median
  --only   rows whose name has this text`;

function optionsOf(): Options {
  const values = readOptions(usage, ["hosts", "runs", "only"]);
  const { hosts = "1,10,50", runs = 5, only = "" } = values;
  return { hosts: hosts.split(",").map(Number), runs: Number(runs), only };
}

async function bench(): Promise<void> {
  const options = optionsOf();
  const wanted = ({ name }: { readonly name: string }): boolean => name.includes(options.only);
  const rows: Row[] = [];
  const add = (row: Row): void => {
    rows.push(row);
    console.log(renderLine(row));
  };
  for (const comparison of [...starts, ...readers, ...judgements, ...pki].filter(wanted)) {
    add(await compare(comparison, options.runs));
    await comparison.stop?.();
  }
  for (const row of refreshRows.filter(wanted)) add(await row.measure(options.runs));
  const { env } = await requireEngine();
  const contenders = [bareProbe, ...ownContenders(env), ...(await findPeers(cacheDirectory, console.log))].filter(
    wanted,
  );
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

/** One contender on `count` hosts; what goes wrong is said in its row, and the bench goes on. */
async function contend(contender: Contender, count: number, runs: number): Promise<Row> {
  const { name } = contender;
  if (contender.unavailable !== undefined) return { name, hosts: count, notMeasured: contender.unavailable };
  const fleet = await startFleet(count);
  const release = stopOnSignal(fleet);
  try {
    await contender.prepare(fleet);
    return { name, hosts: count, ...(await measureOn(contender, fleet, runs)) };
  } catch (error) {
    return { name, hosts: count, notMeasured: error instanceof Error ? error.message : String(error) };
  } finally {
    release();
    await fleet.stop();
  }
}

/** Ctrl-C must leave no host behind. Returns what ends this watch. */
function stopOnSignal(fleet: Fleet): () => void {
  const stop = (): void => void fleet.stop().finally(() => process.exit(1));
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, stop);
  return () => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, stop);
  };
}

async function measureOn(contender: Contender, fleet: Fleet, runs: number): Promise<Omit<Row, "name">> {
  const baseline = contender.baseline ?? probe;
  const before = await fleet.executions();
  await requireUnchanged(contender, await contender.command(fleet));
  const executions = ((await fleet.executions()) - before) / fleet.hosts.length;
  const { wholeMib, pluginMib } = await measureMemory(await contender.command(fleet));
  const stateKib = await contender.stateKib?.(fleet);
  const samples: Run[] = [];
  const ratios: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const base = await measure(await baseline(fleet));
    const sample = await requireUnchanged(contender, await contender.command(fleet));
    samples.push(sample);
    ratios.push(sample.wallSeconds / base.wallSeconds);
  }
  return {
    wallSeconds: spreadOf(samples.map(({ wallSeconds }) => wallSeconds)),
    ratio: spreadOf(ratios).median,
    cpuSeconds: spreadOf(samples.map(({ cpuSeconds }) => cpuSeconds)).median,
    memoryMib: wholeMib,
    ...(pluginMib > 0 ? { pluginMib } : {}),
    ...(stateKib === undefined ? {} : { stateKib: stateKib / fleet.hosts.length }),
    executions,
  };
}

async function requireUnchanged(contender: Contender, command: Command): Promise<Run> {
  const run = await measure(command);
  if (run.status === 0 && contender.isUnchanged(run.output)) return run;
  const last = run.output.trim().split("\n").slice(-3).join(" | ");
  throw new Error(`not a run without changes: ended with ${run.status}: ${last}`);
}

await bench();
