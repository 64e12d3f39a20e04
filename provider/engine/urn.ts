/** The parts of a resource's URN: `urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME`. */
export interface UrnParts {
  readonly stack: string;
  readonly project: string;
  /** The type token of the resource itself, without the types of its parents. */
  readonly type: string;
  readonly name: string;
}

/** Splits a URN. A missing part is empty. The name may contain `::`. */
export function parseUrn(urn: string): UrnParts {
  const [stack = "", project = "", types = "", ...name] = urn.replace(/^urn:pulumi:/, "").split("::");
  return { stack, project, type: types.split("$").at(-1) ?? "", name: name.join("::") };
}
