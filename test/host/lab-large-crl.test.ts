import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { makeLargeCrl } from "../../lab/large-crl.ts";
import { createPki } from "../../lab/pki.ts";

describe("a large CRL of the lab", function () {
  this.timeout(60_000);
  let folder: string;

  // Not while the file is read: a run that chooses other tests would leave it.
  before(() => void (folder = mkdtempSync(path.join(tmpdir(), "clientcert-large-crl-"))));
  after(() => rmSync(folder, { recursive: true }));

  it("is one that OpenSSL accepts, with what the CA has revoked and as many entries as asked for", async () => {
    const pki = await createPki();
    const [crl, ca] = [path.join(folder, "crl.der"), path.join(folder, "ca.pem")];
    writeFileSync(crl, await makeLargeCrl(pki, 50_000, { number: 12 }));
    writeFileSync(ca, pki.caBundle);
    // 2>&1: the verdict comes on standard error.
    const command = `openssl crl -inform DER -in ${crl} -CAfile ${ca} -noout -text 2>&1`;
    const text = execFileSync("sh", ["-c", command], { maxBuffer: 1e8, encoding: "latin1" });
    assert.match(text, /^verify OK$/m);
    assert.match(text, /CRL Number:\s+12\s/);
    const serials = [...text.matchAll(/Serial Number: (\w+)/g)].map(([, serial = ""]) => serial.toLowerCase());
    assert.equal(serials.length, 50_001);
    assert.equal(new Set(serials).size, 50_001);
    assert.ok(serials.includes(pki.clients.revoked.serial));
    assert.ok(serials.slice(1).every((serial) => serial.length === 32));
  });
});
