/** The sections that stand around a directive. */
import type { Node } from "./parse.ts";
import { readWords } from "./arguments.ts";

/** A section that is open around a directive. */
export interface Section {
  /** In lower case, such as `virtualhost`. */
  readonly name: string;
  /** The text before the `>`; empty for a section that was not asked for. */
  readonly arguments: string;
  readonly file: string;
  readonly node: Node;
  readonly parent: Section | undefined;
  /** The VirtualHost around the section, or the section itself if it is one; undefined at server level. */
  readonly virtualHost: Section | undefined;
}

/** Starts a section below `parent`, which is undefined at server level. */
export function startSection(
  name: string,
  text: string,
  file: string,
  node: Node,
  parent: Section | undefined,
): Section {
  const virtualHost: Section | undefined = parent?.virtualHost;
  const section = { name, arguments: text, file, node, parent, virtualHost };
  // Virtual hosts do not nest, so only an outermost section can be one.
  if (parent === undefined && name === "virtualhost") section.virtualHost = section;
  return section;
}

/** The sections around a directive, outermost first. */
export function sectionsOf(section: Section | undefined): readonly Section[] {
  const sections: Section[] = [];
  for (let current = section; current !== undefined; current = current.parent) sections.push(current);
  return sections.reverse();
}

const sectionNames: ReadonlyMap<string, string> = new Map(
  [
    ...["Directory", "DirectoryMatch", "Else", "ElseIf", "Files", "FilesMatch", "If", "Limit", "LimitExcept"],
    ...["Location", "LocationMatch", "Proxy", "ProxyMatch", "RequireAll", "RequireAny", "RequireNone", "VirtualHost"],
  ].map((name) => [name.toLowerCase(), name]),
);

/** The section's name as the manual spells it. */
export const spelledSection = ({ name }: Section): string => sectionNames.get(name) ?? name;

/**
 * How much of a site a directive in this section affects. A `<Location "/">` at server level or directly in a virtual
 * host is the whole site, any other section is a part.
 */
export function levelOf(section: Section | undefined): "server" | "virtualHost" | "wholeSite" | "narrower" {
  if (section === undefined) return "server";
  if (section === section.virtualHost) return "virtualHost";
  const isOutermost = section.parent === undefined || section.parent === section.virtualHost;
  const [path, ...rest] = readWords(section.arguments);
  return isOutermost && section.name === "location" && path === "/" && rest.length === 0 ? "wholeSite" : "narrower";
}
