/**
 * `clientcert plan`: makes the plan of `check` for a copy of a host's files and shows it as a diff. With `--write`, the
 * command carries the plan out on the copy.
 */
import { readFileSync } from "node:fs";
import { ownerIn } from "../core/apache/facts/own-conf.ts";
import { readFacts } from "../core/apache/facts/read-facts.ts";
import { plan as planHost } from "../core/apache/plan/plan.ts";
import type { Change, Facts } from "../core/apache/model.ts";
import type { SiteHost } from "../core/site/schema.ts";
import type { Inputs } from "../core/apache/inputs.ts";
import { shownLines } from "../core/shown.ts";
import { hostBytes, hostText } from "../core/host-text.ts";
import { decodeText } from "../core/site/text.ts";
import { contentsOf, readFilesOf } from "../provider/apache/transaction.ts";
import { desiredOf } from "../provider/apache/parse-inputs.ts";
import { inputsForCopy } from "./copy-inputs.ts";
import { type SiteHosts, openHosts, refuse } from "./open-hosts.ts";
import { type HttpdOutput, openOutputs } from "./httpd-output.ts";
import { type Answer, type Style } from "./output.ts";
import { codeOf } from "./exit-code.ts";
import { type HostReport, renderReport, reportError, reportPlan, inputsFor } from "./report.ts";
import { type SavedHost, readSaved } from "./saved.ts";
import { type Tree, openTree } from "./tree.ts";
import { renderDiff, writeChange } from "./tree-change.ts";
import { mainFiles, observeTree, type TreeWanted } from "./tree-observation.ts";

export interface PlanOptions {
  /** The path of a site file, or the name of a stack. */
  readonly site: string;
  readonly host: string;
  /** The directory that stands for the host's `/`. */
  readonly tree: string;
  /** The file that `clientcert check --save` wrote. */
  readonly saved: string | undefined;
  /** The file with the output of `httpd -V`. */
  readonly httpdVersion?: string | undefined;
  /** The file with the output of `httpd -M`. */
  readonly httpdModules?: string | undefined;
  /** Whether the plan is carried out on the copy. */
  readonly write: boolean;
  readonly json: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly style: Style;
  /** Whether the output goes to a terminal. Bytes that a terminal could obey are then escaped. */
  readonly isTerminal: boolean;
}

/**
 * Opens everything that the command line names, and then plans. The first file that cannot be used ends the command
 * with the exit code 2.
 */
export function plan(options: PlanOptions): Answer {
  const opened = openHosts(options.site, [options.host]);
  if ("problems" in opened) return refuse(opened.problems, options.json);
  const tree = openDirectory(options.tree);
  if ("problem" in tree) return refuse([tree.problem], options.json);
  const saved = openSaved(options);
  if (saved !== undefined && "problem" in saved) return refuse([saved.problem], options.json);
  const output = openOutputs(options);
  if ("problems" in output) return refuse(output.problems, options.json);
  const [host] = opened.hosts;
  if (host === undefined) throw new Error(`${options.host}: was found and is not there`); // openHosts found the host
  return planCopy({ site: opened, host, tree, saved, output }, options);
}

interface Copy {
  readonly site: SiteHosts;
  readonly host: SiteHost;
  readonly tree: Tree;
  readonly saved: SavedHost | undefined;
  readonly output: HttpdOutput;
}

interface Planned {
  readonly report: HostReport;
  /**
   * Undefined when nothing is to be changed, when it is not known what to change, and when something forbids the
   * change.
   */
  readonly step?: Step;
}

interface Step {
  readonly inputs: Inputs;
  readonly facts: Facts;
  readonly change: Change;
}

/**
 * Makes the plan and shows its diff. With `--write` it also carries the plan out, and reports on the copy as it is
 * then.
 */
function planCopy(copy: Copy, options: PlanOptions): Answer {
  const { report, step } = planOnce(copy, options.now);
  if (step === undefined) return answer(copy, { report, diff: "" }, options);
  const diff = renderDiff(copy.tree, step.facts, step.change);
  if (!options.write) return answer(copy, { report, diff }, options);
  const contents = contentsOf(step.inputs, step.change.write, () => readFilesOf(step.inputs, step.facts));
  writeChange(copy.tree, step.facts, step.change, contents);
  // The copy is observed again, because only its present content counts.
  const after = planOnce(copy, options.now).report;
  return answer(copy, { report: after, diff, written: report.changes }, options);
}

/**
 * Observes the copy and plans for it. There is a step only where the copy differs from what is wanted and nothing
 * forbids the change. An error becomes the report.
 */
function planOnce({ site, host, tree, saved, output }: Copy, now: number): Planned {
  try {
    const { config, defines } = host;
    // A person wrote the path and the names as text. On the host they are bytes.
    const bytes = { config: config && hostBytes(config), defines: defines?.map(hostBytes) };
    const wanted = { ...bytes, saved, output, now };
    const observation = observeTree(tree, wanted);
    if (observation === undefined) throw new Error(describeMissing(wanted));
    const facts = readFacts(observation, { port: host.port });
    // The journal names the owner, but only root can read it. A copy without it still has our configuration.
    const owner = facts.own.owner ?? ownerIn(facts.own.conf);
    const { inputs, diagnostics } = inputsForCopy(inputsFor(site, host, owner), facts);
    const report = reportPlan(inputs, host, { facts, diagnostics, lines: site.lines }, now);
    const { change } = planHost(desiredOf(inputs), facts);
    // A patch that leaves out what cannot be done would look complete.
    return change === undefined || report.state !== "differs"
      ? { report }
      : { report, step: { inputs, facts, change } };
  } catch (error) {
    return { report: reportError(site, host, error) };
  }
}

function describeMissing(wanted: TreeWanted): string {
  const places = hostText(mainFiles(wanted).join(", "));
  return `the copy has no main configuration file (${places}); copy it too, or give its path as config`;
}

interface PlanResult {
  readonly report: HostReport;
  /** The bytes of the diff, as latin1. */
  readonly diff: string;
  /** What the command did to the copy. */
  readonly written?: readonly string[];
}

/** What decided about the conditions of the configuration (`IfModule`, `IfDefine`, …), in words. */
function truthOf({ saved, output }: Copy): string {
  if (saved !== undefined) return `the observation saved at ${saved.savedAt}, and the files`;
  const commands = [...(output.version ? ["httpd -V"] : []), ...(output.modules ? ["httpd -M"] : [])];
  return commands.length === 0 ? "the files alone" : `the output of ${commands.join(" and ")}, and the files`;
}

/** The answer as one JSON object without the diff, or as the report with the bytes of the diff after it. */
function answer(copy: Copy, { report, diff, written }: PlanResult, options: PlanOptions): Answer {
  const code = codeOf([report]);
  const { site } = copy;
  const truth = truthOf(copy);
  if (options.json) {
    const result = { site: site.file, tree: options.tree, truth, ...(written && { written }), host: report };
    return { output: `${JSON.stringify(result, undefined, 2)}\n`, code };
  }
  const lines = [
    ...(written === undefined ? [] : [`written to ${options.tree}:`, ...written.map((line) => `  ${line}`)]),
    renderReport(report, options.style),
    `  What is true of conditions was told by ${truth}.`,
    ...(report.state === "conflict" ? [refusedText(options)] : []),
  ];
  // A file or a pipe gets the bytes themselves, so that `patch` can use them.
  const bytes = Buffer.from(diff, "latin1");
  return {
    output: `${lines.join("\n")}\n`,
    bytes: options.isTerminal ? Buffer.from(diffForTerminal(diff)) : bytes,
    code,
  };
}

const refusedText = ({ write }: PlanOptions): string =>
  `  While a conflict or problem stands, there is no diff${write ? ", and nothing was written" : ""}.`;

/**
 * The diff as a terminal shows it. `latin1` has one character for each byte. A line of valid UTF-8 is shown as such; in
 * any other line each byte beyond ASCII becomes `\xNN`, so that one line in another encoding does not spoil the rest.
 * Characters that a terminal would obey, or that nobody would see, are escaped.
 */
function diffForTerminal(latin1: string): string {
  return shownLines(latin1.split("\n").map(hostText).join("\n"));
}

function openDirectory(directory: string): Tree | { readonly problem: string } {
  try {
    return openTree(directory);
  } catch {
    return {
      problem: `--tree ${directory}: is no directory that can be read; give the copy that stands for the host's /`,
    };
  }
}

/** What the file of `--saved` holds about the host. Undefined where the option was not given. */
function openSaved({ saved: file, host }: PlanOptions): SavedHost | { readonly problem: string } | undefined {
  if (file === undefined) return undefined;
  const read = readSavedFile(file);
  if ("problem" in read) return { problem: `--saved ${file}: ${read.problem}` };
  // The entries are searched, because `read.hosts[host]` would find inherited properties, such as `constructor`.
  const saved = Object.entries(read.hosts).find(([name]) => name === host)?.[1];
  const names = Object.keys(read.hosts).join(", ") || "none";
  return saved ?? { problem: `--saved ${file}: has no host ${JSON.stringify(host)}; there are: ${names}` };
}

function readSavedFile(file: string): ReturnType<typeof readSaved> {
  try {
    const text = decodeText(readFileSync(file));
    return typeof text === "string" ? readSaved(text) : { problem: text.text };
  } catch {
    return { problem: "cannot be read; make it with npx clientcert check --save FILE" };
  }
}
