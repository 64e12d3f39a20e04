/**
 * `clientcert check`: observes every host of a site in one remote execution each, and reports what a change would do
 * there.
 */
import { accessSync, constants, existsSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { readFacts } from "../core/apache/facts/read-facts.ts";
import type { SiteHost } from "../core/site/schema.ts";
import { makeTarget } from "../core/site/target.ts";
import { observeClock } from "../provider/resource/clock.ts";
import { createHost } from "../provider/apache/host.ts";
import type { Host } from "../provider/apache/host-model.ts";
import { createPool } from "../provider/remote/pool.ts";
import { type SiteHosts, openHosts, refuse } from "./open-hosts.ts";
import { type Answer, type Style, count } from "./output.ts";
import { codeOf } from "./exit-code.ts";
import { type HostReport, renderReport, reportError, reportPlan, inputsFor } from "./report.ts";
import { type SavedHost, renderSaved, savedOf } from "./saved.ts";

export interface CheckOptions {
  /** The path of a site file, or the name of a stack. */
  readonly site: string;
  /** Names of the hosts to check. Without a name, the command checks all hosts. */
  readonly hosts: readonly string[];
  readonly json: boolean;
  /** The file that keeps what only a running httpd knows. */
  readonly save: string | undefined;
  /** How many hosts are observed at the same time. @default defaultParallel of the SSH pool */
  readonly parallel: number | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly style: Style;
  /** Called whenever one more host is done. */
  readonly onProgress: (done: number, all: number) => void;
}

interface Checked {
  readonly report: HostReport;
  readonly saved: SavedHost | undefined;
}

/**
 * Observes the hosts and reports on each one. With `save`, it also writes the file for `clientcert plan --saved`, and
 * throws an error where that fails. A site, a host's name or a path of `--save` that is wrong ends it before a host is
 * observed, with the exit code 2.
 */
export async function check(options: CheckOptions): Promise<Answer> {
  const opened = openHosts(options.site, options.hosts);
  if ("problems" in opened) return refuse(opened.problems, options.json);
  const { parallel, save: saveFile } = options;
  // The file is tested before the hosts are observed, because the observation may take minutes.
  if (saveFile !== undefined && !canWrite(saveFile))
    return refuse([`--save ${saveFile}: ${notWritable}`], options.json);
  const host = createHost(createPool(parallel === undefined ? {} : { parallel }));
  try {
    const checked = await checkAll(opened, host, options);
    if (saveFile !== undefined) save(saveFile, checked);
    return answer(
      opened,
      checked.map(({ report }) => report),
      options,
    );
  } finally {
    await host.close();
  }
}

/**
 * Observes all hosts, and calls `onProgress` after each one. The pool limits how many are observed at the same time.
 */
function checkAll(site: SiteHosts, host: Host, { now, onProgress }: CheckOptions): Promise<Checked[]> {
  let done = 0;
  return Promise.all(
    site.hosts.map(async (siteHost) => {
      const checked = await checkOne(site, siteHost, host, now);
      onProgress(++done, site.hosts.length);
      return checked;
    }),
  );
}

/** Observes one host. An error becomes the report on this host, so that the other hosts are still reported. */
async function checkOne(site: SiteHosts, siteHost: SiteHost, host: Host, now: number): Promise<Checked> {
  try {
    const { observation, diagnostics } = await observeClock(() => host.observe(makeTarget(siteHost)));
    const facts = readFacts(observation, { port: siteHost.port });
    const inputs = inputsFor(site, siteHost, facts.own.owner);
    return {
      report: reportPlan(inputs, siteHost, { facts, diagnostics, lines: site.lines }, now),
      saved: savedOf(observation, now),
    };
  } catch (error) {
    return { report: reportError(site, siteHost, error), saved: undefined };
  }
}

const notWritable =
  "cannot be written; give the path of a file in a folder that exists and that this user may write to";

/** Whether the file is a regular file or absent, in a folder where this user may write. */
function canWrite(file: string): boolean {
  try {
    accessSync(dirname(file), constants.W_OK);
    return !existsSync(file) || statSync(file).isFile();
  } catch {
    return false;
  }
}

/**
 * Writes what was learned about each host that could be observed. Throws an error where the file cannot be written:
 * `canWrite` does not notice a full disk or a file that is write-protected.
 */
function save(file: string, checked: readonly Checked[]): void {
  const hosts = checked.flatMap(({ report, saved }) => (saved === undefined ? [] : [[report.host, saved] as const]));
  try {
    writeFileSync(file, renderSaved(Object.fromEntries(hosts)));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`--save ${file}: could not be written (${reason}); give another path`);
  }
}

/**
 * The answer as one JSON object, or as text: the warnings, a block of lines for each host, and a summary where there
 * are several hosts.
 */
function answer({ file, warnings }: SiteHosts, reports: readonly HostReport[], { json, style }: CheckOptions): Answer {
  const code = codeOf(reports);
  if (json) return { output: `${JSON.stringify({ site: file, warnings, hosts: reports }, undefined, 2)}\n`, code };
  const shownWarnings = warnings.map((warning) => `${style.yellow("warning")} ${warning}`);
  const blocks = reports.map((report) => renderReport(report, style));
  const summary = reports.length > 1 ? [summarize(reports)] : [];
  return { output: `${[...shownWarnings, ...blocks, ...summary].join("\n")}\n`, code };
}

/** How many hosts are in each state, on one line. A state that no host is in is left out. */
function summarize(reports: readonly HostReport[]): string {
  const states = (["as wanted", "differs", "conflict", "unknown"] as const).map((state) => {
    const number = reports.filter((report) => report.state === state).length;
    return number === 0 ? [] : [`${number} ${stateNames[state]}`];
  });
  return `${count(reports.length, "host")}: ${states.flat().join(", ")}`;
}

const stateNames = {
  "as wanted": "as wanted",
  differs: "differing",
  conflict: "not changeable as wanted",
  unknown: "could not be told",
} as const;
