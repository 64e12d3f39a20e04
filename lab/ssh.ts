/**
 * The SSH server of a lab host. It has its own host key. One login key serves all hosts of this process. The users are
 * root and, on request, ops.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import ssh2 from "ssh2";
import type { MachineFile } from "./machine.ts";
import type { LabHostOptions, LabPorts } from "./options.ts";

/** Password of root and ops inside lab hosts. */
export const labPassword = "lab-password-of-root-and-ops";
/** A log line that counts as one remote execution: sshd has started a command, a shell or a subsystem. */
const sessionLine = /Starting session: /g;
const logFile = "/var/log/sshd.log";

export interface SshKeys {
  /** OpenSSH format. */
  readonly private: string;
  /** `ssh-ed25519 AAAA…`. */
  readonly public: string;
}

/**
 * Makes a new pair of ed25519 keys. About one in 150 keys that ssh2 makes cannot be read by any program, not even by
 * ssh2. In that case another pair is made.
 */
export function createSshKeys(): SshKeys {
  for (;;) {
    const keys = ssh2.utils.generateKeyPairSync("ed25519");
    if (!(ssh2.utils.parseKey(keys.private) instanceof Error))
      return { private: keys.private, public: keys.public.trim() };
  }
}

let sharedLoginKeys: SshKeys | undefined;
let passwordHash: Promise<string> | undefined;

/** The key that logs in to every lab host of this process. */
export function loginKeys(): SshKeys {
  sharedLoginKeys ??= createSshKeys();
  return sharedLoginKeys;
}

/** Returns the files of sshd, of the users and of sudo. */
export async function sshFiles(
  options: LabHostOptions,
  ports: LabPorts,
  hostKey: SshKeys,
): Promise<Map<string, MachineFile>> {
  passwordHash ??= hashPassword();
  const files = new Map<string, MachineFile>([
    ["/etc/ssh/sshd_config", { content: sshdConfiguration(ports.ssh) }],
    ["/etc/ssh/ssh_host_ed25519_key", { content: hostKey.private, mode: 0o600 }],
    ["/etc/ssh/ssh_host_ed25519_key.pub", { content: `${hostKey.public}\n` }],
    ["/etc/ssh/lab_authorized_keys", { content: `${loginKeys().public}\n` }],
    [logFile, { content: "", mode: 0o600 }],
    ["/etc/lab-password-hash", { content: await passwordHash, mode: 0o600 }],
  ]);
  if (options.ops !== undefined) files.set("/etc/sudoers.d/ops", { content: sudoers(options.ops.sudo), mode: 0o440 });
  return files;
}

/** Shell commands that make the users and start sshd. */
export function sshStart(options: LabHostOptions): string {
  const addOps = `echo ops:x:4242:4242::/home/ops:/bin/sh >>/etc/passwd
echo ops:x:4242: >>/etc/group
echo "ops:$hash:19000:0:99999:7:::" >>/etc/shadow
mkdir -p /home/ops && chown 4242:4242 /home/ops
`;
  return `hash=$(cat /etc/lab-password-hash) && rm /etc/lab-password-hash
sed -i "s|^root:[^:]*|root:$hash|" /etc/shadow
${options.ops === undefined ? "" : addOps}/usr/sbin/sshd -E ${logFile}
`;
}

/** Counts in the log of sshd how many remote executions sshd has started. */
export function countExecutions(log: string): number {
  return log.match(sessionLine)?.length ?? 0;
}

export const sshLogFile = logFile;

/**
 * Keys are kept outside of home directories, because those must not be this machine's. MaxStartups is high, because
 * many connections at once are a test here and not an attack.
 */
function sshdConfiguration(port: number): string {
  return `ListenAddress 127.0.0.1
Port ${port}
HostKey /etc/ssh/ssh_host_ed25519_key
PidFile /run/sshd.pid
AuthorizedKeysFile /etc/ssh/lab_authorized_keys
PermitRootLogin yes
PasswordAuthentication yes
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
AllowUsers root ops
LogLevel VERBOSE
MaxStartups 200
MaxSessions 100
Subsystem sftp internal-sftp
`;
}

function sudoers(sudo: NonNullable<LabHostOptions["ops"]>["sudo"]): string {
  if (typeof sudo === "object") return `ops ${sudo.rule}\n`;
  const texts = {
    passwordless: "ops ALL=(ALL) NOPASSWD: ALL\n",
    password: "ops ALL=(ALL) ALL\n",
    requiretty: "Defaults:ops requiretty\nops ALL=(ALL) NOPASSWD: ALL\n",
  };
  return texts[sudo];
}

async function hashPassword(): Promise<string> {
  const { stdout } = await promisify(execFile)("openssl", ["passwd", "-6", labPassword]);
  return stdout.trim();
}
