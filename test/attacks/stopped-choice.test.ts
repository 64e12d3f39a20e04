/** Where the site file names no server, the one is meant that a change of ours stands in, whether it runs or not. */
import assert from "node:assert/strict";
import type { Detection } from "../../core/apache/inputs.ts";
import { startSession, type Session } from "../host/session.ts";
import { bytesOf } from "../faults/bytes.ts";

const root = "/usr/local/ni/apache";
const config = `${root}/conf/httpd.conf`;
const otherConfig = "/usr/local/other/conf/httpd.conf";

describe("a server that is set up, beside another one", function () {
  this.timeout(120_000);
  let session: Session;
  let other: string;
  const detected: { -readonly [key in keyof Detection]: Detection[key] } = {};

  before(async () => {
    session = await startSession({ secondInstance: true, defines: ["LAB_DEFINE"] }, detected);
    detected.config = config;
    assert.equal((await session.apply()).result, "applied");
    Reflect.deleteProperty(detected, "config");
    other = await bytesOf(session, "/usr/local/other/conf");
  });
  after(() => session.stop());

  const seen = async () => {
    const { server } = await session.host.observe(session.target);
    return [server.configFile, server.isRunning, server.defines.join()];
  };
  const stop = () =>
    session.lab.run(`kill $(cat ${root}/logs/httpd.pid) && while [ -f ${root}/logs/httpd.pid ]; do sleep 0.05; done`);

  it("is the one that is meant while both run", async () => {
    assert.deepEqual(await seen(), [config, true, "LAB_DEFINE"]);
  });

  it("is not the one that is meant where the site file names the other one", async () => {
    detected.config = otherConfig;
    try {
      assert.deepEqual(await seen(), [otherConfig, true, ""]);
    } finally {
      Reflect.deleteProperty(detected, "config");
    }
  });

  it("is not changed for another owner, who is told how to name another server", async () => {
    await assert.rejects(
      session.apply({ organizations: ["XYZ"] }, { owner: "organization/project/other/web1" }),
      /belongs to organization\/project\/lab\/web1; write "config:" for this host where another server/,
    );
  });

  it("is looked at and changed while it is stopped, as it ran before; the other one is left alone", async () => {
    await stop();
    assert.deepEqual(await seen(), [config, false, "LAB_DEFINE"]);
    assert.equal((await session.apply({ organizations: ["XYZ"] })).result, "stopped");
    assert.match(await session.lab.run(`cat ${root}/conf/clientcert/clientcert.conf`), /XYZ/);
    assert.equal(await bytesOf(session, "/usr/local/other/conf"), other);
  });

  it("is meant as well where an older build has set it up", async () => {
    await session.lab.run("sed -i '/^ran-as/d' /var/lib/clientcert/*/journal");
    assert.deepEqual(await seen(), [config, false, ""]);
  });

  it("is one of several that are set up, of which one must be named", async () => {
    const journal = ["owner organization/project/other/web1", "generation 1", `config ${otherConfig}`];
    const directory = "directory /usr/local/other/conf/clientcert";
    const state = "/var/lib/clientcert/00000000000other";
    await session.lab.run(
      `mkdir -p ${state} /usr/local/other/conf/clientcert && cat >${state}/journal`,
      [...journal, directory, ""].join("\n"),
    );
    await assert.rejects(
      session.look(),
      /several servers of this machine are set up \(.*other.*ni.*\); write "config:" for this host/,
    );
    // Of the other one only the journal was left.
    await session.lab.run("rmdir /usr/local/other/conf/clientcert");
    assert.equal((await seen())[0], config);
    await session.lab.run(`rm -r ${state}`);
  });

  it("is forgotten with its removal", async () => {
    assert.equal((await session.remove()).result, "stopped");
    assert.deepEqual(await seen(), [otherConfig, true, ""]);
  });
});
