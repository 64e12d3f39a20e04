/** The sections that stand around a directive. */
import type { Node } from "./parse.ts";

/** A section that is open around a directive. */
export interface Section {
  /** In lower case, such as `virtualhost`. */
  readonly name: string;
  /** What stands before the `>`; empty for a section that was not asked for. */
  readonly arguments: string;
  readonly file: string;
  readonly node: Node;
  readonly parent: Section | undefined;
  /** The VirtualHost around it or itself; undefined at server level. */
  readonly virtualHost: Section | undefined;
}

export function startSection(
  name: string,
  text: string,
  file: string,
  node: Node,
  parent: Section | undefined,
): Section {
  const virtualHost: Section | undefined = parent?.virtualHost;
  const section = { name, arguments: text, file, node, parent, virtualHost };
  // Virtual hosts do not nest, so only an outermost section begins one.
  if (parent === undefined && name === "virtualhost") section.virtualHost = section;
  return section;
}

/** The sections around a directive, outermost first. */
export function sectionsOf(section: Section | undefined): readonly Section[] {
  const sections: Section[] = [];
  for (let at = section; at !== undefined; at = at.parent) sections.push(at);
  return sections.reverse();
}
