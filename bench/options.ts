/** Options of the commands of bench/: all of them take a text. */
import { parseArgs } from "node:util";

/** Ends the process with the usage where that is asked for, and with 2 for an option that there is not. */
export function readOptions<Name extends string>(usage: string, names: readonly Name[]): Partial<Record<Name, string>> {
  const texts = names.map((name) => [name, { type: "string" }] as const);
  try {
    const { values } = parseArgs({ options: { help: { type: "boolean", short: "h" }, ...Object.fromEntries(texts) } });
    if (values.help !== true) return values as Partial<Record<Name, string>>; // each of them was declared a text
    console.log(usage);
    process.exit(0);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}
