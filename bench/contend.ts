/** A tool on lab hosts of its own: measured beside the bare probe, or run by run beside another build. */
import { probe, type Contender } from "./contender.ts";
import { startFleet, type Fleet } from "./fleet.ts";
import { measure, measureMemory, spreadOf, type Command, type Run, type Sampler } from "./measure.ts";
import type { Row } from "./table.ts";

/** One contender on `count` hosts; what goes wrong is said in its row, and the bench goes on. */
export async function contend(contender: Contender, count: number, runs: number): Promise<Row> {
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

/** The contender on hosts of its own, to be measured run by run. */
export async function openOn(contender: Contender, count: number): Promise<Sampler> {
  const fleet = await startFleet(count);
  const release = stopOnSignal(fleet);
  const stop = async (): Promise<void> => {
    release();
    await fleet.stop();
  };
  try {
    await contender.prepare(fleet);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    sample: async () => requireUnchanged(contender, await contender.command(fleet)),
    memoryMib: async () => (await measureMemory(await contender.command(fleet))).wholeMib,
    stop,
  };
}

async function requireUnchanged(contender: Contender, command: Command): Promise<Run> {
  const run = await measure(command);
  if (run.status === 0 && contender.isUnchanged(run.output)) return run;
  const last = run.output.trim().split("\n").slice(-3).join(" | ");
  throw new Error(`not a run without changes: ended with ${run.status}: ${last}`);
}
