/**
 * How a script and its data get through a login shell and sudo into a root shell. The functions are pure: they turn
 * texts into texts.
 *
 * Standard input is `[password line] MARK line, script, MARK line, data`. The shell on the host skips everything up to
 * the first mark. A password that sudo did not ask for (NOPASSWD, cached ticket) is therefore never run as a command.
 * The shell next reads exactly the bytes of the script. The second mark proves that it has read nothing of the data
 * with them. Standard output and standard error both begin with a mark line, so what banners and rc files print before
 * it does not count as ours.
 */
import { HostError, asOneLine } from "../host-error.ts";
import type { Connection } from "../../../core/connection/inputs.ts";
import { readSudoPassword } from "../credentials.ts";
import type { ProgramResult } from "../run-program.ts";
import type { RemoteShell, Start } from "./remote-shell.ts";

/** `/bin/sh`, either as root by sudo or directly. */
export const posixShell: RemoteShell = {
  readPassword: (place, { sudo }, environment) => readSudoPassword(place, sudo, environment),
  commandLine: ({ place, connection, mark }, { script }) =>
    remoteCommand(place, connection.sudo, mark, Buffer.byteLength(script)),
  firstLine: (mark) => `${mark}\n`,
  passwordLine: ({ password }) => `${password}\n`,
  input: ({ connection, mark }, { script, data }) =>
    framed(mark, connection.sudo.how === "program" ? undefined : script, data),
  noiseSources: "its login shell and sudo",
  // Two prompts split the text into three pieces.
  isPasswordAskedAgain: (mark, stderr) =>
    stderr.split(promptOf(mark)).length > 2 || stderr.includes("Sorry, try again"),
  passwordTimeout,
  findRefusal: ({ place, connection, password }, output) => sudoError(place, connection, output, password?.source),
  findFailure,
};

// After the mark, one of these words on standard error says why our program cannot run on the host.
/** Busybox's `head -c` reads more than the bytes asked for, and so swallows data. */
const headUnfitWord = " head";
/** The name of a shell in which our programs do not run follows this word. */
const shellUnfitWord = " shell ";
/** `head` is missing or does not run. */
const headFailsWord = " no-head";

/**
 * The command line for the user's login shell, whichever shell that is. The text inside its single quotes contains
 * nothing that bash, dash, csh or fish would read differently: no single quote, backslash, line end or `!`.
 *
 * Exit status 97 means that the input ended before the mark. With 98, a word after the mark on standard error says what
 * is unfit.
 *
 * @param mark - hex digits, fresh and random: nothing else on the streams looks like it
 */
function remoteCommand(place: string, sudo: Connection["sudo"], mark: string, scriptBytes: number): string {
  const inner = [
    // `s` takes the script. If a login exports a variable with this name, its value would be as long as the script, and
    // no program could be started.
    "unset s;LC_ALL=C;export LC_ALL",
    // The first `echo` ends a line that a start file has left open.
    `echo;echo ${mark};echo ${mark} >&2`,
    // yash and posh set these variables.
    `[ $YASH_VERSION$POSH_VERSION ]&&{ echo ${mark}${shellUnfitWord}\${YASH_VERSION+yash}\${POSH_VERSION+posh} >&2;exit 98;}`,
    `while :;do IFS= read -r l||exit 97;[ "$l" = ${mark} ]&&break;done`,
    `s=$(head -c ${scriptBytes})||{ echo ${mark}${headFailsWord} >&2;exit 98;}`,
    `IFS= read -r l;[ "$l" = ${mark} ]||{ echo ${mark}${headUnfitWord} >&2;exit 98;}`,
    "unset l",
    'eval "$s"',
  ].join(";");
  // sudo may lie in a directory that is missing from a bare PATH. Its messages are read below, so LC_ALL is set before
  // it, too.
  const outer = "LC_ALL=C;export LC_ALL;PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH;export PATH;";
  switch (sudo.how) {
    case "none":
      return `exec /bin/sh -c '${inner}'`;
    case "passwordless":
      return `exec /bin/sh -c '${outer}exec sudo -n -- /bin/sh -c "$1"' sh '${inner}'`;
    case "password":
      return `exec /bin/sh -c '${outer}exec sudo -S -p ${promptOf(mark)} -- /bin/sh -c "$1"' sh '${inner}'`;
    case "program":
      return `exec /bin/sh -c '${outer}echo;echo ${mark};echo ${mark} >&2;exec sudo -n -- "$1"' sh ${quote(place, sudo.path)}`;
  }
}

/** The text that sudo writes to standard error when it asks. If it is seen twice, the password was wrong. */
function promptOf(mark: string): string {
  return `${mark}.password`;
}

/**
 * One argument in single quotes, for any Bourne shell, csh and fish. Throws an error for a text with a character that
 * does not belong in a plain path.
 */
function quote(place: string, text: string): string {
  if (/^[\w./@%+=:,-]+$/.test(text)) return `'${text}'`;
  throw new HostError(
    "sudo",
    `${place}: sudo program ${JSON.stringify(text)} is no plain path; write an absolute path without blanks or quotes`,
  );
}

/** The standard input of {@link remoteCommand} after the password line. Without a script, it is the data alone. */
async function* framed(
  mark: string,
  script: string | undefined,
  data: Buffer | AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void> {
  if (script !== undefined) yield Buffer.from(`${mark}\n${script}${mark}\n`);
  if (Buffer.isBuffer(data)) yield data;
  else yield* data;
}

/**
 * The reasons that sudo gives (LC_ALL=C, 1.8 to 1.9; sudo-rs where it differs). The first match counts. `{user}` and
 * `{source}` are filled in.
 */
const sudoReasons: readonly { readonly pattern: RegExp; readonly text: string }[] = [
  {
    pattern: /must have a tty|requiretty/,
    text: "sudo refuses to run without a terminal (requiretty); add to sudoers with visudo: Defaults:{user} !requiretty",
  },
  {
    pattern: /incorrect password attempt|Sorry, try again|Authentication failed/,
    text: "sudo refused the password of {user} from {source}; put the right one there",
  },
  {
    // sudo-rs reports each such line of sudoers and continues without it.
    pattern: /digest specifications are not supported[^]*afraid I can't do that/,
    text: "{user} may not run {program} as root: sudo there is sudo-rs, which leaves out every line of sudoers with a digest; write the line that npx clientcert observe-program --sudoers {user} --no-digest prints",
  },
  {
    pattern:
      /not in the sudoers file|may not run sudo|is not allowed to (execute|run)|not allowed to run sudo|afraid I can't do that/,
    text: "{user} may not run {program} as root; add a rule for {user} to sudoers with visudo",
  },
  {
    pattern:
      /a password is required|no password was provided|a terminal is required|interactive authentication is required/,
    text: "sudo asks {user} for a password; say where the password is, or add a NOPASSWD rule for {program} to sudoers with visudo",
  },
  {
    pattern: /account validation failure|account or password is expired|password (has )?expired/,
    text: "sudo says that the account or password of {user} has expired; renew it on the host",
  },
  {
    pattern: /sudo: (command )?not found|not found: sudo|sudo: No such file/i,
    text: "the host has no sudo; install it, or log in as root and say that no sudo is needed",
  },
  {
    pattern: /no new privileges|must be owned by uid 0|effective uid is not 0/,
    text: "sudo cannot become root there: {said}",
  },
  { pattern: /^sudo: .*(command not found|unable to execute)/m, text: "sudo found no {program}; install it there" },
];

/**
 * The error about what sudo reported. Undefined when `stderr` has no message of {@link sudoReasons}, or when the
 * connection uses no sudo. `source` is that of the password.
 */
export function sudoError(
  place: string,
  connection: Pick<Connection, "user" | "sudo">,
  stderr: string,
  source: string | undefined,
): HostError | undefined {
  const reason = sudoReasons.find(({ pattern }) => pattern.test(stderr));
  if (reason === undefined || connection.sudo.how === "none") return undefined;
  const program = connection.sudo.how === "program" ? connection.sudo.path : "/bin/sh";
  const values: Record<string, string> = {
    user: connection.user,
    source: source ?? "the site file",
    program,
    said: asOneLine(stderr),
  };
  return new HostError(
    "sudo",
    `${place}: ${reason.text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)}`,
  );
}

function passwordTimeout({ place, connection }: Start, seconds: number): HostError {
  const cause = `sudo did not let ${connection.user} in within ${seconds} s; it may ask for more than a password`;
  return new HostError("sudo", `${place}: ${cause}: try sudo there by hand`);
}

/** The error where what was started is not ours or could not run. Undefined where the program ran. */
function findFailure(start: Start, { exitCode, stdout, stderr }: ProgramResult): HostError | undefined {
  const unfit = findUnfit(start, stderr);
  if (unfit !== undefined) return unfit;
  // With `how: program`, the first lines are printed before sudo runs, so the error may come from sudo.
  const isSudo = start.connection.sudo.how === "program" && exitCode !== 0 && stdout.length === 0;
  return isSudo ? sudoError(start.place, start.connection, stderr, undefined) : undefined;
}

/**
 * The error where the host's shell or its `head` is not suitable. It is found before anything of the program runs.
 * Undefined where both are suitable.
 */
function findUnfit({ place, mark }: Start, stderr: string): HostError | undefined {
  const shell = new RegExp(`^${mark}${shellUnfitWord}(\\w+)$`, "m").exec(stderr)?.[1];
  if (shell !== undefined) {
    const cause = `/bin/sh there is ${shell}, in which our program does not run`;
    return new HostError("answer", `${place}: ${cause}; make it dash, bash, busybox ash or mksh`);
  }
  // The shell prints its own message before this word.
  if (stderr.includes(`${mark}${headFailsWord}`))
    return new HostError("answer", `${place}: this host's head cannot be run; repair it`);
  if (!stderr.startsWith(`${mark}${headUnfitWord}`)) return undefined;
  const cause = `its "head -c" reads more than it is told to (busybox)`;
  return new HostError("answer", `${place}: ${cause}; install GNU coreutils there`);
}
