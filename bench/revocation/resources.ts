/** What a host uses: to see whether anything grows with the number of refreshes. */
import { setTimeout as wait } from "node:timers/promises";
import type { LabHost } from "../../lab/host.ts";

export interface Resources {
  /** Of httpd's parent, which lives on while its children come and go. */
  readonly memoryKib: number;
  /** Open ones of the parent, which hands them on to all children. */
  readonly descriptors: number;
  /** In all folders where something of ours or of httpd can be. */
  readonly files: number;
  /** Of what we keep, and of our part of the configuration. */
  readonly ownKib: number;
  readonly sharedMemories: number;
}

export const resourceNames: Readonly<Record<keyof Resources, string>> = {
  memoryKib: "memory of httpd's parent, KiB",
  descriptors: "descriptors",
  files: "files",
  ownKib: "our files, KiB",
  sharedMemories: "shared memories",
};

const root = "/usr/local/ni/apache";
const command = `parent=$(cat ${root}/logs/httpd.pid)
awk '/^VmRSS:/ { print $2 }' /proc/$parent/status
ls /proc/$parent/fd | wc -l
find /usr/local/ni /etc /var/lib/clientcert /var/spool /var/tmp /run /tmp /srv /dev/shm -xdev | wc -l
du -sk /var/lib/clientcert ${root}/conf/clientcert | awk '{ sum += $1 } END { print sum }'
ipcs -m | wc -l`;

const samples = 6;
const pauseMilliseconds = 500;

/** The least of some looks: what is under way comes and goes. */
export async function measureResources(host: LabHost): Promise<Resources> {
  const seen: Resources[] = [];
  for (let count = 0; count < samples; count += 1) {
    seen.push(read(await host.run(command)));
    await wait(pauseMilliseconds);
  }
  const least = (name: keyof Resources): number => Math.min(...seen.map((resources) => resources[name]));
  return {
    memoryKib: least("memoryKib"),
    descriptors: least("descriptors"),
    files: least("files"),
    ownKib: least("ownKib"),
    sharedMemories: least("sharedMemories"),
  };
}

function read(text: string): Resources {
  const [memoryKib = NaN, descriptors = NaN, files = NaN, ownKib = NaN, sharedMemories = NaN] = text
    .trim()
    .split("\n")
    .map(Number);
  return { memoryKib, descriptors, files, ownKib, sharedMemories };
}

/** Those that have grown by more than `percent`. */
export function grown(early: Resources, late: Resources, percent: number): readonly (keyof Resources)[] {
  const names = Object.keys(resourceNames) as (keyof Resources)[]; // as: keys of a record of them
  return names.filter((name) => !(late[name] <= early[name] * (1 + percent / 100)));
}
