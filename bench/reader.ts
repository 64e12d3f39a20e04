/** How long the Apache reader takes: parse, plan and render of 10 KB, 1 MB and 10 MB, and of 500 virtual hosts. */
import { createHash } from "node:crypto";
import { pathToFileURL } from "node:url";
import { applySplices } from "../core/apache/edit.ts";
import { readFacts } from "../core/apache/facts.ts";
import type { Desired } from "../core/apache/model.ts";
import { defaultCrlRefresh } from "../core/apache/refresh-model.ts";
import type { Observation } from "../core/apache/observation.ts";
import { parse, render } from "../core/apache/parse.ts";
import { plan } from "../core/apache/plan.ts";

export interface ReaderRow {
  readonly name: string;
  readonly bytes: number;
  readonly virtualHosts: number;
  /** Milliseconds, each the median of {@link runs} runs. */
  readonly parse: number;
  readonly render: number;
  /** Parses, too. */
  readonly factsAndPlan: number;
  /** Parsed, planned and rendered: render + factsAndPlan. */
  readonly total: number;
}

const runs = 7;
const configFile = "/etc/httpd/httpd.conf";

const desired: Desired = {
  owner: "bench/bench/bench/host",
  takeOver: false,
  port: 443,
  ca: { sha256: "0".repeat(64), certificates: [] },
  crls: [],
  crlSha256: "",
  crlCheck: "leaf",
  crlSources: [],
  crlRefresh: defaultCrlRefresh,
  sample: undefined,
  acknowledgeSessionTicketKeys: false,
  organizations: ["Example"],
  countries: ["JP"],
  adopt: false,
  excludeVirtualHosts: [],
  reloadPendingEdits: false,
  phpVersion: "8.3",
};

/** Typical lines: comments, directives, a continuation, nested sections. */
const virtualHost = (index: number): string => `
# Virtual host ${index}: its comment is as long as those of the stock configuration are.
<VirtualHost *:443>
    ServerName host-${index}.example.com
    DocumentRoot "/srv/www/host-${index}/htdocs"
    SSLEngine on
    SSLCertificateFile "/etc/httpd/tls/host-${index}.crt"
    CustomLog "logs/host-${index}_log" \\
        "%t %h %{SSL_PROTOCOL}x \\"%r\\" %b"
    <Directory "/srv/www/host-${index}/htdocs">
        Options -Indexes
        <IfModule headers_module>
            Header set X-Frame-Options SAMEORIGIN
        </IfModule>
    </Directory>
</VirtualHost>
`;

const filler = `# A comment between two directives, as they stand by the dozen in every configuration.
AddType application/x-example .example
SetEnvIf User-Agent "^Example" example=1
<Directory "/srv/www/shared">
    Require all granted
</Directory>
`;

function configuration(bytes: number, hosts: number): string {
  const written = Array.from({ length: hosts }, (_, index) => virtualHost(index)).join("");
  const head = "LoadModule ssl_module modules/mod_ssl.so\nLoadModule headers_module modules/mod_headers.so\n";
  return head + filler.repeat(Math.max(0, Math.round((bytes - written.length) / filler.length))) + written;
}

function observe(bytes: string): Observation {
  const sha256 = createHash("sha256").update(bytes, "latin1").digest("hex");
  const times = { modifiedSeconds: 1, changedSeconds: 1 };
  const file = {
    resolvedPath: configFile,
    bytes,
    sizeBytes: bytes.length,
    sha256,
    mode: "644",
    owner: "root",
    ...times,
  };
  return {
    server: {
      nowSeconds: 2,
      program: "/usr/sbin/httpd",
      version: "Apache/2.4.71 (Unix)",
      openssl: "",
      serverRoot: "/etc/httpd",
      configFile,
      defines: [],
      parent: { pid: 1, startedSeconds: 2 },
      loadedSeconds: 2,
      instance: "0".repeat(16),
      capabilities: [],
    },
    dump: undefined,
    files: new Map([[configFile, file]]),
    own: new Map(),
    journal: new Map(),
    php: [],
    namedFiles: [],
    crontabs: new Map(),
    scheduler: "none",
    isTimerEnabled: false,
    timers: new Map(),
    refreshRecord: "",
  };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

function measure(name: string, bytes: number, virtualHosts: number): ReaderRow {
  const text = configuration(bytes, virtualHosts);
  const observation = observe(text);
  const samples = Array.from({ length: runs }, () => {
    const start = performance.now();
    const tree = parse(text);
    const parsed = performance.now();
    if (render(tree) !== text) throw new Error(`${name}: a byte was lost`);
    const rendered = performance.now();
    const { change } = plan(desired, readFacts(observation, { port: 443 }));
    const splices = change?.edits.flatMap((edit) => edit.splices) ?? [];
    if (splices.length !== virtualHosts) throw new Error(`${name}: ${splices.length} splices`);
    applySplices(text, splices);
    return { parse: parsed - start, render: rendered - parsed, factsAndPlan: performance.now() - rendered };
  });
  return {
    name,
    bytes: text.length,
    virtualHosts,
    parse: median(samples.map((sample) => sample.parse)),
    render: median(samples.map((sample) => sample.render)),
    factsAndPlan: median(samples.map((sample) => sample.factsAndPlan)),
    total: median(samples.map((sample) => sample.render + sample.factsAndPlan)),
  };
}

/** One row for each size; a lost byte or a missed virtual host is an error, not a row. */
export function readerRows(): ReaderRow[] {
  return [
    measure("10 KB", 10_000, 3),
    measure("1 MB", 1_000_000, 50),
    measure("10 MB", 10_000_000, 50),
    measure("500 virtual hosts", 0, 500),
    measure("5,000 virtual hosts", 0, 5000),
  ];
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const row of readerRows()) {
    const times = [row.parse, row.render, row.factsAndPlan, row.total].map((milliseconds) => milliseconds.toFixed(1));
    const [parsed, rendered, planned, total] = times;
    console.log(
      `${row.name}: parse ${parsed} ms, render ${rendered} ms, parse + facts + plan ${planned} ms; parsed, planned and rendered ${total} ms`,
    );
  }
}
