/** What each judge can find out, and how it ends where it cannot. */
import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import type { LabHostOptions } from "../../lab/options.ts";
import type { Transaction } from "../../provider/apache/host-model.ts";
import { transactionRequest } from "../../provider/apache/request.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { sourced, startRefreshSession } from "../host/refresh-session.ts";
import { startSession, type Session } from "../host/session.ts";
import { unchanged } from "../host/unchanged.ts";
import { bytesOf } from "../faults/bytes.ts";

async function onHost(options: LabHostOptions, use: (session: Session) => Promise<void>): Promise<void> {
  const session = await startSession(options);
  try {
    await use(session);
  } finally {
    await session.stop();
  }
}

const withGarbage = (change: Transaction): Transaction => ({
  ...change,
  contents: new Map([...change.contents, ["crl.pem", Buffer.from("garbage\n")]]),
});

/** Starts the server with one more virtual host, in which the path of our line leads elsewhere. */
async function addRootedElsewhere({ lab }: Session): Promise<void> {
  const root = lab.serverRoot;
  const files = `SSLCertificateFile ${root}/conf/server.crt\nSSLCertificateKeyFile ${root}/conf/server.key`;
  const host = `<VirtualHost *:${lab.ports.https}>\nServerName elsewhere.lab.test\nSSLEngine on\n${files}\n</VirtualHost>\n`;
  await lab.run(
    `cat >>${lab.configFile}; ${root}/bin/apachectl start`,
    `ServerRoot /usr/local\n${host}ServerRoot ${root}\n`,
  );
}

/** A proxy to a backend behind a Unix socket: under an overlay nobody answers there, and the shadow sees 503. */
const unixBackend = `LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_http_module modules/mod_proxy_http.so
ProxyPass "/" "unix:/run/backend.sock|http://localhost/"
`;
const backend = `const http = require("http"); http.createServer((_, answer) => answer.end("behind the socket")).listen("/run/backend.sock", () => process.stdout.write("up\\n"));`;

describe("the shadow", function () {
  this.timeout(90_000);

  it("refuses what httpd -t accepts and httpd starts on, but no client gets a handshake from", () =>
    onHost({ virtualHostDirectives: "SSLCipherSuite ECDHE-ECDSA-AES128-GCM-SHA256" }, async (session) => {
      assert.equal((await request(session.lab)).outcome, "200");
      const outcome = await unchanged(session, () => session.apply({ phpVersion: "8.3" }));
      assert.deepEqual([outcome.result, outcome.judge], ["refused", "shadow"]);
      assert.match(outcome.reasons.join("\n"), /^no TLS handshake succeeds any more with a\.lab\.test/m);
      assert.equal((await session.judge()).result, "well", "without TLS 1.2 only nothing is wrong");
    }));

  it("refuses a change that has no effect in a virtual host, because its ServerRoot is another one", () =>
    onHost({ stopped: true }, async (session) => {
      await addRootedElsewhere(session);
      const outcome = await unchanged(session, () => session.apply());
      assert.deepEqual([outcome.result, outcome.judge], ["refused", "shadow"]);
      assert.match(
        outcome.reasons.join("\n"),
        /^elsewhere\.lab\.test \(\S+ port \d+\) would not ask for certificates/m,
      );
      assert.doesNotMatch(outcome.reasons.join("\n"), /a\.lab\.test/);
    }));

  it("does not refuse a healthy server whose backend it cannot reach, because its live files answer alike", () =>
    onHost({ serverDirectives: unixBackend }, async (session) => {
      await session.lab.run(
        `setsid ${process.execPath} -e '${backend}' >/run/backend.out 2>&1 </dev/null & until [ -s /run/backend.out ]; do sleep 0.05; done; chmod 666 /run/backend.sock`,
      );
      assert.equal((await request(session.lab)).body, "behind the socket");
      const outcome = await unchanged(session, () => session.judge());
      assert.deepEqual([outcome.result, outcome.judge, outcome.reasons], ["well", "shadow", []]);
      assert.deepEqual(
        [(await session.apply()).result, (await request(session.lab)).body],
        ["applied", "behind the socket"],
      );
    }));

  it("knows the names, the -D names and the environment that the live server knows", () =>
    onHost(
      {
        defines: ["OwnDefine"],
        environment: { OWN_DEPTH: "7" },
        virtualHostDirectives:
          "<IfDefine OwnDefine>\n SSLVerifyDepth ${OWN_DEPTH}\n</IfDefine>\n<IfDefine !OwnDefine>\n SSLNotKnown on\n</IfDefine>",
      },
      async (session) => {
        const outcome = await unchanged(session, () => session.judge());
        assert.deepEqual([outcome.result, outcome.judge, outcome.reasons], ["well", "shadow", []]);
        assert.equal((await session.apply()).result, "applied");
      },
    ));

  it("resolves a name of Listen and VirtualHost outside", () =>
    onHost({ stopped: true }, async (session) => {
      const tls = "/usr/local/ni/apache/conf/extra/httpd-ssl.conf";
      await session.lab.run(
        `echo '127.0.0.1 web.lab.example' >>/etc/hosts; sed -i -E 's/^Listen 127.0.0.1/Listen web.lab.example/; s/<VirtualHost [^:]*:/<VirtualHost web.lab.example:/' ${tls}; /usr/local/ni/apache/bin/apachectl start; until [ -s /usr/local/ni/apache/logs/httpd.pid ]; do sleep 0.05; done`,
      );
      const outcome = await unchanged(session, () => session.judge());
      assert.deepEqual([outcome.result, outcome.judge, outcome.reasons], ["well", "shadow", []]);
    }));

  it("judges inside the live server's mount namespace, and the change is made outside", () =>
    onHost({ privateTmp: true }, async (session) => {
      const outcome = await unchanged(session, () => session.judge());
      assert.deepEqual([outcome.result, outcome.judge, outcome.reasons], ["well", "shadow", []]);
      const refused = await unchanged(session, async () =>
        session.host.apply(session.target, withGarbage(await session.prepare())),
      );
      assert.deepEqual([refused.result, refused.judge], ["refused", "shadow"]);
    }));
});

describe("the smaller judge", function () {
  this.timeout(120_000);

  it("speaks where the host has no unshare, and refuses a garbage CRL, too", () =>
    onHost({ without: ["unshare"] }, async (session) => {
      const refused = await unchanged(session, async () =>
        session.host.apply(session.target, withGarbage(await session.prepare())),
      );
      assert.deepEqual([refused.result, refused.judge], ["refused", "minimal"]);
      const applied = await session.apply();
      assert.deepEqual([applied.result, applied.judge], ["applied", "minimal"]);
      assert.match(applied.reasons.join("\n"), /allows no namespaces.*the smaller judge speaks/);
      // Such a change brings our configuration alone, and no CA and no CRL.
      const changed = await session.apply({ organizations: ["OTHER CORPORATION"] });
      assert.deepEqual([changed.result, changed.judge], ["applied", "minimal"]);
      assert.equal((await session.remove()).result, "applied");
    }));

  it("is followed by a look that puts back what has no effect in a virtual host", () =>
    onHost({ without: ["unshare"], stopped: true }, async (session) => {
      await addRootedElsewhere(session);
      const before = await bytesOf(session);
      const outcome = await session.apply();
      assert.deepEqual([outcome.result, outcome.judge], ["rolledBack", "minimal"]);
      assert.match(
        outcome.reasons.join("\n"),
        /not answer as the judge promised: \S+ \d+ elsewhere\.lab\.test answers 200 to an untrusted certificate/,
      );
      assert.equal(await bytesOf(session), before);
    }));

  it("speaks of a renewed CRL, too", async () => {
    const session = await startRefreshSession({ without: ["unshare"] });
    try {
      assert.equal((await session.apply(sourced(session.publisher))).judge, "minimal");
      await session.publishNew(session.pki.clients.good.serial);
      const { exitCode, output } = await session.refresh("--verbose");
      assert.equal(exitCode, 0);
      assert.match(output, /the smaller judge speaks/);
      assert.equal((await request(session.lab, { certificate: "good" })).outcome, "refused");
    } finally {
      await session.stop();
    }
  });

  it("speaks where a passphrase program never answers in the shadow, and nothing stays running", () =>
    onHost({ passphraseKey: true }, async (session) => {
      const { data } = transactionRequest("judge", {}, await session.prepare(), 900);
      const impatient = Buffer.from(data.toString("latin1").replace(/^deadline \d+$/m, "deadline 2"), "latin1");
      await session.lab.run("cat >/srv/program", hostScript());
      const answer = await unchanged(session, () =>
        session.lab.run("cat >/srv/request && timeout 40 sh /srv/program </srv/request; rm /srv/request", impatient),
      );
      assert.match(answer, / note the shadow cannot judge this server/);
      assert.match(answer, / result well minimal /);
    }));

  it("is not asked, and nothing is touched, on a host without openssl", () =>
    onHost({ without: ["openssl"] }, async (session) => {
      const said = await unchanged(session, async () =>
        session.apply().then(
          ({ result, reasons }) => [result, ...reasons].join("\n"),
          (error: Error) => error.message,
        ),
      );
      assert.match(said, /the program openssl is missing/);
    }));
});
