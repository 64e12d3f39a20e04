/**
 * The hosts' program as a reader of POSIX sh sees it: what is code, which variables a file sets, and which it reads.
 */

/** Stands for a character of a text, so that words stay words. */
const filler = "\x01";

/**
 * The text with the same length, without what no shell reads as code: comments, quoted text, documents. Expansions
 * stay.
 */
export function codeOf(text: string): string {
  const out = text.split("");
  const documents: { word: string; isLiteral: boolean }[] = [];
  const hide = (from: number, to: number, by = filler): void => {
    for (let at = from; at < to; at++) if (out[at] !== "\n") out[at] = by;
  };
  const codeFrom = (start: number, closing: string): number => {
    let depth = 0;
    let at = start;
    while (at < text.length) {
      const char = text[at] ?? "";
      if (char === ")" && depth === 0 && closing === ")") return at + 1;
      if (char === "(") depth++;
      if (char === ")" && depth > 0) depth--;
      at = stepOfCode(at, char);
    }
    return at;
  };
  const stepOfCode = (at: number, char: string): number => {
    if (char === "\\") {
      hide(at, at + 2);
      return at + 2;
    }
    if (char === "'") return hideTo(at, text.indexOf("'", at + 1) + 1 || text.length);
    if (char === '"') return quotedFrom(at + 1);
    if (char === "$") return expansionFrom(at, false);
    if (char === "#" && /[\s;(]/.test(text[at - 1] ?? "\n")) return hideTo(at, endOfLine(at), " ");
    const document = char === "<" ? /^<<(?!<)-?('?)(\w+)'?/.exec(text.slice(at, at + 40)) : null;
    if (document !== null) {
      documents.push({ word: document[2] ?? "", isLiteral: document[1] === "'" });
      return hideTo(at, at + document[0].length, " ");
    }
    return char === "\n" ? documentsFrom(at + 1) : at + 1;
  };
  const hideTo = (from: number, to: number, by?: string): number => {
    hide(from, to, by);
    return to;
  };
  const endOfLine = (at: number): number => (text.indexOf("\n", at) + 1 || text.length + 1) - 1;
  const quotedFrom = (start: number): number => {
    hide(start - 1, start);
    let at = start;
    while (at < text.length && text[at] !== '"') at = stepOfText(at);
    return hideTo(at, at + 1);
  };
  const stepOfText = (at: number): number => {
    if (text[at] === "$") return expansionFrom(at, true);
    return hideTo(at, at + (text[at] === "\\" ? 2 : 1));
  };
  const expansionFrom = (at: number, isQuoted: boolean): number => {
    if (text[at + 1] === "(") return codeFrom(at + 2, ")");
    if (text[at + 1] !== "{") return at + 1 + (/^\w+/.exec(text.slice(at + 1, at + 60))?.[0].length ?? 1);
    let end = at + 2 + (/^#?\w*/.exec(text.slice(at + 2, at + 60))?.[0].length ?? 0);
    while (end < text.length && text[end] !== "}") {
      const char = text[end] ?? "";
      end = char === "$" || (!isQuoted && /['"\\]/.test(char)) ? stepOfCode(end, char) : stepOfText(end);
    }
    return end + 1;
  };
  const documentsFrom = (start: number): number => {
    let at = start;
    for (const { word, isLiteral } of documents.splice(0)) {
      const end = text.indexOf(`\n${word}\n`, at - 1) + 1 || text.length;
      while (at < end) at = isLiteral ? hideTo(at, end) : stepOfText(at);
      at = hideTo(end, end + word.length, " ");
    }
    return at;
  };
  codeFrom(0, "");
  return out.join("");
}

export interface ShellName {
  readonly name: string;
  readonly start: number;
  /** `temporary`: for the one program behind it. */
  readonly kind: "set" | "read" | "temporary";
}

/** Each place of the code where a variable is set or read. */
export function variablesOf(text: string): ShellName[] {
  const code = codeOf(text);
  return [...assignmentsOf(code), ...targetsOf(code), ...readsOf(code)].sort((a, b) => a.start - b.start);
}

function assignmentsOf(code: string): ShellName[] {
  return [...code.matchAll(/(?<=^|[\s;(){}&|!])([A-Za-z_]\w*)=/gm)].flatMap((found): ShellName[] => {
    if (!isCommandStart(code.slice(code.lastIndexOf("\n", found.index - 1) + 1, found.index))) return [];
    const kind = hasCommandBehind(code, found.index) ? "temporary" : "set";
    return [{ name: found[1] ?? "", start: found.index, kind }];
  });
}

/** `before`, of the same line: behind what ends a command or begins one, and behind other assignments. */
function isCommandStart(before: string): boolean {
  const start = /(^|[;(){}&|!]|\b(then|do|else|elif|if|while|until|command))[ \t]*([A-Za-z_]\w*=[^\s;&|(){}]*[ \t]+)*$/;
  return start.test(withoutNested(before));
}

/** Expansions and commands within a word, as one character each. */
function withoutNested(code: string): string {
  const less = code.replace(/\$\([^(){}]*\)|\$\(\([^(){}]*\)\)|\$\{[^(){}]*\}/g, filler);
  return less === code ? code : withoutNested(less);
}

function hasCommandBehind(code: string, start: number): boolean {
  let at = start;
  for (;;) {
    at = endOfWord(code, at);
    while (code[at] === " ") at++;
    if (!/^[A-Za-z_]\w*=/.test(code.slice(at, at + 80))) break;
  }
  return /^[\w"$\x01/.-]/.test(code.slice(at, at + 1)) && !/^(in|then|do)\b/.test(code.slice(at, at + 5));
}

/** Of a word with its expansions; or of one expansion alone. */
function endOfWord(code: string, start: number, isExpansion = false): number {
  let depth = 0;
  let at = start;
  for (; at < code.length; at++) {
    const char = code[at] ?? "";
    if (depth === 0 && /[\s;&|<>)]/.test(char)) return at;
    if (/[({]/.test(char)) depth++;
    if (/[)}]/.test(char)) depth--;
    if (isExpansion && depth === 0 && /[)}]/.test(char)) return at + 1;
  }
  return at;
}

/** Of `read` and `for`. */
function targetsOf(code: string): ShellName[] {
  const lists = [...code.matchAll(/(?<=[\s;&|{(])(read(?: +-\w+)* +|for +)((?:[A-Za-z_]\w* *)+)/gm)];
  return lists.flatMap((list) => {
    const names = list[1]?.startsWith("for") === true ? (list[2] ?? "").replace(/ .*$/, "") : (list[2] ?? "");
    const start = list.index + (list[1] ?? "").length;
    return [...names.matchAll(/\w+/g)].map((one): ShellName => ({
      name: one[0],
      start: start + one.index,
      kind: "set",
    }));
  });
}

function readsOf(code: string): ShellName[] {
  const expansions = [...code.matchAll(/\$\{?#?([A-Za-z_]\w*)/g)].map((found): ShellName => ({
    name: found[1] ?? "",
    start: found.index + found[0].length - (found[1] ?? "").length,
    kind: "read",
  }));
  return [...expansions, ...bareReadsOf(code)];
}

/** Names without a dollar: in arithmetic, where commands may stand within it, and behind `export` and `unset`. */
function bareReadsOf(code: string): ShellName[] {
  const lists = [...code.matchAll(/(?<=[\s;](?:export|unset))(?: +[A-Za-z_]\w*)+/g)].map(
    (found) => [found.index, found.index + found[0].length] as const,
  );
  const sums = [...code.matchAll(/\$\(\(/g)].flatMap((found) => arithmeticFrom(code, found.index + 3));
  return [...lists, ...sums].flatMap(([start, end]) =>
    [...code.slice(start, end).matchAll(/(?<![\w$#{]|\$\{#)[A-Za-z_]\w*/g)].map((one): ShellName => ({
      name: one[0],
      start: start + one.index,
      kind: "read",
    })),
  );
}

/** The stretches of one sum, from `start` to its end, without the commands and expansions within. */
function arithmeticFrom(code: string, start: number): (readonly [number, number])[] {
  const stretches: (readonly [number, number])[] = [];
  let from = start;
  let at = start;
  for (let depth = 0; depth >= 0; at++) {
    const isNested = code[at] === "$" && /[({]/.test(code[at + 1] ?? "");
    if (isNested && code.slice(at, at + 3) !== "$((") {
      stretches.push([from, at]);
      from = at = endOfWord(code, at, true);
    }
    if (code[at] === "(") depth++;
    if (code[at] === ")") depth--;
  }
  return [...stretches, [from, at]];
}

/**
 * Each place of the code where one of `names` stands as a command, or as the first word of what `limited` and its like
 * run.
 */
export function callsOf(code: string, names: ReadonlySet<string>): { name: string; start: number }[] {
  return [...code.matchAll(/(?<![\w$.\/{-])[a-z_]\w*(?![\w=(])/g)].flatMap(({ 0: name, index: start }) => {
    if (!names.has(name)) return [];
    const before = code.slice(code.lastIndexOf("\n", start - 1) + 1, start);
    return isCommandStart(before) || /\blimited $|\bverify_probe \S+ $/.test(before) ? [{ name, start }] : [];
  });
}

/** For each character, how many subshells it stands in; the pattern of a case opens none. */
export function depthsOf(code: string): number[] {
  let depth = 0;
  return [...code].map((char, at) => {
    if (char === "(" && code[at + 1] !== ")") depth++;
    if (char === ")" && depth > 0 && code[at - 1] !== "(") depth--;
    return depth;
  });
}
