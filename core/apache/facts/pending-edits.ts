/** Finds edits that httpd has not read yet: our reload would put them into effect. */
import { createHash } from "node:crypto";
import type { PendingEdit } from "../model.ts";
import type { ObservedFile, Observation } from "../observation.ts";
import { withoutOurLines } from "./own-lines.ts";
import { ownPrefix } from "../config/paths.ts";
import type { TlsVirtualHost } from "./virtual-hosts.ts";

/**
 * The start time of a process is known only to the second, so a file that changed in that very second counts as read.
 */
const startToleranceSeconds = 1;

/**
 * Finds the files of the configuration, and those that it names, that were changed after httpd last read them; none
 * where it is not known when that was. Our own files do not count, nor do files in which only our lines are missing.
 */
export function findPendingEdits(observation: Observation, hosts: readonly TlsVirtualHost[]): PendingEdit[] {
  const { loadedSeconds, nowSeconds, serverRoot } = observation.server;
  if (loadedSeconds === undefined) return [];
  // A file with a time in the future was changed before the clock was set back. Its time is compared with that of our
  // last reload, which the journal may hold by the same clock.
  const loadedByEitherClock = Math.max(loadedSeconds, Number(observation.journal.get("reloaded") ?? 0));
  const own = ownPrefix(serverRoot);
  // `path` is the file itself, without symlinks; `name` is the name that httpd uses.
  const files = [...observation.files].map(([path, file]) => ({ ...file, path: file.resolvedPath, name: path }));
  const named = observation.namedFiles.map((file) => ({ ...file, name: file.path, bytes: undefined }));
  const filesWithoutLine = new Set(hosts.flatMap(({ facts }) => (facts.include === undefined ? [facts.file] : [])));
  const edits = new Map<string, PendingEdit>();
  for (const { path, name, bytes, modifiedSeconds, changedSeconds } of [...files, ...named]) {
    // A file that was moved into place keeps its old modification time; only its change time shows the move.
    const latest = Math.max(modifiedSeconds, changedSeconds);
    const loaded = latest > nowSeconds ? loadedByEitherClock : loadedSeconds;
    if (latest <= loaded + startToleranceSeconds || name.startsWith(own) || path.startsWith(own)) continue;
    const mayLackLine = bytes !== undefined && filesWithoutLine.has(path);
    if (!mayLackLine || !lacksOnlyOurLines(observation, path, bytes))
      edits.set(path, { file: path, modifiedSeconds: latest });
  }
  return [...edits.values()];
}

/**
 * Whether a file differs from what httpd read last only because our lines are missing. A reload by hand would switch
 * the protection off there. The next change puts the lines back. False where the last reload was not ours, because only
 * for ours there are hashes of what httpd read.
 */
function lacksOnlyOurLines(
  { server, journal, loadedHashes }: Observation,
  path: string,
  bytes: ObservedFile["bytes"],
): boolean {
  // This is the time when our last change ended. The reload that httpd reports for that change came before it. A later
  // one was somebody else's.
  const changed = Number(journal.get("changed") ?? 0);
  const isOurReload = changed >= (server.loadedSeconds ?? 0) && changed <= server.nowSeconds && !journal.has("owed");
  return isOurReload && hashOf(withoutOurLines(bytes)) === loadedHashes?.get(path);
}

const hashOf = (bytes: string): string => createHash("sha256").update(bytes, "latin1").digest("hex");
