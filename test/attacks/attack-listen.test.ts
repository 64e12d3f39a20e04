/** Servers that listen otherwise than most: the judge must ask them where they answer. */
import assert from "node:assert/strict";
import { freePort } from "../../lab/ports.ts";
import { startSession, type Session } from "../host/session.ts";

const root = "/usr/local/ni/apache";
const file = `${root}/conf/extra/httpd-ssl.conf`;

describe("a virtual host of an IPv6 address", function () {
  this.timeout(60_000);
  let session: Session;

  before(async () => {
    session = await startSession();
    const address = `[::1]:${session.lab.ports.https}`;
    await session.lab
      .run(`sed -i 's/^Listen .*/Listen ${address}/; s/^<VirtualHost .*>/<VirtualHost ${address}>/' ${file}
      kill $(cat ${root}/logs/httpd.pid) && while [ -f ${root}/logs/httpd.pid ]; do sleep 0.05; done
      ${root}/bin/apachectl start && until [ -s ${root}/logs/httpd.pid ]; do sleep 0.05; done`);
  });
  after(() => session.stop());

  it("is asked at its address, in the shadow and after the reload", async () => {
    const { change } = await session.plan();
    assert.deepEqual(change?.healthCheck, [
      { address: "::1", port: session.lab.ports.https, serverName: "a.lab.test" },
    ]);
    const outcome = await session.apply();
    assert.deepEqual([outcome.result, outcome.judge], ["applied", "shadow"], outcome.reasons.join("\n"));
    assert.match(
      await session.lab.run("cat /var/lib/clientcert/*/run.*/answers.after"),
      /^::1 \d+ a\.lab\.test\t200\trefused\t/,
    );
  });
});

describe("another TLS port at an IPv6 address, without a ServerName", function () {
  this.timeout(60_000);
  let session: Session;
  let port = 0;

  before(async () => {
    session = await startSession();
    port = await freePort();
    const files = "SSLCertificateFile conf/server.crt\\nSSLCertificateKeyFile conf/server.key";
    await session.lab
      .run(`printf 'Listen [::1]:${port}\\n<VirtualHost [::1]:${port}>\\nSSLEngine on\\n${files}\\n</VirtualHost>\\n' >>${file}
      ${root}/bin/apachectl graceful; sleep 1`);
  });
  after(() => session.stop());

  it("is asked by its address in the form that httpd accepts, with no server name", async () => {
    const outcome = await session.apply();
    assert.deepEqual([outcome.result, outcome.judge], ["applied", "shadow"], outcome.reasons.join("\n"));
    const answers = await session.lab.run("cat /var/lib/clientcert/*/run.*/answers.after");
    assert.match(answers, new RegExp(`^::1 ${port} \\S*\\t200\\t`, "m"));
  });
});

describe("a server whose program is named after its MPM", function () {
  this.timeout(60_000);
  let session: Session;

  before(async () => {
    session = await startSession();
    await session.lab
      .run(`kill $(cat ${root}/logs/httpd.pid) && while [ -f ${root}/logs/httpd.pid ]; do sleep 0.05; done
      cp ${root}/bin/httpd ${root}/bin/httpd-prefork && sed -i 's,bin/httpd ,bin/httpd-prefork ,' ${root}/bin/apachectl
      ${root}/bin/apachectl start && until [ -s ${root}/logs/httpd.pid ]; do sleep 0.05; done`);
  });
  after(() => session.stop());

  it("is not taken for stopped", async () => {
    assert.equal((await session.look()).server.running, true);
    assert.equal((await session.apply()).result, "applied");
  });
});
