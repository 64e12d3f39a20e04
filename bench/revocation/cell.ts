/** One way against one fault of the publisher, on a host of its own: what became of the site. */
import type { LabHost } from "../../lab/host.ts";
import type { LabPki } from "../../lab/pki.ts";
import type { Fault } from "../../lab/publisher-faults.ts";
import type { Publisher } from "../../lab/publisher.ts";
import { apachectl, settledLook, statesOf, type Site, type State, type Way } from "./site.ts";

export interface Cell {
  readonly states: readonly State[];
  /** After httpd was stopped and started, as at a reboot. */
  readonly statesAfterRestart: readonly State[];
  /**
   * What is wrong with the files that httpd reads; undefined: each is one of the issuer's two lists, as PEM and nothing
   * else.
   */
  readonly damage: string | undefined;
  /** The refresh was still running at its end of time, and was ended. */
  readonly isHung: boolean;
}

export interface Lists {
  readonly old: string;
  readonly new: string;
}

/** More than any of the ways gives itself. */
const refreshSeconds = 150;
/** Of disk and memory, so that an endless list does not end this machine. */
const largestFileKib = 1024 * 1024;
const largestProcessKib = 4 * 1024 * 1024;
/** `timeout` says so. */
const timedOut = 124;

/** Sets a site up with the old list; then the new list is published, with the fault, and the refresh runs once. */
export async function fillCell(
  way: Way,
  fault: Fault | "ok",
  pki: LabPki,
  publisher: Publisher,
  lists: Lists,
): Promise<Cell> {
  const name = `${way.title.replace(/\W+/g, "-")}-${fault}.crl`;
  publisher.publish(name, lists.old, way.form);
  const site = await way.start(pki, publisher.url(name));
  try {
    const before = statesOf(await settledLook(site.lab));
    if (before.join() !== "isOld") throw new Error(`before any fault the site was ${before.join()}`);
    publisher.publish(name, lists.new, way.form);
    publisher.fault(name, fault);
    const isHung = await refresh(site);
    const states = statesOf(await settledLook(site.lab));
    const damage = await findDamage(site);
    await restart(site.lab);
    return { states, statesAfterRestart: statesOf(await settledLook(site.lab)), damage, isHung };
  } finally {
    await site.stop();
  }
}

async function refresh({ lab, refreshCommand, reloadCommand }: Site): Promise<boolean> {
  const limits = `ulimit -f ${largestFileKib * 2}; ulimit -v ${largestProcessKib}`; // POSIX: files in units of 512 bytes
  const command = `${limits}; timeout -k 5 ${refreshSeconds} /bin/sh -c '${refreshCommand}'`;
  const { status } = await lab.exec(command);
  await lab.exec(reloadCommand);
  return status === timedOut;
}

async function findDamage({ lab, crlFiles }: Site): Promise<string | undefined> {
  await lab.run("cat >/run/ca.pem", lab.pki.caBundle);
  const command = `for file in ${crlFiles}; do
  echo "$(stat -c %s "$file") $(grep -ac "^-----BEGIN" "$file") $(openssl crl -in "$file" -CAfile /run/ca.pem -noout -crlnumber 2>&1 | tr "\\n" " ")"
done`;
  const lines = (await lab.run(command)).trim().split("\n");
  return lines.map(damageOf).find((damage) => damage !== undefined);
}

/** More than any of the lists has. */
const mostListBytes = 10_000;

/** A line `BYTES BLOCKS WORDS-OF-OPENSSL`. */
function damageOf(line: string): string | undefined {
  const [bytes = "", blocks, ...words] = line.split(" ");
  const number = /crlNumber=(?:0x)?(\w+)/.exec(words.join(" "))?.[1];
  if (bytes === "0") return "the file is empty";
  if (Number(bytes) > mostListBytes) return `the file has ${Math.round(Number(bytes) / 2 ** 20)} MiB`;
  if (number === undefined) return `the file is no list (${bytes} bytes)`;
  if (!words.join(" ").includes("verify OK")) return "the file is a list that the issuer did not sign";
  if (blocks === "0") return "the file is in DER";
  if (blocks !== "1") return "the file holds a certificate";
  return /^0*[12]$/.test(number) ? undefined : "the file is a list that must not be used";
}

/** By signals: apachectl stops no httpd whose configuration has become wrong. */
async function restart(lab: LabHost): Promise<void> {
  await lab.exec("pkill -TERM -x httpd; timeout 20 sh -c 'while pgrep -x httpd; do sleep 0.1; done' >/dev/null");
  await lab.exec(`${apachectl} start`);
}
