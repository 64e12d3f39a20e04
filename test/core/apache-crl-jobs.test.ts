import assert from "node:assert/strict";
import fc from "fast-check";
import { applySplices } from "../../core/apache/config/splices.ts";
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import { includeLine, type CrlJobFacts, type Desired, type FileEdit } from "../../core/apache/model.ts";
import type { ObservedFile, Observation } from "../../core/apache/observation.ts";
import { plan, planRemoval } from "../../core/apache/plan/plan.ts";
import { observedFile, observeText, wanted } from "./apache-observation.ts";

const crontab = "/etc/cron.d/ni";
const job = "0 4 * * * root wget -O /etc/httpd/x.crl http://crl.test/\n";
const host = (name: string, inside: string): string =>
  `<VirtualHost *:443>\nServerName ${name}\nSSLEngine on\n${inside}</VirtualHost>\n`;
const naming = host("a.example", "SSLCARevocationFile x.crl\n");

const server = (text: string, crontabs: Record<string, string>): Observation =>
  observeText(text, {
    crontabs: new Map(Object.entries(crontabs).map(([path, bytes]) => [path, observedFile(path, bytes)])),
  });
const jobsOf = (observation: Observation): readonly CrlJobFacts[] => readFacts(observation, { port: 443 }).crlJobs;
const editsOf = (observation: Observation, desired: Partial<Desired> = {}): readonly FileEdit[] =>
  plan({ ...wanted, adopt: true, ...desired }, readFacts(observation, { port: 443 })).change?.edits ?? [];

/** The files of cron after edits that were planned for them. */
function edited({ crontabs }: Observation, edits: readonly FileEdit[]): Map<string, ObservedFile> {
  const bytesOf = ({ resolvedPath, bytes }: ObservedFile): string =>
    applySplices(bytes, edits.find(({ path }) => path === resolvedPath)?.splices ?? []);
  return new Map([...crontabs].map(([path, file]) => [path, observedFile(file.resolvedPath, bytesOf(file))]));
}

describe("jobs of cron that fetch a CRL", () => {
  const lines: readonly [what: string, text: string, found: number[]][] = [
    ["each line that names the file", `${job}\n${job}`, [1, 3]],
    ["one without a line end", job.trimEnd(), [1]],
    ["no comment", `# ${job} \t#${job}`, []],
    ["no line of another file", job.replace("x.crl", "y.crl"), []],
    ["a line among bytes that are no UTF-8", `# \x83\x5c\n${job}`, [2]],
  ];
  for (const [what, text, found] of lines) {
    it(`are ${what}`, () => {
      const jobs = jobsOf(server(naming, { [crontab]: text }));
      assert.deepEqual(
        jobs.map(({ line }) => line),
        found,
      );
      for (const { offset = -1, line } of jobs) assert.equal(text.slice(0, offset).split("\n").length, line);
    });
  }

  it("are told, and not edited, where a line is a variable or a script", () => {
    const script = "/etc/cron.daily/fetch";
    const found = server(naming, {
      [crontab]: `CRL = /etc/httpd/x.crl\n`,
      [script]: `#!/bin/sh\nwget -O /etc/httpd/x.crl\n`,
    });
    assert.deepEqual(
      jobsOf(found).map(({ file, offset }) => [file, offset]),
      [
        [crontab, undefined],
        [script, undefined],
      ],
    );
    assert.deepEqual(
      editsOf(found).map(({ path }) => path),
      ["/etc/httpd/httpd.conf"],
    );
  });

  it("are left alone for a virtual host that is left alone", () => {
    const found = server(naming + host("b.example", ""), { [crontab]: job });
    assert.ok(!editsOf(found, { excludeVirtualHosts: ["a.example"] }).some(({ path }) => path === crontab));
    const { diagnostics } = plan({ ...wanted, excludeVirtualHosts: ["a.example"] }, readFacts(found, { port: 443 }));
    assert.deepEqual(
      diagnostics.filter(({ place }) => place.startsWith(crontab)).map(({ severity }) => severity),
      ["warning"],
    );
  });

  it("are still known when the directive that named the file has been adopted", () => {
    const adopted = host("a.example", `#clientcert-adopted# SSLCARevocationFile x.crl\n${includeLine}\n`);
    assert.equal(jobsOf(server(adopted, { [crontab]: job })).length, 1);
  });

  it("count once in a file with two names", () => {
    const file = observedFile("/etc/real", job);
    const found = observeText(naming, {
      crontabs: new Map([
        [crontab, file],
        ["/etc/cron.d/other", file],
      ]),
    });
    assert.deepEqual(
      jobsOf(found).map(({ file: path }) => path),
      ["/etc/real"],
    );
  });

  it("are adopted once and given back to the byte, whatever else the crontab holds", () => {
    const line = fc.oneof(
      fc.constantFrom(job, `#${job}`, "\n", "A=b\n", "\t#clientcert-adopted#\n"),
      fc.string().map((text) => `1 1 * * * ${text.replaceAll("\n", "")}\n`),
    );
    fc.assert(
      fc.property(fc.array(line), (texts) => {
        const first = server(naming, { [crontab]: texts.join("") });
        const crontabs = edited(first, editsOf(first));
        const second = { ...first, crontabs };
        assert.deepEqual(jobsOf(second), []);
        const removal = planRemoval(readFacts(second, { port: 443 }));
        assert.equal(edited(second, removal?.edits ?? []).get(crontab)?.bytes, texts.join(""));
      }),
    );
  });
});
