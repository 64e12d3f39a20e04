/** Facts in Pulumi's state: what one observation of a host found. With them, Check and Diff can plan without a host. */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { KindFacts } from "../../core/server-kind.ts";
import type { Properties } from "../engine/resource.ts";

/**
 * Packs the facts. They are compressed, because inputs and outputs contain them and a host may have 500 virtual hosts.
 * The result has a tenth of the size, and is one line where Pulumi prints whole resources.
 */
export function packFacts<Facts extends object>({ version }: KindFacts<Facts>, facts: Facts): string {
  return deflateRawSync(JSON.stringify({ factsVersion: version, ...facts })).toString("base64");
}

/**
 * The facts from a resource's inputs or outputs. Undefined when there are none, or when they are of another version or
 * lack something. The host must then be observed.
 */
export function unpackFacts<Facts extends object>(kind: KindFacts<Facts>, properties: Properties): Facts | undefined {
  const { factsVersion, ...facts } = unpack(properties) ?? {};
  return factsVersion === kind.version && kind.isFacts(facts) ? facts : undefined;
}

/** The server that a resource covers, whichever build wrote the state. Undefined where the state does not name one. */
export function coveredServer<Facts extends object>(
  kind: KindFacts<Facts>,
  properties: Properties,
): string | undefined {
  const value = unpack(properties);
  return value && kind.findServer(value);
}

/** The packed value of `facts`, of any version. Undefined where there is none that can be read. */
function unpack({ facts }: Properties): Properties | undefined {
  if (typeof facts !== "string" || facts === "") return undefined;
  try {
    const value: unknown = JSON.parse(inflateRawSync(Buffer.from(facts, "base64")).toString("utf8"));
    return isObject(value) ? value : undefined;
  } catch {
    // Somebody has edited the state by hand. It is treated as if the host had never been observed, so the next refresh
    // repairs it.
    return undefined;
  }
}

const isObject = (value: unknown): value is Properties =>
  typeof value === "object" && value !== null && !Array.isArray(value);
