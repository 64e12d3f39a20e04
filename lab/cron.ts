/** cron on a lab host: its jobs are the host's own only, not those of the machine that it runs on. */
import { existsSync, readdirSync } from "node:fs";
import type { MachineFile } from "./machine.ts";

const folders = ["/etc/cron.d", "/var/spool/cron/crontabs"];

/** Shell commands that take the machine's jobs away: they might fetch CRLs, and no test shall depend on the machine. */
export function cronSetUp(files: ReadonlyMap<string, MachineFile>): string {
  const jobs = folders.flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder).map((name) => `${folder}/${name}`) : [],
  );
  const foreign = [...jobs, "/etc/crontab"].filter((file) => !files.has(file));
  return `rm -f ${foreign.join(" ")}\n`;
}

/**
 * Shell commands that start Debian's daemon. It tells by whole seconds whether something is new: what is written in the
 * second of its start would be overlooked.
 */
export const cronStart = `touch -d '1 hour ago' ${folders.join(" ")}\n/usr/sbin/cron\n`;
