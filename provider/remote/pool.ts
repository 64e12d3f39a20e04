/**
 * Connects to hosts and runs scripts on them. Each process has one connection to a host, and keeps it for the next
 * execution until {@link Pool.close}.
 */
import { randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { type Environment, readLogin, requireHostKey } from "./credentials.ts";
import { HostError, placeOf } from "./host-error.ts";
import type { Connection, Endpoint } from "../../core/connection/inputs.ts";
import { messageOf } from "./connect-errors.ts";
import { runProgram, type ProgramResult, type ExecuteOptions, type Program, type Execution } from "./run-program.ts";
import { type LoggedIn, logIn } from "./login.ts";
import { posixShell } from "./shell/posix-shell.ts";
import { createSlots, throwIfCancelled, withCancellation } from "./cancellation.ts";

export interface PoolOptions {
  /** How many executions run at once, over all hosts. The others wait. @default defaultParallel */
  readonly parallel?: number;
  /** The time from the first packet to the end of the login, in seconds. @default defaultReadyTimeoutSeconds */
  readonly readyTimeoutSeconds?: number;
  /** The variables from which keys and passwords are read. @default process.env */
  readonly environment?: Environment;
}

export interface Pool {
  /** Runs one program on a host. Rejects with a {@link HostError}. An exit status other than 0 is not an error here. */
  execute(connection: Connection, program: Program, options: ExecuteOptions): Promise<ProgramResult>;
  /** Ends all connections. An execution that still runs ends as cut. */
  close(): Promise<void>;
}

/**
 * This was measured with 50 hosts: 8, 24 and 64 at once all took longer, because each login costs both sides processor
 * time.
 */
export const defaultParallel = 16;
export const defaultReadyTimeoutSeconds = 20;

/** A host, or the bastion before it. */
type Hop = Endpoint & { readonly bastion?: Endpoint };

/** A pool that has no connection yet. Each connection is made when something is to be executed on its host. */
export function createPool(options: PoolOptions = {}): Pool {
  const environment = options.environment ?? process.env;
  const readyTimeoutSeconds = options.readyTimeoutSeconds ?? defaultReadyTimeoutSeconds;
  // The connections that were made or are being made, by everything that makes a difference to a login.
  const logins = new Map<string, Promise<LoggedIn>>();
  const slots = createSlots(options.parallel ?? defaultParallel);

  /**
   * The connection to a host that exists or is being made, or else a new one. A connection that ended or could not be
   * made is forgotten, so the next call makes a new one.
   */
  function connect(hop: Hop): Promise<LoggedIn> {
    const key = JSON.stringify([hop.address, hop.port, hop.user, hop.hostKey, hop.login, hop.bastion]);
    const existing = logins.get(key);
    if (existing !== undefined) return existing;
    // Another connection to the same host may have taken the place of this one meanwhile. That one is kept.
    const forget = (): void => void (logins.get(key) === dialled && logins.delete(key));
    const dialled = dial(hop, { environment, readyTimeoutSeconds, connect, onEnd: forget });
    logins.set(key, dialled);
    dialled.catch(forget);
    return dialled;
  }

  return {
    async execute(connection, program, executeOptions) {
      const free = await slots.take();
      try {
        return await executeProgram(() => connect(connection), environment, connection, program, executeOptions);
      } finally {
        free();
      }
    },
    async close() {
      const all = [...logins.values()];
      logins.clear();
      await Promise.allSettled(all.map(async (login) => (await login).end()));
    },
  };
}

/** Runs one program on a connection of the pool, which is made where there is none. */
async function executeProgram(
  connect: () => Promise<LoggedIn>,
  environment: Environment,
  connection: Connection,
  program: Program,
  options: ExecuteOptions,
): Promise<ProgramResult> {
  const place = placeOf(connection);
  throwIfCancelled(place, options.signal);
  const { shell = posixShell } = program;
  const password = await shell.readPassword(place, connection, environment);
  const mark = randomBytes(16).toString("hex");
  const run: Execution = { place, connection, shell, program, options, mark, password };
  const command = shell.commandLine(run, program);
  const starting = startOnLogin(place, connect, (login) => startChannel(login, command, run));
  const { ended } = await withCancellation(place, options.signal, starting);
  return ended;
}

/** A program that runs. It is an object, because `await` on a promise of a promise would also wait for its end. */
interface Started {
  readonly ended: Promise<ProgramResult>;
}

/**
 * Starts an execution on the kept connection. If that connection has died while idle, the start is tried once more on a
 * new one. This is safe, because no script is sent before the host has confirmed the start. Rejects with
 * {@link refusedChannel} where the connection is open and nothing starts on it, and where the second try fails.
 */
async function startOnLogin(
  place: string,
  connect: () => Promise<LoggedIn>,
  start: (login: LoggedIn) => Promise<Started>,
): Promise<Started> {
  const first = await connect();
  try {
    return await start(first);
  } catch (error) {
    if (first.isOpen() || error instanceof HostError) throw refusedChannel(place, error);
  }
  const second = await connect();
  return start(second).catch((error: unknown) => Promise.reject(refusedChannel(place, error)));
}

/** The error where the host let the user in and then started no command. A `HostError` is returned as it is. */
function refusedChannel(place: string, error: unknown): HostError {
  if (error instanceof HostError) return error;
  return new HostError(
    "unreachable",
    `${place}: connected, but the host starts no command (${messageOf(error)}); see MaxSessions and ForceCommand in its sshd_config`,
  );
}

/** Starts the command on a connection, and the exchange over its channel. */
async function startChannel(login: LoggedIn, command: string, run: Execution): Promise<Started> {
  throwIfCancelled(run.place, run.options.signal);
  return login.start(command, (channel) => {
    const ended = runProgram(channel, run);
    // Nobody waits for the result when the run was cancelled meanwhile.
    ended.catch(() => undefined);
    return { ended };
  });
}

interface Dialling {
  readonly environment: Environment;
  readonly readyTimeoutSeconds: number;
  /** Connects to the bastion. */
  readonly connect: (hop: Hop) => Promise<LoggedIn>;
  readonly onEnd: () => void;
}

/**
 * Makes a connection and logs in, through the bastion where there is one. The connection to the bastion is one of the
 * pool, so all hosts behind it share it.
 */
async function dial(hop: Hop, { environment, readyTimeoutSeconds, connect, onEnd }: Dialling): Promise<LoggedIn> {
  const place = placeOf(hop);
  const hostKey = requireHostKey(place, hop.hostKey);
  const credentials = await readLogin(place, hop.login, environment);
  const socket = hop.bastion && (await openTunnel(await connect(hop.bastion), hop.bastion, hop, place));
  const { address, port, user } = hop;
  return logIn({ place, address, port, user, hostKey, credentials, socket, readyTimeoutSeconds, onEnd });
}

/** A way to `hop` through the bastion's connection. */
function openTunnel(bastion: LoggedIn, bastionEndpoint: Endpoint, hop: Hop, place: string): Promise<Duplex> {
  return bastion.forward(hop).catch((error: unknown) => {
    const cause = `the bastion ${placeOf(bastionEndpoint)} cannot connect to it (${messageOf(error)})`;
    throw new HostError("unreachable", `${place}: ${cause}; check address and port, and AllowTcpForwarding there`);
  });
}
