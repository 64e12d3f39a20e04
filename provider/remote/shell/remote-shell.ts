/** What the SSH layer asks of the shell at the other end: all that differs between systems is behind this. */
import type { Connection } from "../../../core/connection/inputs.ts";
import type { Environment } from "../credentials.ts";
import type { HostError } from "../host-error.ts";
import type { ProgramResult } from "../run-program.ts";

/** One execution, before it is started. */
export interface Start {
  /** Host as messages name it. */
  readonly place: string;
  readonly connection: Connection;
  /** Hex digits, fresh and random: nothing else on the streams looks like it. */
  readonly mark: string;
  /** What the host asks for before the program gets its rights. @default - it asks for none */
  readonly password: Password | undefined;
}

export interface Password {
  readonly password: string;
  /** Where it came from, in words. */
  readonly source: string;
}

export interface ShellProgram {
  /**
   * Text for the host's shell; finds `data` on its standard input. Not sent where the user may run one program alone.
   */
  readonly script: string;
  readonly data: Buffer | AsyncIterable<Buffer>;
}

export interface RemoteShell {
  /** Rejects where the password is not where the site file says. */
  readPassword(place: string, connection: Connection, environment: Environment): Promise<Password | undefined>;
  /** For the user's login shell. */
  commandLine(start: Start, program: ShellProgram): string;
  /** With this standard output and error begin: whatever banners and start files print before is not ours. */
  firstLine(mark: string): string;
  /** What goes to standard input first, where there is a password. */
  passwordLine(password: Password): string;
  /** What goes there next. */
  input(start: Start, program: ShellProgram): AsyncIterable<Buffer>;
  /** What may print before that, in words. */
  readonly noiseSources: string;
  /** Whether the password was not taken, by what standard error has before {@link firstLine}. */
  isPasswordAskedAgain(mark: string, stderr: string): boolean;
  /** Nothing was started within this time, although the host has the password. */
  passwordTimeout(start: Start, seconds: number): HostError;
  /** Why nothing was started, by what was said before {@link firstLine}; undefined where that does not tell. */
  findRefusal(start: Start, said: string): HostError | undefined;
  /** Why what was started is not the program, or could not run; undefined where it ran. */
  findFailure(start: Start, result: ProgramResult): HostError | undefined;
}
