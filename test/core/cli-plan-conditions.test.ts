/**
 * Conditions and variables on a copy of a host's files: what is decided, and what to give for the rest: never a guess.
 */
import assert from "node:assert/strict";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import {
  type Given,
  around,
  hostOn,
  isCovered,
  look,
  makeTree,
  modulesOf,
  serverFiles,
  tls,
  useCopies,
  versionOf,
} from "./copies.ts";

describe("clientcert plan on a copy", () => {
  useCopies();

  describe("decides what every 2.4 answers alike, and asks for httpd -V where the patch level counts", () => {
    const cases: readonly [condition: string, byItself: 0 | 1 | "?", of2462: 0 | 1][] = [
      ["IfVersion >= 2.4", 1, 1],
      ["IfVersion > 2.4", 1, 1],
      ["IfVersion < 2.4", 0, 0],
      ["IfVersion !< 2.4", 1, 1],
      ["IfVersion >= 2.2.15", 1, 1],
      ["IfVersion < 2.5", 1, 1],
      ["IfVersion >= 3", 0, 0],
      ["IfVersion 2.4", 0, 0],
      ["IfVersion != 2.4", 1, 1],
      ["IfVersion ~ ^2\\.4\\.", 1, 1],
      ["IfVersion = /^2\\.2/", 0, 0],
      ["IfVersion !~ ^2.4", 0, 0],
      ["IfVersion >= 2.4.1", 1, 1],
      ["IfVersion >= 2.4.10", "?", 1],
      ["IfVersion < 2.4.62", "?", 0],
      ["IfVersion = 2.4.62", "?", 1],
      ["IfVersion ~ 4.99", "?", 0],
      ["IfVersion ~ ^2\\.4\\.6[0-9]$", "?", 1],
    ];
    for (const [condition, byItself, of2462] of cases)
      it(condition, () => {
        const tree = makeTree(serverFiles(`${hostOn(8443)}${around(condition)}`));
        const alone = look(tree);
        if (byItself === "?") {
          assert.equal(alone.code, 1);
          assert.match(
            alone.told,
            /^\/etc\/httpd\/conf\/httpd\.conf:7 the files alone do not tell whether this condition is true; give --httpd-version FILE with the output of httpd -V$/,
          );
        } else assert.equal(isCovered(alone), byItself === 1);
        assert.equal(isCovered(look(tree, { version: versionOf("2.4.62") })), of2462 === 1);
      });

    it("asks nothing that cannot help: a pattern that is not plain is to be written out", () => {
      const tree = makeTree(serverFiles(`${hostOn(8443)}${around("IfVersion ~ ^(?=2)")}`));
      assert.match(look(tree, { version: versionOf("2.4.62") }).told, /; move what stands in this section out of it$/);
    });
  });

  describe("looks files of IfFile up", () => {
    const cases: readonly [what: string, condition: string, files: readonly string[], answer: boolean | RegExp][] = [
      ["that are there", "IfFile conf/flag", ["etc/httpd/conf/flag"], true],
      ["by absolute path", "IfFile /srv/flag", ["srv/flag"], true],
      ["that are directories", "IfFile /srv/x", ["srv/x/y"], true],
      ["that the copied directory lacks", "IfFile conf/flag", [], false],
      ["that it lacks, the other way round", "IfFile !conf/flag", [], true],
      ["below the ServerRoot, whatever else is there", "IfFile flag", [], false],
      ["in a directory elsewhere that was copied", "IfFile /srv/flag", ["srv/other"], false],
      [
        "in a directory that was not copied",
        "IfFile /srv/flag",
        [],
        /; copy the names in \/srv\/ of the host, too: empty files of these names are enough/,
      ],
      [
        "in a directory that is only the way to another",
        "IfFile /srv/flag",
        ["srv/x/y"],
        /; copy the names in \/srv\/ of the host, too/,
      ],
      ["outside of the copy", "IfFile /../../../../../../../../tmp", [], /; copy the names in \/ of the host, too/],
    ];
    for (const [what, condition, files, answer] of cases)
      it(what, () => {
        const others = Object.fromEntries(files.map((path) => [path, ""]));
        const found = look(makeTree({ ...serverFiles(hostOn(8443) + around(condition)), ...others }));
        if (typeof answer === "boolean") assert.equal(isCovered(found), answer);
        else {
          assert.equal(found.code, 1);
          assert.match(found.told, answer);
        }
      });

    it("that are links to what was not copied: nobody can tell", () => {
      const tree = makeTree(serverFiles(hostOn(8443) + around("IfFile conf/flag")));
      symlinkSync("/srv/elsewhere", join(tree, "etc/httpd/conf/flag"));
      assert.equal(look(tree).code, 1);
    });

    it("and an Include behind one is not forgotten", () => {
      const tree = makeTree(serverFiles(`${tls}<IfFile /srv/more.conf>\nInclude /srv/more.conf\n</IfFile>\n`));
      assert.deepEqual([look(tree).code, /the copy has no \/srv\/more\.conf/.test(look(tree).told)], [1, true]);
    });
  });

  describe("names the remedy that fits", () => {
    const cases: readonly [what: string, text: string, remedy: RegExp, given?: Given, line?: number][] = [
      [
        "a -D name",
        around("IfDefine TLS"),
        /; give the server's -D names under defines \(\[\] where it has none\)$/,
        { defines: "TLS" },
      ],
      [
        "a module that may be compiled in",
        around("IfModule ssl_module"),
        /; give --httpd-modules FILE with the output of httpd -M$/,
        { modules: modulesOf("ssl_module (static)") },
      ],
      [
        "a directive of mod_ssl",
        around("IfDirective SSLEngine"),
        /; give --httpd-modules FILE with the output of httpd -M$/,
        { modules: modulesOf("ssl_module (static)") },
      ],
      ["another directive", around("IfDirective Foo"), /; move what stands in this section out of it$/],
      [
        "a variable in an address",
        `${tls}${tls.replace("*", "${IP}")}`,
        /; give it under defines as NAME=VALUE$/,
        { defines: "IP=192.0.2.1" },
      ],
      ["a variable for the only port", tls.replace("443", "${P}"), /NAME=VALUE$/, { defines: "P=443" }],
      [
        "a variable in an Include",
        `${tls}Include \${DIR}/x.conf\n`,
        /the Include has a variable whose value only the running httpd knows; give it under defines as NAME=VALUE$/,
      ],
      [
        "a variable that is defined below another condition",
        `<IfVersion > 2.4.9>\nDefine P 443\n</IfVersion>\n${tls}${tls.replace("443", "${P}")}`,
        /; it depends on the condition at \/etc\/httpd\/conf\/httpd\.conf:3: give --httpd-version FILE/,
        { version: versionOf("2.4.62") },
      ],
      [
        "a name that is defined below another condition",
        `<IfVersion > 2.4.9>\nDefine T\n</IfVersion>\n${around("IfDefine T")}`,
        /:6 .*; it depends on the condition at \/etc\/httpd\/conf\/httpd\.conf:3: give --httpd-version FILE/,
        { version: versionOf("2.4.62") },
      ],
    ];
    for (const [what, text, remedy, given] of cases)
      it(`for ${what}`, () => {
        const tree = makeTree(serverFiles(text));
        const { code, told } = look(tree);
        assert.equal(code, 1, told);
        assert.match(told, remedy);
        assert.equal(told.split("\n").length, 1, told);
        if (given !== undefined) assert.deepEqual([look(tree, given).code, look(tree, given).told], [7, ""]);
      });
  });
});
