import assert from "node:assert/strict";
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import { includeLine, type Facts } from "../../core/apache/model.ts";
import { observe, observeText, observedFile, sha256, type Parts } from "./apache-observation.ts";

const server = "LoadModule ssl_module modules/mod_ssl.so\n";
const facts = (text: string, parts: Parts = {}): Facts => readFacts(observeText(server + text, parts), { port: 443 });
const host = (inside: string, address = "*:443"): string =>
  `<VirtualHost ${address}>\nServerName a.example\nSSLEngine on\n${inside}</VirtualHost>\n`;

describe("facts of edits that httpd has not read", () => {
  it("are no pending edits when httpd read everything, with a second of tolerance", () => {
    const path = "/etc/httpd/httpd.conf";
    const edits = (seconds: number): readonly unknown[] =>
      readFacts(
        observe(new Map([[path, observedFile(path, host(""), seconds)]]), {
          server: { serverRoot: "/etc/httpd", configFile: path },
        }),
        { port: 443 },
      ).pendingEdits;
    assert.deepEqual(edits(2001), []);
    assert.deepEqual(edits(2002), [{ file: path, modifiedSeconds: 2002 }]);
  });

  it("are pending edits also where the clock was set back", () => {
    const pending = (changedSeconds: number, reloaded: string): number => {
      const observation = observeText("", { journal: new Map([["reloaded", reloaded]]) });
      const files = new Map([...observation.files].map(([path, file]) => [path, { ...file, changedSeconds }]));
      return readFacts({ ...observation, files }, { port: 443 }).pendingEdits.length;
    };
    assert.equal(pending(2500, "9000"), 1, "edited since, by today's clock");
    assert.equal(pending(8999, "9000"), 0, "edited before, by the clock of then");
    assert.equal(pending(9500, "9000"), 1);
  });

  it("are no pending edits where only a line of ours is missing since our own reload", () => {
    const path = "/etc/httpd/httpd.conf";
    const [one, two] = [host(""), host("", "192.0.2.1:443")];
    const bare = one + two;
    const pending = (text: string, changed: string): number => {
      const loadedHashes = new Map([[path, sha256(bare)]]);
      const observation = observeText(text, { loadedHashes, journal: new Map([["changed", changed]]) });
      const files = new Map([[path, observedFile(path, text, 2500)]]);
      return readFacts({ ...observation, files }, { port: 443 }).pendingEdits.length;
    };
    assert.equal(pending(bare, "2000"), 0);
    assert.equal(
      pending(one + host(`\t${includeLine} \n`, "192.0.2.1:443"), "2000"),
      0,
      "the other one may be excluded",
    );
    assert.equal(pending(bare.trimEnd(), "2000"), 0, "grep on the host ends the last line, too");
    assert.equal(pending(`${bare}# more\n`, "2000"), 1);
    assert.equal(pending(bare, "1999"), 1, "somebody else has reloaded httpd since");
    assert.equal(pending(bare, "3001"), 1, "the clock was ahead then");
  });

  it("are pending certificates, but none of our own files", () => {
    const changed = { modifiedSeconds: 5, changedSeconds: 2500 };
    const namedFiles = ["/etc/httpd/a.pem", "/etc/httpd/conf/clientcert/crl.pem"].map((path) => ({ path, ...changed }));
    assert.deepEqual(
      facts(host(""), { namedFiles }).pendingEdits.map(({ file }) => file),
      ["/etc/httpd/a.pem"],
    );
  });
});
