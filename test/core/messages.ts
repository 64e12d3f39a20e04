/**
 * Every sentence that the product can print, found in its sources: what stands between quotes and has four words or
 * more.
 */
import { readFileSync, readdirSync } from "node:fs";
import ts from "typescript";

const folders = ["core", "provider", "cli", "components", "host"];
const fewestWords = 4;

/** By file, in the order of the source; `{…}` for what is put in. */
export function findMessages(): ReadonlyMap<string, readonly string[]> {
  const files = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true }).map((name) => `${folder}/${String(name)}`),
  );
  const found = files
    .sort()
    .flatMap((file): [string, string[]][] =>
      file.endsWith(".ts") ? [[file, inTypeScript(file)]] : file.endsWith(".sh") ? [[file, inShell(file)]] : [],
    );
  return new Map(found.filter(([, texts]) => texts.length > 0));
}

const isSentence = (text: string): boolean => text.trim().split(/\s+/).length >= fewestWords && /[a-z]{2}/.test(text);

function inTypeScript(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
  const texts: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) return;
    const text = textOf(node);
    if (text !== undefined && isSentence(text)) texts.push(text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return texts;
}

function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map(({ literal }) => `{…}${literal.text}`).join("");
}

/** Programs for awk and sed stand between quotes, too: a sentence has none of their signs. */
function inShell(file: string): string[] {
  const code = readFileSync(file, "utf8").replace(/^\s*#.*\n/gm, "");
  const quoted = [
    // A quote behind a backslash begins nothing.
    ...code.matchAll(/\\.|"((?:[^"\\$`]|\\.|\$\([^()]*(?:\([^()]*\)[^()]*)*\)|\$\{[^}]*\}|\$)*)"|'([^'\n]*)'/g),
  ];
  return quoted
    .map(([, double, single]) =>
      (double ?? single ?? "").replace(/\$\([^()]*(?:\([^()]*\)[^()]*)*\)|\$\{[^}]*\}|\$\w+/g, "{…}"),
    )
    .filter((text) => isSentence(text) && !/[{}[\]|^*]|\\[ns]|==|&&/.test(text.replaceAll("{…}", "")));
}
