/** The LDAP directory of a CA on this machine's loopback: a real OpenLDAP server that holds one CRL. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { freePort } from "./ports.ts";

export interface Directory {
  /** Address of the CRL (RFC 4516). */
  readonly url: string;
  stop(): Promise<void>;
}

const suffix = "o=Lab Trust Services,c=JP";
const entry = `cn=Lab Issuing CA,${suffix}`;

/** Starts a directory that answers with `crl`, in DER, in the attribute of RFC 4523. */
export async function startDirectory(crl: Uint8Array): Promise<Directory> {
  const folder = await mkdtemp(path.join(tmpdir(), "clientcert-directory-"));
  const settings = path.join(folder, "slapd.conf");
  await mkdir(path.join(folder, "data"));
  await writeFile(settings, settingsText(folder));
  await writeFile(path.join(folder, "entries.ldif"), entriesText(crl));
  execFileSync("/usr/sbin/slapadd", ["-f", settings, "-l", path.join(folder, "entries.ldif")], { stdio: "pipe" });
  const port = await freePort();
  // `-d 0` keeps slapd in the foreground.
  const server = spawn("/usr/sbin/slapd", ["-f", settings, "-h", `ldap://127.0.0.1:${port}`, "-d", "0"], {
    stdio: "ignore",
  });
  const ended = once(server, "exit");
  await untilListening(port);
  return {
    url: `ldap://127.0.0.1:${port}/${encodeURI(entry)}?certificateRevocationList;binary`,
    async stop() {
      server.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const settingsText = (folder: string): string => `include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${folder}/pid
database mdb
suffix "${suffix}"
directory ${folder}/data
`;

const entriesText = (crl: Uint8Array): string => `dn: ${suffix}
objectClass: organization
o: Lab Trust Services

dn: ${entry}
objectClass: cRLDistributionPoint
cn: Lab Issuing CA
certificateRevocationList;binary:: ${Buffer.from(crl).toString("base64")}
`;

const tries = 100;

async function untilListening(port: number): Promise<void> {
  for (let count = 0; count < tries; count += 1) {
    const socket = connect(port, "127.0.0.1");
    const isOpen = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await wait(50);
  }
  throw new Error(`lab directory: slapd does not listen on port ${port}`);
}
