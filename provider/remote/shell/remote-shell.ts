/**
 * What the SSH layer needs from the shell at the other end. Everything that differs between systems is behind this
 * interface.
 */
import type { Connection } from "../../../core/connection/inputs.ts";
import type { Environment } from "../credentials.ts";
import type { HostError } from "../host-error.ts";
import type { ProgramResult } from "../run-program.ts";

/** One execution before its start. */
export interface Start {
  /** The host as messages name it. */
  readonly place: string;
  readonly connection: Connection;
  /** Hex digits, fresh and random: nothing else on the streams looks like them. */
  readonly mark: string;
  /** The password that the host asks for before the program gets its rights. @default - the host asks for none */
  readonly password: Password | undefined;
}

export interface Password {
  readonly password: string;
  /** Where the password came from, in words. */
  readonly source: string;
}

export interface ShellProgram {
  /**
   * The text for the host's shell. The script finds `data` on its standard input. It is not sent where the user may run
   * only one program.
   */
  readonly script: string;
  readonly data: Buffer | AsyncIterable<Buffer>;
}

export interface RemoteShell {
  /** Rejects where the password is not where the site file says. */
  readPassword(place: string, connection: Connection, environment: Environment): Promise<Password | undefined>;
  /** The command line for the user's login shell. */
  commandLine(start: Start, program: ShellProgram): string;
  /**
   * The line with which standard output and standard error begin. What banners and start files print before it does not
   * count as ours.
   */
  firstLine(mark: string): string;
  /** The first line for standard input, where there is a password. */
  passwordLine(password: Password): string;
  /** The data that goes to standard input after the password. */
  input(start: Start, program: ShellProgram): AsyncIterable<Buffer>;
  /** What may print before our first line, in words. */
  readonly noiseSources: string;
  /** Whether the password was refused, judged by what standard error has before {@link firstLine}. */
  isPasswordAskedAgain(mark: string, stderr: string): boolean;
  /** The error where nothing was started within this time although the host has the password. */
  passwordTimeout(start: Start, seconds: number): HostError;
  /**
   * Why nothing was started, judged by the output before {@link firstLine}. Undefined where the output does not show
   * it.
   */
  findRefusal(start: Start, output: string): HostError | undefined;
  /** Why the started program is not ours or could not run. Undefined where it ran. */
  findFailure(start: Start, result: ProgramResult): HostError | undefined;
}
