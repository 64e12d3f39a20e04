/** The functions of the program that runs on hosts, as its files have them: which are marked, and which write. */
import { readdirSync, readFileSync } from "node:fs";

const folder = new URL("../../host/posix/", import.meta.url);
const mark = "# writes";

export interface ShellFunction {
  readonly file: string;
  readonly name: string;
  readonly isMarked: boolean;
  /** Of its name in the text of its file. */
  readonly start: number;
  readonly text: string;
  /**
   * Without comments, and without what stands between single quotes (programs of awk and sed, texts) or in documents.
   */
  readonly commands: string;
}

/** Each file's text, by its name below `host/posix`. */
export function readShellFiles(): Map<string, string> {
  const names = readdirSync(folder, { encoding: "utf8", recursive: true }).filter((name) => name.endsWith(".sh"));
  return new Map(names.map((name) => [name, readFileSync(new URL(name, folder), "utf8")]));
}

export function readShellFunctions(): ShellFunction[] {
  return [...readShellFiles()].flatMap(([file, text]) => shellFunctionsOf(file, text));
}

export function shellFunctionsOf(file: string, text: string): ShellFunction[] {
  return [...text.matchAll(/(^# .*\n)?^(\w+)\(\) ([{(])(.*(?:;| \)) ?[})](?: #.*)?$|[^]*?\n[})](?=[ \n]))/gm)].map(
    ({ index, 0: found, 1: above = "", 2: name = "", 4: body = "" }) => ({
      file,
      name,
      isMarked: above === `${mark}\n`,
      start: index + above.length,
      text: found.slice(above.length),
      commands: withoutTexts(body.replace(/^\s*#.*\n/gm, "")),
    }),
  );
}

/** An apostrophe within double quotes, and one that a backslash takes, begin no text. */
function withoutTexts(body: string): string {
  const withoutDocuments = body.replace(/<<-?(\w+)\n[^]*?\n\1(?=\n)/g, "\n");
  return withoutDocuments.replace(/\\.|"(?:\\.|\$\([^()]*\)|[^"\\])*"|'[^']*'/g, (found) =>
    found.startsWith("'") ? "''" : found,
  );
}

let names: ReadonlySet<string> | undefined;

/** Those that change something on the host, or lead from one such change to the next. */
export function markedFunctions(): ReadonlySet<string> {
  return (names ??= new Set(
    readShellFunctions()
      .filter(({ isMarked }) => isMarked)
      .map(({ name }) => name),
  ));
}

/** What the function changes outside of its run's own work directory, as it stands there. */
export function writesOf({ commands }: ShellFunction): string[] {
  return [...redirections(commands), ...changes(commands)];
}

function redirections(commands: string): string[] {
  return [...commands.matchAll(/(?<!-)>>?\|?\s*("(?:\\.|[^"])*"[^\s;|&)]*|[^\s;|&)]+|&[\d-])/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^(\/dev\/null$|&[\d-])/.test(target) && !isOfRun(target));
}

/** In the work directory, but for what the next run would put back by. */
function isOfRun(word: string): boolean {
  return /^"\$work(\/|")/.test(word) && !/^"\$work\/(swapped|before|made|directory|lock)/.test(word);
}

/** What each of these gets changes; of `cp` and `ln` what comes last. */
function changes(commands: string): string[] {
  const words =
    "mv|rm|cp|mkdir|rmdir|ln|kill|sync|chmod|chown|touch|mkfifo|tee|dd|truncate|exch|mount|umount|chroot|chattr|systemctl";
  const pattern = new RegExp(
    `(?:^|[;&|({!\\n]|\\b(?:then|do|else|exec|command|if|until|while))\\s*(${words})\\s+([^;&|\\n]*)`,
    "g",
  );
  return [...commands.matchAll(pattern)].flatMap(([, word = "", given = ""]) => {
    const text = `${word} ${given}`.trim();
    const operands = operandsOf(given);
    if (word === "kill") return given.startsWith("-0 ") ? [] : [text];
    if (word === "systemctl") return /^(show|is-enabled|is-active) /.test(given) ? [] : [text];
    const changed = word === "cp" || word === "ln" ? operands.slice(-1) : operands;
    return changed.every(isOfRun) ? [] : [text];
  });
}

function operandsOf(given: string): string[] {
  const found = given.replace(/\d?>>?\s*\S+|-m \d+/g, "").match(/(?:"(?:\\.|\$\([^()]*\)|[^"])*"|[^\s"])+/g) ?? [];
  return found.filter((word) => !word.startsWith("-") && !/^[)}]*$/.test(word));
}
