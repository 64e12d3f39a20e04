/**
 * Two builds side by side: each row is measured with one and with the other in turn, so that what disturbs one disturbs
 * both.
 */
import { say } from "../scripts/steps.mjs";
import type { Build } from "./build.ts";
import { spreadOf, type Sample, type Sampler } from "./measure.ts";
import { figure, renderLines } from "./table.ts";

/** A row that any build can be measured for. */
export interface Pairable {
  readonly name: string;
  readonly hosts?: number;
  /** Sets up what the build is measured on. */
  readonly open: (build: Build) => Promise<Sampler>;
}

/** One figure of a row. */
export interface PairRow {
  readonly name: string;
  readonly hosts?: number | undefined;
  /** With its unit. */
  readonly figure?: string;
  /** Medians of this build and the other one. */
  readonly values?: readonly [number, number];
  readonly ratio?: number;
  /** Instead of figures. */
  readonly notMeasured?: string;
}

/** Of a figure to that of the other build: what is above is marked. */
const mostRatio = 1.1;

/** One of the two while it is measured. */
interface Side {
  readonly build: Build;
  readonly title: string;
  sampler?: Sampler;
  readonly samples: Sample[];
  memoryMib?: number | undefined;
}

/** All figures of a row; what a build lacks is said in it. Progress is told. */
export async function compareBuilds(
  { name, hosts, open }: Pairable,
  builds: readonly [Build, Build],
  runs: number,
): Promise<PairRow[]> {
  const row = { name: name.replace(/; ratio to .*/, ""), hosts };
  const tell = (what: string): void =>
    say(`bench: ${row.name}${hosts === undefined ? "" : `, hosts: ${hosts}`}: ${what}`, "dim");
  const ours: Side = { build: builds[0], title: "this build", samples: [] };
  const other: Side = { build: builds[1], title: "the other build", samples: [] };
  try {
    tell("setting both builds up …");
    await inTurn([ours, other], async (side) => void (side.sampler = await open(side.build)));
    // The first of each is no part of it: files are read from disk then.
    await inTurn([ours, other], async ({ sampler }) => sampler?.sample());
    for (let run = 1; run <= runs; run++) {
      await inTurn([ours, other], addSample);
      tell(`${run} of ${runs}`);
    }
    await inTurn([ours, other], async (side) => void (side.memoryMib = await side.sampler?.memoryMib?.()));
    return figuresOf(ours, other).map((found) => ({ ...row, ...found }));
  } catch (error) {
    return [{ ...row, notMeasured: error instanceof Error ? error.message : String(error) }];
  } finally {
    for (const { sampler } of [ours, other]) await sampler?.stop();
  }
}

/** What fails is said with whose it is, on one line. */
async function inTurn(sides: readonly Side[], work: (side: Side) => Promise<unknown>): Promise<void> {
  for (const side of sides) {
    try {
      await work(side);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      throw new Error(`${side.title}: ${text.split("\n")[0] ?? ""}`, { cause: error });
    }
  }
}

async function addSample({ sampler, samples }: Side): Promise<void> {
  if (sampler !== undefined) samples.push(await sampler.sample());
}

type Figure = Pick<PairRow, "figure" | "values" | "ratio">;

function figuresOf(ours: Side, other: Side): Figure[] {
  const pairs = (value: (sample: Sample) => number | undefined): (readonly [number, number])[] =>
    ours.samples.map((sample, run) => [value(sample) ?? NaN, value(other.samples[run] ?? sample) ?? NaN] as const);
  const peaks = [ours.memoryMib ?? NaN, other.memoryMib ?? NaN] as const;
  const peak = ours.memoryMib === undefined ? pairs(({ memoryMib }) => memoryMib) : [peaks];
  return [
    ...figureOf(
      "wall s",
      pairs(({ wallSeconds }) => wallSeconds),
    ),
    ...figureOf(
      "CPU s",
      pairs(({ cpuSeconds }) => cpuSeconds),
    ),
    ...figureOf("peak MiB", peak),
  ];
}

/** None where the figure is not known. */
function figureOf(name: string, pairs: readonly (readonly [number, number])[]): Figure[] {
  if (pairs.some(([a, b]) => Number.isNaN(a) || Number.isNaN(b))) return [];
  const median = (values: readonly number[]): number => spreadOf(values).median;
  const values = [median(pairs.map(([a]) => a)), median(pairs.map(([, b]) => b))] as const;
  return [{ figure: name, values, ratio: median(pairs.map(([a, b]) => a / b)) }];
}

const heads = ["what", "hosts", "figure", "this build", "the other", "ratio", `bound ${mostRatio}`];

/** A Markdown table; on a terminal what is above the bound is red. */
export function renderPairs(rows: readonly PairRow[]): string {
  const lines = renderLines(heads, rows.map(cells));
  const isPlain = process.stdout.isTTY !== true || process.env.NO_COLOR !== undefined;
  const isOver = (line: number): boolean => (rows[line - 2]?.ratio ?? 0) > mostRatio;
  return lines.map((line, index) => (isPlain || !isOver(index) ? line : `\u001b[31m${line}\u001b[0m`)).join("\n");
}

function cells({ name, hosts, figure: what, values, ratio = NaN, notMeasured }: PairRow): readonly string[] {
  const place = [name, hosts === undefined ? "" : String(hosts)];
  if (values === undefined) return [...place, `not measured: ${notMeasured ?? ""}`, "", "", "", ""];
  return [...place, what ?? "", ...values.map(figure), `× ${figure(ratio)}`, ratio > mostRatio ? "above it" : ""];
}
