/** cron on a lab host: Debian's own daemon, with the jobs of the host only, not those of the machine that it runs on. */
import { readdirSync } from "node:fs";
import type { MachineFile } from "./machine.ts";

const folders = ["/etc/cron.d", "/var/spool/cron/crontabs"];

/** Shell commands that start it. `files` are those of the host. */
export function cronStart(files: ReadonlyMap<string, MachineFile>): string {
  const foreign = folders.flatMap(jobsOfMachine).filter((file) => !files.has(file));
  return [
    ...foreign.map((file) => `rm -f ${file}\n`),
    files.has("/etc/crontab") ? "" : ": >/etc/crontab\n",
    // cron tells by whole seconds whether something is new: what is written in the second of its start would be overlooked.
    `touch -d '1 hour ago' /etc/crontab ${folders.join(" ")}\n`,
    "/usr/sbin/cron\n",
  ].join("");
}

/** Dot files too: cron reads none, but nothing else shall find them either. */
function jobsOfMachine(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => `${folder}/${name}`);
  } catch {
    return []; // a machine without cron has no such folder
  }
}
