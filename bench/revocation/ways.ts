/**
 * The ways that are compared: the vendor's manual, fetch-crl, and ours. All have SSLCARevocationCheck, which the manual
 * forgets.
 */
import { startLabHost, type LabHost } from "../../lab/host.ts";
import { manualCrlFile } from "../../lab/manual.ts";
import type { LabPki } from "../../lab/pki.ts";
import { sourceOf } from "../../test/host/refresh-session.ts";
import { startSession } from "../../test/host/session.ts";
import { apachectl, serverRoot, type Site, type Way } from "./site.ts";

const check = "SSLCARevocationCheck leaf";
/** As logrotate does: the manual has none, and without one httpd never sees a new list. */
const reloadCommand = `${apachectl} graceful`;
/** Where fetch-crl's package keeps CAs, their settings and CRLs. */
const gridFolder = "/etc/grid-security/certificates";

const manual = (form: "DER" | "PEM"): Way => ({
  title: `manual: cron + wget; the issuer publishes ${form}`,
  form,
  async start(pki, url) {
    const lab = await startLabHost({ pki, manual: "cron.d", virtualHostDirectives: check });
    await lab.run(
      `cat >${manualCrlFile}`,
      await pki.crl({ thisUpdateHours: -2, serials: [pki.clients.revoked.serial] }),
    );
    await lab.run(`${apachectl} graceful`);
    return {
      lab,
      refreshCommand: `/usr/bin/wget -q -O ${manualCrlFile} ${url}`,
      reloadCommand,
      crlFiles: manualCrlFile,
      stop: () => lab.stop(),
    };
  },
});

const fetchCrl: Way = {
  title: "fetch-crl, then a reload",
  form: "DER",
  async start(pki, url) {
    const lab = await startLabHost({ pki, stopped: true, virtualHostDirectives: gridDirectives });
    await writeGrid(lab, pki, url);
    await lab.run(`fetch-crl -q && ${apachectl} start`);
    return {
      lab,
      refreshCommand: "fetch-crl -q",
      reloadCommand,
      crlFiles: `${gridFolder}/*.r0`,
      stop: () => lab.stop(),
    };
  },
};

/** As grid sites have it: a folder with CRLs named by the hash of their issuer. */
const gridDirectives = `SSLCACertificateFile "${gridFolder}/bundle.crt"
SSLVerifyClient optional
SSLVerifyDepth 4
SSLCARevocationPath "${gridFolder}"
${check}
`;

async function writeGrid(lab: LabHost, pki: LabPki, url: string): Promise<void> {
  await lab.run(`mkdir -p ${gridFolder} && cat >${gridFolder}/bundle.crt`, pki.caBundle);
  await lab.run(`cat >${gridFolder}/lab-issuing.pem`, pki.issuing);
  await lab.run(`cat >${gridFolder}/lab-issuing.info`, `alias = lab-issuing\ncrl_url = ${url}\n`);
}

const ours: Way = {
  title: "clientcert",
  form: "DER",
  async start(pki, url): Promise<Site> {
    const session = await startSession({ pki });
    const { lab } = session;
    const { result, reasons } = await session.apply({
      crlPem: null,
      crlSources: [sourceOf([url])],
    });
    if (result !== "applied") throw new Error(`clientcert: ${result}: ${reasons.join("; ")}`);
    const refreshCommand = "/bin/sh /var/lib/clientcert/*/program refresh";
    return {
      lab,
      refreshCommand,
      reloadCommand: "true",
      crlFiles: `${serverRoot}/conf/clientcert/crl.pem`,
      stop: () => session.stop(),
    };
  },
};

export const ways: readonly Way[] = [manual("PEM"), manual("DER"), fetchCrl, ours];
