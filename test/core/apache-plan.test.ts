import assert from "node:assert/strict";
import type { CrlSummary } from "../../core/pki/summary.ts";
import { includeLine, type Desired, type Facts, type Plan } from "../../core/apache/model.ts";
import { isFeasible, plan, planRemoval } from "../../core/apache/plan/plan.ts";
import {
  afterChange,
  factsOf,
  host,
  observedFile,
  planOf,
  serverOf,
  wanted,
  type Parts,
} from "./apache-observation.ts";

const findingsOf = (found: Plan): string[] => found.diagnostics.map(({ severity, place }) => `${severity} ${place}`);

const crl = (issuer: string, number: string, thisUpdate = "2026-01-01T00:00:00Z"): CrlSummary => ({
  sha256: `${issuer}${number}`,
  issuer,
  thisUpdate,
  nextUpdate: undefined,
  number,
  entries: 0,
});
const certificate = (subject: string, issuer: string): Desired["ca"]["certificates"][number] => ({
  fingerprint: `of ${subject}`,
  subject,
  issuer,
  notBefore: "2020-01-01T00:00:00Z",
  notAfter: "2040-01-01T00:00:00Z",
});

describe("a plan", () => {
  it("writes what is named before what names it", () => {
    const { change } = planOf(host(), { crls: [crl("i", "1")], crlSha256: "c" });
    assert.deepEqual(
      change?.write.map(({ role }) => role),
      ["ca", "crl", "conf", "readme"],
    );
  });

  it("drops the old CA file and keeps files that are not ours", () => {
    const first = serverOf(host());
    const applied = afterChange(first, planOf(host()).change ?? assert.fail());
    const own = new Map([...applied.own, ["notes.txt", applied.own.get("README") ?? assert.fail()]]);
    const next = plan({ ...wanted, ca: { sha256: "b".repeat(64), certificates: [] } }, factsOf({ ...applied, own }));
    assert.deepEqual(
      [next.change?.write.map(({ name }) => name), next.change?.drop],
      [["ca-bbbbbbbb.pem", "clientcert.conf"], ["ca-aaaaaaaa.pem"]],
    );
  });

  it("moves our line to the end when something was written behind it", () => {
    const observation = serverOf(host(`${includeLine}\nSSLCACertificatePath a\n`));
    const { change } = plan({ ...wanted, adopt: true }, factsOf(observation));
    const bytes = afterChange(observation, change ?? assert.fail()).files.get("/etc/httpd/httpd.conf")?.bytes;
    assert.ok(bytes?.includes(`\n#clientcert-adopted# SSLCACertificatePath a\n${includeLine}\n</VirtualHost>`));
  });

  it("asks each virtual host, one for any address at loopback", () => {
    const { change } = planOf(host() + host("", "b.example", "192.0.2.1:443"));
    assert.deepEqual(
      change?.healthCheck.map(({ address, serverName }) => `${serverName} ${address}`),
      ["a.example 127.0.0.1", "b.example 192.0.2.1"],
    );
  });

  it("says how to go on after the stack was renamed, which makes the host another owner's", () => {
    const found = plan(wanted, factsOf({ ...serverOf(host()), journal: new Map([["owner", "o/p/s/old"]]) }));
    const text =
      /belongs to o\/p\/s\/old; remove it there, or, as after pulumi stack rename, write takeOver: true once/;
    assert.match(found.diagnostics[0]?.text ?? "", text);
  });

  it("is a reload alone when only that is owed", () => {
    const observation = serverOf(host());
    const applied = afterChange(observation, planOf(host()).change ?? assert.fail());
    const found = plan(wanted, factsOf({ ...applied, journal: new Map([["owed", "httpd did not answer"]]) }));
    assert.deepEqual([found.change?.write, found.change?.edits, found.change?.drop], [[], [], []]);
    assert.deepEqual([findingsOf(found), isFeasible(found)], [["warning /etc/httpd/httpd.conf"], true]);
  });

  it("takes our line and the marks out of a virtual host that is excluded later", () => {
    const text = host("SSLCACertificatePath a\n", "old.example") + host();
    const observation = serverOf(text);
    const first = plan({ ...wanted, adopt: true }, factsOf(observation));
    const applied = afterChange(observation, first.change ?? assert.fail());
    const second = plan({ ...wanted, adopt: true, excludeVirtualHosts: ["old.example:443"] }, factsOf(applied));
    const bytes = afterChange(applied, second.change ?? assert.fail()).files.get("/etc/httpd/httpd.conf")?.bytes ?? "";
    assert.ok(bytes.includes(host("SSLCACertificatePath a\n", "old.example")));
    assert.equal(bytes.split(includeLine).length, 2);
  });
});

describe("findings", () => {
  const here = "/etc/httpd/httpd.conf";
  const cases: readonly [
    sentence: string,
    text: string,
    desired: Partial<Desired>,
    parts: Parts,
    findings: readonly string[],
  ][] = [
    ["are none on a plain host", host(), {}, {}, []],
    ["are a conflict for what stands against us", host("SSLVerifyClient require\n"), {}, {}, [`conflict ${here}:6`]],
    ["warn when ours wins over it", host("SSLVerifyClient require\n"), { adopt: true }, {}, [`warning ${here}:6`]],
    [
      "warn of an excluded virtual host",
      host("SSLVerifyClient none\n", "b.example") + host(),
      { excludeVirtualHosts: ["B.example"] },
      {},
      [`warning ${here}:2`],
    ],
    [
      "refuse to adopt what an excluded virtual host uses, too",
      `${host("", "b.example") + host()}SSLCACertificatePath a\n`,
      { adopt: true, excludeVirtualHosts: ["b.example"] },
      {},
      [`warning ${here}:2`, `conflict ${here}:12`],
    ],
    ["refuse to exclude all", host(), { excludeVirtualHosts: ["a.example"] }, {}, ["problem excludeVirtualHosts"]],
    [
      "name an excluded virtual host that is not there",
      host(),
      { excludeVirtualHosts: ["c.example"] },
      {},
      ["problem excludeVirtualHosts[0]"],
    ],
    [
      "refuse the host of another owner",
      host(),
      {},
      { journal: new Map([["owner", "o/p/s/other"]]) },
      [`problem ${here}`],
    ],
    ["let it be taken over", host(), { takeOver: true }, { journal: new Map([["owner", "o/p/s/other"]]) }, []],
    ["refuse pending edits", host(), {}, { server: { loadedSeconds: 10 } }, [`problem ${here}`]],
    [
      "warn of pending edits that may go live",
      host(),
      { reloadPendingEdits: true },
      { server: { loadedSeconds: 10 } },
      [`warning ${here}`],
    ],
    [
      "are a conflict for a job that fetches the CRL",
      host("SSLCARevocationFile x.crl\n"),
      {},
      {
        crontabs: new Map([
          ["/etc/crontab", observedFile("/etc/crontab", "# a\n\n1 1 * * * root wget -O /etc/httpd/x.crl\n")],
        ]),
      },
      ["conflict /etc/crontab:3"],
    ],
    ["note an unknown PHP", host(), { phpVersion: undefined }, {}, [`note ${here}`]],
    [
      "warn of an unknown PHP where the product needs one",
      host(),
      { phpVersion: undefined },
      { server: { serverRoot: "/usr/local/ni/apache" } },
      [`warning ${here}`],
    ],
    ["warn of a DocumentRoot that is not UTF-8", host("DocumentRoot /srv/\x83A\n"), {}, {}, [`warning ${here}:2`]],
    ["note an adoption in a virtual host", host("SSLCACertificatePath a\n"), { adopt: true }, {}, [`note ${here}:6`]],
    [
      "refuse session ticket keys where there is a CRL",
      host("SSLSessionTicketKeyFile x\n"),
      { crls: [crl("i", "1")], crlSha256: "c" },
      {},
      [`problem ${here}:6`],
    ],
    [
      "warn of session ticket keys that are acknowledged",
      host("SSLSessionTicketKeyFile x\n"),
      { crls: [crl("i", "1")], crlSha256: "c", acknowledgeSessionTicketKeys: true },
      {},
      [`warning ${here}:6`],
    ],
    [
      "warn of session ticket keys of an excluded virtual host",
      host("SSLSessionTicketKeyFile x\n", "b.example") + host(),
      { crls: [crl("i", "1")], crlSha256: "c", excludeVirtualHosts: ["b.example"] },
      {},
      [`warning ${here}:2`, `warning ${here}:6`],
    ],
    ["say nothing of session ticket keys where there is no CRL", host("SSLSessionTicketKeyFile x\n"), {}, {}, []],
    [
      "refuse another CA that nobody can read",
      host("SSLCACertificateFile x.pem\nSSLVerifyClient optional\n"),
      {},
      {},
      [`conflict ${here}:6`],
    ],
    [
      "accept the same check as ours",
      host("SSLCARevocationCheck leaf\n"),
      { crls: [crl("i", "1")], crlSha256: "c" },
      {},
      [],
    ],
  ];
  for (const [sentence, text, desired, parts, findings] of cases) {
    it(sentence, () => assert.deepEqual(findingsOf(planOf(text, desired, parts)), findings));
  }

  it("never quote a line of the customer's", () => {
    const found = planOf(host("SSLVerifyClient planted\n<Location /planted>\nSSLRequire planted\n</Location>\n"));
    assert.equal(found.diagnostics.length, 2);
    assert.ok(!JSON.stringify(found).includes("planted"));
  });

  it("refuse chain unless every CA has a CRL, and warn for leaf only of issuing ones", () => {
    const ca = { ...wanted.ca, certificates: [certificate("root", "root"), certificate("issuing", "root")] };
    const with1 = (crlCheck: "leaf" | "chain", issuer: string): string[] =>
      findingsOf(planOf(host(), { ca, crls: [crl(issuer, "1")], crlSha256: "c", crlCheck }));
    assert.deepEqual(with1("chain", "issuing"), ["problem crlCheck"]);
    assert.deepEqual(with1("leaf", "issuing"), []);
    assert.deepEqual(with1("leaf", "root"), ["warning crlFiles"]);
    assert.deepEqual(with1("leaf", "Issuing"), [], "names are compared without regard to case");
  });
});

describe("the installed CRL", () => {
  const installed = (...crls: readonly CrlSummary[]): Facts => {
    const facts = factsOf(serverOf(host()));
    return { ...facts, own: { ...facts.own, crls, files: { "crl.pem": "x" } } };
  };
  const isWritten = (facts: Facts, ...crls: readonly CrlSummary[]): boolean =>
    plan({ ...wanted, crls, crlSha256: "c" }, facts).change?.write.some(({ role }) => role === "crl") ?? false;

  it("is replaced by a newer one of the site, never by an older one", () => {
    assert.equal(isWritten(installed(crl("i", "9")), crl("i", "10")), true);
    assert.equal(isWritten(installed(crl("i", "10")), crl("i", "9")), false);
    assert.equal(isWritten(installed(crl("i", "9")), crl("i", "9")), false);
  });

  it("is compared by its date where the numbers are equal", () => {
    assert.equal(isWritten(installed(crl("i", "9")), crl("i", "9", "2026-02-01T00:00:00Z")), true);
  });

  it("is replaced by one with a lower number, when that was issued after its end", () => {
    const ended = { ...crl("i", "100"), nextUpdate: "2026-02-01T00:00:00Z" };
    assert.equal(isWritten(installed(ended), crl("i", "5", "2026-02-02T00:00:00Z")), true);
    assert.equal(isWritten(installed(ended), crl("i", "5", "2026-01-20T00:00:00Z")), false);
  });

  it("is not replaced when one of two would become older", () => {
    const found = plan(
      { ...wanted, crls: [crl("i", "8"), crl("j", "8")], crlSha256: "c" },
      installed(crl("i", "9"), crl("j", "7")),
    );
    assert.deepEqual(findingsOf(found), ["problem crlFiles"]);
  });
});

describe("a removal", () => {
  it("is nothing where there is nothing of ours", () =>
    assert.equal(planRemoval(factsOf(serverOf(host()))), undefined));

  it("takes the lines out, then clientcert.conf, then what it names", () => {
    const observation = serverOf(host());
    const applied = afterChange(
      observation,
      planOf(host(), { crls: [crl("i", "1")], crlSha256: "c" }).change ?? assert.fail(),
    );
    const removal = planRemoval(factsOf(applied));
    assert.deepEqual(removal?.drop, ["clientcert.conf", "README", "ca-aaaaaaaa.pem", "crl.pem"]);
    assert.deepEqual(
      removal.edits.map(({ splices }) => splices.length),
      [1],
    );
  });
});
