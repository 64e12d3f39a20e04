/** ESLint rules about inputs: each input is declared once, and its doc comment begins with its description. */
import { tsImport } from "tsx/esm/api";

/** @type {typeof import("../core/apache/inputs.ts")} */
const { clientAuthInputs } = await tsImport("../core/apache/inputs.ts", import.meta.url);

/** Inputs with ordinary names, which other things have, too: an endpoint has a port, a host has an owner. */
const ordinaryWords = ["owner", "connection", "port", "ca", "crls", "sample"];
const names = new Set(Object.keys(clientAuthInputs.shape).filter((name) => !ordinaryWords.includes(name)));

/** The files in which inputs are declared. */
export const declarations = ["core/*/inputs.ts"];

const nameOf = ({ key }) => (key.type === "Identifier" ? key.name : String(key.value ?? ""));

function isInFunction(node) {
  for (let at = node; at !== null; at = at.parent) if (/Function/.test(at.type)) return true;
  return false;
}

/**
 * The number of inputs that a table of a module may name by chance, because kinds of directives have such names, too.
 */
const mostByChance = 2;

/**
 * Reports a type, a schema or a table of a module that declares inputs again. A value that is taken from the
 * declaration is not a second declaration. Neither is a function that answers for each of several things.
 */
const declaredOnce = {
  meta: {
    type: "problem",
    schema: [],
    messages: {
      again:
        "the input {{name}} is declared in core/apache/inputs.ts: take its type by Pick or Omit, its schema from shape",
    },
  },
  create(context) {
    const check = (node) => {
      const name = nameOf(node);
      if (names.has(name) && node.typeAnnotation?.typeAnnotation.type !== "TSFunctionType")
        context.report({ node, messageId: "again", data: { name } });
    };
    const valueOf = ({ value }) => context.sourceCode.getText(value);
    return {
      TSPropertySignature: check,
      PropertyDefinition: check,
      ObjectExpression(node) {
        const named = node.properties.filter((one) => one.type === "Property" && names.has(nameOf(one)));
        const again = named.filter((one) => !valueOf(one).includes(`shape.${nameOf(one)}`));
        const isTable = again.length > mostByChance && !isInFunction(node);
        again.filter((one) => isTable || /^z\s*\./.test(valueOf(one))).forEach(check);
      },
    };
  },
};

/** Returns the text of `.describe("…")` in a chain of calls. */
function descriptionIn(value) {
  for (let at = value; at.type === "CallExpression" && at.callee.type === "MemberExpression"; at = at.callee.object)
    if (at.callee.property.name === "describe") return at.arguments[0]?.value;
  return undefined;
}

const widest = 120;

/** Returns the doc comment of a text that stands at a column, in lines of at most 120 columns. */
function docComment(text, column) {
  const indent = " ".repeat(column);
  if (column + text.length + 7 <= widest) return `/** ${text} */\n${indent}`;
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = `${lines.at(-1)} ${word}`;
    if (column + 2 + line.length <= widest) lines[lines.length - 1] = line;
    else lines.push(` ${word}`);
  }
  return ["/**", ...lines.map((line) => `${indent} *${line}`), `${indent} */`, indent].join("\n");
}

/**
 * Reports an input whose doc comment and description differ. Editors show the doc comment, and schemas hold the
 * description.
 */
const described = {
  meta: {
    type: "problem",
    fixable: "code",
    schema: [],
    messages: { other: "the doc comment of {{name}} must begin with its description; eslint --fix writes it" },
  },
  create: ({ sourceCode, report }) => ({
    Property(node) {
      const description = descriptionIn(node.value);
      if (typeof description !== "string") return;
      const comment = sourceCode.getCommentsBefore(node).findLast(({ value }) => value.startsWith("*"));
      const text = (comment?.value ?? "")
        .replace(/\s*\n\s*\*?\s?/g, " ")
        .replace(/^\*\s*/, "")
        .trim();
      if (text === description || text.startsWith(`${description} @`)) return;
      const fix = (fixer) => {
        const written = docComment(description, node.loc.start.column);
        const [start, end] = [comment?.range[0] ?? node.range[0], node.range[0]];
        return fixer.replaceTextRange([start, end], written);
      };
      report({ node, messageId: "other", data: { name: nameOf(node) }, fix });
    },
  }),
};

export const inputRules = { rules: { "declared-once": declaredOnce, described } };
