/** Where httpd's files lie on a host, and how it is started. */
import type { MachineFile } from "./machine.ts";

export interface Layout {
  readonly serverRoot: string;
  readonly configFile: string;
  readonly pidFile: string;
  /** The log in which httpd writes why it does not start. */
  readonly errorLog: string;
  readonly files: ReadonlyMap<string, MachineFile>;
  /** Shell commands that finish the tree. */
  readonly setUp: string;
  /** Shell command that starts httpd. */
  readonly start: string;
}
