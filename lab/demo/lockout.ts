/**
 * Shows a CRL that would lock out everybody who has a certificate, although every check of its file says that it is
 * fine.
 */
import assert from "node:assert/strict";
import { request } from "../client.ts";
import { listName, type Scene } from "./scene.ts";
import { showOutput } from "./show.ts";

const directory = "/usr/local/ni/apache/conf/clientcert";
const words = /would refuse every certificate of the CA .*Lab Issuing CA/;

/** `timer` is the command of cron's line. */
export async function lockOut(scene: Scene, timer: string): Promise<string[]> {
  const { web1 } = scene.hosts;
  const before = await web1.run(`sha256sum ${directory}/crl.pem`);
  scene.publisher.fault(listName, "otherCertificate");
  const url = scene.publisher.url(listName);
  const files = `curl -s ${url} | openssl crl -inform DER -noout -CAfile ${directory}/ca-*.pem 2>&1`;
  assert.match(await web1.run(files), /verify OK/);

  await scene.site({ hosts: ["web1", "web2"], adopt: true, downloads: true, alarmHours: 48 });
  const change = await scene.pulumi("up", "--skip-preview");
  assert.notEqual(change.status, 0, "a change that locks every holder out was made");
  assert.match(change.output, words);
  await web1.run(`${timer} && exit 9; [ $? = 3 ]`);
  const status = await web1.run("sh /var/lib/clientcert/*/refresh --status");
  showOutput(status, false);
  assert.match(status, words);

  assert.equal(await web1.run(`sha256sum ${directory}/crl.pem`), before);
  const holder = (await request(web1, { certificate: "wrongOrganization" })).outcome;
  assert.equal(holder, "403", `a holder of a certificate got ${holder} in place of the answer of his organization`);
  await scene.site({ hosts: ["web1", "web2"], adopt: true, downloads: true });
  return [
    "the CRL is signed by the right key, is current, and openssl says `verify OK` of it",
    "`pulumi up`: refused, nothing was touched; the command of cron's line: exit 3, the installed CRL stays",
    "holders of certificates get the answers of before",
  ];
}
