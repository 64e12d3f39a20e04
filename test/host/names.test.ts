/**
 * Whom our SSLRequire lets in, and how deep a chain may be: asked of the real httpd with real certificates of every
 * kind.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { renderRequirement, type Admission } from "../../core/apache/plan/requirement.ts";
import { checkBundle } from "../../core/pki/bundle.ts";
import { readCertificates } from "../../core/pki/certificate.ts";
import { checkIssuer, nameForIssuers, textsOf } from "../../core/pki/issuer.ts";
import { freePort } from "../../lab/ports.ts";
import { type Made, type NamePart, der, makeCertificate, name } from "../fixtures/pki.ts";

const program = "/usr/sbin/apache2";
const modules = "/usr/lib/apache2/modules";

const year = { notBefore: new Date(Date.now() - 86_400_000), notAfter: new Date(Date.now() + 31_536_000_000) };
const authority = (issuer: Made | undefined, ...parts: NamePart[]): Made =>
  makeCertificate({ subject: name(...parts), ...year, ...(issuer && { issuer }) });
const root = authority(undefined, ["O", "Harbour"], ["CN", "Root"]);
const issuing = authority(root, ["O", "Harbour"], ["CN", "Issuing"]);
const user = (issuer: Made, ...parts: NamePart[]): Made =>
  makeCertificate({ subject: name(...parts, ["CN", "user"]), issuer, extensions: [], ...year });

const latin1 = (tag: number, text: string): Buffer => der(tag, Buffer.from(text, "latin1"));
const utf16 = (text: string): Buffer => der(0x1e, Buffer.from(text, "utf16le").swap16());

/** What stands in a certificate, and what a site file says of it. */
const names: readonly [what: string, value: string | Buffer, text: string][] = [
  ["plain letters", latin1(0x13, "ABC CORPORATION"), "ABC CORPORATION"],
  ["a backslash", "A\\B", "A\\B"],
  ["two backslashes", "A\\\\B", "A\\\\B"],
  ["a backslash at the end", "A\\", "A\\"],
  ["what looks like an escape", 'A\\09 \\n \\" \\, B', 'A\\09 \\n \\" \\, B'],
  ["a comma, a plus, quotes and brackets", "A, \"B\" + C; <D> 'E' =#", "A, \"B\" + C; <D> 'E' =#"],
  ["a number sign in front", "#A", "#A"],
  ["a closing brace", 'A} in {"B', 'A} in {"B'],
  [
    "what httpd would replace",
    "%{SERVER_NAME} $1 ${HOME} ${TLS} 100% {B} $x",
    "%{SERVER_NAME} $1 ${HOME} ${TLS} 100% {B} $x",
  ],
  ["full-width letters", "株式会社　ＡＢＣ", "株式会社　ＡＢＣ"],
  ["an emoji", "🍣寿司", "🍣寿司"],
  ["a BMPString", utf16("株式\\会社"), "株式\\会社"],
  ["a T61String", latin1(0x14, "Caf\xe9 \\"), "Café \\"],
  ["an IA5String with a letter that it must not have", latin1(0x16, "L\xe9on"), "Léon"],
  ["a UniversalString", der(0x1c, Buffer.from([0, 0, 0x68, 0x2a, 0, 1, 0xf3, 0x63])), "株🍣"],
];
const unnameable: readonly [what: string, value: string | Buffer][] = [
  ["a tabulator", "A\tB"],
  ["a Japanese name in Shift_JIS", der(0x14, Buffer.from([0x8a, 0x94]))],
];

/** A rule, and who asks; the answer is 200 or 403. */
interface Row {
  readonly says: string;
  readonly rule: Admission;
  readonly options?: string;
  readonly client: Made | undefined;
  readonly isLetIn: boolean;
}

const none: Admission = { organizations: [], organizationalUnits: [], countries: [], issuers: [] };
const organizations = (...texts: string[]): Admission => ({ ...none, organizations: texts });
const units = (...texts: string[]): Admission => ({ ...none, organizationalUnits: texts });
const issuers = (...texts: string[]): Admission => ({ ...none, issuers: texts });

const ofO = names.map(([, value]) => user(issuing, ["O", value]));
const nameRows = names.flatMap(([what, , text], i): Row[] => [
  { says: `an organization with ${what}`, rule: organizations(text), client: ofO[i], isLetIn: true },
  {
    says: `another than one with ${what}`,
    rule: organizations(text),
    client: ofO[(i + 1) % names.length],
    isLetIn: false,
  },
]);

const withUnits = (...texts: string[]): Made => user(issuing, ...texts.map((text): NamePart => ["OU", text]));
const five = withUnits("1", "2", "3", "4", "Sales \\ Tokyo", "6");
const unitRows: readonly Row[] = [
  { says: "the first unit", rule: units("x", "1"), client: five, isLetIn: true },
  { says: "the fifth unit", rule: units("Sales \\ Tokyo"), client: five, isLetIn: true },
  { says: "the sixth unit", rule: units("6"), client: five, isLetIn: false },
  { says: "another unit", rule: units("7"), client: five, isLetIn: false },
  { says: "a holder without a unit", rule: units("7"), client: withUnits(), isLetIn: true },
  { says: "nobody's certificate", rule: units("7"), client: undefined, isLetIn: true },
];

const backslashed = authority(root, ["CN", "Büro \\ 認証局"]);
const partsOnly = authority(root, ["C", "JP"], ["O", "Harbour, Ltd."], ["OU", "Trust"], ["OU", "Users + CA"]);
const partsName = "OU=Users \\+ CA,OU=Trust,O=Harbour\\, Ltd.,C=JP";
const odd = authority(root, ["CN", "A=B \\ CA"]);
const issuerRows: readonly Row[] = [
  { says: "the named CA", rule: issuers("Issuing"), client: user(issuing), isLetIn: true },
  { says: "another listed CA", rule: issuers("Issuing"), client: user(backslashed), isLetIn: false },
  { says: "a CA without a common name", rule: issuers("Issuing"), client: user(partsOnly), isLetIn: false },
  { says: "the root above it", rule: issuers("Root"), client: user(issuing), isLetIn: false },
  { says: "nobody's certificate", rule: issuers("Issuing", partsName), client: undefined, isLetIn: true },
  { says: "a backslash in its name", rule: issuers("x", "Büro \\ 認証局"), client: user(backslashed), isLetIn: true },
  { says: "parts of a name", rule: issuers("Issuing", partsName), client: user(partsOnly), isLetIn: true },
  { says: "one of two rules", rule: issuers("Issuing", partsName), client: user(issuing), isLetIn: true },
  { says: "wrong parts", rule: issuers("OU=Trust,O=Harbour,C=JP"), client: user(partsOnly), isLetIn: false },
  {
    says: "parts of another order",
    rule: issuers("OU=Trust,OU=Users \\+ CA"),
    client: user(partsOnly),
    isLetIn: false,
  },
  { says: "a common name with an equals sign", rule: issuers("CN=A=B \\\\ CA"), client: user(odd), isLetIn: true },
  {
    says: "the parts, whatever the form of whole names",
    rule: issuers(partsName),
    options: "SSLOptions +LegacyDNStringFormat",
    client: user(partsOnly),
    isLetIn: true,
  },
  {
    says: "all rules at once",
    rule: { organizations: ["A"], organizationalUnits: ["B"], countries: ["JP"], issuers: ["Issuing"] },
    client: user(issuing, ["C", "JP"], ["O", "A"], ["OU", "B"]),
    isLetIn: true,
  },
  {
    says: "all rules but one",
    rule: { organizations: ["A"], organizationalUnits: ["B"], countries: ["JP"], issuers: ["Issuing"] },
    client: user(issuing, ["C", "JP"], ["O", "A"], ["OU", "C"]),
    isLetIn: false,
  },
];
const rows = [
  ...nameRows.map((row) => ({ ...row, kind: "organizations" })),
  ...unitRows.map((row) => ({ ...row, kind: "organizationalUnits" })),
  ...issuerRows.map((row) => ({ ...row, kind: "issuers" })),
];

const lower = authority(issuing, ["CN", "Lower"]);
const chains: readonly (readonly Made[])[] = [[root], [issuing, root], [lower, issuing, root]];
const depths = [1, 2, 3, 4];

describe("names and depths on the real httpd", function () {
  this.timeout(60_000);
  let directory: string;
  let server: ChildProcess | undefined;
  const ports: number[] = [];

  before(async function () {
    if (!existsSync(program)) this.skip();
    directory = mkdtempSync(join(tmpdir(), "clientcert-names-"));
    chmodSync(directory, 0o755);
    const put = (file: string, text: string): void => writeFileSync(join(directory, file), text);
    const web = makeCertificate({ subject: name(["CN", "localhost"]), issuer: root, extensions: [], ...year });
    put("index.txt", "here\n");
    put("c.pem", web.pem);
    put("k.pem", keyOf(web));
    put("ca.pem", [root, issuing, lower, backslashed, partsOnly, odd].map(({ pem }) => pem).join(""));
    for (let i = 0; i <= depths.length; i++) ports.push(await freePort());
    put("httpd.conf", configuration());
    server = spawn(program, ["-d", directory, "-f", join(directory, "httpd.conf"), "-D", "FOREGROUND"], {
      stdio: "ignore",
    });
    for (let tries = 0; tries < 200 && !isUp(); tries++) await sleep(50);
    assert.ok(isUp(), "httpd has not started");
  });
  after(async () => {
    if (server !== undefined && server.exitCode === null) {
      server.kill("SIGTERM");
      await once(server, "exit");
    }
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  });

  const isUp = (): boolean =>
    existsSync(join(directory, "err")) && readFileSync(join(directory, "err"), "latin1").includes("AH00489");

  /** One virtual host with a Location for each row, and one for each depth. */
  function configuration(): string {
    const loaded = ["mpm_event", "authz_core", "alias", "ssl", "socache_shmcb"].map(
      (module) => `LoadModule ${module}_module ${modules}/mod_${module}.so`,
    );
    const basics = `Define TLS on\nServerName localhost\nPidFile pid\nErrorLog err\nUser daemon\nGroup daemon\nDefaultRuntimeDir .\nDocumentRoot ${directory}`;
    const tls = "SSLEngine on\nSSLCertificateFile c.pem\nSSLCertificateKeyFile k.pem\nSSLCACertificateFile ca.pem";
    const host = (port: number | undefined, text: string): string =>
      `Listen ${port}\n<VirtualHost *:${port}>\n${tls}\nSSLVerifyClient optional\n${text}\n</VirtualHost>`;
    const locations = rows.map(
      ({ rule, options = "" }, i) =>
        `<Location "/${i}/">\n${options}\n${renderRequirement(rule).join("\n")}\n</Location>`,
    );
    const alias = `AliasMatch "^/\\d+/$" "${directory}/index.txt"\nSSLVerifyDepth 4\n`;
    return [
      ...loaded,
      basics,
      host(ports[0], alias + locations.join("\n")),
      ...depths.map((depth) => host(ports[depth], `SSLVerifyDepth ${depth}`)),
      "",
    ].join("\n");
  }

  const keyOf = ({ key }: Made): string => key.export({ type: "pkcs8", format: "pem" }).toString();

  /** Status of a request over TLS, or `no TLS`. */
  const ask = (port: number | undefined, path: string, client: Made | undefined): Promise<number | "no TLS"> =>
    new Promise((resolve) => {
      const shown = client && { cert: client.pem, key: keyOf(client) };
      get({ port, path, host: "127.0.0.1", agent: false, rejectUnauthorized: false, ...shown }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      }).on("error", () => resolve("no TLS"));
    });

  rows.forEach(({ kind, says, isLetIn, client }, i) => {
    it(`${isLetIn ? "lets in" : "refuses"} by ${kind}: ${says}`, async () => {
      assert.equal(await ask(ports[0], `/${i}/`, client), isLetIn ? 200 : 403);
    });
  });

  it("has names that pki shows as a site file writes them, and none for those that no site file can", () => {
    const shown = (value: string | Buffer) =>
      readCertificates(user(issuing, ["O", value]).der).certificates.flatMap((found) => textsOf(found, "O"));
    for (const [what, value, text] of names) assert.deepEqual(shown(value), [text], what);
    for (const [what, value] of unnameable) assert.deepEqual(shown(value), [undefined], what);
  });

  it("has names for its CAs that the check of a site file takes", () => {
    const bundle = readCertificates(
      Buffer.from([root, issuing, backslashed, partsOnly, odd].map(({ pem }) => pem).join("")),
    ).certificates;
    const written = bundle.map((ca) => nameForIssuers(ca, bundle) ?? "");
    assert.deepEqual(written, ["Root", "Issuing", "Büro \\ 認証局", partsName, "CN=A=B \\\\ CA"]);
    for (const text of written.slice(1)) assert.deepEqual(checkIssuer(text, bundle), [], text);
  });

  for (const depth of depths)
    for (const chain of chains) {
      const isRight = chain.length <= depth;
      it(`${isRight ? "takes" : "refuses"} users below ${chain.length} CAs with depth ${depth}, as the check says`, async () => {
        const [ca = root] = chain;
        assert.equal(await ask(ports[depth], "/index.txt", user(ca)), isRight ? 200 : "no TLS");
        const { certificates } = readCertificates(Buffer.from(chain.map(({ pem }) => pem).join("")));
        const found = checkBundle(certificates, { now: Date.now(), verifyDepth: depth });
        assert.equal(
          found.some(({ text }) => text.includes(`write verifyDepth: ${chain.length} `)),
          !isRight,
        );
      });
    }
});
