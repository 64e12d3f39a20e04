/** What the demo prints: what is about to happen, the command, its output, and what was seen. */

const isTerminal = process.stdout.isTTY === true && !process.env["NO_COLOR"];
const colour = (code: number, text: string): string => (isTerminal ? `\u001b[${code}m${text}\u001b[0m` : text);

export function showTitle(number: number, total: number, title: string, about: string): void {
  console.log(`\n${colour(1, `Step ${number} of ${total}: ${title}`)}`);
  console.log(wrap(about, "  "));
}

export function showCommand(words: readonly string[]): void {
  console.log(colour(36, `\n  $ ${words.join(" ")}`));
}

/**
 * Lines that say nothing about the host: that a stand-in replaces Pulumi's own language host where that is not
 * installed, headings of the stack, that the stack failed with its resources, and how to remove it.
 */
const noise =
  /using pulumi-language-nodejs from|^\s*pulumi:pulumi:Stack \(|^\s*error: (preview|update|destroy) failed$|^Duration:|^The resources in the stack|^If you want to/;
/** Each run prints this warning, as it should on a real site. In the demo once is enough. */
const repeated = /warning: .*the CRL of .* has expired/;
let hasWarned = false;

/**
 * Shows what the command found and did. It leaves out the progress, which a terminal overwrites, and mostly the outputs
 * of the stack.
 */
export function showOutput(output: string, withOutputs: boolean): void {
  const lines = output.split("\n").filter((line) => line.trim() !== "" && !noise.test(line));
  const first = lines.findIndex((line) => /^(Diagnostics|Outputs|Resources):/.test(line));
  const shown = withoutOutputs(lines.slice(Math.max(first, 0)), withOutputs).filter((line) => {
    const isRepeated = repeated.test(line);
    const isShown = !isRepeated || !hasWarned;
    hasWarned ||= isRepeated;
    return isShown;
  });
  const told = withoutEmptyHeadings(shown);
  if (told.length > 0) console.log(colour(2, told.join("\n").replace(/^/gm, "  | ")));
}

const heading = /^(Diagnostics|Outputs|Resources):$|^ +[\w-]+:[\w/-]*:\w+ \(.+\):$/;

/** Leaves out a heading, of the engine or of a resource, below which no line is left. */
export function withoutEmptyHeadings(lines: readonly string[]): readonly string[] {
  const indentOf = (line = ""): number => line.search(/\S|$/);
  return lines.reduceRight<readonly string[]>((kept, line) => {
    const hasText = kept.length > 0 && indentOf(kept[0]) > indentOf(line);
    return heading.test(line) && !hasText ? kept : [line, ...kept];
  }, []);
}

function withoutOutputs(lines: readonly string[], withOutputs: boolean): readonly string[] {
  const start = lines.indexOf("Outputs:");
  const end = lines.indexOf("Resources:");
  return withOutputs || start < 0 || end < start ? lines : [...lines.slice(0, start), ...lines.slice(end)];
}

export function showSeen(lines: readonly string[]): void {
  for (const line of lines) console.log(`  seen: ${line}`);
}

export function showResult(isExpected: boolean, problem = ""): void {
  console.log(isExpected ? colour(32, "  as expected") : colour(31, `  NOT as expected: ${problem}`));
}

export function showTable(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows)
    console.log(`  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd());
}

function wrap(text: string, indent: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.length - 1;
    if (`${lines[last]} ${word}`.length > 110) lines.push(word);
    else lines[last] = `${lines[last]} ${word}`.trim();
  }
  return lines.map((line) => indent + line).join("\n");
}
