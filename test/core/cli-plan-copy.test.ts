/** What the files of a copy do not tell by themselves, and how little is said of what was not read. */
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { PlanOptions } from "../../cli/plan.ts";
import { certificatesAlone } from "../../core/apache/named-files.ts";
import { openTree } from "../../cli/tree.ts";
import { makeCertificate, name } from "../fixtures/pki.ts";
import {
  around,
  diffOf,
  hostOn,
  keep,
  look,
  main,
  makeTree,
  modulesOf,
  run,
  serverFiles,
  tls,
  useCopies,
  versionOf,
} from "./copies.ts";

describe("clientcert plan on a copy", () => {
  useCopies();

  describe("guesses no ServerRoot", () => {
    const plain = {
      "srv/web/httpd.conf": `LoadModule x_module x.so\nInclude more.conf\n${tls}`,
      "srv/web/more.conf": "",
    };
    it("and asks for httpd -V, which tells it, and the main file", () => {
      const tree = makeTree({
        [main]: `${tls}Include conf/root.conf\n`,
        "etc/httpd/conf/root.conf": "ServerRoot /etc/httpd\n",
      });
      const { code, told } = look(tree);
      assert.equal(code, 1);
      assert.match(
        told,
        /httpd\.conf: the copied files have no ServerRoot, .*; give --httpd-version FILE with the output of httpd -V, which says it as HTTPD_ROOT$/,
      );
      assert.deepEqual(look(tree, { version: versionOf("2.4.62") }).told, "");
      const found = look(makeTree(plain), { version: versionOf("2.4.62", "/srv/web", "httpd.conf") });
      assert.deepEqual([found.code, found.told], [7, ""]);
      assert.equal(found.truth, "the output of httpd -V, and the files");
      assert.match(
        diffOf(makeTree(plain), { version: versionOf("2.4.62", "/srv/web", "httpd.conf") }),
        /^\+\+\+ b\/srv\/web\/conf\/clientcert\/clientcert\.conf$/m,
      );
    });

    it("but knows Debian's", () => {
      const diff = diffOf(makeTree({ "etc/apache2/apache2.conf": tls }));
      assert.match(diff, /^\+\+\+ b\/etc\/apache2\/conf\/clientcert\/clientcert\.conf$/m);
    });

    it("nor one that a condition or a variable hides", () => {
      const undecided = look(
        makeTree({ [main]: `<IfVersion > 2.4.9>\nServerRoot /etc/httpd\n</IfVersion>\n${tls}` }),
        {},
      );
      assert.deepEqual(
        [undecided.code, /:1: .*around ServerRoot is true; give --httpd-version/.test(undecided.told)],
        [1, true],
      );
      const variable = look(makeTree({ [main]: `ServerRoot \${ROOT}\n${tls}` }), { version: undefined });
      assert.deepEqual(
        [variable.code, /:1: this ServerRoot has a variable .* NAME=VALUE$/.test(variable.told)],
        [1, true],
      );
    });
  });

  describe("says once what was not read", () => {
    it("where the included file with all virtual hosts was not copied", () => {
      const { code, told } = look(makeTree(serverFiles("Include conf.d/ssl.conf\n")));
      assert.equal(code, 1);
      assert.match(
        told,
        /^\S+:3 the copy has no \/etc\/httpd\/conf\.d\/ssl\.conf, which is included here; copy it, too$/,
      );
    });

    it("where a macro writes the virtual hosts, and takes a harmless one for text", () => {
      const site = `<Macro Site $n>\n${tls}</Macro>\nUse Site a\n`;
      const refused = look(makeTree(serverFiles(site)));
      assert.equal(refused.code, 7);
      assert.match(refused.told, /^\S+:9 mod_macro writes [^\n]*$/);
      const harmless = look(
        makeTree(serverFiles(`<Macro Gzip $t>\nAddOutputFilterByType DEFLATE $t\n</Macro>\nUse Gzip a/b\n${tls}`)),
      );
      assert.deepEqual([harmless.code, harmless.told], [7, ""]);
    });

    it("and names every port that has TLS where the wanted one has none", () => {
      const text = hostOn(9443) + hostOn(8443) + hostOn(9443) + tls.replace("443", "80").replace("on", "off");
      assert.match(
        look(makeTree(serverFiles(text))).told,
        /answers port 443; ports 8443, 9443 have one: give that port,/,
      );
    });
  });

  describe("with the output of httpd", () => {
    const cases: readonly [
      what: string,
      options: (file: string) => Partial<PlanOptions>,
      text: string,
      told: RegExp,
    ][] = [
      [
        "-V that is none",
        (httpdVersion) => ({ httpdVersion }),
        "Server version: Apache/2.4.62\n",
        /^--httpd-version \S+: is not the output of httpd -V; run httpd -V > FILE on the host and copy that file$/,
      ],
      [
        "-V without its version",
        (httpdVersion) => ({ httpdVersion }),
        versionOf("2.4.62").replace(/^.*\n/, ""),
        /: is not the output of httpd -V;/,
      ],
      [
        "-V of an older httpd",
        (httpdVersion) => ({ httpdVersion }),
        versionOf("2.2.34"),
        /: is of Apache\/2\.2\.34; clientcert needs Apache httpd 2\.4$/,
      ],
      [
        "-M that is none",
        (httpdModules) => ({ httpdModules }),
        versionOf("2.4.62"),
        /^--httpd-modules \S+: is not the output of httpd -M;/,
      ],
      [
        "-V that cannot be read",
        (file) => ({ httpdVersion: `${file}.none` }),
        "",
        /^--httpd-version \S+\.none: cannot be read;/,
      ],
    ];
    for (const [what, options, text, told] of cases)
      it(`${what} ends with 2`, () => {
        const { code, output } = run(makeTree(serverFiles(tls)), {}, options(keep("output.txt", text) ?? ""));
        assert.equal(code, 2);
        assert.match(output.trimEnd(), told);
      });

    it("does not take how the program was built for its -D names", () => {
      const { code } = look(makeTree(serverFiles(around("IfDefine APR_HAS_MMAP"))), { version: versionOf("2.4.62") });
      assert.equal(code, 1);
    });

    it("-M leaves -D names open, and the scheduler", () => {
      const { code, told } = look(makeTree(serverFiles(around("IfDefine TLS"))), {
        modules: modulesOf("ssl_module (shared)"),
      });
      assert.equal(code, 1);
      assert.match(told, /; give the server's -D names under defines \(\[\] where it has none\)$/);
    });
  });

  describe("walks no directory for ever", () => {
    for (const [what, links] of [
      ["one link to itself", ["a"]],
      ["two links to itself", ["a", "b"]],
    ] as const)
      it(`that has ${what}: an error at once, as httpd has it`, () => {
        const tree = makeTree({ ...serverFiles(`${tls}Include conf.d\n`), "etc/httpd/conf.d/z.conf": "" });
        for (const link of links) symlinkSync(".", join(tree, "etc/httpd/conf.d", link));
        const begun = performance.now();
        const { code, told } = look(tree);
        assert.ok(performance.now() - begun < 2000);
        assert.equal(code, 7);
        assert.match(
          told,
          /^\S+:7 this Include takes \/etc\/httpd\/conf\.d\/a, a link to a directory that it stands in, and httpd does not start; remove the link$/,
        );
      });

    it("nor directories that link to each other without an end in sight", () => {
      const tree = makeTree(serverFiles(`${tls}Include conf.d/0\n`));
      for (let level = 0; level < 30; level++) {
        mkdirSync(join(tree, `etc/httpd/conf.d/${level}`), { recursive: true });
        for (const link of ["a", "b"]) symlinkSync(`../${level + 1}`, join(tree, `etc/httpd/conf.d/${level}/${link}`));
      }
      mkdirSync(join(tree, "etc/httpd/conf.d/30"));
      assert.match(look(tree).told, /^\S+:7 this Include takes more than 10000 files; narrow it$/);
    }).timeout(10_000);

    it("but follows a link to a directory elsewhere, twice if need be, and directories of any depth", () => {
      const deep = `etc/httpd/conf.d/${"d/".repeat(60)}x.conf`;
      const tree = makeTree({ ...serverFiles(""), "srv/more/m.conf": tls, [deep]: "" });
      for (const link of ["a", "b"]) symlinkSync("/srv/more", join(tree, "etc/httpd/conf.d", link));
      assert.deepEqual(openTree(tree).expand("/etc/httpd/conf.d"), [
        "/etc/httpd/conf.d/a/m.conf",
        "/etc/httpd/conf.d/b/m.conf",
        `/${deep}`,
      ]);
    });
  });

  describe("reads the files that directives name as on the host", () => {
    const ca = makeCertificate({ subject: name(["O", "Old"], ["CN", "Old CA"]) });
    const server = makeCertificate({ subject: name(["CN", "a.example"]), issuer: ca, extensions: [] });
    const withFiles = hostOn(443).replace(
      "SSLEngine on",
      "SSLEngine on\nSSLCertificateFile conf/server.pem\nSSLCACertificateFile conf/old.pem",
    );
    const look443 = (serverPem: string) =>
      look(
        makeTree({
          ...serverFiles(withFiles),
          "etc/httpd/conf/server.pem": serverPem,
          "etc/httpd/conf/old.pem": ca.pem,
        }),
      );

    it("and refuses a change that would cut the server's own chain off, whatever stands beside its certificate", () => {
      for (const pem of [server.pem, `-----BEGIN PRIVATE KEY-----\nAAAA\n${server.pem}`]) {
        const { code, told } = look443(pem);
        assert.equal(code, 7);
        assert.match(told, /also completes the chain of the server's own certificate \(by .*Old CA/);
      }
      assert.deepEqual(look443(server.pem + ca.pem).told, "");
    });

    it("and takes no byte of a key out of a certificate's file, not even behind a certificate that is cut off", () => {
      const key = "-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----\n";
      const cutOff = "-----BEGIN CERTIFICATE-----\nMIIB\n";
      for (const text of [key + server.pem, server.pem + key, `${cutOff}${key}${server.pem}`, key.slice(0, -20)])
        assert.doesNotMatch(certificatesAlone(text), /SECRET|PRIVATE/);
      assert.equal(certificatesAlone(`x\n${key}${server.pem}y\n${ca.pem}`), server.pem + ca.pem);
    });
  });
});
