/** A site with its files, in a folder of its own, and the inputs that the program makes of it. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { labPki } from "../../lab/pki.ts";
import { createSshKeys } from "../../lab/ssh.ts";
import { hostInputs, loadSite } from "../../provider/site/load-site.ts";
import type { Bag } from "./client.ts";

export interface TestSite {
  readonly folder: string;
  readonly siteFile: string;
  /** Of host web1, as the program would send them. */
  readonly inputs: Bag;
  /** Writes the CRL anew: same revocations, next number. */
  readonly renewCrl: () => Promise<void>;
  /** As the program makes them of a site file with these lines in the place of `crlFiles`. */
  readonly inputsWith: (lines: string) => Promise<Bag>;
  readonly remove: () => Promise<void>;
}

const hostKey = createSshKeys().public.trim();

export const siteText = (more = ""): string => `clientAuth:
  caFiles: [ca.pem]
  crlFiles: [issuing.crl]
  organizations: [ABC CORPORATION]
  countries: [JP]
hosts:
  - name: web1
    address: 10.0.0.10
    connection:
      hostKey: ${hostKey}
      login: { agent: true }
${more}`;

export async function testSite(): Promise<TestSite> {
  const folder = await mkdtemp(path.join(tmpdir(), "clientcert-site-"));
  const siteFile = path.join(folder, "stacks", "lab.yaml");
  await mkdir(path.dirname(siteFile));
  const pki = await labPki();
  await writeFile(path.join(folder, "stacks", "ca.pem"), pki.caBundle);
  const crlFile = path.join(folder, "stacks", "issuing.crl");
  await writeFile(crlFile, await pki.crl());
  await writeFile(siteFile, siteText());
  const { pki: summaries, problems } = loadSite(siteFile);
  if (summaries === undefined) throw new Error(problems.join("\n"));
  const inputs = {
    owner: "organization/clientcert/lab/web1",
    connection: {
      address: "10.0.0.10",
      port: 22,
      user: "root",
      hostKey,
      login: { from: "agent" },
      sudo: { how: "none" },
    },
    siteFile,
    caFiles: ["ca.pem"],
    crlFiles: ["issuing.crl"],
    organizations: ["ABC CORPORATION"],
    countries: ["JP"],
    ...summaries,
  };
  let number = 1;
  const renewCrl = async (): Promise<void> => writeFile(crlFile, await pki.crl({ number: ++number }));
  const inputsWith = async (lines: string): Promise<Bag> => {
    const file = path.join(folder, "stacks", "other.yaml");
    await writeFile(file, siteText().replace("  crlFiles: [issuing.crl]", lines));
    const { site, pki: files, problems: found } = loadSite(file);
    const [host] = site?.hosts ?? [];
    if (site === undefined || files === undefined || host === undefined) throw new Error(found.join("\n"));
    return { ...hostInputs(file, site, host, files), owner: inputs.owner };
  };
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  return { folder, siteFile, inputs, renewCrl, inputsWith, remove };
}
