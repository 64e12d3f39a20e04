/** What administrators do on the host: their own edits, and the way out without Pulumi. */
import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import type { LabHostOptions } from "../../lab/options.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { startSession, type Session } from "../host/session.ts";
import { bytesOf } from "./bytes.ts";
import { faultyProgram } from "./program.ts";

const root = "/usr/local/ni/apache";
const main = `${root}/conf/httpd.conf`;
const undo = "sh /var/lib/clientcert/*/undo";
/** Times of files are whole seconds to the plan, and one second around httpd's start counts as read. */
const nextSecond = () => new Promise((resolve) => setTimeout(resolve, 2200));

describe("an administrator's hands on the host", function () {
  this.timeout(60_000);
  let session: Session;
  let program = hostScript();
  let clean: string;

  before(async () => {
    session = await startSession({ manual: "cron.d" }, {}, () => program);
    clean = await bytesOf(session);
  });
  after(() => session.stop());

  it("an edit that httpd has not loaded is named with its time, and goes live only when that is wanted", async () => {
    await session.lab.run(`until grep -q AH00489 ${root}/logs/error_log; do sleep 0.05; done`);
    await nextSecond();
    await session.lab.run(`echo '# an unfinished thought' >>${main}`);
    const changed = Number(await session.lab.run(`stat -c %Y ${main}`));
    const told = async (wish: object) =>
      (await session.plan({ adopt: true, ...wish })).diagnostics.find(
        ({ place, text }) => place === main && text.includes("after httpd last read it"),
      );
    const found = await told({});
    assert.equal(found?.severity, "problem");
    assert.ok(found.text.includes(new Date(changed * 1000).toISOString()), found.text);
    assert.equal((await told({ reloadPendingEdits: true }))?.severity, "warning");
    await nextSecond();
    await session.lab.run(
      `kill -USR1 $(cat ${root}/logs/httpd.pid) && until grep -q AH00493 ${root}/logs/error_log; do sleep 0.05; done`,
    );
    await nextSecond();
    assert.equal(await told({}), undefined);
    await session.lab.run(`sed -i '$d' ${main} && kill -USR1 $(cat ${root}/logs/httpd.pid)`);
    assert.equal(await bytesOf(session), clean);
  });

  it("a line that httpd does not accept is named, in a file of ours with the way to mend it", async () => {
    const problems = async (wish = {}) =>
      (await session.plan({ adopt: true, ...wish })).diagnostics
        .filter(({ severity }) => severity === "problem")
        .map(({ place, text }) => `${place}: ${text}`);
    await nextSecond(); // the reload above has read the file
    await session.lab.run(`cp -p ${main} /run/kept && echo 'SSLEngin on' >>${main}`);
    const lines = (await session.lab.run(`wc -l <${main}`)).trim();
    assert.deepEqual(await problems(), [
      `${main}:${lines}: httpd does not accept this line, and would not start any more; mend it first, httpd -t says what is wrong`,
    ]);
    await session.lab.run(`cat /run/kept >${main}`);
    await session.apply({ adopt: true, reloadPendingEdits: true });
    const conf = `${root}/conf/clientcert/clientcert.conf`;
    await session.lab.run(`sed -i 's/^SSLVerifyDepth/SSLVerifyDept/' ${conf}`);
    assert.match((await problems())[0] ?? "", /clientcert\.conf:\d+: .*the file is ours and was altered: delete it/);
    await session.lab.run(`rm ${conf}`);
    assert.equal((await session.apply({ adopt: true, reloadPendingEdits: true })).result, "applied");
    // A reload by hand would be httpd's end.
    await session.lab.run(`rm ${root}/conf/clientcert/crl.pem`);
    await nextSecond();
    await session.lab.run(`touch ${main}`);
    assert.match(
      (await problems()).join("\n"),
      /crl\.pem is missing, so httpd would not survive a reload by hand: set/,
    );
    await session.apply({ adopt: true, reloadPendingEdits: true });
    await session.lab.run(undo);
    assert.equal(await bytesOf(session), clean);
  });

  it("undo takes everything out, adopted lines included, and says so in words", async () => {
    await session.apply({ adopt: true, reloadPendingEdits: true });
    const { status, stdout, stderr } = await session.lab.exec(undo);
    const lines = stdout.trim().split("\n");
    assert.deepEqual([status, stderr], [0, ""]);
    assert.deepEqual(lines.slice(-1), [
      "done: client-certificate authentication is out of this server, and httpd runs without it",
    ]);
    assert.match(stdout, /^judge: shadow start of httpd on the candidate \S+$/m);
    assert.doesNotMatch(stdout.trim(), /clientcert-[0-9a-f]|clientcert:|^$/m);
    assert.equal(await bytesOf(session), clean);
    assert.equal((await request(session.lab)).outcome, "200");
  });

  it("undo with a word behind it changes nothing, and says what it is", async () => {
    await session.apply({ adopt: true, reloadPendingEdits: true });
    const applied = await bytesOf(session);
    const [help, other] = [await session.lab.exec(`${undo} --help`), await session.lab.exec(`${undo} --dry-run`)];
    assert.deepEqual([help.status, help.stderr], [0, ""]);
    assert.match(help.stdout, /^Usage: sh .*\/undo\n.*as pulumi destroy does/);
    assert.equal(other.status, 64);
    assert.match(other.stderr, /^--dry-run: there is no such option\nUsage: /);
    assert.equal(await bytesOf(session), applied);
    await session.lab.run(undo);
    assert.equal(await bytesOf(session), clean);
  });

  it("our line that somebody took out comes back before httpd has read that, and nothing else goes live with it", async () => {
    const hosts = `${root}/conf/extra/httpd-ssl.conf`;
    const takeOut = `sed -i '/^IncludeOptional "conf.clientcert/d' ${hosts}`;
    const problems = async (): Promise<string> =>
      (await session.plan({ adopt: true })).diagnostics
        .filter(({ severity }) => severity === "problem")
        .map(({ place, text }) => `${place}: ${text}`)
        .join("\n");
    await session.apply({ adopt: true, reloadPendingEdits: true });
    const applied = await bytesOf(session, hosts);
    await nextSecond();
    await session.lab.run(takeOut);
    assert.equal(await problems(), "");
    assert.equal((await session.apply({ adopt: true })).result, "applied");
    assert.equal(await bytesOf(session, hosts), applied);
    assert.equal((await request(session.lab, { certificate: "revoked" })).outcome, "refused");
    await nextSecond();
    await session.lab.run(`${takeOut}; echo '# a thought' >>${hosts}`);
    assert.match(
      await problems(),
      /httpd-ssl\.conf: .*a reload by hand would let everybody in .*: set reloadPendingEdits/,
    );
    await session.lab.run(`sed -i '$d' ${hosts}; ${undo}`);
    assert.equal(await bytesOf(session), clean);
  });

  it("an edit while we looked at the reloaded httpd is one that it has not read", async () => {
    program = faultyProgram({
      more: `retire_timers() { timer_retiring='' && sleep 2.2; echo '# a thought' >>${main}; }`,
    });
    await session.apply({ adopt: true, reloadPendingEdits: true });
    program = hostScript();
    const found = (await session.plan({ adopt: true, organizations: ["X"] })).diagnostics.filter(
      ({ severity }) => severity === "problem",
    );
    assert.deepEqual(
      found.map(({ place }) => place),
      [main],
    );
    await session.lab.run(`sed -i '$d' ${main}`);
    await session.remove();
    assert.equal(await bytesOf(session), clean);
  });

  it("undo takes our line out where somebody has indented it", async () => {
    await session.apply({ adopt: true, reloadPendingEdits: true });
    await session.lab.run(`sed -i 's/^IncludeOptional "conf.clientcert/\t&/' ${root}/conf/extra/httpd-ssl.conf`);
    await session.lab.run(undo);
    assert.equal(await bytesOf(session), clean);
  });

  it("undo after a run that was killed puts that back first, and ends the same", async () => {
    await session.apply({ adopt: true, reloadPendingEdits: true });
    program = faultyProgram({ unjudged: true, at: '[ ! -s "${work:-}/swapped" ] || kill -KILL -$$' });
    await assert.rejects(session.apply({ adopt: true, organizations: ["X"], reloadPendingEdits: true }));
    program = hostScript();
    const { status, stdout } = await session.lab.exec(undo);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /^an earlier run \(\S+\) was interrupted; its changes were put back first$/m);
    assert.equal(await bytesOf(session), clean);
  });

  it("undo that the server would not survive changes nothing, and says why", async () => {
    await session.apply({ adopt: true, reloadPendingEdits: true });
    const applied = await bytesOf(session, `${root}/conf`);
    await session.lab.run(
      `cp ${root}/conf/ssl.crl/ca-bundle.crl /run/kept && echo garbage >${root}/conf/ssl.crl/ca-bundle.crl`,
    );
    const { status, stdout } = await session.lab.exec(undo);
    assert.equal(status, 1, stdout);
    assert.match(stdout, /^nothing was changed, for the reasons above$/m);
    await session.lab.run(`cat /run/kept >${root}/conf/ssl.crl/ca-bundle.crl`);
    assert.equal(await bytesOf(session, `${root}/conf`), applied);
    await session.lab.run(undo);
    assert.equal(await bytesOf(session), clean);
  });
});

const require = "SSLVerifyClient require\nSSLVerifyDepth 4";
const forAll = `<Location "/">\n${require}\n</Location>`;
const hosts: Readonly<Record<string, { protocol: string; own: string; options: LabHostOptions }>> = {
  "TLS 1.2": { protocol: "TLSv1.2", own: require, options: {} },
  "TLS 1.2, in a Location": { protocol: "TLSv1.2", own: forAll, options: {} },
  "TLS 1.3 and 22 virtual hosts": { protocol: "TLSv1.3", own: require, options: { virtualHosts: 22 } },
  "no shadow": { protocol: "TLSv1.3", own: require, options: { without: ["unshare"] } },
  "no shadow and 22 virtual hosts": {
    protocol: "TLSv1.2",
    own: require,
    options: { without: ["unshare"], virtualHosts: 22 },
  },
};

for (const [kind, { protocol, own, options }] of Object.entries(hosts)) {
  describe(`a host that let nobody in without a certificate before us, with ${kind}`, function () {
    this.timeout(60_000);
    let session: Session;
    let clean: string;
    const answers = async () => [
      (await request(session.lab)).outcome,
      (await request(session.lab, { certificate: "good" })).outcome,
    ];

    before(async () => {
      session = await startSession(options);
      const text = `SSLCACertificateFile conf/own-ca.pem\nSSLProtocol -All +${protocol}\n${own}`;
      await session.lab.run(
        `cat >${root}/conf/own-ca.pem && sed -i '/^<VirtualHost/a ${text.replaceAll("\n", "\\n")}' ${root}/conf/extra/httpd-ssl.conf && ` +
          `kill -USR1 $(cat ${root}/logs/httpd.pid) && until grep -q AH00493 ${root}/logs/error_log; do sleep 0.05; done`,
        session.lab.pki.caBundle,
      );
      await nextSecond();
      clean = await bytesOf(session);
      assert.deepEqual(await answers(), ["refused", "200"]);
    });
    after(() => session.stop());

    for (const [way, takeOut] of Object.entries({
      "a removal": async () => assert.equal((await session.remove()).result, "applied"),
      undo: async () => assert.equal((await session.lab.exec(undo)).status, 0),
    })) {
      it(`refuses them again after ${way}`, async () => {
        assert.equal((await session.apply({ adopt: true })).result, "applied");
        assert.deepEqual(await answers(), ["200", "200"]);
        await takeOut();
        assert.equal(await bytesOf(session), clean);
        assert.deepEqual(await answers(), ["refused", "200"]);
      });
    }
  });
}
