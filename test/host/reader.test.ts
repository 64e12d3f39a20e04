/** The law with an independent reader: what httpd's own DUMP_CONFIG says of the corpus, before and after the edit. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { caName } from "../../core/own-files.ts";
import { parseDump } from "../../core/apache/config/dump.ts";
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import type { Observation } from "../../core/apache/observation.ts";
import { logicalText } from "../../core/apache/config/parse.ts";
import { isFeasible, plan, planRemoval } from "../../core/apache/plan/plan.ts";
import { notInModInfo } from "../../core/apache/config/mod-info.ts";
import { resolve } from "../../core/apache/config/resolve.ts";
import { argumentsText, expandVariables } from "../../core/apache/config/arguments.ts";
import { afterChange, observe, observedFile, readTree, sha256, wanted as wishes } from "../core/apache-observation.ts";

const program = ["/usr/sbin/apache2", "/usr/sbin/httpd"].find((path) => existsSync(path));
const modules = ["/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/lib/httpd/modules"].find((path) =>
  existsSync(path),
);

/** Debian's envvars, without which its configuration does not parse. */
const environment = {
  APACHE_RUN_DIR: tmpdir(),
  APACHE_PID_FILE: join(tmpdir(), "apache2.pid"),
  APACHE_RUN_USER: "daemon",
  APACHE_RUN_GROUP: "daemon",
  APACHE_LOG_DIR: tmpdir(),
};

const ca = "x\n";
const wanted = { ...wishes, ca: { sha256: sha256(ca), certificates: [] } };

interface Layout {
  readonly name: string;
  readonly serverRoot: string;
  readonly configFile: string;
  /** Names of those that answer TLS on 443; `undefined` for one without ServerName, which gets the machine's name. */
  readonly virtualHosts: readonly (string | undefined)[];
}

const layouts: readonly Layout[] = [
  {
    name: "product",
    serverRoot: "/usr/local/ni/apache",
    configFile: "/usr/local/ni/apache/conf/httpd.conf",
    virtualHosts: ["www.example.com"],
  },
  {
    name: "debian",
    serverRoot: "/etc/apache2",
    configFile: "/etc/apache2/apache2.conf",
    virtualHosts: ["harbour.example", "lighthouse.example"],
  },
  { name: "redhat", serverRoot: "/etc/httpd", configFile: "/etc/httpd/conf/httpd.conf", virtualHosts: [undefined] },
  {
    name: "traps",
    serverRoot: "/etc/httpd",
    configFile: "/etc/httpd/httpd.conf",
    virtualHosts: ["cove.example", "reef.example", "hidden.example"],
  },
];

describe("the reader and the real httpd", function () {
  this.timeout(30_000);
  let root = "";

  before(function () {
    if (program === undefined || modules === undefined) {
      this.test?.parent?.eachTest((test) => (test.title += " (skipped: no apache2 or httpd is installed)"));
      this.skip();
    }
    root = mkdtempSync(join(tmpdir(), "clientcert-reader-"));
  });
  after(() => {
    if (root !== "") rmSync(root, { recursive: true });
  });

  for (const layout of layouts) {
    describe(`on the ${layout.name} layout`, () => {
      it("find the same directives, in the same places, with the same arguments", () => {
        const host = stage(layout, root);
        assert.deepEqual(readByUs(host), readByHttpd(host));
      });

      it("find the same once the change is made, and again when it is taken back", () => {
        const host = stage(layout, root);
        const facts = readFacts(host, { port: 443 });
        assert.deepEqual(facts.obstacles, []);
        const names = facts.virtualHosts.map(({ serverName }) => serverName);
        assert.deepEqual(
          names,
          layout.virtualHosts.map((name, index) => name ?? names[index]),
        );
        const planned = plan(wanted, facts);
        assert.ok(planned.change !== undefined && isFeasible(planned));
        const after = write(afterChange(host, planned.change, { [caName(wanted)]: ca }));
        assert.deepEqual(readByUs(after), readByHttpd(after));
        // Once in each virtual host, and nowhere else.
        assert.equal(after.dump?.match(/^ *SSLVerifyClient optional$/gm)?.length, layout.virtualHosts.length);
        const second = readFacts(after, { port: 443 });
        assert.deepEqual(second.obstacles, []);
        assert.equal(plan(wanted, second).change, undefined);
        const removal = planRemoval(second);
        assert.ok(removal !== undefined);
        const restored = afterChange(after, removal);
        assert.deepEqual([...restored.files], [...host.files]);
        assert.equal(restored.own.size, 0);
      });
    });
  }

  it("agree that <IfModule info_module> is false, although the dump loads that module", () => {
    const layout: Layout = {
      name: "redhat",
      serverRoot: "/etc/httpd",
      configFile: "/etc/httpd/conf/httpd.conf",
      virtualHosts: [],
    };
    const host = stage(layout, root, (path, text) =>
      path.endsWith("ssl.conf")
        ? text.replace("SSLEngine on", "<IfModule info_module>\nSSLEngine off\n</IfModule>\nSSLEngine on")
        : text,
    );
    assert.equal(readFacts({ ...host, dump: undefined }, { port: 443 }).virtualHosts.length, 1);
    // What httpd printed has the module and its SSLEngine off: the live server does not, and nobody edits on a
    // contradiction.
    assert.ok(host.dump?.includes("info_module"));
    const { virtualHosts, obstacles } = readFacts(host, { port: 443 });
    assert.deepEqual([virtualHosts.length, obstacles.map(({ severity }) => severity)], [1, ["problem"]]);
  });
});

/** A copy of a fixture below a private directory, with its paths moved there and what this httpd lacks left out. */
function stage(layout: Layout, root: string, change = (_path: string, text: string): string => text): Observation {
  rmSync(join(root, layout.name), { recursive: true, force: true });
  const base = join(root, layout.name);
  const move = (path: string): string => base + path;
  const files = new Map(
    [...readTree(layout.name)]
      .filter(([path]) => !path.includes("sites-available/") && !path.includes("not-included"))
      .map(([path, file]) => {
        const bytes = withoutMissingModules(change(path, file.bytes)).replace(
          /(["' :])(\/(?:etc|usr\/local|var|srv|run)\/)/g,
          (_, before: string, after: string) => `${before}${base}${after}`,
        );
        return [move(path), observedFile(move(file.resolvedPath), bytes)] as const;
      }),
  );
  const server = { serverRoot: move(layout.serverRoot), configFile: move(layout.configFile) };
  mkdirSync(join(server.serverRoot, "logs"), { recursive: true });
  return write(observe(files, { server }));
}

const withoutMissingModules = (text: string): string =>
  text.replace(/^LoadModule (\S+)_module .*$/gm, (line, name: string) =>
    existsSync(`${modules}/mod_${name}.so`) ? `LoadModule ${name}_module ${modules}/mod_${name}.so` : `#${line}`,
  );

/** Writes the files of an observation and asks httpd about them. */
function write(host: Observation): Observation {
  const put = (path: string, bytes: string): void => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes, "latin1");
  };
  for (const [path, file] of host.files) {
    put(file.resolvedPath, file.bytes);
    if (path !== file.resolvedPath && !existsSync(path)) {
      mkdirSync(dirname(path), { recursive: true });
      symlinkSync(file.resolvedPath, path);
    }
    for (const [, named = ""] of file.bytes.matchAll(/^\s*SSLCertificate(?:Key)?File\s+"?([^"\s]+)/gm))
      put(named, "x\n");
    for (const [, named = ""] of file.bytes.matchAll(/^\s*DocumentRoot\s+["']?((?:\\.|[^"'\s])+)/gm)) {
      mkdirSync(named.replaceAll("\\", ""), { recursive: true });
    }
  }
  for (const [name, file] of host.own) put(join(host.server.serverRoot, "conf/clientcert", name), file.bytes);
  return { ...host, dump: dump(host) };
}

function dump(host: Observation): string {
  const flags = ["VHOSTS", "RUN_CFG", "MODULES", "INCLUDES", "CONFIG"].flatMap((name) => ["-D", `DUMP_${name}`]);
  const info = ["-C", `LoadModule info_module ${modules}/mod_info.so`];
  const args = [...info, "-d", host.server.serverRoot, "-f", host.server.configFile, "-t", ...flags];
  const run = spawnSync(program ?? "", args, { encoding: "latin1", env: { ...process.env, ...environment } });
  assert.equal(run.status, 0, run.stderr);
  return run.stdout + run.stderr;
}

/** `file:line name arguments` of every directive and section, in the order of reading. */
function readByHttpd(host: Observation): string[] {
  const { directives } = parseDump(host.dump ?? "", () => true);
  return [...directives].map(([place, text]) => `${place} ${normal(text)}`).sort();
}

function readByUs(host: Observation): string[] {
  const dump = parseDump(host.dump ?? "");
  const own = [...host.own].map(
    ([name, file]) => [`${host.server.serverRoot}/conf/clientcert/${name}`, file.bytes] as const,
  );
  const variables = new Map([...Object.entries(environment), ["TLS_PORT", "443"], ["NAME", "cove"]]);
  const resolved = resolve({
    files: new Map([...[...host.files].map(([path, file]) => [path, file.bytes] as const), ...own]),
    mainFile: dump.mainFile ?? host.server.configFile,
    serverRoot: host.server.serverRoot,
    version: "Apache/2.4.71",
    defines: [],
    hasAllDefines: true,
    // Only which modules are compiled in: the rest the files alone must tell.
    dump: { ...dump, includes: undefined, effective: undefined, directives: new Map() },
    existing: () => undefined,
    skips: () => false,
  });
  const lines = resolved.effective
    .filter(({ name, undecided }) => !notInModInfo.has(name) && undecided === undefined)
    .map(({ file, node, opens }) => {
      const tree = resolved.trees.get(file);
      const text = tree === undefined ? "" : (expandVariables(logicalText(tree, node), variables, Infinity) ?? "");
      return `${file}:${node.lastLine} ${normal(opens === undefined ? text : text.replace(/>[^>]*$/, ">"))}`;
    });
  return [...new Set(lines)].sort();
}

/** The name in lower case, the arguments as they are. */
function normal(line: string): string {
  const rest = argumentsText(line);
  const name = line
    .slice(0, line.length - rest.length)
    .trim()
    .toLowerCase();
  return `${name} ${rest}`;
}
