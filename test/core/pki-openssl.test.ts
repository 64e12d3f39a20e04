import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { escapeAsModSsl } from "../../core/apache/plan/requirement.ts";
import { checkBundle, makeBundle } from "../../core/pki/bundle.ts";
import { readCertificates } from "../../core/pki/certificate.ts";
import { checkCrls } from "../../core/pki/crl-check.ts";
import { readCrls } from "../../core/pki/crl.ts";
import { textsOf } from "../../core/pki/issuer.ts";
import {
  type NamePart,
  caConstraints,
  days,
  der,
  extension,
  integer,
  keyUsage,
  makeAuthorities,
  makeCertificate,
  makeCrl,
  name,
  octets,
  oid,
  seq,
  testNow,
  time,
  toPem,
} from "../fixtures/pki.ts";

/** OpenSSL judges what httpd will load, so our reader and the test's own maker must agree with it. */
describe("OpenSSL agrees", function () {
  this.timeout(30_000);
  const directory = mkdtempSync(join(tmpdir(), "clientcert-openssl-"));
  after(() => rmSync(directory, { recursive: true }));
  before(function () {
    if (spawnSync("openssl", ["version"]).status !== 0) this.skip();
  });
  const put = (file: string, content: string | Buffer): string => {
    writeFileSync(join(directory, file), content);
    return join(directory, file);
  };
  const openssl = (...args: readonly string[]): string => {
    const { stdout, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
    return stdout + stderr;
  };
  const { root, issuing } = makeAuthorities();
  const bundle = (): string => put("bundle.pem", issuing.pem + root.pem);

  it("on the names of certificates", () => {
    const names: readonly (readonly NamePart[])[] = [
      [
        ["C", "JP"],
        ["O", "日本商事 株式会社"],
        ["CN", ' A,B+"C"\\<D>;# '],
      ],
      [
        ["O", "#x"],
        ["2.5.4.5", "12"],
        ["0.9.2342.19200300.100.1.25", "example"],
        ["1.2.840.113549.1.9.1", "a@example.com"],
      ],
      [
        ["1.2.3.4", "unknown"],
        ["OU", der(0x1e, Buffer.from("経理", "utf16le").swap16())],
      ],
      [["CN", "control\u0007"]],
    ];
    for (const parts of names) {
      const made = makeCertificate({ subject: name(...parts) });
      const printed = openssl(
        "x509",
        "-in",
        put("name.pem", made.pem),
        "-noout",
        "-subject",
        "-nameopt",
        "RFC2253,-esc_msb",
      );
      assert.equal(`subject=${readCertificates(made.der).certificates[0]?.summary.subject}\n`, printed);
    }
  });

  it("on the organization that httpd compares, in every encoding of a Japanese name", () => {
    const shiftJis = Buffer.from([0x93, 0xfa, 0x96, 0x7b, 0x8f, 0x5c]);
    const values: readonly Buffer[] = [
      der(0x0c, Buffer.from("日本商事")),
      der(0x14, shiftJis),
      der(0x13, shiftJis),
      der(0x1e, Buffer.from("日本商事", "utf16le").swap16()),
      der(0x1c, Buffer.from([0, 0, 0x65, 0xe5])),
      der(0x0c, Buffer.from("back\\slash")),
      der(0x0c, Buffer.from("back\\slash \u0007 bell")),
    ];
    for (const value of values) {
      const made = makeCertificate({ subject: name(["O", value], ["O", "second"]) });
      const options = ["-nameopt", "utf8,esc_ctrl,sep_multiline,sname"];
      const printed = openssl("x509", "-in", put("o.pem", made.pem), "-noout", "-subject", ...options);
      const first = /^\s*O=(.*)$/m.exec(printed)?.[1];
      const [shown] = readCertificates(made.der).certificates.flatMap((found) => textsOf(found, "O"));
      // What no site file can name is not shown either.
      const isNameable = !/\p{Cc}|\\[01]/u.test(first ?? "");
      assert.equal(shown === undefined ? undefined : escapeAsModSsl(shown), isNameable ? first : undefined);
    }
  });

  it("on which names are equal: not those in two encodings, for all that they look alike", () => {
    const shown = "日本商事";
    const eucJp = der(0x14, Buffer.from([0xc6, 0xfc, 0xcb, 0xdc, 0xbe, 0xa6, 0xbb, 0xf6]));
    const bmp = der(0x1e, Buffer.from(shown, "utf16le").swap16());
    const ca = makeCertificate({ subject: name(["O", shown]) });
    for (const [other, isEqual] of [
      [bmp, true],
      [eucJp, false],
    ] as const) {
      const crl = makeCrl({ ...ca, subject: name(["O", other]) });
      const file = put("n.crl", toPem("X509 CRL", crl));
      const printed = openssl("crl", "-in", file, "-noout", "-CAfile", put("n.pem", ca.pem));
      assert.equal(/verify OK/.test(printed), isEqual, printed);
      const { certificates } = readCertificates(ca.der);
      assert.equal(readCrls(crl).crls[0]?.canonicalIssuer === certificates[0]?.canonicalSubject, isEqual);
    }
  });

  it("on how deep a user of a cross-signed CA may stand, in whatever order its CAs are listed", () => {
    const old = makeCertificate({ subject: name(["CN", "Old root"]) });
    const crossed = makeCertificate({ subject: root.subject, key: root.key, issuer: old });
    const user = put("deep.pem", makeCertificate({ subject: name(["CN", "U"]), issuer: issuing, extensions: [] }).pem);
    const depths = [
      [issuing, root, crossed, old],
      [issuing, crossed, old, root],
    ].map((cas) => {
      const bundle = put("deep-ca.pem", cas.map(({ pem }) => pem).join(""));
      const printed = openssl("verify", "-show_chain", "-attime", String(testNow / 1000), "-CAfile", bundle, user);
      return (printed.match(/^depth=/gm) ?? []).length - 1;
    });
    const { certificates } = readCertificates(
      Buffer.from([issuing, root, crossed, old].map(({ pem }) => pem).join("")),
    );
    const needed = [1, 2, 3, 4].find((depth) => {
      const found = checkBundle(certificates, { now: testNow, verifyDepth: depth });
      return !found.some(({ text }) => text.includes("SSLVerifyDepth"));
    });
    // The order that is installed is the one in which the depth is enough.
    const installed = put("deep-installed.pem", makeBundle(certificates, { now: testNow, verifyDepth: 2 }).pem);
    const printed = openssl("verify", "-show_chain", "-attime", String(testNow / 1000), "-CAfile", installed, user);
    assert.deepEqual([needed, depths, (printed.match(/^depth=/gm) ?? []).length - 1], [2, [2, 3], 2]);
  });

  it("on names that no OpenSSL can load: text in another encoding than it says", () => {
    for (const value of [
      der(0x0c, Buffer.from([0x93, 0xfa])),
      der(0x1e, Buffer.from([0x65])),
      der(0x1c, Buffer.from([0, 1])),
    ]) {
      const { root: ca } = makeAuthorities();
      const crl = makeCrl({ ...ca, subject: name(["O", value]) });
      assert.match(openssl("crl", "-noout", "-in", put("t.crl", toPem("X509 CRL", crl))), /unable to load/i);
      assert.match(readCrls(crl).diagnostics[0]?.text ?? "", /another encoding than it says/);
    }
  });

  it("on issuer, dates, number and signature of a CRL", () => {
    const bytes = makeCrl(issuing, { revoked: [5n], number: 258n });
    const printed = openssl(
      "crl",
      "-in",
      put("a.crl", toPem("X509 CRL", bytes)),
      "-CAfile",
      bundle(),
      "-noout",
      "-crlnumber",
      "-nextupdate",
      "-issuer",
      "-nameopt",
      "RFC2253,-esc_msb",
    );
    const summary = readCrls(bytes).crls[0]?.summary;
    assert.match(printed, /verify OK/);
    assert.match(printed, /crlNumber=0x0102/);
    assert.equal(summary?.number, "258");
    assert.ok(printed.includes(`issuer=${summary.issuer}\n`), printed);
    const printedNext = /nextUpdate=(.*)/.exec(printed)?.[1] ?? "";
    assert.equal(new Date(printedNext).getTime(), new Date(summary.nextUpdate ?? "").getTime());
  });

  it("on what may be critical in a CRL: in a list of many, too", () => {
    const user = makeCertificate({ subject: name(["CN", "user"]), issuer: issuing, serial: 6n, extensions: [] });
    const isAccepted = (crl: Buffer): boolean => {
      const files = ["-CAfile", bundle(), "-CRLfile", put("c.crl", toPem("X509 CRL", crl)), put("user.pem", user.pem)];
      return /: OK/.test(openssl("verify", "-attime", String(testNow / 1000), "-crl_check", ...files));
    };
    const { certificates } = readCertificates(Buffer.from(issuing.pem + root.pem));
    const isTaken = (crl: Buffer): boolean =>
      checkCrls(readCrls(crl).crls, certificates, { now: testNow, crlCheck: "leaf" }).diagnostics.length === 0;
    const entry = (critical: boolean): Buffer =>
      seq(integer(7n), time(days(-1)), seq(extension("2.5.29.21", der(0x0a, Buffer.from([1])), critical)));
    // Serial numbers that look like the head of a BOOLEAN.
    const many = Array.from({ length: 3000 }, (_, index) => (0x06012a0101ffn << 16n) + BigInt(index));
    for (const [crl, isGood] of [
      [makeCrl(issuing, { revoked: many, entries: [entry(false)] }), true],
      [makeCrl(issuing, { revoked: many, entries: [entry(true)] }), false],
      [makeCrl(issuing, { entries: [entry(true)], revoked: many }), false],
      [makeCrl(issuing, { extensions: [extension("1.2.3.4", octets(Buffer.from([5])), true)] }), false],
      [makeCrl(issuing, { extensions: [extension("2.5.29.28", seq(der(0x81, Buffer.from([0xff]))), true)] }), true],
    ] as const) {
      assert.equal(isAccepted(crl), isGood);
      assert.equal(isTaken(crl), isGood);
    }
  });

  it("on which client certificates a bundle and a CRL let through", () => {
    const client = extension("2.5.29.37", seq(oid("1.3.6.1.5.5.7.3.2")));
    const user = (serial: bigint, issuer = issuing) =>
      makeCertificate({ subject: name(["CN", `user ${serial}`]), issuer, serial, extensions: [client] });
    const verify = (pem: string, trusted: string, ...more: readonly string[]): string =>
      openssl(
        "verify",
        "-attime",
        String(testNow / 1000),
        "-purpose",
        "sslclient",
        "-CAfile",
        trusted,
        ...more,
        put("user.pem", pem),
      );
    const crl = put("b.crl", toPem("X509 CRL", makeCrl(issuing, { revoked: [5n] })));
    assert.match(verify(user(6n).pem, bundle(), "-crl_check", "-CRLfile", crl), /: OK/);
    assert.match(verify(user(5n).pem, bundle(), "-crl_check", "-CRLfile", crl), /certificate revoked/);
    assert.match(verify(user(6n).pem, put("issuing.pem", issuing.pem)), /unable to get (local )?issuer certificate/);
    const servers = makeCertificate({
      subject: name(["CN", "Servers"]),
      issuer: root,
      extensions: [caConstraints, keyUsage(0x06), extension("2.5.29.37", seq(oid("1.3.6.1.5.5.7.3.1")))],
    });
    assert.match(
      verify(user(6n, servers).pem, put("servers.pem", servers.pem + root.pem)),
      /unsuitable certificate purpose|unsupported certificate purpose/,
    );
  });
});
