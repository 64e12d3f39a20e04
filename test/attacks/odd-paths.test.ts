/** Paths that are no text, paths that a person names in a site file, and paths that httpd takes for something else. */
import assert from "node:assert/strict";
import { hostBytes, hostText } from "../../core/host-text.ts";
import { readFacts } from "../../core/apache/facts/read-facts.ts";
import { request } from "../../lab/client.ts";
import { clientsOf, wantedTable } from "../host/clients.ts";
import { moveTree, oddNames, shellWord, type OddNames } from "./odd-root.ts";
import { startSession, type Session } from "../host/session.ts";

/** With the byte of a backslash as the second one of its last letter. */
const shiftJis = "/opt/\x83\x4f\x83\x8b\x95\x5c/apache";
const printed = `$(printf '${[...shiftJis].map((byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, "0")}`).join("")}')`;

async function startMoved(names: OddNames): Promise<Session> {
  const session = await startSession({ stopped: true });
  await moveTree(session.lab, names).catch(async (error: unknown) => {
    await session.stop();
    throw error;
  });
  return session;
}

describe("a server root in Shift_JIS", function () {
  this.timeout(120_000);
  let session: Session;
  before(async () => {
    session = await startMoved({ root: printed, config: "httpd.conf", included: "httpd-ssl.conf" });
  });
  after(() => session.stop());

  it("is set up, although its DocumentRoot cannot be named in a file of UTF-8, which is told", async () => {
    assert.equal((await session.look()).server.serverRoot, shiftJis);
    assert.equal((await session.apply()).result, "applied");
    assert.deepEqual(await clientsOf(session.lab), wantedTable);
    const { change, diagnostics } = await session.plan();
    assert.equal(change, undefined);
    const told = diagnostics.find(({ text }) => text.startsWith("the path of its DocumentRoot is not UTF-8"));
    assert.match(told?.place ?? "", /^\/opt\/\\x83O\\x83\\x8b\\x95\\\/apache\/conf\/extra\/httpd-ssl\.conf:\d+$/);
  });

  it("is taken back", async () => {
    assert.equal((await session.remove()).result, "applied");
    assert.equal((await request(session.lab)).outcome, "200");
    assert.equal((await session.lab.run("find /opt /var/lib -path '*clientcert*'")).trim(), "");
  });
});

describe("a Japanese path in a site file", function () {
  this.timeout(120_000);
  const names = oddNames["with Japanese names"] as OddNames; // it is there
  const config = `${names.root}/conf/${names.config}`;
  let session: Session;
  before(async () => {
    session = await startMoved(names);
  });
  after(() => session.stop());

  const look = async (detection: object) =>
    readFacts(await session.host.observe({ ...session.target, detection }), { port: session.lab.ports.https });

  it("finds the server by its configuration, program and pid file", async () => {
    const detections = [{ config }, { pidFile: `${names.root}/logs/httpd.pid` }, { httpd: `${names.root}/bin/httpd` }];
    for (const detection of detections) {
      const { server } = await look(detection);
      assert.deepEqual([server.running, hostText(server.configFile)], [true, config]);
    }
  });

  it("is said as it is written where it is wrong", () =>
    assert.rejects(look({ httpd: "/opt/グループ/httpd" }), /httpd: \/opt\/グループ\/httpd is no program on this host/));

  it("is found where the server is stopped", async () => {
    await session.lab.run(`kill "$(cat ${shellWord(`${names.root}/logs/httpd.pid`)})" && sleep 1`);
    const facts = await look({ config, httpd: `${names.root}/bin/httpd` });
    assert.deepEqual([facts.server.running, facts.server.configFile], [false, hostBytes(config)]);
  });
});

describe("names that httpd takes for a pattern", function () {
  this.timeout(120_000);
  const odd = "/opt/pages [1]*? \\ $x";
  let session: Session;
  before(async () => {
    session = await startSession({ virtualHosts: 2, stopped: true });
  });
  after(() => session.stop());

  it("are named in <Directory> so that httpd finds them", async () => {
    const { lab } = session;
    const written = odd.replaceAll("\\", "\\\\");
    await lab.run(
      `mkdir -p ${shellWord(odd)} && echo found >${shellWord(`${odd}/index.html`)}
      mkdir -p '/opt/pages 1' && cat >>${lab.configFile}`,
      `Alias /odd "${written}"\nDocumentRoot "${written}"\n`,
    );
    await lab.run(`sed -i '/^DocumentRoot/d' ${lab.serverRoot}/conf/extra/httpd-ssl.conf && ${lab.serverRoot}/bin/apachectl start
      timeout 20 sh -c 'until [ -s ${lab.serverRoot}/logs/httpd.pid ]; do sleep 0.05; done'`);
    assert.equal((await request(lab, { path: "/odd/" })).outcome, "403");
    assert.equal((await session.apply()).result, "applied");
    const conf = await lab.run(`cat ${lab.serverRoot}/conf/clientcert/clientcert.conf`);
    const section = /^<Directory .*$/m.exec(conf)?.[0] ?? "";
    // What stands in that section counts: the buffer's size itself is not to be seen.
    await lab.run(
      `cat >>${lab.configFile} && kill -USR1 "$(cat ${lab.serverRoot}/logs/httpd.pid)" && sleep 1`,
      `${section}\nRequire all granted\n</Directory>\n`,
    );
    const answer = await request(lab, { path: "/odd/" });
    assert.deepEqual([answer.outcome, answer.body], ["200", "found\n"]);
  });
});

describe("a server root that httpd takes for a pattern", function () {
  this.timeout(120_000);

  it("is refused in plain words", async () => {
    const session = await startSession({ stopped: true });
    const { lab } = session;
    try {
      // No Include of its own finds anything there, so all stands in the main file.
      await lab.run(`cd ${lab.serverRoot}/conf && sed -i -e '/^Include conf.extra.httpd-ssl.conf/{r extra/httpd-ssl.conf
        d}' httpd.conf && rm extra/httpd-ssl.conf && : >extra/httpd-ssl.conf`);
      await moveTree(lab, { root: "/opt/app [1]", config: "httpd.conf", included: "none.conf" });
      const { obstacles } = await session.look();
      const text =
        "the path of this server root has *, ? or [], which httpd takes for a pattern in each Include, so that our line would read nothing, or another server's file; rename the directory";
      assert.deepEqual(obstacles, [{ severity: "problem", place: "/opt/app [1]", text }]);
    } finally {
      await session.stop();
    }
  });
});
