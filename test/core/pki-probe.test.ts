/**
 * The probe certificate, shown to the real OpenSSL: error 7, the signature, where holders get in, and else what locks
 * them out.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCertificate } from "../../core/pki/certificate.ts";
import { readCrl } from "../../core/pki/crl.ts";
import { makeProbes, type Probe, type ProbeMaterial } from "../../core/pki/probe.ts";
import {
  type Made,
  type Scheme,
  authorityKey,
  caConstraints,
  crlPoints,
  days,
  der,
  extension,
  keyUsage,
  makeCertificate,
  makeCrl,
  name,
  seq,
  subjectKey,
  toPem,
  uri,
  makeKey,
} from "../fixtures/pki.ts";

const spki = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "der" });
const harbour = (commonName: string): Buffer => name(["C", "JP"], ["O", "Harbour"], ["CN", commonName]);

/** Root, issuing CA and one user. */
function makeChain(scheme: Scheme = "ecdsa", extensions: readonly Buffer[] = [caConstraints, keyUsage(0x06)]) {
  const root = makeCertificate({ subject: harbour("Root"), scheme, notBefore: days(-900, Date.now()) });
  const key = makeKey(scheme);
  const issuing = makeCertificate({
    ...{ subject: harbour("Issuing"), issuer: root, scheme, key, notBefore: days(-800, Date.now()) },
    extensions: [...extensions, subjectKey(key)],
  });
  return { root, issuing };
}

function probesOf(cas: readonly Made[], material: Partial<ProbeMaterial> = {}): Probe[] {
  const bundle = cas.map((ca) => readCertificate(ca.der));
  return makeProbes({ bundle, crls: [], sample: undefined, urls: [], ...material }, spki);
}

const fresh = { thisUpdate: days(-1, Date.now()), nextUpdate: days(30, Date.now()) };

/** OpenSSL's error numbers for the probe of the last CA of `cas`, in its own order. */
function errorsOf(
  probe: Probe | undefined,
  cas: readonly Made[],
  crl?: Buffer,
  options: readonly string[] = [],
): string {
  assert.ok(probe !== undefined);
  const folder = mkdtempSync(join(tmpdir(), "probe-"));
  try {
    writeFileSync(join(folder, "ca"), cas.map(({ pem }) => pem).join(""));
    writeFileSync(join(folder, "probe"), toPem("CERTIFICATE", probe.der));
    writeFileSync(join(folder, "crl"), crl === undefined ? "" : toPem("X509 CRL", crl));
    const crls = crl === undefined ? [] : ["-crl_check", "-CRLfile", "crl"];
    const args = ["verify", "-purpose", "sslclient", "-CAfile", "ca", ...crls, ...options, "probe"];
    execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
    return "accepted";
  } catch (error) {
    const { stderr } = error as { stderr: Buffer }; // as: of execFileSync
    return [...stderr.toString().matchAll(/^error (\d+) at/gm)].map(([, number]) => number).join();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("the probe certificate", () => {
  for (const scheme of ["ecdsa", "rsa", "pss", "ed25519"] as const)
    it(`of a healthy CA whose key is ${scheme} fails by its signature alone`, () => {
      const { root, issuing } = makeChain(scheme);
      const [probe] = probesOf([issuing, root]);
      assert.equal(errorsOf(probe, [issuing, root], makeCrl(issuing, fresh)), "7");
    });

  it("names the CA and is its own, whatever its certificate", () => {
    const { root, issuing } = makeChain();
    const renewed = makeCertificate({ subject: root.subject, key: root.key });
    const probes = probesOf([issuing, root, renewed]);
    assert.deepEqual(
      probes.map(({ ca, issuesToUsers }) => [ca, issuesToUsers]),
      [
        ["CN=Issuing,O=Harbour,C=JP", true],
        ["CN=Root,O=Harbour,C=JP", false],
      ],
    );
    assert.match(probes.map(({ id }) => id).join(), /^[0-9a-f]{12},[0-9a-f]{12}$/);
  });

  const point = (address: string): Buffer => extension("2.5.29.28", seq(der(0xa0, der(0xa0, uri(address)))), true);
  const address = "http://crl.example.jp/1.crl";

  for (const [what, error, make] of [
    ["may not sign CRLs", "35", () => ({ ca: [caConstraints, keyUsage(0x04)] })],
    [
      "has a critical extension that OpenSSL does not know",
      "34",
      () => ({ ca: [caConstraints, keyUsage(0x06), extension("1.2.3.4", der(0x05), true)] }),
    ],
    ["has a CRL of tomorrow", "11", () => ({ crl: { ...fresh, thisUpdate: days(1, Date.now()) } })],
    [
      "has a CRL that expired",
      "12",
      () => ({ crl: { ...fresh, thisUpdate: days(-9, Date.now()), nextUpdate: days(-1, Date.now()) } }),
    ],
    [
      "has a CRL for CA certificates only",
      "44",
      () => ({ crl: { ...fresh, extensions: [extension("2.5.29.28", seq(der(0x82, Buffer.from([0xff]))), true)] } }),
    ],
    [
      "has a CRL for another address than users name",
      "44",
      () => ({ crl: { ...fresh, extensions: [point(address)] } }),
    ],
    [
      "has a CRL that names another key",
      "3",
      () => ({ crl: { ...fresh, extensions: [authorityKey(makeKey("ecdsa"))] } }),
    ],
  ] as const)
    it(`of a CA that ${what} shows OpenSSL's error ${error}`, () => {
      const wanted: { ca?: readonly Buffer[]; crl?: Parameters<typeof makeCrl>[1] } = make();
      const { root, issuing } = makeChain("ecdsa", wanted.ca);
      const [probe] = probesOf([issuing, root]);
      assert.match(
        errorsOf(probe, [issuing, root], makeCrl(issuing, wanted.crl ?? fresh)),
        new RegExp(`^${error}(,|$)`),
      );
    });

  it("names the addresses of sources, and those of known partitions, so that a rightly partitioned CRL is counted", () => {
    const { root, issuing } = makeChain();
    const crl = makeCrl(issuing, { ...fresh, extensions: [point(address)] });
    assert.equal(
      errorsOf(probesOf([issuing, root], { urls: ["http://x.example/2.crl", address] })[0], [issuing, root], crl),
      "7",
    );
    const known = {
      ...readCrl(crl),
      summary: { ...readCrl(crl).summary, distributionPoint: `http://y.example/ ${address}` },
    };
    assert.equal(errorsOf(probesOf([issuing, root], { crls: [known] })[0], [issuing, root], crl), "7");
  });

  it("names what the sample certificate names, in its place", () => {
    const { root, issuing } = makeChain();
    const user = makeCertificate({ subject: harbour("User"), issuer: issuing, extensions: [crlPoints([address])] });
    const sample = readCertificate(user.der);
    const [probe, ofRoot] = probesOf([issuing, root], { sample, urls: ["http://other.example/"] });
    assert.equal(errorsOf(probe, [issuing, root], makeCrl(issuing, { ...fresh, extensions: [point(address)] })), "7");
    assert.deepEqual([probe?.hasUsersPoints, ofRoot?.hasUsersPoints], [true, false]);
  });

  it("takes the digest of the sample: a weak one is refused by the security level", () => {
    const { root, issuing } = makeChain("rsa");
    const user = makeCertificate({ subject: harbour("User"), issuer: { ...issuing, scheme: "sha1" }, extensions: [] });
    const [probe] = probesOf([issuing, root], { sample: readCertificate(user.der) });
    assert.match(errorsOf(probe, [issuing, root], undefined, ["-auth_level", "2"]), /^68/);
    assert.equal(errorsOf(probesOf([issuing, root])[0], [issuing, root], undefined, ["-auth_level", "2"]), "7");
  });

  it("is made of a root that issues users besides a CA, where the site has its CRL or a user of it", () => {
    const { root, issuing } = makeChain();
    const ofRoot = (material: Partial<ProbeMaterial>) => probesOf([root, issuing], material)[0]?.issuesToUsers;
    const user = makeCertificate({ subject: harbour("User"), issuer: root, extensions: [] });
    assert.equal(ofRoot({}), false);
    assert.equal(ofRoot({ crls: [readCrl(makeCrl(root, fresh))] }), true);
    assert.equal(ofRoot({ sample: readCertificate(user.der) }), true);
    const narrow = readCrl(makeCrl(root, fresh));
    assert.equal(ofRoot({ crls: [{ ...narrow, summary: { ...narrow.summary, scope: "authorities" } }] }), false);
  });
});
