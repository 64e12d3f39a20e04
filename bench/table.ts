/** Rows as data, and the table that is printed of them. */
import type { Spread } from "./measure.ts";

export interface Row {
  readonly name: string;
  readonly hosts?: number;
  readonly wallSeconds?: Spread;
  /** Median of the pairs: each sample has its baseline directly before it. */
  readonly ratio?: number;
  readonly cpuSeconds?: number;
  readonly memoryMib?: number;
  /** Of the resource plugin alone. */
  readonly pluginMib?: number;
  /** Of the stack's state, for each host. */
  readonly stateKib?: number;
  /** Remote executions per host, counted at sshd. */
  readonly executions?: number;
  /** Instead of figures. */
  readonly notMeasured?: string;
}

const heads = [
  "what",
  "hosts",
  "wall s (min–max)",
  "ratio",
  "CPU s",
  "peak MiB",
  "plugin MiB",
  "state KiB/host",
  "executions/host",
];

/** A Markdown table, so that README can quote it. */
export const renderTable = (rows: readonly Row[]): string => renderLines(heads, rows.map(cells)).join("\n");

/** The lines of a Markdown table: the head, a ruler, and one for each row. */
export function renderLines(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const render = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [render(heads), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...rows.map(render)];
}

/** One row on one line, told while the bench goes on. */
export const renderLine = (row: Row): string => cells(row).filter(Boolean).join("  ");

function cells(row: Row): readonly string[] {
  const hosts = row.hosts === undefined ? "" : String(row.hosts);
  if (row.notMeasured !== undefined)
    return [row.name, hosts, `not measured: ${row.notMeasured}`, ...Array<string>(heads.length - 3).fill("")];
  const { wallSeconds: wall } = row;
  const spread = wall === undefined ? "" : `${figure(wall.median)} (${figure(wall.min)}–${figure(wall.max)})`;
  const rest = [row.cpuSeconds, row.memoryMib, row.pluginMib, row.stateKib, row.executions].map((value) =>
    value === undefined ? "" : figure(value),
  );
  return [row.name, hosts, spread, row.ratio === undefined ? "" : `× ${figure(row.ratio)}`, ...rest];
}

/** Three digits that mean something. */
export function figure(value: number): string {
  if (Number.isInteger(value) || value >= 100) return value.toFixed(0);
  if (value < 0.01) return value.toPrecision(3);
  return value >= 10 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : value.toFixed(3);
}
