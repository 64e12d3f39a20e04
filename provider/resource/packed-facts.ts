/** Facts in Pulumi's state: what one look at a host found, so that Check and Diff can plan without a host. */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { Facts } from "../../core/apache/model.ts";
import type { Properties } from "../engine/resource.ts";

/**
 * Raised whenever what is read into {@link Facts} becomes more, or means something else: a plan from what an earlier build
 * did not look for would find nothing there. State of builds before it had one is of no version.
 */
export const factsVersion = 2;

/**
 * Deflated, because facts lie in inputs and outputs and a host may have 500 virtual hosts: a tenth of the size, and one
 * line where Pulumi prints whole resources.
 */
export function packFacts(facts: Facts): string {
  return deflateRawSync(JSON.stringify({ factsVersion, ...facts })).toString("base64");
}

/** The facts of a resource's inputs or outputs; undefined when there are none, or none of this version: then the host must be looked at. */
export function unpackFacts(properties: Properties): Facts | undefined {
  const value = unpack(properties);
  if (value?.factsVersion !== factsVersion || !isFacts(value)) return undefined;
  const { factsVersion: _version, ...facts } = value;
  return facts;
}

/** Which server a resource covers, whatever build wrote the state. */
export function coveredConfigFile(properties: Properties): string | undefined {
  const server = unpack(properties)?.server;
  return isObject(server) && isText(server.configFile) ? server.configFile : undefined;
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
const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** By name of the fields that a plan goes by. The rest of the shape is the version's. */
const shapes: Readonly<Record<string, (value: unknown) => boolean>> = {
  server: (value) => isObject(value) && [value.serverRoot, value.configFile, value.instance].every(isText),
  own: (value) => isObject(value) && isObject(value.files),
  refresh: (value) => isObject(value) && isObject(value.timers),
  files: isObject,
  ...Object.fromEntries(
    ["virtualHosts", "others", "foreign", "adopted", "strayIncludes", "pendingEdits", "crlJobs", "obstacles"].map(
      (name) => [name, (value: unknown) => Array.isArray(value) && value.every(isObject)],
    ),
  ),
};

const isFacts = (value: Properties): value is Properties & Facts =>
  Object.entries(shapes).every(([name, isRight]) => isRight(value[name]));
