import assert from "node:assert/strict";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { styleFor } from "../../cli/output.ts";
import { type PlanOptions, plan } from "../../cli/plan.ts";
import { type SavedHost, renderSaved } from "../../cli/saved.ts";
import { openTree } from "../../cli/tree.ts";
import { skipBecause } from "../skip.ts";
import { fixtures } from "./apache-observation.ts";

// The example's certificates begin on the day they were made.
const base = { site: "stacks/example.yaml", host: "web1", saved: undefined, write: false, json: false };
const circumstances = { now: Date.UTC(2026, 11, 1), style: styleFor({}, {}), isTerminal: false };

let folder = "";
const run = (tree: string, more: Partial<PlanOptions> = {}): { code: number; text: string } => {
  const { output, bytes, code } = plan({ ...base, ...circumstances, tree, ...more });
  return { code, text: output + (bytes?.toString("latin1") ?? "") };
};

function copy(name: string): string {
  const directory = join(mkdtempSync(join(folder, "copy-")), name);
  cpSync(join(fixtures, name), directory, { recursive: true, verbatimSymlinks: true });
  return directory;
}

function hashOf(directory: string): string {
  const hash = createHash("sha256");
  for (const entry of readdirSync(directory, { recursive: true, encoding: "utf8" }).sort()) {
    const path = join(directory, entry);
    hash.update(entry);
    if (statSync(path).isFile()) hash.update(readFileSync(path));
  }
  return hash.digest("hex");
}

function save(defines: readonly string[], more: Partial<SavedHost> = {}): string {
  const file = join(folder, "saved.json");
  const host: SavedHost = {
    savedAt: "2026-11-30T00:00:00.000Z",
    version: "Apache/2.4.71 (Debian)",
    openssl: "OpenSSL 3.0.22",
    serverRoot: "/etc/apache2",
    configFile: "/etc/apache2/apache2.conf",
    instance: "0123456789abcdef",
    defines: [...defines],
    modules: { ssl_module: "shared" },
    php: [{ source: "module", path: "/usr/lib/apache2/modules/libphp8.3.so", version: "8.3.12" }],
    generation: 4,
    ...more,
  };
  writeFileSync(file, renderSaved({ web1: host }));
  return file;
}

before(() => {
  folder = mkdtempSync(join(tmpdir(), "clientcert-plan-"));
});
after(() => rmSync(folder, { recursive: true }));

describe("clientcert plan", () => {
  for (const [name, edited] of [
    ["product", "usr/local/ni/apache/conf/extra/httpd-ssl.conf"],
    ["redhat", "etc/httpd/conf.d/ssl.conf"],
  ] as const) {
    describe(`on a copy in the ${name} layout`, () => {
      it("shows the change as a diff, says what it went by, and touches nothing", () => {
        const tree = copy(name);
        const before = hashOf(tree);
        const { code, text } = run(tree);
        assert.equal(code, 7, text);
        assert.match(text, /^--- \/dev\/null\n\+\+\+ b\/\S+\/conf\/clientcert\/clientcert\.conf$/m);
        assert.match(text, new RegExp(`^--- a/${edited}\\n\\+\\+\\+ b/${edited}$`, "m"));
        assert.match(text, /^\+IncludeOptional "conf\/clientcert\/clientcert\.conf"\r?$/m);
        assert.match(text, /told by the files alone\.$/m);
        assert.equal(hashOf(tree), before);
      });

      it("writes the change, and then finds the copy as wanted", () => {
        const tree = copy(name);
        const written = run(tree, { write: true });
        assert.equal(written.code, 0, written.text);
        assert.match(written.text, /^written to /m);
        for (const name of ["clientcert.conf", "README"]) {
          const text = readFileSync(
            join(tree, edited, edited.includes("extra") ? "../.." : "../../conf", "clientcert", name),
            "utf8",
          );
          assert.match(text, /To undo everything: delete the lines/);
          assert.ok(!text.includes("/undo"), "a copy has no such program");
        }
        const second = run(tree);
        assert.equal(second.code, 0, second.text);
        assert.match(second.text, /: as wanted$/m);
        assert.doesNotMatch(second.text, /^[-+@]/m);
      });

      it("gives a diff that patch makes into the same files", function () {
        if (spawnSync("patch", ["--version"]).status !== 0) skipBecause(this, "patch is not installed");
        const [patched, written] = [copy(name), copy(name)];
        const { text } = run(patched);
        const ended = spawnSync("patch", ["-p1", "--binary", "-d", patched], { input: Buffer.from(text, "latin1") });
        assert.equal(ended.status, 0, ended.stdout.toString());
        run(written, { write: true });
        for (const ca of readdirSync(join(written, edited, "../.."), { recursive: true, encoding: "utf8" })) {
          if (/ca-[0-9a-f]{8}\.pem$/.test(ca)) rmSync(join(written, edited, "../..", ca));
        }
        assert.equal(hashOf(patched), hashOf(written));
      });
    });
  }

  it("could not tell where a condition around a virtual host is unknown, and shows no guess", () => {
    const { code, text } = run(copy("debian"));
    assert.equal(code, 1);
    assert.match(text, /: could not tell$/m);
    assert.match(text, /lighthouse\.conf:4: the files alone do not tell/);
    assert.doesNotMatch(text, /would change|^\+/m);
  });

  it("could not tell where an included file was not copied, and names it first", () => {
    const tree = copy("product");
    rmSync(join(tree, "usr/local/ni/apache/conf/extra/httpd-ssl.conf"));
    const { code, text } = run(tree);
    assert.equal(code, 1);
    const [first] = text.split("\n").filter((line) => line.startsWith("  problem "));
    const lacking =
      "the copy has no /usr/local/ni/apache/conf/extra/httpd-ssl.conf, which is included here; copy it, too";
    assert.match(first ?? "", new RegExp(`^  problem /usr/local/ni/apache/conf/httpd\\.conf:\\d+: ${lacking}$`));
    assert.doesNotMatch(text, /would change|^\+/m);
  });

  it("takes NAME=VALUE of defines beside a saved observation", () => {
    const tree = copy("debian");
    const file = join(tree, "etc/apache2/sites-available/harbour-ssl.conf");
    writeFileSync(
      file,
      readFileSync(file, "latin1").replace(/<VirtualHost [^>]*>/, "<VirtualHost ${IP}:443>"),
      "latin1",
    );
    const site = join(folder, "defined.yaml");
    const text = readFileSync("stacks/example.yaml", "utf8").replace(/example\//g, `${process.cwd()}/stacks/example/`);
    writeFileSync(site, text.replace(/^( +)- name: web1$/m, "$1- name: web1\n$1  defines: [IP=192.0.2.1]"));
    assert.match(run(tree, { saved: save([]) }).text, /a variable stands here whose value only httpd knows/);
    assert.equal(run(tree, { saved: save([]), site }).code, 7, run(tree, { saved: save([]), site }).text);
  });

  it("goes by a saved observation where there is one, for conditions, PHP and owner", () => {
    const owner = "acme/web/example/web1";
    const { code, text } = run(copy("debian"), { saved: save([], { owner }) });
    assert.equal(code, 7, text);
    assert.match(text, /the observation saved at 2026-11-30T00:00:00\.000Z/);
    assert.match(text, /TLS 1\.2 only: PHP 8\.3\.12 \(module\)/);
    assert.match(text, /^\+# Written by clientcert for acme\/web\/example\/web1;/m);
    assert.match(text, /^\+\+\+ b\/etc\/apache2\/sites-available\/harbour-ssl\.conf$/m);
  });

  it("has no line of the host's files in --json", () => {
    const tree = copy("product");
    const file = join(tree, "usr/local/ni/apache/conf/extra/httpd-ssl.conf");
    writeFileSync(
      file,
      readFileSync(file, "latin1").replace(/<\/VirtualHost>/, "# planted-marker\n</VirtualHost>"),
      "latin1",
    );
    assert.match(run(tree).text, /planted-marker/);
    const { text } = run(tree, { json: true });
    assert.doesNotMatch(text, /planted-marker|CustomLog/);
    assert.match(text, /"truth": "the files alone"/);
  });

  it("keeps Shift_JIS bytes in the diff, and escapes them for a terminal", () => {
    const tree = copy("product");
    const file = join(tree, "usr/local/ni/apache/conf/extra/httpd-ssl.conf");
    const comment = Buffer.from([0x23, 0x20, 0x83, 0x65, 0x83, 0x58, 0x1b, 0x5b, 0x0a]);
    const [head = "", tail = ""] = readFileSync(file, "latin1").split(/(?=<\/VirtualHost>)/);
    writeFileSync(file, head + comment.toString("latin1") + tail, "latin1");
    assert.ok(run(tree).text.includes(` ${comment.toString("latin1")}`));
    const shown = run(tree, { isTerminal: true }).text;
    assert.match(shown, /^ # \\x83e\\x83X\\u001b\[$/m);
  });

  it("leaves a copy with a conflict alone", () => {
    const tree = copy("product");
    const file = join(tree, "usr/local/ni/apache/conf/extra/httpd-ssl.conf");
    writeFileSync(
      file,
      readFileSync(file, "latin1").replace(/<\/VirtualHost>/, "SSLVerifyClient require\n</VirtualHost>"),
      "latin1",
    );
    const before = hashOf(tree);
    const { code, text } = run(tree, { write: true });
    assert.equal(code, 7);
    assert.match(text, /^ {2}conflict \S+httpd-ssl\.conf:\d+: SSLVerifyClient require/m);
    assert.equal(hashOf(tree), before);
  });

  it("says where the site file names a CA that is too old to be installed", () => {
    const { code, text } = run(copy("product"), { now: Date.UTC(2200, 0) });
    assert.equal(code, 7, text);
    assert.match(text, /^ {2}problem stacks\/example\/issuing\.pem \(stacks\/example\.yaml:10\): .*expired on 2126/m);
  });

  it("ends with 1 where the copy has no configuration, with 2 where there is no copy", () => {
    const empty = mkdtempSync(join(folder, "empty-"));
    assert.equal(run(empty).code, 1);
    assert.match(run(empty).text, /no main configuration file/);
    assert.equal(run(join(empty, "none")).code, 2);
    assert.equal(run(empty, { saved: join(empty, "none.json") }).code, 2);
  });
});

describe("a copy of a host's files", () => {
  it("follows links as the host would, never out of the copy", () => {
    const root = mkdtempSync(join(folder, "links-"));
    writeFileSync(join(folder, "outside"), "outside");
    mkdirSync(join(root, "srv/conf"), { recursive: true });
    mkdirSync(join(root, "etc"));
    writeFileSync(join(root, "srv/conf/a"), "inside");
    symlinkSync("/srv/conf", join(root, "etc/conf"));
    symlinkSync(join(folder, "outside"), join(root, "etc/absolute"));
    symlinkSync("../../outside", join(root, "etc/relative"));
    symlinkSync("loop", join(root, "etc/loop"));
    const tree = openTree(root);
    assert.equal(tree.resolve("/etc/conf/a"), "/srv/conf/a");
    assert.equal(tree.read("/etc/conf/../conf/a")?.bytes, "inside");
    for (const path of ["/etc/absolute", "/etc/relative", "/../outside", "/etc/loop"]) {
      assert.equal(tree.read(path), undefined, path);
    }
    tree.write("/etc/absolute", Buffer.from("mine"));
    tree.write("/etc/relative", Buffer.from("mine"));
    assert.equal(readFileSync(join(folder, "outside"), "utf8"), "outside");
    assert.equal(tree.read("/etc/absolute")?.bytes, "mine");
  });

  it("expands an Include as httpd does", () => {
    const root = mkdtempSync(join(folder, "globs-"));
    for (const path of ["c/b.conf", "c/a.conf", "c/.hidden.conf", "c/x/deep.conf", "c/readme"]) {
      mkdirSync(join(root, path, ".."), { recursive: true });
      writeFileSync(join(root, path), "");
    }
    const tree = openTree(root);
    assert.deepEqual(tree.expand("/c/*.conf"), ["/c/a.conf", "/c/b.conf"]);
    assert.deepEqual(tree.expand("/c/x"), ["/c/x/deep.conf"]);
    assert.deepEqual(tree.expand("/*/x/*"), ["/c/x/deep.conf"]);
    assert.deepEqual(tree.expand("/c/none.conf"), []);
  });
});
