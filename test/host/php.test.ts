import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "../../lab/client.ts";
import type { FpmWay, PhpWay } from "../../lab/options.ts";
import { virtualHostName } from "../../lab/product.ts";
import { clientsOf, wantedPhpTable } from "./clients.ts";
import { needPhp } from "./php.ts";
import { startSession, type Session } from "./session.ts";

async function upload({ lab }: Session, servername: string): Promise<string> {
  const { body } = await request(lab, { servername, path: lab.page, bodyBytes: 40_000_000, certificate: "good" });
  return body;
}

/** The rows of README's table, and who is meant. */
const readmeRows: Readonly<Record<string, readonly string[]>> = {
  "no certificate": ["none"],
  "good certificate": ["good"],
  "another organization or country": ["wrongOrganization", "wrongCountry"],
  "certificate without O and C": ["noOrganization"],
  "revoked, expired, foreign issuer": ["revoked", "expired", "foreign"],
};

function readmeAnswer(row: string): string {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const line = readme.split("\n").find((each) => each.startsWith(`| ${row} `));
  return line?.split("|")[2]?.trim() ?? "no such row";
}

/** Each thing that the row says has been seen: the status, the variable, and whether the switch is there. */
function assertSays(cell: string, seen: string, row: string): void {
  const [outcome, verify, shown] = seen.split(" ");
  assert.equal(/^\w+/.exec(cell)?.[0], outcome, `README, "${row}"`);
  const said = [/SSL_CLIENT_VERIFY=(\w+)/.exec(cell)?.[1], /switch is (\w+)/.exec(cell)?.[1]];
  assert.deepEqual(said, [said[0] && verify, said[1] && shown], `README, "${row}"`);
}

const fpmWays: Readonly<Record<FpmWay, string>> = {
  handler: "php-fpm by SetHandler",
  proxyPassMatch: "php-fpm by ProxyPassMatch",
  rewrite: "php-fpm by RewriteRule with [P]",
  withoutStockSection: "php-fpm by SetHandler, without the stock section for PHP",
};
const ways: Readonly<Record<PhpWay, string>> = {
  ...fpmWays,
  action: "php-cgi by Action",
  actionWithoutSection: "php-cgi by Action, without the stock section for cgi-bin",
  module: "httpd's own module",
};
const names = Object.keys(ways) as PhpWay[]; // as: the keys of this very table
const fpmNames = Object.keys(fpmWays) as FpmWay[]; // as: likewise

describe("what the page of a real PHP 8.2 sees", function () {
  this.timeout(120_000);
  let session: Session;

  before(async function () {
    await needPhp(this, "8.2");
    session = await startSession({ php: { version: "8.2", ways: names }, virtualHosts: names.length });
  });
  after(() => session?.stop());

  it("is nobody's certificate before any set-up, so nobody has the switch", async () => {
    for (const [index, way] of names.entries()) {
      const found = await clientsOf(session.lab, virtualHostName(index + 1));
      for (const [client, answer] of Object.entries(found)) assert.match(answer, /^200 .*hidden$/, `${way}, ${client}`);
    }
  });

  it("comes from the PHP that the host's look finds: the module that httpd loads, and a running php-fpm", async () => {
    const { php } = await session.host.observe(session.target);
    const { body } = await request(session.lab, { path: session.lab.page });
    const version = /^php=(8\.2\.\d+)/m.exec(body)?.[1];
    assert.deepEqual(
      php.map((each) => [each.source, each.version]),
      [
        ["module", version],
        ["fpm", version],
      ],
    );
  });

  it("is still there after a change", async () => {
    const outcome = await session.apply();
    assert.deepEqual([outcome.result, outcome.judge, outcome.reasons], ["applied", "shadow", []]);
    assert.equal((await session.plan()).change, undefined);
  });

  for (const [index, way] of names.entries()) {
    it(`shows the switch to whoever presents a certificate: ${ways[way]}`, async () => {
      assert.deepEqual(await clientsOf(session.lab, virtualHostName(index + 1)), wantedPhpTable);
    });
  }

  it("may come from either of two php-fpm that run, so both are found (the second a stand-in that runs no PHP)", async () => {
    const standIn = "/usr/sbin/php-fpm9.9";
    const start = `cp /usr/bin/sleep ${standIn}; printf 'X-Powered-By: PHP/9.9.1\\0' >>${standIn}`;
    const pid = (await session.lab.run(`${start}; ${standIn} 1000 >/dev/null 2>&1 & echo $!`)).trim();
    await session.lab.run(`timeout 10 sh -c 'until readlink /proc/${pid}/exe | grep -q fpm; do sleep 0.02; done'`);
    const { php } = await session.host.observe(session.target);
    await session.lab.run(`kill ${pid}`);
    const found = php.filter(({ source }) => source === "fpm").map(({ version }) => version.replace(/\.\d+$/, ""));
    assert.deepEqual(found.sort(), ["8.2", "9.9"]);
  });

  it("is what README's table of answers says", async () => {
    const seen = await clientsOf(session.lab);
    for (const [row, clients] of Object.entries(readmeRows))
      for (const client of clients) assertSays(readmeAnswer(row), seen[client] ?? "", row);
  });

  it("leaves TLS 1.3 on, and an upload of 40 MB arrives", async () => {
    for (const index of names.keys())
      assert.match(await upload(session, virtualHostName(index + 1)), /^protocol=TLSv1\.3\nbody=40000000$/m);
  });
});

describe("what the page of a real PHP 8.4 sees", function () {
  this.timeout(120_000);
  let session: Session;

  before(async function () {
    await needPhp(this, "8.4");
    session = await startSession({ php: { version: "8.4", ways: fpmNames }, virtualHosts: fpmNames.length });
  });
  after(() => session?.stop());

  it("comes with TLS 1.2 only, because the host's look finds this PHP", async () => {
    assert.equal((await request(session.lab, { tlsVersion: "TLSv1.3" })).outcome, "200");
    const outcome = await session.apply();
    assert.deepEqual([outcome.result, outcome.judge, outcome.reasons], ["applied", "shadow", []]);
    const { body } = await request(session.lab, { path: session.lab.page, certificate: "good" });
    assert.match(body, /^protocol=TLSv1\.2$/m);
    const version = /^php=(8\.4\.\d+)$/m.exec(body)?.[1];
    const path = "/opt/php8.4/usr/sbin/php-fpm8.4";
    assert.deepEqual((await session.look()).php, { source: "fpm", version, path, others: [] });
    assert.equal((await request(session.lab, { tlsVersion: "TLSv1.3" })).outcome, "refused");
    assert.equal((await request(session.lab, { tlsVersion: "TLSv1.2" })).outcome, "200");
  });

  for (const [index, way] of fpmNames.entries()) {
    it(`shows the switch to whoever presents a certificate: ${fpmWays[way]}`, async () => {
      assert.deepEqual(await clientsOf(session.lab, virtualHostName(index + 1)), wantedPhpTable);
    });
  }

  it("is an upload of 40 MB, too", async () => {
    for (const index of fpmNames.keys())
      assert.match(await upload(session, virtualHostName(index + 1)), /^protocol=TLSv1\.2\nbody=40000000$/m);
  });
});
