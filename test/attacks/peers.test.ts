/**
 * What other tools were seen to do to a running Apache when things go wrong, each with the outcome that we want
 * instead.
 */
import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import { HostError } from "../../provider/remote/host-error.ts";
import { startSession, type Session } from "../host/session.ts";
import { bytesOf, endHttpd } from "../faults/bytes.ts";

const root = "/usr/local/ni/apache";
const tls = `${root}/conf/extra/httpd-ssl.conf`;
const own = `${root}/conf/clientcert/clientcert.conf`;

describe("where other tools fail", function () {
  this.timeout(60_000);
  let session: Session;
  let clean: string;
  const clients = async (): Promise<string> =>
    (await Promise.all([request(session.lab), request(session.lab, { certificate: "revoked" })]))
      .map(({ outcome }) => outcome)
      .join();

  before(async () => {
    session = await startSession({}, { config: `${root}/conf/httpd.conf`, httpd: `${root}/bin/httpd` });
    clean = await bytesOf(session);
  });
  after(() => session.stop());

  for (const [what, spoil] of [
    ["a CA file that is garbage", () => "not a certificate\n"],
    [
      "a CA file with one good and one broken certificate",
      (good: string) => `${good}-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n`,
    ],
  ] as const) {
    it(`${what} is refused each time, and httpd lives on`, async () => {
      for (let time = 1; time <= 2; time++) {
        const transaction = await session.prepare();
        const contents = new Map(
          [...transaction.contents].map(([name, bytes]) => [
            name,
            name.startsWith("ca-") ? Buffer.from(spoil(bytes.toString())) : bytes,
          ]),
        );
        const outcome = await session.host.apply(session.target, { ...transaction, contents });
        assert.equal(outcome.result, "refused", `run ${time}`);
        assert.notDeepEqual(outcome.reasons, []);
        assert.equal(await bytesOf(session), clean);
        assert.equal(await clients(), "200,200");
      }
    });
  }

  it("a configuration that httpd does not accept is told; mended, the same change is made and loaded", async () => {
    const transaction = await session.prepare();
    await session.lab.run(`cp -a ${root}/conf/httpd.conf /run/kept && echo NoSuchDirective >>${root}/conf/httpd.conf`);
    await assert.rejects(
      session.host.apply(session.target, transaction),
      /httpd does not accept its own live configuration/,
    );
    await session.lab.run(`cp -a /run/kept ${root}/conf/httpd.conf`);
    assert.equal(await bytesOf(session), clean);
    assert.equal((await session.host.apply(session.target, transaction)).result, "applied");
    assert.equal(await clients(), "200,refused");
  });

  it("our file edited by hand is seen, and repaired", async () => {
    const before = await bytesOf(session, own);
    await session.lab.run(`sed -i 's/^SSLVerifyClient.*/SSLVerifyClient none/' ${own}`);
    assert.deepEqual(
      (await session.plan()).change?.write.map(({ name }) => name),
      ["clientcert.conf"],
    );
    assert.equal((await session.apply()).result, "applied");
    assert.equal(await bytesOf(session, own), before);
  });

  it("our line deleted by hand comes back once, and what stands after it stays", async () => {
    const before = await bytesOf(session, tls);
    await session.lab.run(`sed -i '/clientcert/d' ${tls}`);
    await session.apply({ reloadPendingEdits: true });
    assert.equal(await bytesOf(session, tls), before);
    assert.equal((await session.plan()).change, undefined);
  });

  it("SSLVerifyClient none after our line is seen, and our line is the last one again", async () => {
    const before = await bytesOf(session, tls);
    await session.lab.run(`cp -a ${tls} /run/kept && sed -i 's|^</VirtualHost>|SSLVerifyClient none\\n&|' ${tls}`);
    const plan = await session.plan();
    assert.deepEqual(
      plan.change?.edits.map(({ path }) => path),
      [tls],
    );
    assert.match(
      JSON.stringify(plan.diagnostics),
      /httpd-ssl\.conf:\d+","text":"lines stand behind clientcert's in this virtual host/,
    );
    assert.equal((await session.apply({ reloadPendingEdits: true })).result, "applied");
    assert.equal(await clients(), "200,refused");
    await session.lab.run(`cp -a /run/kept ${tls}`);
    assert.equal(await bytesOf(session, tls), before);
    await session.lab.run(`kill -USR1 $(cat ${root}/logs/httpd.pid)`);
  });

  it("undo gives back the bytes of before", async () => {
    await session.remove();
    assert.equal(await bytesOf(session), clean);
    assert.equal(await clients(), "200,200");
  });

  it("a stopped Apache stays stopped", async () => {
    await endHttpd(session);
    await session.lab.run(`rm -f ${root}/logs/httpd.pid`);
    assert.equal((await session.apply()).result, "stopped");
    assert.equal((await session.lab.exec("pgrep -x httpd")).status, 1);
    await session.lab.run(`${root}/bin/apachectl start`);
    assert.equal(await clients(), "200,refused");
  });

  it("an unreachable host is an error of its own kind, never no drift", async () => {
    await session.lab.run("kill $(cat /run/sshd.pid); kill -KILL $(pgrep -f '^sshd: root')");
    const error: unknown = await session.look().catch((reason: unknown) => reason);
    assert.ok(error instanceof HostError);
    assert.equal(error.kind, "unreachable");
  });
});
