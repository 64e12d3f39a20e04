#!/usr/bin/env node
/**
 * `clientcert`: the commands that need no Pulumi engine. Each command has its own file, which is loaded only when the
 * command runs, so that `--help` is fast.
 */
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { shownLines } from "../core/shown.ts";
import { version } from "../provider/version.ts";
import { exitCode } from "./exit-code.ts";
import { type Answer, progressOn, styleFor } from "./output.ts";

/** The command line. `answer` prints the result of the command that was run. */
function makeProgram(answer: (result: Answer) => void): Command {
  const program = new Command("clientcert")
    .description("Client-certificate authentication on Apache httpd, without the Pulumi engine.")
    .version(version, "--version", "print the version")
    .exitOverride()
    .showHelpAfterError("(clientcert --help shows what is possible)")
    .addHelpText("after", "\nclientcert COMMAND --help tells a command's options and exit codes.");
  addLint(program, answer);
  addPki(program, answer);
  addCheck(program, answer);
  addPlan(program, answer);
  addObserveProgram(program, answer);
  return program;
}

/** Makes a command. A mistake in its arguments points to the command's own help. */
const addCommand = (program: Command, name: string): Command =>
  program.command(name).showHelpAfterError(`(clientcert ${name} --help shows what is possible)`);

/** The part of a command's help with the exit codes that this command can return. */
const exitCodes = (codes: readonly string[]): string =>
  ["\nExit codes:", ...codes.map((code) => `  ${code}`)].join("\n");

/** The exit codes of the commands that compare hosts with the site file. `precedence` is added to the code 1. */
const comparisonCodes = (precedence = ""): string =>
  exitCodes([
    "0  as wanted",
    "7  differs from what is wanted, or conflicts with it",
    `1  could not tell${precedence}`,
    "2  the site file, a file that it names, or the command line is wrong",
  ]);

const style = () => styleFor(process.stdout, process.env);

function addLint(program: Command, answer: (result: Answer) => void): void {
  addCommand(program, "lint")
    .description("check site files, and the CA and CRL files they name, without a host")
    .argument("<file...>", "site files, or names of stacks (stacks/<stack>.yaml)")
    .option("--json", "print one JSON object")
    .addHelpText("after", lintCodes)
    .action(async (files: string[], { json = false }: { json?: boolean }) => {
      const { lint } = await import("./lint.ts");
      answer(lint(files, { json, now: Date.now(), style: style() }));
    });
}

const lintCodes = exitCodes([
  "0  fine; warnings do not count",
  "2  a site file, a file that it names, or the command line is wrong",
]);

function addPki(program: Command, answer: (result: Answer) => void): void {
  addCommand(program, "pki")
    .description("say in plain words what certificate, bundle and CRL files hold")
    .argument("<file...>", "PEM or DER files")
    .option("--serial <number>", "serial number in hex (12ab, 0x12ab, 12:ab), or dec:4779: is it revoked?")
    .option("--json", "print one JSON object")
    .addHelpText("after", pkiCodes)
    .action(async (files: string[], { json = false, serial }: { json?: boolean; serial?: string }) => {
      const { explainPki } = await import("./explain-pki.ts");
      answer(explainPki(files, { json, serial, now: Date.now() }));
    });
}

const pkiCodes = exitCodes([
  "0  every file holds certificates or CRLs; with --serial: the CRLs do not revoke it",
  "7  a CRL among the files revokes the serial number, or a certificate among them",
  "1  could not tell: no CRL (with --serial), or one that has expired, is not valid yet, lists changes only, covers only other certificates, or is not signed by the given CA",
  "2  a file or the command line is wrong",
]);

function addCheck(program: Command, answer: (result: Answer) => void): void {
  addCommand(program, "check")
    .description(
      "look at the hosts of a site, one remote execution each, and say what a change would do; changes nothing",
    )
    .requiredOption("--site <site>", "site file, or name of a stack (stacks/<stack>.yaml)")
    .option("--host <name...>", "only these hosts of the site")
    .option("--json", "print one JSON object")
    .option(
      "--save <file>",
      "keep what only a running httpd knows, for clientcert plan --saved; no line of the configuration",
    )
    .option("--parallel <number>", "hosts looked at at once (default: 16)", wholeNumber)
    .addHelpText("after", checkHelp + comparisonCodes(" (beats 7 over several hosts)"))
    .action(async (options: CheckFlags) => {
      const { check } = await import("./check.ts");
      const { site, host = [], json = false, save, parallel } = options;
      const progress = { onProgress: progressOn(process.stderr), style: style() };
      answer(await check({ site, hosts: host, json, save, parallel, now: Date.now(), ...progress }));
    });
}

const checkHelp = `
--json: { site, warnings, hosts: [HOST, …] }, with HOST as
  { host, address, sshPort, state, error, server, changes, findings: [{ severity, place, text }, …] }
  state: "as wanted", "differs", "conflict", or "unknown" with its error
  server.virtualHosts: [{ serverName, place, wanted, covered }, …]
    wanted: not excluded by the site file; covered: our line stands in it now
`;

interface CheckFlags {
  readonly site: string;
  readonly host?: string[];
  readonly json?: boolean;
  readonly save?: string;
  readonly parallel?: number;
}

function addPlan(program: Command, answer: (result: Answer) => void): void {
  addCommand(program, "plan")
    .description("the same plan for one host, against a copy of its files, as a unified diff")
    .requiredOption("--site <site>", "site file, or name of a stack (stacks/<stack>.yaml)")
    .requiredOption("--host <name>", "the host of the site")
    .requiredOption("--tree <dir>", "directory that stands for the host's /; nothing outside of it is read")
    .option("--saved <file>", "what clientcert check --save kept, for what the files alone do not tell")
    .option("--httpd-version <file>", "output of httpd -V on the host, for IfVersion and a missing ServerRoot")
    .option("--httpd-modules <file>", "output of httpd -M on the host, for IfModule and modules that are compiled in")
    .option("--write", "carry the plan out on the copy")
    .option("--json", "print one JSON object, without lines of the host's files")
    .addHelpText("after", planHelp + comparisonCodes())
    .action(async (options: PlanFlags) => {
      const { plan } = await import("./plan.ts");
      const { saved, write = false, json = false, ...others } = options;
      const isTerminal = process.stdout.isTTY;
      answer(plan({ ...others, saved, write, json, now: Date.now(), style: style(), isTerminal }));
    });
}

const planHelp = `
What the files alone do not tell, these commands tell on the host, where clientcert check --save cannot look at it:
  httpd -V > httpd-version.txt     (Debian: apache2ctl -V; the product: /usr/local/ni/apache/bin/httpd -V)
  httpd -M > httpd-modules.txt     (Debian: apache2ctl -M; the product: /usr/local/ni/apache/bin/httpd -M)
  -D names of its command line (ps -ef) belong under defines: of the host in the site file.
Into a file or a pipe the diff has the bytes of the host's files: patch -p1 takes it. CA and CRL files are not in it.
--json: { site, tree, truth, written, host: HOST }, with HOST as check --json has it, and written after --write
`;

interface PlanFlags {
  readonly site: string;
  readonly host: string;
  readonly tree: string;
  readonly saved?: string;
  readonly httpdVersion?: string;
  readonly httpdModules?: string;
  readonly write?: boolean;
  readonly json?: boolean;
}

function addObserveProgram(program: Command, answer: (result: Answer) => void): void {
  addCommand(program, "observe-program")
    .description("print the program for a sudoers rule that allows to look at a host and nothing else")
    .addHelpText("after", observeProgramHelp + observeCodes)
    .option("--site <site>", "build in what this site file overrides for --host: httpd, config, pidFile, …")
    .option("--host <name>", "the host of the site")
    .option("--sudoers <user>", "print the line for sudoers instead, with the program's digest")
    .option("--no-digest", "the line without the digest, for sudo-rs, which knows none")
    .option("--json", "print one JSON object with both")
    .action(async ({ site, host, sudoers, digest, json = false }: ObserveFlags, command: Command) => {
      if ((site === undefined) !== (host === undefined)) command.error("error: --site and --host belong together");
      const { observeProgram } = await import("./observe-program.ts");
      const overridesFrom = site === undefined || host === undefined ? undefined : { site, host };
      answer(observeProgram({ overridesFrom, sudoers, digest, json }));
    });
}

const observeProgramHelp = `
On the host, as root:
  install -o root -g root -m 755 PROGRAM /usr/local/sbin/clientcert-observe
  visudo -f /etc/sudoers.d/clientcert      (the line that --sudoers prints)
Is sudo there sudo-rs (sudo --version says so)? It refuses digests: print the line with --no-digest. Then nothing but its place protects
the program: it and every directory above it must belong to root, and nobody else may write there.
In the site file:
  sudo: { program: /usr/local/sbin/clientcert-observe }
That is enough for check, for refresh, and for previews with judgeInPreview: false.
`;

const observeCodes = exitCodes(["0  printed", "2  the site file, a file that it names, or the command line is wrong"]);

interface ObserveFlags {
  readonly site?: string;
  readonly host?: string;
  readonly sudoers?: string;
  readonly digest: boolean;
  readonly json?: boolean;
}

/** Parses the value of an option, a whole number from 1 to 9999. Throws the error that commander prints. */
function wholeNumber(text: string): number {
  const number = Number(text);
  if (/^\d{1,4}$/.test(text) && number > 0) return number;
  throw new InvalidArgumentError("write a whole number from 1 to 9999.");
}

/**
 * Runs the command of the command line, prints its answer and sets the exit code, which is 2 for a wrong command line.
 */
async function main(): Promise<void> {
  // It is not an error when a reader such as `| head` has seen enough and closes the pipe.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit();
    process.stderr.write(`clientcert: standard output: ${error.message}; write it to another place\n`);
    process.exit(exitCode.unknown);
  });
  // The exit code is set, because process.exit would cut off long output into a pipe.
  const program = makeProgram(({ output, bytes, code }) => {
    process.stdout.write(style().printable(output));
    if (bytes !== undefined) process.stdout.write(bytes);
    process.exitCode = code;
  });
  try {
    await program.parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander has already printed the error. Its own exit code 1 would mean "could not tell" here.
    process.exitCode = error.exitCode === 0 ? exitCode.fine : exitCode.wrongInput;
  }
}

// No top-level await: the bundle is CommonJS, which starts sooner.
void main().catch((error: unknown) => {
  process.stderr.write(`clientcert: ${shownLines(error instanceof Error ? error.message : String(error))}\n`);
  process.exitCode = exitCode.unknown;
});
