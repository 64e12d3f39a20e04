/** Facts in Pulumi's state: what one look at a host found, so that Check and Diff can plan without a host. */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { Facts } from "../../core/apache/model.ts";
import type { Properties } from "../resource.ts";

/**
 * Deflated, because facts lie in inputs and outputs and a host may have 500 virtual hosts: a tenth of the size, and one
 * line where Pulumi prints whole resources.
 */
export function packFacts(facts: Facts): string {
  return deflateRawSync(JSON.stringify(facts)).toString("base64");
}

/** The facts of a resource's inputs or outputs; undefined when there are none, or none that this version understands. */
export function unpackFacts(properties: Properties): Facts | undefined {
  const { facts } = properties;
  if (typeof facts !== "string" || facts === "") return undefined;
  try {
    // Written by packFacts; what another version wrote is found out by `isFacts`.
    const value = JSON.parse(inflateRawSync(Buffer.from(facts, "base64")).toString("utf8")) as unknown;
    return isFacts(value) ? value : undefined;
  } catch {
    // State that was edited by hand: as if the host had never been looked at, so the next refresh mends it.
    return undefined;
  }
}

function isFacts(value: unknown): value is Facts {
  return (
    typeof value === "object" &&
    value !== null &&
    ["server", "virtualHosts", "others", "own", "refresh", "files"].every((name) => name in value)
  );
}
