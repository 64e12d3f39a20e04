/** The facts of Apache hosts in the form in which Pulumi's state stores them. */
import type { Facts } from "../../core/apache/model.ts";
import { hostText } from "../../core/host-text.ts";
import type { KindFacts } from "../../core/server-kind.ts";
import type { Properties } from "../engine/resource.ts";

export const storedFacts: KindFacts<Facts> = {
  // The version is raised whenever Facts hold more than before, or mean something else. A plan from the state of an
  // earlier build would not find what that build did not read. State from builds before the first version has no
  // version.
  version: 2,
  isFacts: (value): value is Properties & Facts =>
    Object.entries(shapeChecks).every(([name, isRight]) => isRight(value[name])),
  serverOf: ({ server }) => server.configFile,
  findServer: ({ server }) => (isObject(server) && isText(server.configFile) ? server.configFile : undefined),
  otherServerText,
  ownerOf: ({ own }) => own.owner,
  isGone,
};

const isObject = (value: unknown): value is Properties =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** The checks of the fields that a plan needs, by name. The version vouches for the rest of the shape. */
const shapeChecks: Readonly<Record<string, (value: unknown) => boolean>> = {
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

/** The text of the error where the machine shows another server than the one that the resource covers. */
function otherServerText(covered: string, observed: string): string {
  const cause = `this resource covers the server of ${hostText(covered)}, and ${hostText(observed)} is another one`;
  const ways = [
    'start the first one, or name it with "config:"',
    "give the other one a host entry with a name of its own in the site file",
    "where the first one is gone for good: pulumi state delete",
  ];
  return [cause, ...ways].join("; ");
}

/**
 * True where the host's journal names no owner, and the host has no file and no timer of ours and no include line in a
 * virtual host of the port.
 */
function isGone({ own, refresh, virtualHosts }: Facts): boolean {
  const isIncluded = virtualHosts.some((host) => host.include !== undefined);
  const files = [...Object.keys(own.files), ...Object.keys(refresh.timers)];
  return own.owner === undefined && files.length === 0 && !isIncluded;
}
