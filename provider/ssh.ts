/**
 * Connects to hosts and runs scripts on them: the only import of the SSH library. One connection per host and process,
 * kept for the next execution until {@link Pool.close}.
 */
import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import type ssh2 from "ssh2";
import type { AnyAuthMethod, Client, ConnectConfig, ParsedKey, ServerHostKeyAlgorithm } from "ssh2";
import {
  type Credentials,
  type Environment,
  type HostKey,
  readLogin,
  readSudoPassword,
  requireHostKey,
} from "./credentials.ts";
import { HostError } from "./errors.ts";
import type { Connection } from "./host/model.ts";
import { type Attempt, type ClientError, connectError, said } from "./ssh/connect-errors.ts";
import { converse, type Ended, type ExecuteOptions, type Program, type Run } from "./ssh/conversation.ts";
import { remoteCommand } from "./ssh/remote-shell.ts";
import { createSlots, requireGoing, unlessCancelled } from "./ssh/waiting.ts";

export type { Ended, ExecuteOptions, Program } from "./ssh/conversation.ts";

export interface PoolOptions {
  /**
   * How many executions run at once, over all hosts; the others wait.
   *
   * @default defaultParallel
   */
  readonly parallel?: number;
  /**
   * From the first packet to the end of the login, in seconds.
   *
   * @default defaultReadyTimeoutSeconds
   */
  readonly readyTimeoutSeconds?: number;
  /** Where keys and passwords are looked up. @default process.env */
  readonly environment?: Environment;
}

export interface Pool {
  /** Runs one program on a host. Rejects with a {@link HostError}; an exit status other than 0 is no error here. */
  execute(connection: Connection, program: Program, options: ExecuteOptions): Promise<Ended>;
  /** Ends all connections. What still runs ends as cut. */
  close(): Promise<void>;
}

/** Measured with 50 hosts: 8, 24 and 64 at once all took longer, because each login costs both sides processor time. */
export const defaultParallel = 16;
export const defaultReadyTimeoutSeconds = 20;
const keepAliveSeconds = 10;
const keepAlivesUnanswered = 3;
const closeTimeoutSeconds = 0.5;

/** Where to log in: a host, or the bastion before it. */
type Stop = Omit<Connection, "sudo" | "bastion"> & { readonly bastion?: Connection["bastion"] };
type Library = typeof ssh2;

/** A connection that was logged in to, and whether it still is. */
interface Kept {
  readonly client: Client;
  isOpen: boolean;
}

export function createPool(options: PoolOptions = {}): Pool {
  const environment = options.environment ?? process.env;
  const readyTimeoutSeconds = options.readyTimeoutSeconds ?? defaultReadyTimeoutSeconds;
  const kept = new Map<string, Promise<Kept>>();
  const slots = createSlots(options.parallel ?? defaultParallel);

  function connect(stop: Stop): Promise<Kept> {
    const key = JSON.stringify([stop.address, stop.port, stop.user, stop.hostKey, stop.login, stop.bastion]);
    const existing = kept.get(key);
    if (existing !== undefined) return existing;
    const forget = (): void => void (kept.get(key) === dialled && kept.delete(key));
    const dialled = dial(stop, { environment, readyTimeoutSeconds, connect, onEnd: forget });
    kept.set(key, dialled);
    dialled.catch(forget);
    return dialled;
  }

  return {
    async execute(connection, program, executeOptions) {
      const free = await slots.take();
      try {
        return await executeOnce(() => connect(connection), environment, connection, program, executeOptions);
      } finally {
        free();
      }
    },
    async close() {
      const all = [...kept.values()];
      kept.clear();
      await Promise.allSettled(all.map(async (connection) => end((await connection).client)));
    },
  };
}

/** Host as messages name it. */
export function placeOf(connection: { readonly address: string; readonly port: number }): string {
  return connection.port === 22 ? connection.address : `${connection.address}:${connection.port}`;
}

async function executeOnce(
  connect: () => Promise<Kept>,
  environment: Environment,
  connection: Connection,
  program: Program,
  options: ExecuteOptions,
): Promise<Ended> {
  const place = placeOf(connection);
  requireGoing(place, options.signal);
  const password = await readSudoPassword(place, connection.sudo, environment);
  const mark = randomBytes(16).toString("hex");
  const command = remoteCommand(place, connection.sudo, mark, Buffer.byteLength(program.script));
  const run: Run = { place, connection, program, options, mark, password };
  const starting = startOnce(place, connect, (client) => startChannel(client, command, run));
  const { ended } = await unlessCancelled(place, options.signal, starting);
  return ended;
}

interface Started {
  readonly ended: Promise<Ended>;
}

/**
 * Starts on the kept connection. One that turns out to have died while idle is replaced, once: before the host confirmed
 * the start, no script was sent.
 */
async function startOnce(
  place: string,
  connect: () => Promise<Kept>,
  start: (client: Client) => Promise<Started>,
): Promise<Started> {
  const first = await connect();
  try {
    return await start(first.client);
  } catch (error) {
    if (first.isOpen || error instanceof HostError) throw refusedChannel(place, error);
  }
  const second = await connect();
  return start(second.client).catch((error: unknown) => Promise.reject(refusedChannel(place, error)));
}

function refusedChannel(place: string, error: unknown): HostError {
  if (error instanceof HostError) return error;
  return new HostError(
    "unreachable",
    `${place}: connected, but the host starts no command (${said(error)}); see MaxSessions and ForceCommand in its sshd_config`,
  );
}

function startChannel(client: Client, command: string, run: Run): Promise<Started> {
  return new Promise((resolve, reject) => {
    requireGoing(run.place, run.options.signal);
    // The conversation begins inside the callback: the exit status may come in the same packet.
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      const ended = converse(channel, run);
      // Nobody waits for it when the run was cancelled meanwhile.
      ended.catch(() => undefined);
      resolve({ ended });
    });
  });
}

interface Dialling {
  readonly environment: Environment;
  readonly readyTimeoutSeconds: number;
  /** For the bastion. */
  readonly connect: (stop: Stop) => Promise<Kept>;
  readonly onEnd: () => void;
}

async function dial(stop: Stop, { environment, readyTimeoutSeconds, connect, onEnd }: Dialling): Promise<Kept> {
  const place = placeOf(stop);
  const hostKey = requireHostKey(place, stop.hostKey);
  // ssh2 costs 60 ms to load: not at the start of a plugin that may never connect.
  const [credentials, library] = await Promise.all([
    readLogin(place, stop.login, environment),
    import("ssh2").then((module): Library => module.default),
  ]);
  const methods = authentication(library, place, stop.user, credentials);
  const socket = stop.bastion && (await through(await connect(stop.bastion), stop.bastion, stop, place));
  const { address, port, user } = stop;
  return logIn(library, {
    place,
    address,
    port,
    user,
    hostKey,
    credentials,
    methods,
    socket,
    readyTimeoutSeconds,
    onEnd,
  });
}

/** A way to `stop` through the bastion's connection. */
function through(bastion: Kept, gate: Stop, stop: Stop, place: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    bastion.client.forwardOut("127.0.0.1", 0, stop.address, stop.port, (error, channel) => {
      if (error === undefined || error === null) return resolve(channel);
      const found = `the bastion ${placeOf(gate)} cannot connect to it (${said(error)})`;
      reject(new HostError("unreachable", `${place}: ${found}; check address and port, and AllowTcpForwarding there`));
    });
  });
}

interface LogIn extends Attempt {
  readonly address: string;
  readonly methods: AnyAuthMethod[];
  readonly socket: Duplex | undefined;
  readonly onEnd: () => void;
}

function logIn(library: Library, login: LogIn): Promise<Kept> {
  return new Promise((resolve, reject) => {
    const client = new library.Client();
    const kept: Kept = { client, isOpen: false };
    let shown: Buffer | undefined;
    let agentFailure: string | undefined;
    const fail = (error: ClientError): void => {
      if (kept.isOpen) return;
      reject(connectError(login, error, shown, agentFailure));
      client.destroy();
    };
    client
      .on("ready", () => {
        kept.isOpen = true;
        resolve(kept);
      })
      .on("error", (error: ClientError) => {
        // The agent may refuse one key and still sign with the next.
        if (error.level === "agent") agentFailure = said(error);
        else fail(error);
      })
      .on("close", () => {
        fail(new Error("it was closed during the login"));
        kept.isOpen = false;
        login.onEnd();
      });
    const isPinned = (key: Buffer): boolean => {
      shown = key;
      return key.equals(login.hostKey.bytes);
    };
    client.connect(settings(login, isPinned));
    // Else each of our small packets waits up to 40 ms for the acknowledgement of the one before.
    client.setNoDelay(true);
  });
}

function settings(login: LogIn, hostVerifier: (key: Buffer) => boolean): ConnectConfig {
  return {
    ...(login.socket === undefined ? { host: login.address, port: login.port } : { sock: login.socket }),
    username: login.user,
    authHandler: login.methods,
    algorithms: { serverHostKey: hostKeyAlgorithms(login.hostKey) },
    hostVerifier,
    readyTimeout: login.readyTimeoutSeconds * 1000,
    keepaliveInterval: keepAliveSeconds * 1000,
    keepaliveCountMax: keepAlivesUnanswered,
  };
}

/** Only what signs with the pinned key: else a host with several keys shows another one. No SHA-1. */
function hostKeyAlgorithms(hostKey: HostKey): ServerHostKeyAlgorithm[] {
  if (hostKey.type === "ssh-rsa") return ["rsa-sha2-512", "rsa-sha2-256"];
  return [hostKey.type];
}

/** How to log in: one method, named by the site file; nothing else is tried. */
function authentication(library: Library, place: string, username: string, credentials: Credentials): AnyAuthMethod[] {
  switch (credentials.by) {
    case "agent":
      return [{ type: "agent", username, agent: credentials.socket }];
    case "key":
      return [{ type: "publickey", username, key: requireKey(library, place, credentials) }];
    case "password": {
      const { password } = credentials;
      return [
        { type: "password", username, password },
        {
          // PAM hosts often take passwords only this way. One hidden question is the password; anything else is not.
          type: "keyboard-interactive",
          username,
          prompt: (_name, _instructions, _language, prompts, finish) =>
            finish(prompts.length === 1 && prompts[0]?.echo !== true ? [password] : []),
        },
      ];
    }
  }
}

function requireKey(library: Library, place: string, credentials: Extract<Credentials, { by: "key" }>): ParsedKey {
  const { source, passphrase, passphraseSource } = credentials;
  const key = library.utils.parseKey(credentials.key, passphrase);
  if (!(key instanceof Error) && key.isPrivateKey()) return key;
  const fail = (found: string): never => {
    throw new HostError("login", `${place}: ${source} ${found}`);
  };
  const reason = key instanceof Error ? key.message : "unsupported key format";
  if (/no passphrase given/i.test(reason)) {
    return fail("is encrypted; name an environment variable with its passphrase, or add the key to an agent");
  }
  if (passphrase !== undefined && !/unsupported key format/i.test(reason)) {
    return fail(`cannot be decrypted with the passphrase in ${passphraseSource}; put the right one there`);
  }
  return fail("holds no private key that can be used; give one in OpenSSH or PEM form, as ssh-keygen writes it");
}

/** Ends a connection politely, and by force if the host does not answer. */
function end(client: Client): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => client.destroy(), closeTimeoutSeconds * 1000);
    client.once("close", () => {
      clearTimeout(force);
      resolve();
    });
    client.end();
  });
}
