/**
 * What a customer may have lying below `conf/theirs`: CAs, CRLs, another certificate of the server, and pages to
 * protect.
 */
import type { LabPki } from "../../lab/pki.ts";

/** How FakeBasicAuth calls the holder of `good`; its password is the word "password", as its manual prints it. */
const goodName = "/C=JP/O=ABC CORPORATION/CN=good client";
const fakePassword = "xxj31ZMTZzkVA";

/** By path below the server root. `ca.d` and `crl.d` get the names that OpenSSL looks for when they lie there. */
export async function theirFiles(pki: LabPki): Promise<ReadonlyMap<string, string>> {
  const chained = await pki.chainedServer();
  const chain = chained.chain.slice(chained.certificate.length);
  const issuing = await pki.crl();
  return new Map([
    ["conf/theirs/site.pem", pki.caBundle],
    ["conf/theirs/root.pem", pki.root],
    ["conf/theirs/foreign.pem", pki.foreign],
    ["conf/theirs/all.pem", pki.caBundle + pki.foreign],
    ["conf/theirs/chain.pem", pki.caBundle + chain],
    ["conf/theirs/chained.crt", chained.certificate],
    ["conf/theirs/chained.key", chained.key],
    ["conf/theirs/site-crl.pem", issuing],
    ["conf/theirs/chain-crl.pem", issuing + (await pki.crl({ ca: "root" }))],
    ["conf/theirs/ca.d/foreign.pem", pki.foreign],
    ["conf/theirs/crl.d/site.pem", issuing],
    ["conf/theirs/users", `${goodName}:${fakePassword}\n`],
    ["conf/theirs/passwords", `operator:${fakePassword}\n`],
    ["htdocs/admin/index.html", "administration\n"],
    ["htdocs/admin/secret.html", "secret\n"],
  ]);
}
