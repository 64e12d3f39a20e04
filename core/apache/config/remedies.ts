/**
 * Says what a person must provide so that a condition or a variable can be decided from a copy of the files. Each kind
 * of condition has its own remedy.
 */
import { hostText } from "../../host-text.ts";
import { absolutePath } from "./paths.ts";
import type { Section } from "./sections.ts";
import { readWord } from "./arguments.ts";

/** What is known of the host and of its configuration. */
interface RemedyContext {
  /** Empty when the version is not known. */
  readonly version: string;
  readonly serverRoot: string;
  /** The conditions that could not be decided, by the names of variables and modules that they may have set. */
  readonly undetermined: ReadonlyMap<string, Section>;
}

const moveOut = "move what stands in this section out of it";
const giveValue = "give it under defines as NAME=VALUE";

/** The remedy for a condition that could not be decided. */
export function remedyForCondition(section: Section, context: RemedyContext): string {
  const argument = withoutNegation(section);
  if (argument.includes("${")) return `a variable stands in it; ${remedyForVariable(argument, context)}`;
  switch (section.name) {
    case "ifdefine":
      return dependence(argument, context) ?? "give the server's -D names under defines ([] where it has none)";
    case "ifmodule":
      return "give --httpd-modules FILE with the output of httpd -M";
    case "ifversion":
      return context.version === "" ? "give --httpd-version FILE with the output of httpd -V" : moveOut;
    case "iffile":
      return `copy the names in ${folderOf(argument, context)} of the host, too: empty files of these names are enough, and an empty directory where the host has none`;
    case "ifdirective":
      return /^ssl/i.test(argument) ? "give --httpd-modules FILE with the output of httpd -M" : moveOut;
    default:
      return moveOut;
  }
}

/** The directory of the path that an IfFile tests, with a slash at the end. */
function folderOf(argument: string, { serverRoot }: RemedyContext): string {
  const path = absolutePath(serverRoot, readWord(argument, 0).word);
  return hostText(path.slice(0, path.lastIndexOf("/") + 1));
}

/**
 * The remedy for a text with variables whose values are not known: the one of the first variable that depends on an
 * undecided condition, or else to give the value.
 */
export function remedyForVariable(text: string, context: RemedyContext): string {
  const names = [...text.matchAll(/\$\{([^}]*)\}/g)].map(([, name = ""]) => name);
  return names.map((name) => dependence(name, context)).find((remedy) => remedy !== undefined) ?? giveValue;
}

/**
 * The remedy where an undecided condition may set this name: there, `defines` in the site file cannot set it. Undefined
 * where no condition does.
 */
function dependence(name: string, context: RemedyContext): string | undefined {
  let condition = context.undetermined.get(name);
  if (condition === undefined) return undefined;
  // The name of an IfDefine may itself be set below another condition. The remedy is that of the condition at the
  // beginning of this chain.
  for (let steps = 0; steps < mostSteps && condition.name === "ifdefine"; steps++)
    condition = context.undetermined.get(withoutNegation(condition)) ?? condition;
  // The empty map ends the recursion: with it, no further name depends on a condition.
  const remedy = remedyForCondition(condition, { ...context, undetermined: new Map() });
  return `it depends on the condition at ${hostText(condition.file)}:${condition.node.line}: ${remedy}`;
}

/** The search has a limit, because conditions may depend on each other in a circle. */
const mostSteps = 10;

const withoutNegation = ({ arguments: text }: Section): string => text.replace(/^!\s*/, "");
