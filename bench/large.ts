/** `clientcert plan` on a copy with ten thousand virtual hosts in one file: read, planned, and shown as a diff. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { labPki } from "../lab/pki.ts";
import { siteText } from "../lab/site.ts";
import { programOf, type Build } from "./build.ts";
import { measure, measureMemory, type Command } from "./measure.ts";
import type { Comparison } from "./starts.ts";

const virtualHosts = 10_000;

let made: Promise<string> | undefined;

/** Made once, when the first row asks. */
const folder = (): Promise<string> => (made ??= makeFolder());

async function makeFolder(): Promise<string> {
  const place = mkdtempSync(path.join(tmpdir(), "clientcert-bench-large-"));
  process.once("exit", () => rmSync(place, { recursive: true }));
  const conf = path.join(place, "copy/etc/httpd/conf");
  mkdirSync(conf, { recursive: true });
  const sections = Array.from({ length: virtualHosts }, (_, number) => virtualHost(number));
  writeFileSync(path.join(conf, "httpd.conf"), `${head}${sections.join("")}`);
  writeFileSync(path.join(place, "ca.pem"), (await labPki()).caBundle);
  // Nobody dials: all that counts is the copy.
  const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEBLjYHViGCaqFMyUIp8qXJHpIlClhosKhtu52v/rVHs";
  const lab = {
    address: "127.0.0.1",
    ports: { https: 443, ssh: 22, http: 80, fpm: 9000 },
    hostKey,
    keyFile: "/none",
  } as const;
  writeFileSync(path.join(place, "site.yaml"), siteText({ caFiles: ["ca.pem"], hosts: [{ name: "web1", lab }] }));
  return place;
}

const head = "ServerRoot /etc/httpd\nListen 443\nServerName localhost\nLoadModule ssl_module modules/mod_ssl.so\n";

const virtualHost = (number: number): string => `<VirtualHost *:443>
    ServerName host${number}.example
    DocumentRoot "/srv/www/${number % 7}"
    SSLEngine on
${"    # note\n".repeat(12)}</VirtualHost>
`;

/** Row for the table; the program must be built. */
export function largeOf(build: Build): readonly Comparison[] {
  const command = async (): Promise<Command> => {
    const place = await folder();
    const files = ["--site", path.join(place, "site.yaml"), "--host", "web1", "--tree", path.join(place, "copy")];
    return { program: programOf(build, "cli/clientcert"), args: ["plan", ...files] };
  };
  const run = async (wanted: Command, status: number): Promise<number> => {
    const ended = await measure(wanted);
    if (ended.status !== status)
      throw new Error(`bench: ended with ${ended.status}, not with ${status}: ${ended.output.slice(0, 300)}`);
    return ended.wallSeconds;
  };
  return [
    {
      name: "plan, 10,000 virtual hosts in one file: read, plan, render; ratio to a start alone",
      // 7: something is to be changed.
      sample: async () => run(await command(), 7),
      baseline: async () => run({ program: programOf(build, "cli/clientcert"), args: ["--help"] }, 0),
      memoryMib: async () => (await measureMemory(await command())).wholeMib,
    },
  ];
}
