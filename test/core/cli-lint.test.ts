import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lint } from "../../cli/lint.ts";
import { styleFor } from "../../cli/output.ts";
import { makeAuthorities, makeCrl, testNow } from "../fixtures/pki.ts";

const style = styleFor({ isTTY: false }, {});
// The example's certificates begin on the day they were made.
const options = { json: false, now: Date.UTC(2026, 11, 1), style };

describe("clientcert lint", () => {
  const directory = mkdtempSync(join(tmpdir(), "clientcert-lint-"));
  const bad = join(directory, "bad.yaml");
  const absent = "does not exist; check the path (in a site file it starts at the folder of that file)";
  before(() => writeFileSync(bad, "clientAuth: { countries: [JP],\n  caFiles: [a.pem] }\nhosts: []\n"));
  after(() => rmSync(directory, { recursive: true }));

  const noCrl =
    "clientAuth.crlSources: names no CRL, so revoked certificates are accepted; write crlSources with the address of the issuing CA's, which npx clientcert pki FILE shows for a user's certificate";
  const noCrlLine = `warning stacks/example.yaml:8: ${noCrl}`;

  it("finds no problem in the example, and says what of it must be replaced and that it checks no revocation", () => {
    const { output, code } = lint(["stacks/example.yaml"], options);
    const lines = output.split("\n");
    const keys = ["caFiles", "address", "hostKey", "address", "hostKey", "bastion.address", "bastion.hostKey"];
    for (const [index, key] of keys.entries())
      assert.match(
        lines[index] ?? "",
        new RegExp(`^warning stacks/example\\.yaml:\\d+: .*\\.?${key}(\\[0\\])?: .*example`),
      );
    const line = readFileSync("stacks/example.yaml", "utf8").split("\n").indexOf("    address: 192.0.2.10") + 1;
    assert.match(
      lines[1] ?? "",
      new RegExp(`^warning stacks/example\\.yaml:${line}: hosts\\[0\\]\\.address: 192\\.0\\.2\\.10 is an address`),
    );
    assert.deepEqual(lines.slice(-3), [noCrlLine, "1 site file: no problem, 8 warnings", ""]);
    assert.equal(code, 0);
  });

  it("is content without a warning when everything of the example was replaced", () => {
    const own = join(directory, "own.yaml");
    writeFileSync(own, siteOf("web1.harbour.co.jp", "issuing.pem", "issuing.crl"));
    const { root, issuing } = makeAuthorities();
    writeFileSync(join(directory, "issuing.pem"), issuing.pem + root.pem);
    writeFileSync(join(directory, "issuing.crl"), makeCrl(issuing));
    const now = testNow;
    assert.deepEqual(lint([own], { ...options, now }), { output: "1 site file: fine\n", code: 0 });
  });

  it("names the line of an issuer that is no CA of the site", () => {
    const own = join(directory, "issuers.yaml");
    const { root, issuing } = makeAuthorities();
    writeFileSync(join(directory, "ca.pem"), issuing.pem + root.pem);
    const lines = siteOf("web1.harbour.co.jp", "ca.pem", "issuing.crl").replace(
      "hosts:",
      "  issuers:\n    - Harbour Issuing CA\n    - Haven CA\nhosts:",
    );
    writeFileSync(own, lines);
    const line = lines.split("\n").indexOf("    - Haven CA") + 1;
    const { output, code } = lint([own], { ...options, now: testNow });
    rmSync(own);
    assert.match(
      output,
      new RegExp(`^problem ${own}:${line}: "Haven CA" under issuers is not the name of a CA in caFiles`, "m"),
    );
    assert.equal(code, 2);
  });

  it("prints each problem with file and line, and ends with 2 when one of several files is wrong", () => {
    const { output, code } = lint(["stacks/example.yaml", bad, join(directory, "wn.yaml")], options);
    assert.deepEqual(output.split("\n").slice(-7), [
      noCrlLine,
      `problem ${bad}:3: hosts: the list is empty; write at least one item`,
      `problem ${join(directory, "a.pem")} (${bad}:2): ${absent}`,
      `warning ${bad}:1: ${noCrl}`,
      `problem ${directory}/wn.yaml: does not exist; did you mean ${directory}/own.yaml? (there are ${bad}, ${directory}/own.yaml)`,
      "3 site files: 3 problems, 9 warnings",
      "",
    ]);
    assert.equal(code, 2);
  });

  it("looks into the CA files that a site names, and says where it names them", () => {
    const { output, code } = lint(["stacks/example.yaml"], { ...options, now: Date.UTC(2200, 0) });
    assert.match(
      output,
      /^problem stacks\/example\/issuing\.pem \(stacks\/example\.yaml:10\): "CN=Example Issuing CA \(not for use\).*expired on 2126-07-22/m,
    );
    assert.equal(code, 2);
  });

  it("looks into the files although something else is wrong, and says once where one is named twice", () => {
    const file = join(directory, "twice.yaml");
    writeFileSync(join(directory, "page.pem"), "<!DOCTYPE html>\n");
    writeFileSync(file, "clientAuth:\n  caFiles: [page.pem]\n  sampleCertificate: page.pem\nhosts: []\n");
    const { output, code } = lint([file], options);
    assert.match(output, /twice\.yaml:4: hosts: the list is empty/);
    const place = `problem ${join(directory, "page.pem")} (${file}:2 and 3): `;
    assert.equal(output.split("\n").filter((line) => line.startsWith(place)).length, 1, output);
    assert.equal(code, 2);
  });

  it("tells a directory from a file that may not be read", () => {
    assert.match(lint([directory], options).output, /: is a directory; write the path of a site file in it$/m);
  });

  it("gives one JSON object with --json", () => {
    const missing = join(directory, "missing.yaml");
    writeFileSync(missing, siteOf("web1.harbour.co.jp", "none.pem", "none.crl"));
    const { files } = JSON.parse(lint([bad, missing], { ...options, json: true }).output) as {
      files: { file: string; fine: boolean; messages: object[] }[]; // our own answer
    };
    const [first, second] = files;
    assert.deepEqual(first, {
      file: bad,
      fine: false,
      messages: [
        {
          severity: "problem",
          file: bad,
          line: 3,
          column: 1,
          path: "hosts",
          text: "the list is empty; write at least one item",
        },
        { severity: "problem", file: join(directory, "a.pem"), namedAt: `${bad}:2`, text: absent },
        { severity: "warning", file: bad, line: 1, text: noCrl },
      ],
    });
    assert.deepEqual(second?.messages[0], {
      severity: "problem",
      file: join(directory, "none.pem"),
      namedAt: `${missing}:2`,
      text: absent,
    });
  });
});

const siteOf = (address: string, caFile: string, crlFile: string): string => `clientAuth:
  caFiles: [${caFile}]
  crlFiles: [${crlFile}]
  countries: [JP]
hosts:
  - name: web1
    address: ${address}
    connection:
      hostKey: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBERERERERERERERERERERERERERERERERERERERERER
`;
