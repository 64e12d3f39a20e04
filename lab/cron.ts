/** cron on a lab host. It runs only the jobs of this host, not those of the machine that the lab runs on. */
import { existsSync, readdirSync } from "node:fs";
import type { MachineFile } from "./machine.ts";

const folders = ["/etc/cron.d", "/var/spool/cron/crontabs"];

/** Shell commands that remove the machine's jobs. Those might fetch CRLs, and no test may depend on the machine. */
export function cronSetUp(files: ReadonlyMap<string, MachineFile>): string {
  const jobs = folders.flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder).map((name) => `${folder}/${name}`) : [],
  );
  const foreign = [...jobs, "/etc/crontab"].filter((file) => !files.has(file));
  return `rm -f ${foreign.join(" ")}\n`;
}

/**
 * Shell commands that start Debian's daemon. cron compares times in whole seconds to find new jobs. So a job that is
 * written in the second of cron's start would be overlooked.
 */
export const cronStart = `touch -d '1 hour ago' ${folders.join(" ")}\n/usr/sbin/cron\n`;
