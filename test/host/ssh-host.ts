/** A lab host, a pool and short words for executions on it; set up and taken down by the hooks of the calling suite. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { inspect } from "node:util";
import { startLabHost, type LabHost } from "../../lab/host.ts";
import { labPassword } from "../../lab/ssh.ts";
import { HostError, type HostErrorKind } from "../../provider/remote/host-error.ts";
import type { Connection } from "../../core/connection/inputs.ts";
import type { ProgramResult, Program } from "../../provider/remote/run-program.ts";
import { createPool, type Pool } from "../../provider/remote/pool.ts";

export const nothing = Buffer.alloc(0);
export const passphrase = "MARKER-passphrase";
/** What must never be in a message. */
const secrets = [labPassword, "MARKER-", "PRIVATE KEY"];

export interface SshHost {
  readonly host: LabHost;
  /** Fresh for each test. */
  readonly pool: Pool;
  /** Temporary, outside of the host. */
  readonly folder: string;
  /** By key as root, unless changed. */
  connection(changes?: Partial<Connection>): Connection;
  execute(script: string, data?: Program["data"], changes?: Partial<Connection>): Promise<ProgramResult>;
  /** Standard output of a script that ends with 0. */
  output(script: string, data?: Program["data"], changes?: Partial<Connection>): Promise<string>;
  /** Passes when an execution fails with this error and no secret is anywhere in it. */
  fails(kind: HostErrorKind, message: RegExp, changes: Partial<Connection>, pool?: Pool): Promise<void>;
  sudoers(rules: string): Promise<string>;
}

/** To be called inside `describe`; the host is there from `before` on. */
export function useSshHost(): SshHost {
  let host: LabHost;
  let pool: Pool;
  let folder: string;
  before(async () => {
    host = await startLabHost({ stopped: true, ops: { sudo: "passwordless" } });
    // No pause of 2 s after a wrong password.
    await host.run("printf 'auth required pam_unix.so nodelay\\naccount required pam_unix.so\\n' >/etc/pam.d/sudo");
    folder = await mkdtemp(path.join(tmpdir(), "clientcert-ssh-"));
  });
  after(async () => {
    await host.stop();
    await rm(folder, { recursive: true });
  });
  beforeEach(() => {
    pool = createPool({ environment, readyTimeoutSeconds: 5 });
  });
  afterEach(() => pool.close());

  const connection = (changes: Partial<Connection> = {}): Connection => {
    const { address, hostKey } = host;
    const login = { from: "keyFile", path: host.keyFile } as const;
    return { address, port: host.ports.ssh, user: "root", hostKey, login, sudo: { how: "none" }, ...changes };
  };
  const execute: SshHost["execute"] = (script, data = nothing, changes = {}) =>
    pool.execute(connection(changes), { script, data }, { timeoutSeconds: 30 });
  return {
    get host() {
      return host;
    },
    get pool() {
      return pool;
    },
    get folder() {
      return folder;
    },
    connection,
    execute,
    async output(script, data, changes) {
      const { exitCode, stdout, stderr } = await execute(script, data, changes);
      assert.equal(exitCode, 0, stderr);
      return stdout.toString();
    },
    fails: (kind, message, changes, use = pool) =>
      failsWith(
        kind,
        message,
        use.execute(connection(changes), { script: "id", data: nothing }, { timeoutSeconds: 30 }),
      ),
    sudoers: (rules) => host.run(`rm -rf /run/sudo/ts; cat >/etc/sudoers.d/ops; chmod 440 /etc/sudoers.d/ops`, rules),
  };
}

const environment = {
  SUDO_PASSWORD: labPassword,
  WRONG_PASSWORD: "MARKER-wrong-password",
  PASSPHRASE: passphrase,
  WRONG_PASSPHRASE: "MARKER-wrong-passphrase",
  EMPTY: "",
};

async function failsWith(kind: HostErrorKind, message: RegExp, execution: Promise<ProgramResult>): Promise<void> {
  const error: unknown = await execution.then(
    () => assert.fail("it did not fail"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof HostError, inspect(error));
  assert.match(error.message, message);
  assert.equal(error.kind, kind, error.message);
  assert.match(error.message, /^(127\.0\.0\.1:\d+|no-such-host.*?): /);
  for (const secret of secrets) assert.ok(!inspect(error, { depth: 9 }).includes(secret), `${secret} is in it`);
}

/** Waits at most 5 s. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail("it never came so");
}
