/** One execution over an open channel: sends the program, collects what comes back, and says how it ended. */
import type { Duplex, Readable } from "node:stream";
import { HostError, asOneLine } from "./host-error.ts";
import type { Connection } from "../apache/host-model.ts";
import {
  framed,
  headFails,
  headIsUnfit,
  type MarkedStream,
  promptOf,
  shellIsUnfit,
  splitAtMark,
  sudoError,
} from "./shell/posix.ts";
import { cancelled } from "./cancellation.ts";

export interface Program {
  /** Text for the host's `/bin/sh`; finds `data` on its standard input. With sudo for one program only it is not sent. */
  readonly script: string;
  readonly data: Buffer | AsyncIterable<Buffer>;
}

/** How a program ended on the host. */
export interface ProgramResult {
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: Buffer;
  /** Its last 64 KiB, passwords replaced. */
  readonly stderr: string;
}

export interface ExecuteOptions {
  /** From the start of the program to its end. */
  readonly timeoutSeconds: number;
  /** Called with each piece of standard output as it comes. */
  readonly onStdout?: (chunk: Buffer) => void;
  /** Aborted before the start: the host is not even connected to. Aborted later: the channel is closed. */
  readonly signal?: AbortSignal;
}

export interface Execution {
  readonly place: string;
  readonly connection: Connection;
  readonly program: Program;
  readonly options: ExecuteOptions;
  /** Random, fresh for each execution. */
  readonly mark: string;
  /** For sudo. */
  readonly password: { readonly password: string; readonly source: string } | undefined;
}

/** What is needed of an SSH channel, so that the library stays out of here. */
export interface Channel extends Duplex {
  readonly stderr: Readable;
  close(): void;
}

const largestStdoutBytes = 256 * 1024 * 1024;
const keptStderrBytes = 64 * 1024;
/** What login shells and sudo print before our mark, and all of standard error: whoever prints more means no good, or is broken. */
const largestNoiseBytes = 4 * 1024 * 1024;
/** How long sudo may take with a password: directories answer slowly, and a wrong password costs 2 s. */
const sudoTimeoutSeconds = 30;

/** Runs the program in a channel on which {@link remoteCommand} was just started. Must be called before any event of it. */
export function runProgram(channel: Channel, run: Execution): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    // The host may never answer the closing, so nothing waits for it.
    const stop = (error: Error): void => {
      reject(error);
      channel.close();
    };
    const timers = watch(run, stop);
    const received = receive(channel, run, { onStart: timers.sudoAnswered, stop });
    exitOf(channel)
      .then((exit) => {
        timers.clear();
        return conclude(run, received, exit);
      })
      .then(resolve, reject);
    if (run.options.signal?.aborted) stop(cancelled(run.place));
    else send(channel, run, received.started).catch(stop);
  });
}

interface Timers {
  readonly sudoAnswered: () => void;
  readonly clear: () => void;
}

function watch(run: Execution, stop: (error: Error) => void): Timers {
  const { place, options, connection } = run;
  const onAbort = (): void => stop(cancelled(place));
  options.signal?.addEventListener("abort", onAbort, { once: true });
  const timeout = setTimeout(() => {
    const found = `no end after ${options.timeoutSeconds} s; what was done there is unknown`;
    stop(new HostError("timeout", `${place}: ${found}; look at the load of the host, then run again`));
  }, options.timeoutSeconds * 1000);
  const sudoTimeout = setTimeout(() => {
    const found = `sudo did not let ${connection.user} in within ${sudoTimeoutSeconds} s; it may ask for more than a password`;
    stop(new HostError("sudo", `${place}: ${found}: try sudo there by hand`));
  }, sudoTimeoutSeconds * 1000);
  if (run.password === undefined) clearTimeout(sudoTimeout);
  return {
    sudoAnswered: () => clearTimeout(sudoTimeout),
    clear: () => {
      clearTimeout(timeout);
      clearTimeout(sudoTimeout);
      options.signal?.removeEventListener("abort", onAbort);
    },
  };
}

interface Received {
  /** Resolved when our shell, or the program, runs. */
  readonly started: Promise<void>;
  readonly stdout: MarkedStream;
  readonly stderr: MarkedStream;
  readonly stdoutBytes: () => Buffer;
  readonly stderrBytes: () => Buffer;
}

interface Listener {
  readonly onStart: () => void;
  readonly stop: (error: Error) => void;
}

function receive(channel: Channel, run: Execution, on: Listener): Received {
  const stdout = splitAtMark(run.mark);
  const stderr = splitAtMark(run.mark);
  const chunks: Buffer[] = [];
  let bytes = 0;
  let noiseBytes = 0;
  let tail = Buffer.alloc(0);
  const isNoisy = (more: number): boolean => {
    noiseBytes += more;
    if (noiseBytes <= largestNoiseBytes) return false;
    const found = `the host prints more than ${largestNoiseBytes / 1024 / 1024} MB that is no answer`;
    on.stop(new HostError("answer", `${run.place}: ${found}; look at what its login shell and sudo print`));
    return true;
  };
  const started = new Promise<void>((resolve) => {
    channel.on("data", (chunk: Buffer) => {
      if (isNoisy(stdout.isStarted() ? 0 : chunk.length)) return;
      const ours = stdout.take(chunk);
      if (stdout.isStarted()) resolve();
      if (ours.length === 0) return;
      bytes += ours.length;
      if (bytes > largestStdoutBytes) {
        const found = `the answer is longer than ${largestStdoutBytes / 1024 / 1024} MB`;
        return on.stop(new HostError("answer", `${run.place}: ${found}; look for huge files in its configuration`));
      }
      chunks.push(ours);
      run.options.onStdout?.(ours);
    });
  });
  channel.stderr.on("data", (chunk: Buffer) => {
    if (isNoisy(chunk.length)) return;
    tail = Buffer.concat([tail, stderr.take(chunk)]).subarray(-keptStderrBytes);
    // An end of file instead of more lines: each further try would count as a wrong password, and may lock the account.
    if (run.password !== undefined && !stderr.isStarted() && isAskedAgain(stderr.before(), run.mark)) channel.end();
  });
  void started.then(on.onStart);
  return { started, stdout, stderr, stdoutBytes: () => Buffer.concat(chunks), stderrBytes: () => tail };
}

function isAskedAgain(stderr: string, mark: string): boolean {
  return stderr.split(promptOf(mark)).length > 2 || stderr.includes("Sorry, try again");
}

async function send(channel: Channel, run: Execution, started: Promise<void>): Promise<void> {
  const { connection, program, mark, password } = run;
  if (password !== undefined) {
    channel.write(`${password.password}\n`);
    // Not before sudo is content: else it would take our next lines for further passwords.
    await started;
  }
  const script = connection.sudo.how === "program" ? undefined : program.script;
  for await (const part of framed(mark, script, program.data)) {
    if (channel.writableEnded) return;
    if (!channel.write(part)) await drained(channel);
  }
  channel.end();
}

function drained(channel: Channel): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      channel.off("drain", done).off("close", done);
      resolve();
    };
    channel.on("drain", done).on("close", done);
  });
}

interface Exit {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

/** Settles when both streams are read to their ends; undefined when the connection was lost before the program ended. */
function exitOf(channel: Channel): Promise<Exit | undefined> {
  let exit: Exit | undefined;
  channel.once("exit", (code: number | null, signal?: string) => {
    exit = { code: code ?? undefined, signal };
  });
  const closed = [channel, channel.stderr].map(
    (stream) => new Promise<void>((resolve) => void stream.once("close", resolve)),
  );
  return Promise.all(closed).then(() => exit);
}

function conclude(run: Execution, received: Received, exit: Exit | undefined): ProgramResult {
  const { place, connection } = run;
  const stdout = received.stdoutBytes();
  const stderr = hide(received.stderrBytes().toString("utf8"), run);
  if (exit === undefined) {
    const found = "the connection was cut in the middle, so what was done there is unknown";
    throw new HostError("cut", `${place}: ${found}; run again: it begins by looking at what is there`);
  }
  if (!received.stdout.isStarted()) throw notStarted(run, received, exit);
  requireUsable(run, stderr);
  if (connection.sudo.how === "program" && exit.code !== 0 && stdout.length === 0) {
    const refused = sudoError(place, connection, stderr, undefined);
    if (refused !== undefined) throw refused;
  }
  return { exitCode: exit.code, signal: exit.signal, stdout, stderr };
}

/** Before anything of the program runs. */
function requireUsable({ place, mark }: Execution, stderr: string): void {
  const shell = new RegExp(`^${mark}${shellIsUnfit}(\\w+)$`, "m").exec(stderr)?.[1];
  if (shell !== undefined) {
    const found = `/bin/sh there is ${shell}, in which our program does not run`;
    throw new HostError("answer", `${place}: ${found}; make it dash, bash, busybox ash or mksh`);
  }
  if (stderr.includes(`${mark}${headFails}`))
    throw new HostError("answer", `${place}: this host's head cannot be run; repair it`);
  if (stderr.startsWith(`${mark}${headIsUnfit}`)) {
    throw new HostError(
      "answer",
      `${place}: its "head -c" reads more than it is told to (busybox); install GNU coreutils there`,
    );
  }
}

/** The login shell or sudo ended without running anything of ours. */
function notStarted(run: Execution, received: Received, exit: Exit): HostError {
  const { place, connection, password } = run;
  const noise = hide(`${received.stderr.before()}\n${received.stdout.before()}`, run);
  const refused = sudoError(place, connection, noise, password?.source);
  if (refused !== undefined) return refused;
  const how = exit.code === undefined ? `signal ${exit.signal}` : `exit status ${exit.code}`;
  const found = `the login shell of ${connection.user} did not run our command (${how}: ${asOneLine(noise) || "no message"})`;
  return new HostError("login", `${place}: ${found}; give that user a shell, and no forced command`);
}

/** Only the password for sudo goes through a channel, so only it could come back. */
function hide(text: string, run: Execution): string {
  return run.password === undefined ? text : text.replaceAll(run.password.password, "(hidden)");
}
