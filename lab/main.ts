/** A lab host by hand: `npx tsx lab/main.ts`; lives until Ctrl-C. */
import { setTimeout as wait } from "node:timers/promises";
import path from "node:path";
import { startLabHost } from "./host.ts";
import { writePki } from "./pki-files.ts";

const host = await startLabHost({ virtualHosts: 2 });
const pkiDirectory = path.join(host.directory, "pki");
await writePki(host.pki, pkiDirectory);
console.log(`A lab host is running: httpd under ${host.serverRoot}, certificates and CRLs in ${pkiDirectory}

  ssh -p ${host.ports.ssh} -i ${host.keyFile} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@127.0.0.1
  curl --cacert ${pkiDirectory}/ca/root.pem https://localhost:${host.ports.https}/cgi-bin/env.cgi
  nsenter --target ${host.pid} --mount --pid --ipc --uts

Its host key, for a site file: ${host.hostKey}
Ctrl-C stops it and removes ${host.directory}.`);
process.once("SIGINT", () => void host.stop().then(() => process.exit(0)));
for (;;) await wait(60_000);
