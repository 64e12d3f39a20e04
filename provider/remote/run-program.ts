/** One execution over an open channel: it sends the program, collects the output, and reports how the program ended. */
import type { Duplex, Readable } from "node:stream";
import { HostError, asOneLine } from "./host-error.ts";
import { type MarkedStream, splitAtLine } from "./marked-stream.ts";
import type { RemoteShell, ShellProgram, Start } from "./shell/remote-shell.ts";
import { cancelled } from "./cancellation.ts";

export interface Program extends ShellProgram {
  /** The shell for which the script is written. @default posixShell */
  readonly shell?: RemoteShell;
}

/** How a program ended on the host. */
export interface ProgramResult {
  /** Undefined when a signal ended the program. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: Buffer;
  /** The last 64 KiB of standard error. Passwords in it are replaced. */
  readonly stderr: string;
}

export interface ExecuteOptions {
  /** The time from the start of the program to its end. */
  readonly timeoutSeconds: number;
  /** Called with each piece of standard output when it arrives. */
  readonly onStdout?: (chunk: Buffer) => void;
  /**
   * Aborts the execution. If it is aborted before the start, no connection to the host is made. If it is aborted later,
   * the channel is closed.
   */
  readonly signal?: AbortSignal;
}

export interface Execution extends Start {
  readonly shell: RemoteShell;
  readonly program: ShellProgram;
  readonly options: ExecuteOptions;
}

/** The parts of an SSH channel that are needed, so that this file does not import the library. */
export interface Channel extends Duplex {
  readonly stderr: Readable;
  close(): void;
}

/** The longest answer. A longer one stops the run. */
const largestStdoutBytes = 256 * 1024 * 1024;
/** How much of the end of standard error is kept. */
const keptStderrBytes = 64 * 1024;
/**
 * The limit for what is printed before our first line, and for all of standard error. A host that prints more is
 * hostile or broken.
 */
const largestNoiseBytes = 4 * 1024 * 1024;
/** How long a host may take to check a password. Directories answer slowly, and a wrong password costs 2 s. */
const passwordTimeoutSeconds = 30;

/**
 * Runs the program in a channel on which the command line of its shell was just started. Resolves with its output when
 * it has ended. Rejects where it did not run, was cancelled, or went beyond a limit, or where the connection was cut.
 * The function must be called before any event of the channel.
 */
export function runProgram(channel: Channel, run: Execution): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    // Nothing waits for the channel to close, because the host may never answer.
    const stop = (error: Error): void => {
      reject(error);
      channel.close();
    };
    const timers = watchLimits(run, stop);
    const received = receive(channel, run, { onStart: timers.passwordTaken, stop });
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

/** The timers of a run. `passwordTaken` ends the one for the password, and `clear` ends all of them. */
interface Timers {
  readonly passwordTaken: () => void;
  readonly clear: () => void;
}

/**
 * Stops the run when it takes too long or is cancelled. With a password, also when the program has not started within
 * {@link passwordTimeoutSeconds}.
 */
function watchLimits(run: Execution, stop: (error: Error) => void): Timers {
  const { place, options, shell } = run;
  const onAbort = (): void => stop(cancelled(place));
  options.signal?.addEventListener("abort", onAbort, { once: true });
  const timeout = setTimeout(() => {
    const cause = `no end after ${options.timeoutSeconds} s; what was done there is unknown`;
    stop(new HostError("timeout", `${place}: ${cause}; look at the load of the host, then run again`));
  }, options.timeoutSeconds * 1000);
  const passwordTimeout = setTimeout(
    () => stop(shell.passwordTimeout(run, passwordTimeoutSeconds)),
    passwordTimeoutSeconds * 1000,
  );
  if (run.password === undefined) clearTimeout(passwordTimeout);
  return {
    passwordTaken: () => clearTimeout(passwordTimeout),
    clear: () => {
      clearTimeout(timeout);
      clearTimeout(passwordTimeout);
      options.signal?.removeEventListener("abort", onAbort);
    },
  };
}

interface Received {
  /** Resolves when our shell, or the program, runs. */
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

/** Collects both output streams, and calls `on.stop` where the host prints too much. */
function receive(channel: Channel, run: Execution, on: Listener): Received {
  const { mark, shell } = run;
  const stdout = splitAtLine(shell.firstLine(mark));
  const stderr = splitAtLine(shell.firstLine(mark));
  const chunks: Buffer[] = [];
  let bytes = 0;
  let noiseBytes = 0;
  let tail = Buffer.alloc(0);
  /** Counts bytes that are not part of the answer. True where there are too many, and the run was stopped for it. */
  const countNoise = (more: number): boolean => {
    noiseBytes += more;
    if (noiseBytes <= largestNoiseBytes) return false;
    const cause = `the host prints more than ${largestNoiseBytes / 1024 / 1024} MB that is no answer`;
    on.stop(new HostError("answer", `${run.place}: ${cause}; look at what ${run.shell.noiseSources} print`));
    return true;
  };
  const started = new Promise<void>((resolve) => {
    channel.on("data", (chunk: Buffer) => {
      if (countNoise(stdout.isStarted() ? 0 : chunk.length)) return;
      const ours = stdout.take(chunk);
      if (stdout.isStarted()) resolve();
      if (ours.length === 0) return;
      bytes += ours.length;
      if (bytes > largestStdoutBytes) {
        const cause = `the answer is longer than ${largestStdoutBytes / 1024 / 1024} MB`;
        return on.stop(new HostError("answer", `${run.place}: ${cause}; look for huge files in its configuration`));
      }
      chunks.push(ours);
      run.options.onStdout?.(ours);
    });
  });
  channel.stderr.on("data", (chunk: Buffer) => {
    if (countNoise(chunk.length)) return;
    tail = Buffer.concat([tail, stderr.take(chunk)]).subarray(-keptStderrBytes);
    // The password was refused. The channel sends an end of file and no further lines, because each line would count as
    // another wrong password and might lock the account.
    const isAsking = run.password !== undefined && !stderr.isStarted();
    if (isAsking && shell.isPasswordAskedAgain(mark, stderr.before())) channel.end();
  });
  void started.then(on.onStart);
  return { started, stdout, stderr, stdoutBytes: () => Buffer.concat(chunks), stderrBytes: () => tail };
}

/** Writes the password, where there is one, and then the script and its data. Stops where the channel was ended. */
async function send(channel: Channel, run: Execution, started: Promise<void>): Promise<void> {
  const { shell, program, password } = run;
  if (password !== undefined) {
    channel.write(shell.passwordLine(password));
    // Script and data are sent only after the host has accepted the password. Otherwise the host would take our next
    // lines for further passwords.
    await started;
  }
  for await (const part of shell.input(run, program)) {
    if (channel.writableEnded) return;
    if (!channel.write(part)) await waitForDrain(channel);
  }
  channel.end();
}

/** Resolves when the channel takes more data, or when it is closed. */
function waitForDrain(channel: Channel): Promise<void> {
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

/**
 * How the program ended. Settles when both streams are read to their ends. Undefined when the connection was lost
 * before the program ended.
 */
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

/**
 * The result of the run. Throws an error where the connection was cut before the end (`exit` is undefined), where
 * nothing of ours ran, or where the shell finds a failure in the output.
 */
function conclude(run: Execution, received: Received, exit: Exit | undefined): ProgramResult {
  const { place, shell } = run;
  const stdout = received.stdoutBytes();
  const stderr = hidePassword(received.stderrBytes().toString("utf8"), run);
  if (exit === undefined) {
    const cause = "the connection was cut in the middle, so what was done there is unknown";
    throw new HostError("cut", `${place}: ${cause}; run again: it begins by looking at what is there`);
  }
  if (!received.stdout.isStarted()) throw notStarted(run, received, exit);
  const result = { exitCode: exit.code, signal: exit.signal, stdout, stderr };
  const failure = shell.findFailure(run, result);
  if (failure !== undefined) throw failure;
  return result;
}

/** The error where the login shell, or the program that gives root rights, ended without running anything of ours. */
function notStarted(run: Execution, received: Received, exit: Exit): HostError {
  const { place, connection, shell } = run;
  const noise = hidePassword(`${received.stderr.before()}\n${received.stdout.before()}`, run);
  const refused = shell.findRefusal(run, noise);
  if (refused !== undefined) return refused;
  const how = exit.code === undefined ? `signal ${exit.signal}` : `exit status ${exit.code}`;
  const cause = `the login shell of ${connection.user} did not run our command (${how}: ${asOneLine(noise) || "no message"})`;
  return new HostError("login", `${place}: ${cause}; give that user a shell, and no forced command`);
}

/** Replaces the password of this run. No other secret goes through the channel, so no other could come back. */
function hidePassword(text: string, run: Execution): string {
  return run.password === undefined ? text : text.replaceAll(run.password.password, "(hidden)");
}
