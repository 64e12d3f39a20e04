import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { styleFor } from "../../cli/output.ts";
import { plan } from "../../cli/plan.ts";
import { makeAuthorities, makeCrl } from "../fixtures/pki.ts";
import { fixtures } from "./apache-observation.ts";

const own = "usr/local/ni/apache/conf/clientcert";
const instance = createHash("sha256").update("/usr/local/ni/apache/conf/httpd.conf").digest("hex").slice(0, 16);
const cronFile = `etc/cron.d/clientcert-${instance}`;

describe("clientcert plan with CRL sources, on a copy of a host's files", () => {
  const folder = mkdtempSync(join(tmpdir(), "clientcert-plan-"));
  const site = join(folder, "harbour.yaml");
  const { root, issuing } = makeAuthorities();
  const days = (count: number): Date => new Date(Date.now() + count * 86_400_000);
  let tree: string;

  before(() => {
    writeFileSync(join(folder, "ca.pem"), issuing.pem + root.pem);
    writeFileSync(join(folder, "issuing.crl"), makeCrl(issuing, { thisUpdate: days(-1), nextUpdate: days(30) }));
  });
  beforeEach(() => {
    tree = join(mkdtempSync(join(folder, "copy-")), "product");
    cpSync(join(fixtures, "product"), tree, { recursive: true, verbatimSymlinks: true });
  });
  after(() => rmSync(folder, { recursive: true }));

  function run(write: boolean, file = ", file: issuing.crl"): { code: number; text: string } {
    const text = readFileSync("stacks/example.yaml", "utf8");
    const hosts = text.slice(text.indexOf("\nhosts:"));
    const sources = `crlSources: [{ urls: ["http://crl.example/issuing.crl"]${file} }]`;
    writeFileSync(site, `clientAuth:\n  caFiles: [ca.pem]\n  ${sources}\n${hosts}`);
    const circumstances = { now: Date.now(), style: styleFor({}, {}), isTerminal: false };
    const options = { site, host: "web1", tree, saved: undefined, write, json: false };
    const { output, bytes, code } = plan({ ...options, ...circumstances });
    return { code, text: output + (bytes?.toString("latin1") ?? "") };
  }

  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), text);
  };

  it("puts the first lists in place, and says that nothing renews them", () => {
    const { code, text } = run(true);
    assert.equal(code, 0, text);
    assert.match(
      text,
      /^ +warning crlSources: on a copy the lists of file: are put in place, and nothing renews them/m,
    );
    assert.match(readFileSync(join(tree, own, "clientcert.conf"), "latin1"), /SSLCARevocationCheck leaf/);
    const names = readdirSync(join(tree, own)).filter((name) => !name.startsWith("ca-"));
    assert.deepEqual(names.sort(), ["README", "clientcert.conf", "crl.pem"]);
    assert.ok(!existsSync(join(tree, cronFile)));
    assert.equal(run(false).code, 0);
  });

  it("writes nothing where a source has no first list: httpd would not start without its CRL", () => {
    const { code, text } = run(true, "");
    assert.equal(code, 7, text);
    assert.match(text, /^ +problem crlSources: on a copy nothing can be downloaded; give each source a file:/m);
    assert.match(text, /there is no diff, and nothing was written\.$/m);
    assert.doesNotMatch(text, /^\+/m);
    assert.ok(!existsSync(join(tree, own)));
  });

  describe("that refreshes its CRLs already", () => {
    beforeEach(() => {
      run(true);
      put(`${own}/refresh.conf`, "check leaf\n");
    });

    it("changes its settings and its timer like any other file", () => {
      put(cronFile, "0 0 * * * root true\n");
      const { code, text } = run(true, "");
      assert.equal(code, 0, text);
      assert.match(text, new RegExp(`^--- a/${cronFile}\\n\\+\\+\\+ b/${cronFile}$`, "m"));
      assert.match(readFileSync(join(tree, own, "refresh.conf"), "utf8"), /^url http:\/\/crl\.example\/issuing\.crl$/m);
      assert.match(readFileSync(join(tree, cronFile), "utf8"), /refresh --timer$/m);
      assert.equal(run(false, "").code, 0);
    });

    it("cannot tell where the copy has no timer", () => {
      const { code, text } = run(false, "");
      assert.equal(code, 1, text);
      assert.match(text, /a copy of the files does not show what starts jobs; give --saved FILE/);
    });

    it("refuses where the copy has no CRL", () => {
      put(cronFile, "0 0 * * * root true\n");
      rmSync(join(tree, own, "crl.pem"));
      const { code, text } = run(true, "");
      assert.equal(code, 7, text);
      assert.match(text, /problem crlSources: the copy has no crl\.pem/);
    });
  });
});
