/**
 * Explains in plain words what a shell or a program prints when it reaches a limit of its login.
 * `host/posix/lib/resources.sh` does the same on the host.
 */

const limits: readonly (readonly [words: RegExp, name: string])[] = [
  [/file too large|file size limit/i, "file size"],
  [/too many open files|pipe call failed/i, "open files"],
  [/cannot fork|\bfork: |resource temporarily unavailable/i, "processes"],
  [/cannot allocate memory|out of (?:space|memory)|memory exhausted/i, "memory"],
];

/** A sentence with a remedy, where `text` shows that such a limit was reached. Otherwise undefined. */
export function findLimit(text: string): string | undefined {
  const name = limits.find(([words]) => words.test(text))?.[1];
  return name === undefined
    ? undefined
    : `this login there hit a limit of ${name}: raise it (ulimit, /etc/security/limits.conf, or the unit of sshd), and run again`;
}
