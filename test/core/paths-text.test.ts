/** Paths of a host on their way to people and back: bytes of UTF-8 are never taken for letters, nor encoded twice. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDump } from "../../core/apache/config/dump.ts";
import { findText, hostBytes, hostText, unescapeLog } from "../../core/host-text.ts";
import { nameMatcher } from "../../core/apache/plan/excluded-hosts.ts";
import { filterHttpdMessages } from "../../provider/apache/httpd-messages.ts";
import { readObservation } from "../../provider/apache/observation-reader.ts";
import { skipBecause } from "../skip.ts";
import { factsOf, host, serverOf } from "./apache-observation.ts";
import { keep, makeTree, run, tls, useCopies } from "./copies.ts";

const root = "/opt/グループウェア/apache";

describe("the border between bytes of a host and text", () => {
  const rows: readonly [what: string, bytes: string, text: string][] = [
    ["ASCII", "/etc/httpd", "/etc/httpd"],
    ["UTF-8", "\xe3\x82\xb0", "グ"],
    ["Shift_JIS", "/a/\x83\x4f", "/a/\\x83O"],
    ["half of a letter", "\xe3\x82", "\\xe3\\x82"],
    ["an emoji", "\xf0\x9f\x8d\xa3", "🍣"],
  ];
  for (const [what, bytes, text] of rows)
    it(`shows ${what}`, () => {
      assert.equal(hostText(bytes), text);
      assert.equal(findText(bytes), text.includes("\\x") ? undefined : text);
      assert.equal(hostBytes(hostText(bytes)) === bytes, !text.includes("\\x"));
    });

  it("knows how httpd writes bytes into its words", () => {
    assert.equal(unescapeLog(String.raw`/opt/\xe3\x82\xb0/a\\x41\tb"c`), '/opt/\xe3\x82\xb0/a\\x41\tb"c');
    const said = String.raw`AH00526: Syntax error on line 4 of /opt/\xe3\x82\xb0: a/b.conf:` + "\n";
    assert.deepEqual(parseDump(said).rejected, { file: "/opt/\xe3\x82\xb0", line: 4 });
    assert.deepEqual(filterHttpdMessages(said), ["httpd: Syntax error on line 4 of /opt/グ: a/b.conf:"]);
    const colon = "Syntax error on line 1 of /a:b/c.conf: Syntax error on line 2 of /a:b/d.conf: Cannot load x";
    assert.deepEqual(parseDump(colon).rejected, { file: "/a:b/d.conf", line: 2 });
  });

  it("is crossed by names of virtual hosts in a site file", () => {
    const { virtualHosts } = factsOf(serverOf(host("", hostBytes("例え.test"))));
    assert.deepEqual(["例え.test", "別.test"].map(nameMatcher(virtualHosts)), [true, false]);
  });
});

describe("an observation of a host with odd names", () => {
  const observed = (...parts: { kind: string; argument?: string; body?: string }[]) =>
    readObservation(
      [{ kind: "server" }, { kind: "dump" }, ...parts, { kind: "done" }].map((part) => ({
        argument: "",
        body: "",
        ...part,
      })),
    );

  it("finds the hash of a file in a directory with a backslash, which sha256sum doubles", () => {
    const hash = "a".repeat(64);
    const own = { kind: "own", argument: "9 1 1\t/a\\b/crl.pem\t/a\\b/crl.pem", body: "" };
    const found = observed({ kind: "own-hashes", body: `\\${hash}  /a\\\\b/crl.pem\n` }, own);
    assert.equal(found?.own.get("crl.pem")?.sha256, hash);
  });

  it("is refused where a name holds a tabulator, which parts the names in an answer", () => {
    const file = { kind: "file", argument: "9 1 1\t/a\tb.conf\t/a\tb.conf" };
    assert.throws(() => observed(file), /^HostError: \/a…: the name of this file holds a tabulator; rename it$/);
  });
});

describe("clientcert plan on a copy with odd names", () => {
  useCopies();

  function siteWith(config: string): string {
    const text = readFileSync("stacks/example.yaml", "utf8").replace(/example\//g, `${process.cwd()}/stacks/example/`);
    const entry = (_: string, indent: string): string =>
      `${indent}- name: web1\n${indent}  config: ${JSON.stringify(config)}`;
    return keep("site-with-config.yaml", text.replace(/^( +)- name: web1$/m, entry)) ?? "";
  }

  /** The diff, made by `patch` on a copy of the tree, gives the same file as the plan that was carried out. */
  function assertPatches(context: Mocha.Context, tree: string, diff: Buffer | undefined, file: string): void {
    if (spawnSync("patch", ["--version"]).status !== 0) skipBecause(context, "patch is not installed");
    const ended = spawnSync("patch", ["-p1", "--binary", "-d", tree], { input: diff });
    assert.equal(ended.status, 0, ended.stdout.toString());
    assert.match(readFileSync(join(tree, file), "utf8"), /IncludeOptional "conf\/clientcert\/clientcert\.conf"/);
  }

  it("finds it by the site file, tells it as it is written, and writes to the very files", function () {
    const [config, included] = [`${root}/conf/設定.conf`, `${root}/conf/仮想.conf`];
    const site = siteWith(config);
    const main = `ServerRoot "${root}"\nLoadModule x_module x.so\nInclude "conf/仮想.conf"\n`;
    const files = { [config.slice(1)]: main, [included.slice(1)]: tls };
    const tree = makeTree(files);
    const { output, bytes, code } = run(tree, {}, { site, isTerminal: true });
    assert.equal(code, 7, output);
    assert.ok(output.includes(`write ${root}/conf/clientcert/clientcert.conf`), output);
    assert.ok(output.includes(`at ${included}:1`), output);
    assert.ok(bytes?.toString().includes(`+++ b${root}/conf/clientcert/clientcert.conf\n`));
    assertPatches(this, makeTree(files), run(tree, {}, { site }).bytes, included);
    assert.equal(run(tree, {}, { site, write: true }).code, 0);
    assert.ok(existsSync(join(tree, root, "conf/clientcert/clientcert.conf")));
  });

  it("makes a diff that patch applies, whatever the names are", function () {
    const odd = '/opt/it\'s "web" 100% $HOME/a & b|c\\d/apache';
    const config = `${odd}/conf/a b.conf`;
    const main = `ServerRoot "${odd.replace(/["\\]/g, "\\$&")}"\nLoadModule x_module x.so\n${tls}`;
    const site = siteWith(config);
    const tree = makeTree({ [config.slice(1)]: main });
    assertPatches(this, makeTree({ [config.slice(1)]: main }), run(tree, {}, { site }).bytes, config);
    assert.equal(run(tree, {}, { site, write: true }).code, 0);
  });

  it("names a configuration that is not there as the site file does", () => {
    const config = `${root}/無.conf`;
    assert.ok(run(makeTree({ "etc/x": "" }), {}, { site: siteWith(config) }).output.includes(config));
  });
});
