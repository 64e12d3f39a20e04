/** A lab host to try things on: `npm run lab`; lives until Ctrl-C. */
import { setTimeout as wait } from "node:timers/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { startLabHost } from "./host.ts";
import { writePki } from "./pki-files.ts";
import { siteText } from "./site.ts";

const usage = `npm run lab

Starts one lab host on this machine (namespaces, loopback only), prints a site file for it and how to talk to it, and
removes it at Ctrl-C.`;

const { values } = parseArgs({ options: { help: { type: "boolean", short: "h", default: false } } });
if (values.help) console.log(usage);
else await play();

async function play(): Promise<void> {
  const host = await startLabHost({ virtualHosts: 2 });
  process.once("SIGINT", () => void host.stop().then(() => process.exit(0)));
  const pki = path.join(host.directory, "pki");
  await writePki(host.pki, pki);
  const caFiles = [`${pki}/ca/issuing.pem`, `${pki}/ca/root.pem`];
  const site = siteText({ caFiles, crlFiles: [`${pki}/crl/issuing.pem`], hosts: [{ name: "web1", lab: host }] });
  console.log(`A lab host is running: httpd under ${host.serverRoot}, certificates and CRLs in ${pki}

  ssh -p ${host.ports.ssh} -i ${host.keyFile} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@127.0.0.1
  curl --cacert ${pki}/ca/root.pem https://localhost:${host.ports.https}/cgi-bin/env.cgi
  nsenter --target ${host.pid} --mount --pid --ipc --uts

A site file for it, stacks/lab.yaml:

${site}
Ctrl-C stops it and removes ${host.directory}.`);
  for (;;) await wait(60_000);
}
