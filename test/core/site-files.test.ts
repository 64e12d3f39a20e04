import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SiteClientAuth } from "../../core/site/schema.ts";
import { type SiteFilesOptions, type SiteFilesWanted, readSiteFiles } from "../../provider/site/pki-files.ts";
import {
  caConstraints,
  days,
  keyUsage,
  makeAuthorities,
  crlPoints,
  makeCertificate,
  makeCrl,
  makeKey,
  name,
  sha256,
  testNow,
  toPem,
} from "../fixtures/pki.ts";

const downloaded = (file?: string): SiteClientAuth["crlSources"][number] => ({
  urls: ["http://harbour.example/ca.crl"],
  file,
});

describe("reading a site's CA and CRL files", () => {
  const directory = mkdtempSync(join(tmpdir(), "clientcert-site-"));
  const { root, issuing } = makeAuthorities();
  const put = (file: string, content: string | Buffer): void => writeFileSync(join(directory, file), content);
  const read = (wanted: Partial<SiteFilesWanted> = {}, options: Partial<SiteFilesOptions> = {}) =>
    readSiteFiles(
      join(directory, "s.yaml"),
      { caFiles: ["issuing.pem", "root.der"], crlFiles: [], crlCheck: "leaf", ...wanted },
      { now: testNow, ...options },
    );
  const told = (...args: Parameters<typeof read>): string[] =>
    read(...args).diagnostics.map(
      ({ severity, place, text }) => `${severity}: ${place.replace(`${directory}/`, "")}: ${text}`,
    );

  before(() => {
    mkdirSync(join(directory, "folder"));
    put("issuing.pem", issuing.pem);
    put("root.der", root.der);
    put("issuing.crl", makeCrl(issuing, { revoked: [7n] }));
    put("aging.crl", makeCrl(issuing, { nextUpdate: days(3) }));
    put("user.key", makeKey("ecdsa").export({ type: "pkcs8", format: "pem" }));
    put("huge.crl", "");
    truncateSync(join(directory, "huge.crl"), 64 * 1024 * 1024 + 1);
  });
  after(() => rmSync(directory, { recursive: true }));

  it("gives the bundle and the CRL as they are installed, DER or PEM, relative to the site file", () => {
    const { ca, crls, crlPem, diagnostics } = read({ crlFiles: ["issuing.crl"] });
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(
      new Set(ca.certificates.map(({ fingerprint }) => fingerprint)),
      new Set([sha256(root.der), sha256(issuing.der)]),
    );
    assert.equal(ca.sha256, sha256(Buffer.from(ca.pem)));
    assert.deepEqual(
      crls.map(({ issuer, entries }) => [issuer, entries]),
      [["CN=Harbour Issuing CA,O=Harbour,C=JP", 1]],
    );
    assert.equal(crlPem, toPem("X509 CRL", makeCrlBytes(crlPem)));
  });

  it("gives no CRL bytes when the site has none, and warns that revoked certificates are accepted", () => {
    assert.equal(read().crlPem, "");
    assert.match(told().join(), /^warning: s\.yaml: clientAuth\.crlSources: names no CRL/);
  });

  it("takes an absolute path as it is", () => {
    const caFiles = [join(directory, "issuing.pem"), "root.der"];
    assert.deepEqual(read({ caFiles, crlFiles: [join(directory, "issuing.crl")] }).diagnostics, []);
  });

  it("names the file of each problem, all at once", () => {
    const found = told({
      caFiles: ["none.pem", "folder", "user.key", "issuing.pem/x"],
      crlFiles: ["huge.crl", "root.der"],
    });
    assert.deepEqual(
      found.map((line) => line.split(/[;,(]/)[0]),
      [
        "problem: none.pem: does not exist",
        "problem: folder: is a directory or a special file",
        "problem: user.key: line 1: the block is a private key",
        "problem: issuing.pem/x: does not exist",
        "problem: huge.crl: has 67108865 bytes",
        "problem: root.der: is a certificate",
      ],
    );
  });

  it("names the file that holds the CA or CRL a problem is about, and the site file where something is missing", () => {
    assert.match(
      told({ caFiles: ["issuing.pem"] }).join("\n"),
      /^problem: issuing\.pem: "CN=Harbour Issuing CA.*was issued by/m,
    );
    assert.match(told({ crlFiles: ["aging.crl"] }).join(), /^problem: aging\.crl: .*in less than 7 days/);
    assert.match(
      told({ crlFiles: ["issuing.crl"], crlCheck: "chain" }).join(),
      /^problem: s\.yaml: there is no CRL of "CN=Harbour Root CA/,
    );
  });

  const issuers: readonly [issuer: string, found: RegExp | undefined][] = [
    ["Harbour Issuing CA", undefined],
    ["CN=Harbour Issuing CA,O=Harbour", undefined],
    ["c=JP, o=Harbour", undefined],
    [
      "Issuing CA",
      /^problem: s\.yaml:clientAuth\.issuers\[0\]: "Issuing CA" under issuers is not the name of a CA in caFiles, so it lets nobody in; write one of "Harbour Issuing CA", "Harbour Root CA", or list that CA under caFiles$/,
    ],
    ["CN=Harbour Issuing CA,O=Haven", /^problem: .* is not the name of a CA in caFiles/],
    [
      "Harbour Root CA",
      /^warning: .* is a CA that issued another CA of caFiles, .*; if it issues to CAs only, write the CA below it: "Harbour Issuing CA"$/,
    ],
  ];
  for (const [issuer, found] of issuers) {
    it(`${found === undefined ? "takes" : "has doubts about"} the issuer ${issuer}`, () => {
      const wanted = { issuers: [issuer], crlFiles: ["issuing.crl"] };
      if (found === undefined) assert.deepEqual(told(wanted), []);
      else assert.match(told(wanted).join("\n"), found);
    });
  }

  it("says nothing of issuers while a CA file cannot be read", () => {
    assert.doesNotMatch(told({ caFiles: ["none.pem"], issuers: ["X"] }).join("\n"), /under issuers/);
  });

  it("refuses a chain that is longer than verifyDepth, and says what to write", () => {
    const found = told({ verifyDepth: 1, crlFiles: ["issuing.crl"] });
    assert.match(
      found.join("\n"),
      /^problem: issuing\.pem: .* stands 2 CAs deep, .*; write verifyDepth: 2 under clientAuth$/,
    );
    assert.deepEqual(told({ verifyDepth: 2, crlFiles: ["issuing.crl"] }), []);
  });

  it("only warns of the end of a CRL that the host already has", () => {
    const installedCrls = read({ crlFiles: ["aging.crl"] }).crls;
    assert.match(
      told({ crlFiles: ["aging.crl"] }, { installedCrls }).join(),
      /^warning: aging\.crl: .*in less than 7 days/,
    );
  });

  describe("of sources that the host asks itself", () => {
    const crlSources = [downloaded("aging.crl")];

    it("installs the first list, however soon it ends", () => {
      const { crls, diagnostics } = read({ crlSources });
      assert.deepEqual(diagnostics, []);
      assert.deepEqual(
        crls.map(({ nextUpdate }) => nextUpdate),
        [days(3).toISOString().replace(".000", "")],
      );
    });

    it("leaves out an expired first list, and says so once", () => {
      put("expired.crl", makeCrl(issuing, { nextUpdate: days(-1) }));
      const { crls, crlPem } = read({ crlSources: [downloaded("expired.crl")] });
      assert.deepEqual([crls, crlPem], [[], ""]);
      assert.match(
        told({ crlSources: [downloaded("expired.crl")] }).join("\n"),
        /^warning: expired\.crl: .*expired on 2026-11-22.*left out.*$/,
      );
    });

    it("needs no first list, and asks for no CRL that a source may deliver", () => {
      assert.deepEqual(told({ crlSources: [downloaded(), downloaded()], crlCheck: "chain" }), []);
      assert.deepEqual(told({ crlSources: [downloaded()] }), []);
      assert.match(told({ crlSources, crlCheck: "chain" }).join(), /there is no CRL of "CN=Harbour Root CA/);
    });

    it("warns where there are fewer sources than CAs that need a CRL", () => {
      const found = told({ crlSources: [downloaded()], crlCheck: "chain" }).join("\n");
      assert.match(found, /^warning: s\.yaml: only one source is listed for the CRLs of .*Issuing CA.* and .*Root CA/);
    });

    it("takes the newest of a CA, from wherever it comes", () => {
      put("older.crl", makeCrl(issuing, { thisUpdate: days(-2) }));
      const [crl, ...others] = read({ crlSources: [downloaded("older.crl")], crlFiles: ["issuing.crl"] }).crls;
      assert.deepEqual([crl?.entries, others], [1, []]);
    });
  });

  describe("of a sample certificate", () => {
    const user = makeCertificate({ subject: name(["CN", "tanaka"]), issuer: issuing, extensions: [], serial: 7n });

    before(() => {
      put("user.der", user.der);
      put("user-and-key.pem", user.pem + String(makeKey("ecdsa").export({ type: "pkcs8", format: "pem" })));
    });

    it("gives its PEM text as it is installed, with its hash and subject", () => {
      const { sample, diagnostics } = read({ sampleCertificate: "user.der", crlSources: [downloaded()] });
      assert.deepEqual(diagnostics, []);
      assert.deepEqual(sample, { pem: user.pem, sha256: sha256(Buffer.from(user.pem)), subject: "CN=tanaka" });
    });

    it("refuses a file with a private key, and gives nothing of it", () => {
      const wanted = { sampleCertificate: "user-and-key.pem", crlSources: [downloaded()] };
      assert.match(told(wanted).join("\n"), /^problem: user-and-key\.pem: line \d+: the block is a private key[^\n]*$/);
      assert.equal(read(wanted).sample, undefined);
    });

    it("warns of one that a CRL of the site revokes, and names its file", () => {
      assert.match(
        told({ sampleCertificate: "user.der", crlFiles: ["issuing.crl"] }).join("\n"),
        /^warning: user\.der: "CN=tanaka" is revoked[^\n]*$/m,
      );
    });

    describe("that names where its issuer's CRL is", () => {
      const url = "http://crl.example/issuing.crl";
      before(() => {
        const extensions = [crlPoints([url])];
        put("named.pem", makeCertificate({ subject: name(["CN", "tanaka"]), issuer: issuing, extensions }).pem);
      });
      const proposal = `write crlSources with the addresses that the certificates name: for "CN=Harbour Issuing CA,O=Harbour,C=JP" ${url}`;
      const sampleCertificate = "named.pem";

      it("proposes that address when the site has no CRL", () => {
        const text = "names no CRL, so revoked certificates are accepted";
        assert.deepEqual(told({ sampleCertificate }), [`warning: s.yaml: clientAuth.crlSources: ${text}; ${proposal}`]);
      });

      it("proposes it when nothing renews the site's CRLs, and is silent when a source does", () => {
        assert.deepEqual(told({ sampleCertificate, crlFiles: ["issuing.crl"] }), [
          `warning: s.yaml: clientAuth.crlFiles: nothing renews these lists; ${proposal}`,
        ]);
        assert.deepEqual(told({ sampleCertificate, crlSources: [downloaded()] }), []);
      });
    });

    it("takes an address from a CA's certificate, which names the CRL of the CA above, for a check of the whole chain only", () => {
      const extensions = [caConstraints, keyUsage(0x06), crlPoints(["http://crl.example/root.crl"])];
      put("named-ca.pem", makeCertificate({ subject: name(["CN", "Issuing"]), issuer: root, extensions }).pem);
      const caFiles = ["named-ca.pem", "root.der"];
      assert.match(
        told({ caFiles, crlCheck: "chain" }).join(),
        /names no CRL.* for "CN=Harbour Root CA,O=Harbour,C=JP" http:\/\/crl\.example\/root\.crl$/,
      );
      assert.doesNotMatch(told({ caFiles }).join(), /root\.crl/);
    });

    it("refuses a file that is not there", () => {
      assert.match(
        told({ sampleCertificate: "none.pem", crlSources: [downloaded()] }).join(),
        /^problem: none\.pem: does not exist/,
      );
    });
  });
});

/** DER of the one block of a PEM text. */
const makeCrlBytes = (pem: string): Buffer => Buffer.from(pem.replace(/-----.*-----/g, ""), "base64");
