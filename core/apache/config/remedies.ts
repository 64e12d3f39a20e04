/**
 * Says what a person must provide so that a condition or a variable can be decided from a copy of the files. Each kind
 * of condition has its own remedy.
 */
import { hostText } from "../../host-text.ts";
import { absolutePath } from "./paths.ts";
import type { Section } from "./sections.ts";
import { readWord } from "./arguments.ts";

interface Known {
  /** Empty when the version is not known. */
  readonly version: string;
  readonly serverRoot: string;
  /** The conditions that could not be decided, by the names of variables and modules that they may have set. */
  readonly undetermined: ReadonlyMap<string, Section>;
}

const outside = "move what stands in this section out of it";
const variables = "give it under defines as NAME=VALUE";

/** The remedy for a condition that could not be decided. */
export function remedyForCondition(section: Section, known: Known): string {
  const argument = withoutSign(section);
  if (argument.includes("${")) return `a variable stands in it; ${remedyForVariable(argument, known)}`;
  switch (section.name) {
    case "ifdefine":
      return dependence(argument, known) ?? "give the server's -D names under defines ([] where it has none)";
    case "ifmodule":
      return "give --httpd-modules FILE with the output of httpd -M";
    case "ifversion":
      return known.version === "" ? "give --httpd-version FILE with the output of httpd -V" : outside;
    case "iffile":
      return `copy the names in ${folderOf(argument, known)} of the host, too: empty files of these names are enough, and an empty directory where the host has none`;
    case "ifdirective":
      return /^ssl/i.test(argument) ? "give --httpd-modules FILE with the output of httpd -M" : outside;
    default:
      return outside;
  }
}

function folderOf(argument: string, { serverRoot }: Known): string {
  const path = absolutePath(serverRoot, readWord(argument, 0).word);
  return hostText(path.slice(0, path.lastIndexOf("/") + 1));
}

/** The remedy for a text with variables whose values are not known. */
export function remedyForVariable(text: string, known: Known): string {
  const names = [...text.matchAll(/\$\{([^}]*)\}/g)].map(([, name = ""]) => name);
  return names.map((name) => dependence(name, known)).find((found) => found !== undefined) ?? variables;
}

/**
 * The remedy where a Define below another condition sets this name: there, `defines` in the site file cannot set it.
 */
function dependence(name: string, known: Known): string | undefined {
  let condition = known.undetermined.get(name);
  if (condition === undefined) return undefined;
  for (let steps = 0; steps < mostSteps; steps++)
    condition = (condition.name === "ifdefine" && known.undetermined.get(withoutSign(condition))) || condition;
  const remedy = remedyForCondition(condition, { ...known, undetermined: new Map() });
  return `it depends on the condition at ${hostText(condition.file)}:${condition.node.line}: ${remedy}`;
}

/** The search has a limit, because conditions may depend on each other in a circle. */
const mostSteps = 10;

const withoutSign = ({ arguments: text }: Section): string => text.replace(/^!\s*/, "");
