/**
 * What becomes of other people's directives: the rules in a table. Their effect on the wire is tested by the ring
 * directives.
 */
import assert from "node:assert/strict";
import { readCertificates } from "../../core/pki/certificate.ts";
import { readCrls } from "../../core/pki/crl.ts";
import { includeLine, type Desired } from "../../core/apache/model.ts";
import type { NamedFile, Observation } from "../../core/apache/observation.ts";
import { adoptedMark } from "../../core/apache/facts/own-lines.ts";
import { plan } from "../../core/apache/plan/plan.ts";
import { makeAuthorities, makeCertificate, makeCrl, name, toPem, type Made } from "../fixtures/pki.ts";
import { afterChange, factsOf, host, serverOf, wanted } from "./apache-observation.ts";

const { root, issuing } = makeAuthorities();
const old = makeCertificate({ subject: name(["O", "Old"], ["CN", "Old CA"]) });
const server = makeCertificate({ subject: name(["CN", "a.example"]), issuer: old, extensions: [] });
const crlOf = (ca: Made): string => toPem("X509 CRL", makeCrl(ca));

const files: Readonly<Record<string, string>> = {
  "ours.pem": root.pem + issuing.pem,
  "root.pem": root.pem,
  "old.pem": old.pem,
  "ours.crl": crlOf(issuing),
  "old.crl": crlOf(old),
  "server.pem": server.pem,
  "chain.pem": server.pem + old.pem,
};
const namedFiles: readonly NamedFile[] = Object.entries(files).map(([file, bytes]) => ({
  ...{ path: `/etc/httpd/${file}`, modifiedSeconds: 1, changedSeconds: 1, bytes },
}));

const certificates = readCertificates(Buffer.from(root.pem + issuing.pem)).certificates.map(({ summary }) => summary);
const crls = readCrls(Buffer.from(crlOf(issuing))).crls.map(({ summary }) => summary);
const base: Desired = { ...wanted, ca: { sha256: "a".repeat(64), certificates } };
const withCrl: Partial<Desired> = { crls, crlSha256: "c" };
const isAboutDate = (place: string): boolean => place === "crlFiles";

/** With a depth that lets the site's certificates in, behind everything else, so that no line is another. */
const observe = (text: string): Observation => serverOf(`${text}SSLVerifyDepth 4\n`, { namedFiles });
const say = (text: string, desired: Partial<Desired>): string[] =>
  plan({ ...base, ...desired }, factsOf(observe(text))).diagnostics.flatMap(({ severity, place }) =>
    isAboutDate(place) ? [] : [`${severity}${place.replace(/^.*(?=:)/, "")}`],
  );
/** Lines that an adoption comments out. */
function adopts(text: string, desired: Partial<Desired>): string[] {
  const before = observe(text);
  const { change } = plan({ ...base, ...desired, adopt: true }, factsOf(before));
  const after = afterChange(before, change ?? assert.fail()).files.get("/etc/httpd/httpd.conf")?.bytes ?? "";
  return after.split("\n").flatMap((line) => (line.startsWith(adoptedMark) ? [line.slice(adoptedMark.length)] : []));
}

const part = (lines: string, opener = 'Location "/admin"'): string =>
  `<${opener}>\n${lines}\n</${opener.replace(/ .*/, "")}>\n`;
const whole = (lines: string): string => part(lines, 'Location "/"');
const elsewhere = host("", "other.example", "*:8443");
const rule = 'SSLRequire %{SSL_CLIENT_S_DN_O} eq "Board"';
const asks = "SSLCACertificateFile ours.pem\nSSLVerifyClient optional\n";
const asksOld = "SSLCACertificateFile old.pem\nSSLVerifyClient optional\n";
/** The first directive of `host(…)` stands in line 6, of a section in it in line 7. */
type Case = readonly [
  sentence: string,
  text: string,
  desired: Partial<Desired>,
  without: readonly string[],
  withAdopt: readonly string[],
  adopted?: readonly string[],
];

const cases: readonly Case[] = [
  ["SSLVerifyClient none at server level", `SSLVerifyClient none\n${host()}`, {}, [], []],
  ["SSLVerifyClient none in the virtual host", host("SSLVerifyClient none\n"), {}, [], []],
  ["an effective require", host("SSLVerifyClient require\n"), {}, ["conflict:6"], ["warning:6"]],
  ["a require of the server", `SSLVerifyClient require\n${host()}${elsewhere}`, {}, ["conflict:2"], ["warning:2"]],
  ["a require that the virtual host lifts", `SSLVerifyClient require\n${host("SSLVerifyClient none\n")}`, {}, [], []],
  ["optional_no_ca", host("SSLVerifyClient optional_no_ca\n"), {}, ["conflict:6"], ["warning:6"]],
  ["a smaller depth that ours overrides", host("SSLVerifyDepth 1\n"), {}, [], []],
  [
    ...(["a smaller depth of a part", host(part("SSLVerifyDepth 2")), {}] as const),
    ...([["conflict:7"], ["note:7"], ["SSLVerifyDepth 2"]] as const),
  ],
  [
    "a depth of a part that keeps out whom ours would let in",
    host(part("SSLVerifyDepth 1")),
    {},
    ["conflict:7"],
    ["conflict:7"],
  ],
  [
    ...(["such a depth of the whole site", host(whole("SSLVerifyDepth 1")), {}] as const),
    ...([["conflict:7"], ["note:7"], ["SSLVerifyDepth 1"]] as const),
  ],
  ["the same CAs", host(asks), {}, [], []],
  ["some of the same CAs", host("SSLCACertificateFile root.pem\nSSLVerifyClient optional\n"), {}, [], []],
  ["a CA that let people in", host(asksOld), {}, ["conflict:6"], ["warning:6"]],
  ["a CA that let nobody in", host("SSLCACertificateFile old.pem\nSSLVerifyClient none\n"), {}, [], []],
  [
    "a CA that completes the chain of the server's own certificate",
    host("SSLCACertificateFile old.pem\nSSLCertificateFile server.pem\n"),
    ...([{}, ["conflict:6"], ["conflict:6"]] as const),
  ],
  [
    "a chain that is complete without",
    host("SSLCACertificateFile old.pem\nSSLCertificateFile chain.pem\n"),
    {},
    [],
    [],
  ],
  ["CRLs of the same CA", host(`${asks}SSLCARevocationFile ours.crl\nSSLCARevocationCheck leaf\n`), withCrl, [], []],
  [
    "a check where the site has no CRL",
    host(`${asks}SSLCARevocationFile ours.crl\nSSLCARevocationCheck leaf\n`),
    ...([{}, ["conflict:8"], ["conflict:8"]] as const),
  ],
  ["a CRL that nothing checks", host(`${asks}SSLCARevocationFile ours.crl\n`), {}, [], []],
  ["a check of the whole chain", host("SSLCARevocationCheck chain\n"), withCrl, ["conflict:6"], ["warning:6"]],
  [
    ...(["a directory of CAs", host("SSLCACertificatePath a\n"), {}] as const),
    ...([["conflict:6"], ["note:6"], ["SSLCACertificatePath a"]] as const),
  ],
  [
    "a directory of CAs of others, too",
    `SSLCACertificatePath a\n${host()}${elsewhere}`,
    {},
    ["conflict:2"],
    ["conflict:2"],
  ],
  [
    ...(["a directory of CAs of the server, without others", `SSLCACertificatePath a\n${host()}`, {}] as const),
    ...([["conflict:2"], ["note:2"], ["SSLCACertificatePath a"]] as const),
  ],
  [
    ...(["OCSP where the site has the CRL", host("SSLOCSPEnable on\n"), withCrl] as const),
    ...([["conflict:6"], ["note:6"], ["SSLOCSPEnable on"]] as const),
  ],
  ["OCSP where the site has none", host("SSLOCSPEnable leaf\n"), {}, ["conflict:6"], ["conflict:6"]],
  ["OCSP that is off", `SSLOCSPEnable on\n${host("SSLOCSPEnable off\n")}`, {}, [], []],
  [
    ...(["a rule for the whole site", host(whole(rule)), {}] as const),
    ...([["conflict:7"], ["note:7"], [rule]] as const),
  ],
  [
    "a rule for the whole site of others, too",
    `${whole(rule)}${host()}${elsewhere}`,
    {},
    ["conflict:3"],
    ["conflict:3"],
  ],
  [
    "a rule for the whole site that asks for more than a certificate",
    host(asks + whole('SSLRequire %{REMOTE_ADDR} eq "192.0.2.1"')),
    ...([{}, ["warning:9"], ["warning:9"]] as const),
  ],
  ["a rule for a part", host(asks + part(rule)), {}, ["warning:9"], ["warning:9"]],
  [
    "a rule for a part, where the depth kept holders out",
    host(`${asks}SSLVerifyDepth 1\n${part(rule)}`),
    ...([{}, ["conflict:10"], ["conflict:10"]] as const),
  ],
  [
    "a rule for a part, where the CA is another one",
    host(asksOld + part(rule)),
    {},
    ["conflict:6", "conflict:9"],
    ["warning:6", "conflict:9"],
  ],
  [
    "a rule for a part that names the issuer",
    host(asksOld + part('SSLRequire %{SSL_CLIENT_I_DN_CN} eq "Old CA"')),
    ...([{ adopt: true }, ["warning:6", "warning:9"], ["warning:6", "warning:9"]] as const),
  ],
  ["a require of a part", host(asks + part("SSLVerifyClient require")), {}, ["warning:9"], ["warning:9"]],
  [
    "a require of a part of a part whose rule names the issuer",
    host(
      asksOld +
        part('SSLRequire %{SSL_CLIENT_I_DN_CN} eq "Old CA"\n<RequireAny>\nRequire ssl-verify-client\n</RequireAny>'),
    ),
    ...([{ adopt: true }, ["warning:6", "warning:9", "warning:11"], ["warning:6", "warning:9", "warning:11"]] as const),
  ],
  [
    "a Require that names the issuer and lets others in",
    host(asksOld + part("Require expr \"%{SSL_CLIENT_I_DN_CN} == 'Old CA' || %{SSL_CLIENT_S_DN_CN} == 'a'\"")),
    ...([{}, ["conflict:6", "conflict:9"], ["warning:6", "conflict:9"]] as const),
  ],
  [
    "a require of a part whose rule names the issuer",
    host(asksOld + part('SSLVerifyClient require\nSSLRequire %{SSL_CLIENT_I_DN_CN} eq "Old CA"')),
    ...([{ adopt: true }, ["warning:6", "warning:9", "warning:10"], ["warning:6", "warning:9", "warning:10"]] as const),
  ],
  [
    "a CA below a trusted one",
    host(`SSLCACertificateFile root.pem\nSSLVerifyClient none\n${part("SSLVerifyClient require")}`),
    {},
    ["warning:9"],
    ["warning:9"],
  ],
  ["SSLVerifyClient none in a part", host(asks + part("SSLVerifyClient none")), {}, [], []],
  ["Require ssl-verify-client", host(asks + part("Require ssl-verify-client")), {}, ["warning:9"], ["warning:9"]],
  [
    "a RewriteCond on the certificate",
    host("RewriteCond %{SSL:SSL_CLIENT_VERIFY} !=SUCCESS\n"),
    {},
    ["conflict:6"],
    ["conflict:6"],
  ],
  ["Satisfy Any of a part", host(part("Satisfy any")), {}, ["warning:7"], ["warning:7"]],
  ["Satisfy Any of all", host(whole("Satisfy any")), {}, ["conflict:7"], ["note:7"], ["Satisfy any"]],
  ["FakeBasicAuth", host(asks + part("SSLOptions +FakeBasicAuth")), {}, ["warning:9"], ["warning:9"]],
  [
    "SSLUserName where nobody was trusted",
    host(part("SSLUserName SSL_CLIENT_S_DN_CN")),
    {},
    ["conflict:7"],
    ["conflict:7"],
  ],
  [
    "variables that an If takes away",
    host(part("SSLOptions -StdEnvVars", 'If "true"')),
    {},
    ["warning:7"],
    ["warning:7"],
  ],
  ["variables that a Location takes away, which ours gives back", host(part("SSLOptions -StdEnvVars")), {}, [], []],
  ["SSLOpenSSLConfCmd on verification", host("SSLOpenSSLConfCmd VerifyCAFile x\n"), {}, ["conflict:6"], ["conflict:6"]],
  ["SSLOpenSSLConfCmd on something else", host("SSLOpenSSLConfCmd Curves X25519\n"), {}, [], []],
  ["a proxy's protocol", host("RemoteIPProxyProtocol On\n"), {}, ["conflict:6"], ["conflict:6"]],
  [
    "a proxy's protocol, loopback excepted",
    `RemoteIPProxyProtocolExceptions 127.0.0.0/8\n${host("RemoteIPProxyProtocol On\n")}`,
    {},
    [],
    [],
  ],
  [
    "AllowOverride that lets .htaccess lift our rule",
    host(part("AllowOverride All", "Directory /x")),
    {},
    ["note:7"],
    ["note:7"],
  ],
];

describe("other people's directives", () => {
  for (const [sentence, text, desired, without, withAdopt, adopted = []] of cases) {
    it(`${sentence}: ${without.join(", ") || "nothing"}; with adopt ${withAdopt.join(", ") || "nothing"}`, () => {
      assert.deepEqual(say(text, desired), without, "without adopt");
      assert.deepEqual(say(text, { ...desired, adopt: true }), withAdopt, "with adopt");
      assert.deepEqual(adopts(text, desired), adopted, "commented out");
    });
  }

  it("say in a conflict which CA is meant", () => {
    const { diagnostics } = plan(base, factsOf(observe(host(asksOld + part(rule)))));
    assert.match(diagnostics[0]?.text ?? "", /holders of .*CN=Old CA.*caFiles lacks/);
    assert.match(diagnostics[1]?.text ?? "", /would also let in holders of .*Harbour Root CA.*SSL_CLIENT_I_DN_CN/);
  });

  it("say how a require that has no expression is held to its issuer", () => {
    const { diagnostics } = plan(base, factsOf(observe(host(asksOld + part("SSLVerifyClient require")))));
    assert.match(diagnostics[1]?.text ?? "", /require the issuer as well, by SSLRequire/);
  });
});

describe("lines that an earlier version commented out and that stay today", () => {
  const opened = part(`${adoptedMark}SSLVerifyClient require\n${adoptedMark}${rule}`);
  const closed = part(`SSLVerifyClient require\n${rule}`);
  const bytesAfter = (text: string, change: Parameters<typeof afterChange>[1] | undefined): string | undefined =>
    afterChange(observe(text), change ?? assert.fail()).files.get("/etc/httpd/httpd.conf")?.bytes;

  it("come back with the next change, each named as a problem that does not block it", () => {
    const text = host(`${asks}${opened}${includeLine}\n`);
    const found = plan({ ...base, adopt: true }, factsOf(observe(text)));
    const problems = found.diagnostics.filter(({ severity }) => severity === "problem");
    assert.deepEqual(
      problems.map(({ place, isMendedByChange }) => [place, isMendedByChange]),
      [
        ["/etc/httpd/httpd.conf:9", true],
        ["/etc/httpd/httpd.conf:10", true],
      ],
    );
    assert.ok(bytesAfter(text, found.change)?.includes(closed));
    assert.deepEqual([found.change?.needsBaseline, found.restore], [true, undefined]);
  });

  it("come back alone where a conflict stands in the way of everything else", () => {
    const text = host(`${asksOld}${opened}${whole(`${adoptedMark}${rule}`)}${includeLine}\n`);
    const { restore } = plan({ ...base, adopt: true }, factsOf(observe(text)));
    const bytes = bytesAfter(text, restore) ?? "";
    assert.ok(bytes.includes(closed));
    assert.ok(bytes.includes(adoptedMark), "what is rightly taken out stays out");
    assert.deepEqual([restore?.write, restore?.drop, restore?.needsBaseline], [[], [], true]);
  });

  it("do not come back past a problem, such as another owner", () => {
    const journal = new Map([["owner", "o/p/s/other"]]);
    const found = plan(base, factsOf({ ...observe(host(`${asksOld}${opened}`)), journal }));
    assert.equal(found.restore, undefined);
  });

  it("are found among other marks, wherever these stand", () => {
    const rightly = `${adoptedMark}SSLCACertificatePath a\n`;
    const text = host(`${rightly}${asks}${rightly}${opened}${includeLine}\n`) + host(rightly, "b.example");
    const found = plan({ ...base, adopt: true }, factsOf(observe(text)));
    const bytes = bytesAfter(text, found.change) ?? "";
    assert.ok(bytes.includes(closed));
    assert.equal(bytes.split(`\n${rightly}`).length, 4, "of two in one virtual host the first would count again");
  });

  it("are nothing to a second run", () => {
    const before = observe(host(whole(rule) + part("SSLVerifyDepth 2")));
    const desired = { ...base, adopt: true };
    const after = afterChange(before, plan(desired, factsOf(before)).change ?? assert.fail());
    assert.equal(plan(desired, factsOf({ ...after, namedFiles })).change, undefined);
  });
});
