/** Facts in Pulumi's state: what one look at a host found, so that Check and Diff can plan without a host. */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { KindFacts } from "../../core/server-kind.ts";
import type { Properties } from "../engine/resource.ts";

/**
 * Deflated, because facts lie in inputs and outputs and a host may have 500 virtual hosts: a tenth of the size, and one
 * line where Pulumi prints whole resources.
 */
export function packFacts<Facts extends object>({ version }: KindFacts<Facts>, facts: Facts): string {
  return deflateRawSync(JSON.stringify({ factsVersion: version, ...facts })).toString("base64");
}

/**
 * The facts of a resource's inputs or outputs; undefined when there are none, or none of this version: then the host
 * must be looked at.
 */
export function unpackFacts<Facts extends object>(kind: KindFacts<Facts>, properties: Properties): Facts | undefined {
  const { factsVersion, ...facts } = unpack(properties) ?? {};
  return factsVersion === kind.version && kind.isFacts(facts) ? facts : undefined;
}

/** Which server a resource covers, whatever build wrote the state. */
export function coveredServer<Facts extends object>(
  kind: KindFacts<Facts>,
  properties: Properties,
): string | undefined {
  const value = unpack(properties);
  return value && kind.findServer(value);
}

function unpack({ facts }: Properties): Properties | undefined {
  if (typeof facts !== "string" || facts === "") return undefined;
  try {
    const value: unknown = JSON.parse(inflateRawSync(Buffer.from(facts, "base64")).toString("utf8"));
    return isObject(value) ? value : undefined;
  } catch {
    // State that was edited by hand: as if the host had never been looked at, so the next refresh mends it.
    return undefined;
  }
}

const isObject = (value: unknown): value is Properties =>
  typeof value === "object" && value !== null && !Array.isArray(value);
