/** How the demo speaks: what is about to happen, the command, its output, what was seen. */

const isTerminal = process.stdout.isTTY === true && !process.env["NO_COLOR"];
const colour = (code: number, text: string): string => (isTerminal ? `\u001b[${code}m${text}\u001b[0m` : text);

export function showTitle(number: number, total: number, title: string, about: string): void {
  console.log(`\n${colour(1, `Step ${number} of ${total}: ${title}`)}`);
  console.log(wrap(about, "  "));
}

export function showCommand(words: readonly string[]): void {
  console.log(colour(36, `\n  $ ${words.join(" ")}`));
}

/** Says only that a stand-in serves where Pulumi's own language host is not installed. */
const noise = /using pulumi-language-nodejs from \$PATH|^\s*pulumi:pulumi:Stack \([^)]*\):$/;

/** What the command found and did; its progress, which a terminal overwrites, is left out. */
export function showOutput(output: string): void {
  const lines = output.split("\n").filter((line) => line.trim() !== "" && !noise.test(line));
  const first = lines.findIndex((line) => /^(Diagnostics|Outputs|Resources):/.test(line));
  console.log(colour(2, lines.slice(Math.max(first, 0)).join("\n").replace(/^/gm, "  | ")));
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
