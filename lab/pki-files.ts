/** The lab's PKI as files with stable names, for site files and for tools that read files. */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { crlToDer, tamperWithCrl } from "./pki-crl.ts";
import { clientNames, type LabPki } from "./pki.ts";

/**
 * Writes below `directory`:
 * `ca/{root,issuing,foreign,bundle}.pem`, `server.{pem,key}`, `client/NAME.{pem,key,chain.pem}` for each client name,
 * and `crl/`: `issuing`, `root`, `bundle`, `expired`, `future`, `short` (ends in 3 days), `next` (number 2), `forged`,
 * `tampered`, `foreign`, `empty`, `garbage`, `truncated` (each `.pem`) and `issuing.der`, `root.der`.
 */
export async function writePki(pki: LabPki, directory: string): Promise<void> {
  const files = new Map<string, string | Buffer>([
    ["ca/root.pem", pki.root],
    ["ca/issuing.pem", pki.issuing],
    ["ca/foreign.pem", pki.foreign],
    ["ca/bundle.pem", pki.caBundle],
    ["server.pem", pki.server.certificate],
    ["server.key", pki.server.key],
    ...clientFiles(pki),
    ...(await crlFiles(pki)),
  ]);
  for (const folder of ["ca", "client", "crl"]) await mkdir(path.join(directory, folder), { recursive: true });
  await Promise.all(
    [...files].map(async ([name, content]) => {
      await writeFile(path.join(directory, name), content);
      if (name.endsWith(".key")) await chmod(path.join(directory, name), 0o600);
    }),
  );
}

function clientFiles(pki: LabPki): [string, string][] {
  return clientNames.flatMap((name): [string, string][] => {
    const { certificate, key, chain } = pki.clients[name];
    return [
      [`client/${name}.pem`, certificate],
      [`client/${name}.key`, key],
      [`client/${name}.chain.pem`, chain],
    ];
  });
}

async function crlFiles(pki: LabPki): Promise<[string, string | Buffer][]> {
  const issuing = await pki.crl();
  const root = await pki.crl({ ca: "root" });
  return [
    ["crl/issuing.pem", issuing],
    ["crl/root.pem", root],
    ["crl/bundle.pem", issuing + root],
    ["crl/expired.pem", await pki.crl({ thisUpdateHours: -240, nextUpdateHours: -24 })],
    ["crl/future.pem", await pki.crl({ thisUpdateHours: 24 })],
    ["crl/short.pem", await pki.crl({ nextUpdateHours: 72 })],
    ["crl/next.pem", await pki.crl({ number: 2, thisUpdateHours: -0.5 })],
    ["crl/forged.pem", await pki.crl({ ca: "forger" })],
    ["crl/tampered.pem", tamperWithCrl(issuing)],
    ["crl/foreign.pem", await pki.crl({ ca: "foreign" })],
    ["crl/empty.pem", ""],
    ["crl/garbage.pem", "<html><body>404 Not Found</body></html>\n"],
    ["crl/truncated.pem", issuing.slice(0, 300)],
    ["crl/issuing.der", crlToDer(issuing)],
    ["crl/root.der", crlToDer(root)],
  ];
}
