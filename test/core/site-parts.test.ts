import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lint } from "../../cli/lint.ts";
import { styleFor } from "../../cli/output.ts";
import { makeAuthorities, testNow } from "../fixtures/pki.ts";

describe("what is right in a site file in which something else is wrong", () => {
  const directory = mkdtempSync(join(tmpdir(), "clientcert-parts-"));
  const file = join(directory, "s.yaml");
  before(() => {
    const { root, issuing } = makeAuthorities();
    writeFileSync(join(directory, "ca.pem"), issuing.pem + root.pem);
    writeFileSync(join(directory, "page.pem"), "<!DOCTYPE html>\n");
  });
  after(() => rmSync(directory, { recursive: true }));

  const told = (...lines: readonly string[]): string => {
    writeFileSync(file, ["clientAuth:", ...lines.map((line) => `  ${line}`), "hosts: []", ""].join("\n"));
    return lint([file], { json: false, now: testNow, style: styleFor({ isTTY: false }, {}) }).output;
  };

  it("is judged: files, issuers and revocation, beside a country in small letters", () => {
    const found = told("countries: [jp]", "caFiles: [ca.pem]", "issuers: [X]", "sampleCertificate: page.pem");
    assert.match(found, /s\.yaml:2: clientAuth\.countries\[0\]/);
    assert.match(found, /s\.yaml:4: "X" under issuers is not the name of a CA/);
    assert.match(found, /page\.pem \(.*s\.yaml:5\): is a web page/);
    assert.match(found, /names no CRL/);
  });

  it("is judged: the other files of a list, at their own lines", () => {
    const found = told("countries: [JP]", "caFiles:", "  - 5", "  - page.pem");
    assert.match(found, /page\.pem \(.*s\.yaml:5\): is a web page/);
    assert.doesNotMatch(found, /there is no CA certificate/);
  });

  it("is judged: issuers and CAs beside a CRL that cannot be read", () => {
    const found = told("countries: [JP]", "caFiles: [ca.pem]", "crlFiles: [none.crl]", "issuers: [X]");
    assert.match(found, /none\.crl .*does not exist/);
    assert.match(found, /"X" under issuers is not the name of a CA/);
    assert.doesNotMatch(found, /there is no CRL of|names no CRL/);
  });

  it("is not said to lack what a misspelt or wrong key may have meant", () => {
    const found = told("organisations: [ABC]", "caFile: [ca.pem]", "crlSource: []", "issuers: []");
    assert.doesNotMatch(found, /names no organizations|names no CRL|there is no CA certificate/);
    assert.doesNotMatch(told("caFiles: [ca.pem]", "countries: jp"), /names no organizations/);
  });
});
