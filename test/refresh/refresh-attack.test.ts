/** Who answers for the CA, or has its key, or fills the disk: what a refresh lets them do. */
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { request } from "../../lab/client.ts";
import type { CrlOptions } from "../../lab/pki-crl.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import {
  listName,
  sourceOf,
  sourced,
  startRefreshSession,
  stateDirectory,
  type RefreshSession,
} from "../host/refresh-session.ts";
import { bytesOf, endHttpd } from "../faults/bytes.ts";
import { faultyProgram } from "../faults/program.ts";
import { replaceOnce } from "../faults/program.ts";

const crlFile = "/usr/local/ni/apache/conf/clientcert/crl.pem";

describe("an attack on a refresh", function () {
  this.timeout(120_000);
  let session: RefreshSession;
  let program = hostScript();

  before(async () => {
    session = await startRefreshSession({}, () => program);
  });
  after(() => session.stop());

  const outcomes = async (): Promise<string[]> =>
    (await Promise.all((["good", "revoked"] as const).map((certificate) => request(session.lab, { certificate })))).map(
      ({ outcome }) => outcome,
    );

  it("leaves nothing of a first change that finds no room to remember it", async () => {
    const clean = await bytesOf(session);
    program = faultyProgram({ unjudged: true, more: "journal_set() { return 1; }" });
    const outcome = await session.apply(sourced(session.publisher));
    program = hostScript();
    assert.equal(outcome.result, "rolledBack");
    assert.match(outcome.reasons.join("\n"), /there is no room in/);
    assert.equal(await bytesOf(session), clean);
    assert.deepEqual(await outcomes(), ["200", "200"]);
    assert.equal((await session.apply(sourced(session.publisher))).result, "applied");
  });

  const lists: readonly [what: string, options: CrlOptions, reason: RegExp][] = [
    [
      "with a critical extension that OpenSSL does not take",
      { kind: "critical" },
      /critical extension X509v3 Key Usage/,
    ],
    ["of CA certificates only", { kind: "authorities" }, /lists CA certificates only/],
    ["that names the key of nobody", { keyOf: "foreign" }, /names a key .* that no CA of its name has/],
    ["with a later date and an older number", { number: 0 }, /its number is below that of the installed one/],
  ];
  for (const [what, options, reason] of lists) {
    it(`does not install a rightly signed list ${what}`, async () => {
      const before = await session.lab.run(`sha256sum <${crlFile}`);
      session.publisher.publish(listName, await session.pki.crl({ number: 90, thisUpdateHours: -0.5, ...options }));
      const { exitCode, output } = await session.refresh();
      assert.equal(exitCode, 1);
      assert.match(output, reason);
      assert.equal(await session.lab.run(`sha256sum <${crlFile}`), before);
      assert.deepEqual(await outcomes(), ["200", "refused"]);
    });
  }

  it("does not let one source's server take the time of the others", async () => {
    let isSlow = false;
    const trickle = http.createServer((_, response) => {
      if (!isSlow) return void response.writeHead(404).end();
      response.writeHead(200);
      const timer = setInterval(() => response.write("x".repeat(1500)), 500);
      response.once("close", () => clearInterval(timer));
    });
    trickle.listen(0, "127.0.0.1");
    await once(trickle, "listening");
    try {
      const { port } = trickle.address() as AddressInfo; // as: it listens on a port
      const slow = sourceOf([`http://127.0.0.1:${port}/slow.crl`], true);
      program = replaceOnce(hostScript(), "/ 100 + 200 * $#", "/ 100 + 6 * $#");
      const good = session.pki.clients.good.serial;
      session.publisher.publish(listName, await session.pki.crl());
      const crlSources = [slow, ...(sourced(session.publisher).crlSources ?? [])];
      const applied = await session.apply(sourced(session.publisher, { crlSources }));
      assert.equal(applied.result, "applied", applied.reasons.join());
      session.publisher.publish(
        listName,
        await session.pki.crl({ number: 95, thisUpdateHours: -0.2, serials: [good] }),
      );
      isSlow = true;
      const { exitCode, output } = await session.refresh();
      assert.equal(exitCode, 1, output);
      assert.deepEqual(await outcomes(), ["refused", "200"]);
      const record = await session.lab.run(`cat ${stateDirectory}/refresh.record`);
      assert.match(record, new RegExp(`^source ${slow.id} failure `, "m"));
    } finally {
      trickle.closeAllConnections();
      trickle.close();
    }
  });

  it("loses no CA's list to a file that the disk had no room for", async () => {
    const before = await session.lab.run(`sha256sum <${crlFile}`);
    const file = await session.lab.run(`echo ${stateDirectory}/program`);
    const broken = faultyProgram({ unjudged: true, more: "split_crls() { :; }\nis_nothing_new() { return 1; }" });
    await session.lab.run(`cat >${file.trim()}`, broken);
    const { exitCode, output } = await session.refresh();
    await session.lab.run(`cat >${file.trim()}`, hostScript());
    assert.equal(exitCode, 1, output);
    assert.equal(await session.lab.run(`sha256sum <${crlFile}`), before);
    assert.deepEqual(await outcomes(), ["refused", "200"]);
  });

  it("is waited for by a change that comes in between", async () => {
    const file = (await session.lab.run(`echo ${stateDirectory}/program`)).trim();
    await session.lab.run(`cat >${file}`, faultyProgram({ more: "find_unit() { start_unit='' && sleep 3; }" }));
    session.publisher.publish(listName, await session.pki.crl({ number: 99, thisUpdateHours: -0.1 }));
    const refreshed = session.refresh();
    await session.lab.run(`timeout 20 sh -c 'until [ -d ${stateDirectory}/lock ]; do sleep 0.05; done'`);
    const outcome = await session.apply(sourced(session.publisher, { countries: ["JP", "US"] }));
    assert.equal(outcome.result, "applied", outcome.reasons.join());
    assert.match((await refreshed).output, /^updated|^failed/m);
    assert.deepEqual(await outcomes(), ["200", "refused"]);
  });
});

describe("a refresh of a stopped httpd that is started while the new list is judged", function () {
  this.timeout(60_000);

  it("has it run with the new list", async () => {
    const session = await startRefreshSession();
    try {
      assert.equal((await session.apply(sourced(session.publisher))).result, "applied");
      await endHttpd(session);
      await session.lab.run("rm -f /usr/local/ni/apache/logs/httpd.pid");
      const start =
        "judge_candidate() { list_placed && verdict=well judge=syntax; /usr/local/ni/apache/bin/apachectl start; }";
      await session.lab.run(
        `cat >${(await session.lab.run(`echo ${stateDirectory}/program`)).trim()}`,
        faultyProgram({ more: start }),
      );
      await session.publishNew(session.pki.clients.good.serial);
      const { exitCode, output } = await session.refresh();
      assert.deepEqual([exitCode, output], [0, "updated: httpd runs with the new CRL\n"]);
      assert.equal((await request(session.lab, { certificate: "good" })).outcome, "refused");
    } finally {
      await session.stop();
    }
  });
});
