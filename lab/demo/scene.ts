/** The stage of the demo: a Pulumi project of its own, and the lab hosts. */
import path from "node:path";
import { type LabHost, startLabHost } from "../host.ts";
import { writePki } from "../pki-files.ts";
import { labPki } from "../pki.ts";
import { startPublisher, type Publisher } from "../publisher.ts";
import { createProject, type Ended, type Project } from "../project.ts";
import { siteText } from "../site.ts";
import type { Snapshot } from "../snapshot.ts";
import { findDemoPhp } from "./php.ts";
import { showCommand, showOutput } from "./show.ts";

/** The site's hosts, by their names in the site file. */
export interface Hosts {
  /** A plain host with a PHP from 8.3 on and two TLS virtual hosts. */
  readonly web1: LabHost;
  /**
   * A host that was set up by hand exactly as the vendor's manual says, and that has a rule of the customer's own for
   * `/admin`.
   */
  readonly web2: LabHost;
  /**
   * A host with an RSA certificate and a cipher suite that only ECDSA can use. This works with TLS 1.3, and fails with
   * TLS 1.2 alone.
   */
  readonly web3: LabHost;
}

export type HostName = keyof Hosts;

export interface SiteWish {
  readonly hosts: readonly HostName[];
  readonly crlFile?: string;
  readonly adopt?: boolean;
  /** The hosts download the CRL of the issuing CA from the CA's server by themselves. */
  readonly downloads?: boolean;
  /**
   * The refresh warns when a downloaded CRL expires within this time.
   * @default - the product's
   */
  readonly alarmHours?: number;
}

/** The name of the issuing CA's CRL on the CA's server. */
export const listName = "issuing.crl";

export interface Scene {
  readonly hosts: Hosts;
  readonly project: Project;
  /** The web server of the issuing CA. */
  readonly publisher: Publisher;
  /** The trees before any change. */
  readonly before: Readonly<Record<HostName, Snapshot>>;
  /** Writes the site file. */
  readonly site: (wish: SiteWish) => Promise<void>;
  /** Runs `pulumi …` on the project and shows what it prints. */
  readonly pulumi: (...args: readonly string[]) => Promise<Ended>;
  readonly end: () => Promise<void>;
}

/** A rule that the customer of web2 has set up for his administrators, independently of the manual. */
const adminRule = `<Location "/admin">
    SSLVerifyClient require
    SSLRequire %{SSL_CLIENT_S_DN_O} eq "ABC CORPORATION"
</Location>`;

async function startHosts(): Promise<Hosts> {
  const { newer, older, words } = await findDemoPhp();
  words.forEach((line) => console.log(line));
  const [web1, web2, web3] = await Promise.all([
    startLabHost({ virtualHosts: 2, ...newer, cron: true }),
    startLabHost({ manual: "cron.d", virtualHostDirectives: adminRule, ...older, cron: true }),
    startLabHost({ ...newer, virtualHostDirectives: "SSLCipherSuite ECDHE-ECDSA-AES128-GCM-SHA256" }),
  ]);
  await web2.run("cd /usr/local/ni/apache/htdocs && mkdir admin && echo 'For administrators.' >admin/index.html");
  return { web1, web2, web3 };
}

export async function setScene(): Promise<Scene> {
  const hosts = await startHosts();
  const { web1, web2, web3 } = hosts;
  const project = await createProject();
  const pki = await labPki();
  await writePki(pki, path.join(project.folder, "stacks", "pki"));
  const publisher = await startPublisher(pki);
  publisher.publish(listName, await pki.crl({ number: 2 }));
  const [one, two, three] = await Promise.all([
    web1.snapshot(treeOnly),
    web2.snapshot(treeOnly),
    web3.snapshot(treeOnly),
  ]);
  let hasShownOutputs = false;
  const before = { web1: one, web2: two, web3: three };
  return {
    hosts,
    project,
    publisher,
    before,
    site: (wish) => project.write("lab.yaml", writeSite(hosts, publisher, wish)),
    async pulumi(...args) {
      showCommand(["pulumi", ...args]);
      const isChange = args[0] === "up" || args[0] === "destroy";
      const ended = await project.pulumi(...args, ...(isChange ? ["--yes", "--suppress-progress"] : []));
      showOutput(ended.output, args[0] === "up" && !hasShownOutputs);
      hasShownOutputs ||= args[0] === "up";
      return ended;
    },
    async end() {
      await Promise.all([project.remove(), publisher.stop(), ...[web1, web2, web3].map((host) => host.stop())]);
    },
  };
}

/**
 * Compares bytes, mode and owner of everything but logs. Times are left out, because they change when a file is put
 * back.
 */
export const treeOnly = {
  times: false,
  exclude: ["/usr/local/ni/apache/logs", "/run", "/tmp", "/var/lib/dpkg", "/var/lib/apt"],
} as const;

function writeSite(hosts: Hosts, publisher: Publisher, wish: SiteWish): string {
  const { hosts: names, crlFile = "issuing.pem", adopt = false, downloads = false, alarmHours } = wish;
  const crlRefresh = { spreadMinutes: 0, ...(alarmHours === undefined ? {} : { alarmHours }) };
  const sources = { crlSources: [{ urls: [publisher.url(listName)] }], crlRefresh };
  return siteText({
    caFiles: ["pki/ca/issuing.pem", "pki/ca/root.pem"],
    ...(downloads ? { clientAuth: sources } : { crlFiles: [`pki/crl/${crlFile}`] }),
    hosts: names.map((name) => ({ name, lab: hosts[name], ...(adopt && name === "web2" ? { more: { adopt } } : {}) })),
  });
}
