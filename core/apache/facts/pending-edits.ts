/** Edits that httpd has not read: a reload of ours would bring them to life. */
import { createHash } from "node:crypto";
import type { PendingEdit } from "../model.ts";
import type { ObservedFile, Observation } from "../observation.ts";
import { withoutOurLines } from "./own-lines.ts";
import { ownPrefix } from "../config/paths.ts";
import type { TlsVirtualHost } from "./virtual-hosts.ts";

/** The start of a process is known to a second only, so a file of that very second counts as read. */
const startToleranceSeconds = 1;

export function findPendingEdits(observation: Observation, hosts: readonly TlsVirtualHost[]): PendingEdit[] {
  const { loadedSeconds, nowSeconds, serverRoot } = observation.server;
  if (loadedSeconds === undefined) return [];
  // A time of the future is of before the clock was set back, and is compared with what the clock said then.
  const loadedThen = Math.max(loadedSeconds, Number(observation.journal.get("reloaded") ?? 0));
  const own = ownPrefix(serverRoot);
  const files = [...observation.files].map(([path, file]) => ({ ...file, path: file.resolvedPath, name: path }));
  const named = observation.namedFiles.map((file) => ({ ...file, name: file.path, bytes: undefined }));
  const lacking = new Set(hosts.flatMap(({ facts }) => (facts.include === undefined ? [facts.file] : [])));
  const edits = new Map<string, PendingEdit>();
  for (const { path, name, bytes, modifiedSeconds, changedSeconds } of [...files, ...named]) {
    // A file that was moved into place keeps its old modification time; only the time of its change tells.
    const latest = Math.max(modifiedSeconds, changedSeconds);
    const loaded = latest > nowSeconds ? loadedThen : loadedSeconds;
    if (latest <= loaded + startToleranceSeconds || name.startsWith(own) || path.startsWith(own)) continue;
    if (bytes === undefined || !lacking.has(path) || !isOursAlone(observation, path, bytes))
      edits.set(path, { file: path, modifiedSeconds: latest });
  }
  return [...edits.values()];
}

/**
 * Whether only our lines are missing in a file, compared with what httpd read at our last reload. To reload by hand
 * would switch the protection off there; to put the lines back is what the next change does.
 */
function isOursAlone(
  { server, journal, loadedHashes }: Observation,
  path: string,
  bytes: ObservedFile["bytes"],
): boolean {
  // Of the end of our last change; what httpd says of the reload in it comes before.
  const changed = Number(journal.get("changed") ?? 0);
  const isOurReload = changed >= (server.loadedSeconds ?? 0) && changed <= server.nowSeconds && !journal.has("owed");
  return isOurReload && hashOf(withoutOurLines(bytes)) === loadedHashes?.get(path);
}

const hashOf = (bytes: string): string => createHash("sha256").update(bytes, "latin1").digest("hex");
