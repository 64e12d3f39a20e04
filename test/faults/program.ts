/** The program that runs on hosts, with a fault built in: the steps are found in its text, so none can be forgotten. */
import { hostScript } from "../../provider/apache/host-program.ts";
import { markedFunctions } from "./marks.ts";

/** Directory on the host: how many steps were taken, and what was to be seen at each. */
const traces = "/run/fault";
export interface FaultOptions {
  /**
   * Shell command for each step, which finds its number in `$fault_step`; it runs in the process that carries the
   * change out.
   */
  readonly at?: string;
  /** Lets no judge speak, for tests of what comes after it. @default false */
  readonly unjudged?: boolean;
  /** Shell text that redefines functions. */
  readonly more?: string;
}

/** The program with `at` before each of its commands that change something. */
export function faultyProgram({ at, unjudged = false, more = "" }: FaultOptions): string {
  const text = at === undefined ? hostScript() : withSteps(hostScript());
  const step = `fault_point() {
  fault_step=0
  [ -d ${traces} ] || mkdir ${traces}
  [ ! -f ${traces}/count ] || read -r fault_step <${traces}/count
  fault_step=$((fault_step + 1))
  echo "$fault_step" >${traces}/count
  echo "$1" >>${traces}/functions
  ${at ?? ":"}
}
`;
  const judge = "judge_candidate() { list_placed && verdict=well judge=syntax; }\n";
  return replaceOnce(text, 'main "$@"\n', `${step}${unjudged ? judge : ""}${more}\nmain "$@"\n`);
}

/** Kills every process of the run at once, as a power cut does. */
export const killAt = (step: number): string => `[ "$fault_step" != ${step} ] || kill -KILL -$$`;

/**
 * Writes down what counts on the disk at each step, as one word a line: the configuration, and what the next run goes
 * by.
 */
export const noteState = `{
    find /usr/local/ni/apache/conf -printf '%p %y %s %i\\n'
    find /var/lib/clientcert -maxdepth 1 -printf '%p\\n'
    cat /var/lib/clientcert/*/run.*/swapped /var/lib/clientcert/*/journal
    echo "\${reload_signalled:-}"
  } 2>/dev/null | sha256sum >>${traces}/states`;

export const forgetSteps = `rm -rf ${traces}`;

/** From what {@link noteState} wrote: the numbers of the steps at which something was other than at the step before. */
export const readSteps = `cat ${traces}/states`;

/** The functions that were stepped through, a line each. */
export const readFunctionsSeen = `sort -u ${traces}/functions`;

/** Where the run was ended. */
export const readLastFunction = `tail -n 1 ${traces}/functions`;

export function distinctSteps(states: string): number[] {
  const lines = states.trim().split("\n");
  return lines.flatMap((line, index) => (line === lines[index - 1] ? [] : [index + 1]));
}

/**
 * The text with one more line before each command of the functions, and one more command before each part of an
 * and-list.
 */
function withSteps(text: string): string {
  const marked = markedFunctions();
  let inside: string | undefined;
  let isQuoted = false;
  let before = "";
  const lines = text.split("\n").map((line) => {
    const [, name, oneLine] = /^(\w+)\(\) \{(?: (.*; \}))?$/.exec(line.replace(/ #.*$/, "")) ?? [];
    if (name !== undefined) {
      const isMarked = marked.has(name);
      if (oneLine !== undefined) return isMarked ? `${name}() { fault_point ${name}; ${oneLine}` : line;
      inside = isMarked ? name : undefined;
      before = "";
      // The function before may have had a lone apostrophe in its words.
      isQuoted = false;
      return line;
    }
    if (line === "}") inside = undefined;
    const wasQuoted = isQuoted;
    if ((line.match(/'/g) ?? []).length % 2 === 1) isQuoted = !isQuoted;
    if (inside === undefined || wasQuoted || isQuoted) return line;
    if (line.includes("<<")) throw new Error(`${inside}: has a document, which a step would become a part of`);
    const point = `fault_point ${inside}`;
    const isContinued = /(&&|\|\||\||\\|\()$/.test(before);
    const stepped = withStepsInLists(line, point, before.endsWith("&&"));
    before = line;
    return isContinued || !startsCommand(line) ? stepped : `${point}\n${stepped}`;
  });
  return lines.join("\n");
}

/**
 * Not before `fi` and its like, not before the pattern of a case, and not between a command and who asks for its
 * status.
 */
function startsCommand(line: string): boolean {
  return (
    !/^\s*(fi|done|esac|else|elif|then|do|\}|\)|\||;;)/.test(line) &&
    !/^\s*[^\s(]+( \| [^\s(]+)*\) /.test(line) &&
    !/^\s*\w+=\$\?/.test(line)
  );
}

/** `isListed`: the line goes on with the and-list of the one before. */
function withStepsInLists(line: string, point: string, isListed: boolean): string {
  const stepped = line
    .split(/('[^']*'|"[^"]*")/)
    .map((part, index) => (index % 2 === 1 ? part : part.replaceAll(" && ", ` && ${point} && `)))
    .join("");
  return isListed ? `${point} && ${stepped.trimStart()}` : stepped;
}

export function replaceOnce(text: string, from: string, to: string): string {
  if (text.split(from).length !== 2)
    throw new Error(`${JSON.stringify(from)}: not there exactly once; adapt this test`);
  return text.replace(from, () => to);
}
