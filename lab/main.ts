/** A lab host for experiments and the server of its CA: `npm run lab`. Both run until Ctrl-C. */
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startLabHost, type LabHost } from "./host.ts";
import { writePki } from "./pki-files.ts";
import { clientNames } from "./pki.ts";
import { answerWords, faults } from "./publisher-faults.ts";
import { startPublisher, type Publisher } from "./publisher.ts";
import { siteText } from "./site.ts";

const usage = `npm run lab

Starts one lab host on this machine (namespaces, loopback only) with a cron of its own, and a server that publishes its CA's
CRL; prints a site file for it and how to talk to both, and removes everything at Ctrl-C.`;

/** The name of the issuing CA's CRL on the CA's server. */
const listName = "issuing.crl";
const answers = ["ok", ...faults] as const;
let answering: (typeof answers)[number] = "ok";
/** The clients that are revoked. One of them is revoked from the beginning. */
const listed = new Set<string>(["revoked"]);

const { values } = parseArgs({ options: { help: { type: "boolean", short: "h", default: false } } });
if (values.help) console.log(usage);
else await play().catch(fail);

function fail(error: unknown): never {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1); // what stands of the lab ends with this process
}

async function play(): Promise<void> {
  const host = await startLabHost({ virtualHosts: 2, cron: true });
  const publisher = await startPublisher(host.pki);
  process.once("SIGINT", () => void Promise.all([host.stop(), publisher.stop()]).then(() => process.exit(0)));
  publisher.publish(listName, await host.pki.crl());
  const pki = path.join(host.directory, "pki");
  await writePki(host.pki, pki);
  console.log(introduction(host, publisher, pki));
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() !== "") console.log(await obey(line.trim().split(/\s+/), host, publisher));
  }
  for (;;) await wait(60_000); // standard input is none, or has ended
}

function introduction(host: LabHost, publisher: Publisher, pki: string): string {
  const { ports, keyFile } = host;
  const site = siteText({
    caFiles: [`${pki}/ca/issuing.pem`, `${pki}/ca/root.pem`],
    clientAuth: { crlSources: [{ urls: [publisher.url(listName)] }], crlRefresh: { spreadMinutes: 0 } },
    hosts: [{ name: "web1", lab: host }],
  });
  return `A lab host is running: httpd under ${host.serverRoot}, certificates and CRLs in ${pki}

  ssh -p ${ports.ssh} -i ${keyFile} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@127.0.0.1
  curl --cacert ${pki}/ca/root.pem https://localhost:${ports.https}/cgi-bin/env.cgi
  curl --cacert ${pki}/ca/root.pem --cert ${pki}/client/good.chain.pem --key ${pki}/client/good.key https://localhost:${ports.https}/cgi-bin/env.cgi
  nsenter --target ${host.pid} --mount --pid --ipc --uts   # a shell inside

A site file for it, to be stored as stacks/lab.yaml; then: npx clientcert check --site lab, pulumi stack init lab, pulumi up

${site}
The CA publishes its CRL at ${publisher.url(listName)}. Type here, and press Enter:

  revoke CLIENT  publish a new CRL that revokes one more of ${clientNames.join(", ")}
  answer HOW     answer so from now on: ${answers.join(", ")}

The host takes a new list when its refresh runs: sh /var/lib/clientcert/*/refresh --verbose

Ctrl-C stops everything and removes ${host.directory}.`;
}

/** Carries out the command that was typed, and reports what it did. */
async function obey([verb, name]: readonly string[], { pki }: LabHost, publisher: Publisher): Promise<string> {
  const client = clientNames.find((each) => verb === "revoke" && each === name);
  if (client !== undefined) {
    if (listed.has(client)) return `${client} is on the list already`;
    listed.add(client);
    publisher.publish(listName, await pki.revoke(pki.clients[client].serial));
    const hidden =
      answering === "ok" ? "" : `; it comes with "answer ok", now the answer is: ${answerWords[answering]}`;
    return `published: a new CRL that revokes ${client}${hidden}`;
  }
  const how = answers.find((each) => verb === "answer" && each === name);
  if (how === undefined) return `unknown: write "revoke CLIENT" or "answer HOW", with one of the names above`;
  answering = how;
  publisher.fault(listName, how);
  return `answered from now on: ${answerWords[how]}`;
}
