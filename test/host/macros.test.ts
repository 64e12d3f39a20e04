/**
 * Macros and the real httpd: what it lists of harmless ones confuses nobody, and of the others only one thing is said.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import type { Facts } from "../../core/apache/model.ts";
import { observe, observedFile } from "../core/apache-observation.ts";
import { skipBecause } from "../skip.ts";

const program = ["/usr/sbin/apache2", "/usr/sbin/httpd"].find((path) => existsSync(path));
const modules = ["/usr/lib/apache2/modules", "/usr/lib64/httpd/modules"].find((path) =>
  existsSync(`${path}/mod_macro.so`),
);

const body = `
<Macro Compress $type>
  AddOutputFilterByType DEFLATE $type
  <Location /x>
    Header set X-Kind $type
  </Location>
  <IfModule mod_headers.c>
    Header set X-Some some
  </IfModule>
</Macro>
<Macro Both $one $two>
  Use Compress $one
  Use compress $two
</Macro>
<Macro Unused $name>
  <VirtualHost *:443>
    ServerName $name
  </VirtualHost>
  <Location /open>
</Macro>
<VirtualHost *:80>
  ServerName plain.example
  Use Both text/css text/html
</VirtualHost>
<VirtualHost *:443>
  ServerName a.example
  SSLEngine on
  SSLCertificateFile tls.pem
  <IfFile tls.pem>
    Use Compress text/plain
  </IfFile>
  Use Both text/css text/html
</VirtualHost>
Include further.inc
`;

const further = "Use Compress text/xml\nHeader set X-Other other\n";

describe("macros on the real httpd", function () {
  this.timeout(30_000);
  let root = "";

  before(function () {
    if (program === undefined || modules === undefined) skipBecause(this, "no httpd with mod_macro is installed");
    root = mkdtempSync(join(tmpdir(), "clientcert-macros-"));
  });
  after(() => {
    if (root !== "") rmSync(root, { recursive: true });
  });

  /** What is found with what httpd says of this configuration. */
  function factsOf(text: string): Facts {
    const main = join(root, "httpd.conf");
    const names = ["mpm_event", "authz_core", "macro", "ssl", "filter", "deflate", "headers"];
    const loads = names.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so\n`).join("");
    const files = new Map([
      [main, `${loads}ServerName main.example\nPidFile ${root}/pid\nErrorLog ${root}/log\n${text}`],
      [join(root, "further.inc"), further],
    ]);
    for (const [path, bytes] of files) writeFileSync(path, bytes);
    writeFileSync(join(root, "tls.pem"), "x\n");
    const flags = ["VHOSTS", "RUN_CFG", "MODULES", "INCLUDES", "CONFIG"].flatMap((name) => ["-D", `DUMP_${name}`]);
    const info = ["-C", `LoadModule info_module ${modules}/mod_info.so`];
    const run = spawnSync(program ?? "", [...info, "-d", root, "-f", main, "-t", ...flags], { encoding: "latin1" });
    assert.equal(run.status, 0, run.stderr);
    assert.match(run.stdout, /^# In file: macro 'compress'/m);
    const server = { serverRoot: root, configFile: main };
    const observed = new Map([...files].map(([path, bytes]) => [path, observedFile(path, bytes)]));
    return readFacts(observe(observed, { server, dump: run.stdout + run.stderr }), { port: 443 });
  }

  it("are no obstacle where they are harmless, used in a condition, in each other and in another file", () => {
    const { obstacles, virtualHosts } = factsOf(body);
    assert.deepEqual(obstacles, []);
    assert.deepEqual(
      virtualHosts.map(({ serverName }) => serverName),
      ["a.example"],
    );
  });

  it("are named line by line where they write virtual hosts, and no other problem is made of that", () => {
    const site =
      "<Macro Site $name>\n<VirtualHost *:443>\nServerName $name\nSSLEngine on\nSSLCertificateFile tls.pem\n</VirtualHost>\n</Macro>\n";
    const compress = body.slice(0, body.indexOf("<Macro Both"));
    const { obstacles } = factsOf(`${compress}${site}Use Compress a/b\nUse Site b.example\nUse Site c.example\n`);
    assert.deepEqual(
      obstacles.map(({ severity, text }) => [severity, text.slice(0, text.indexOf(" "))]),
      [
        ["problem", "mod_macro"],
        ["problem", "mod_macro"],
      ],
    );
  });
});
