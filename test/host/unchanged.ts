/**
 * What a run must leave as it found it: bytes and metadata of the live tree, mounts, processes, and what clients see.
 */
import assert from "node:assert/strict";
import { handshakeTable, type HandshakeRow } from "../../lab/client.ts";
import { changedPaths, defaultExclusions, type Snapshot } from "../../lab/snapshot.ts";
import type { Session } from "./session.ts";

export interface LiveState {
  readonly files: Snapshot;
  readonly mounts: string;
  /** Names of programs, in order; httpd's children and login sessions come and go by themselves. */
  readonly processes: readonly string[];
  readonly clients: readonly HandshakeRow[];
}

export interface LiveStateOptions {
  /** Whether a file's time of change counts. @default true */
  readonly times?: boolean;
  /** Further paths that may change. */
  readonly exclude?: readonly string[];
}

const logs = ["/usr/local/ni/apache/logs", "/etc/httpd/logs", "/run/apache2", "/run/httpd"];
/** How a run ended can be asked for until the next one, where nothing of ours stays until a reboot. */
const runDirectory = /^\/var\/lib\/clientcert\/[0-9a-f]{16}\/run\.|^\/run\/clientcert\.result\./;
const passing = ["httpd", "apache2", "sshd", "ps"];

export async function liveState({ lab }: Session, options: LiveStateOptions = {}): Promise<LiveState> {
  const exclude = [...defaultExclusions, ...logs, ...(options.exclude ?? [])];
  const files = await lab.snapshot({ exclude, ...(options.times === undefined ? {} : { times: options.times }) });
  const mounts = await lab.run("awk '{ print $5 }' /proc/self/mountinfo");
  const names = (await lab.run("ps -e -o comm=")).trim().split("\n");
  const processes = names.filter((name) => !passing.includes(name)).sort();
  return { files, mounts, processes, clients: await handshakeTable(lab) };
}

export async function assertUnchanged(
  session: Session,
  before: LiveState,
  options: LiveStateOptions = {},
): Promise<void> {
  const after = await liveState(session, options);
  const changed = changedPaths(before.files, after.files).filter((path) => !runDirectory.test(path));
  assert.deepEqual(
    changed.map((path) => [path, before.files.get(path), after.files.get(path)]),
    [],
  );
  assert.equal(after.mounts, before.mounts);
  assert.deepEqual(after.processes, before.processes);
  assert.deepEqual(after.clients, before.clients);
}

/** Runs `act`, and asserts that the host is as before it. */
export async function unchanged<T>(
  session: Session,
  act: () => Promise<T>,
  options: LiveStateOptions = {},
): Promise<T> {
  const before = await liveState(session, options);
  const result = await act();
  await assertUnchanged(session, before, options);
  return result;
}
