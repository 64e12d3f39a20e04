/** `clientcert lint FILE…`: reports everything that can be found out about site files without a host. */
import { siteFileOf } from "./open-hosts.ts";
import { exitCode } from "./exit-code.ts";
import { type Answer, type Style, count } from "./output.ts";
import { type Message, type OpenSite, openSite, renderMessage } from "./open-site.ts";

export interface LintOptions {
  readonly json: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly style: Style;
}

/**
 * Checks site files and the files that they name, and lists what is wrong. `files` are paths, or names of stacks. The
 * exit code is 2 when any file has a problem. Warnings do not count.
 */
export function lint(files: readonly string[], { json, now, style }: LintOptions): Answer {
  const sites = files.map((file) => openSite(siteFileOf(file), now));
  const problems = sites.flatMap(({ messages }) => messages.filter(isProblem)).length;
  const output = json ? renderJson(sites) : renderText(sites, style);
  return { output, code: problems > 0 ? exitCode.wrongInput : exitCode.fine };
}

const isProblem = ({ severity }: Message): boolean => severity === "problem";

function renderJson(sites: readonly OpenSite[]): string {
  const files = sites.map(({ file, messages }) => ({ file, fine: !messages.some(isProblem), messages }));
  return `${JSON.stringify({ files }, undefined, 2)}\n`;
}

function renderText(sites: readonly OpenSite[], style: Style): string {
  const lines = sites.flatMap(({ messages }) => messages.map((message) => renderLine(message, style)));
  return [...lines, summarize(sites, style), ""].join("\n");
}

const renderLine = (message: Message, style: Style): string =>
  isProblem(message)
    ? `${style.red("problem")} ${renderMessage(message)}`
    : `${style.yellow("warning")} ${renderMessage(message)}`;

/** The last line: how many files were checked, and how many problems and warnings there are. */
function summarize(sites: readonly OpenSite[], style: Style): string {
  const all = sites.flatMap(({ messages }) => messages);
  const problems = all.filter(isProblem).length;
  const warnings = all.length - problems;
  const checked = count(sites.length, "site file");
  const warned = warnings > 0 ? `, ${count(warnings, "warning")}` : "";
  if (all.length === 0) return style.green(`${checked}: fine`);
  return problems === 0
    ? style.yellow(`${checked}: no problem${warned}`)
    : style.red(`${checked}: ${count(problems, "problem")}${warned}`);
}
