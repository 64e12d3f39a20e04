/** A CRL that locks every holder out, and that only httpd itself shows: the refresh keeps the installed one. */
import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { listName, sourced, startRefreshSession, stateDirectory, type RefreshSession } from "./refresh-session.ts";
import { replaceOnce } from "../faults/program.ts";

const ca = "CN=Lab Issuing CA,O=Lab Trust Services,C=JP";

/** As an earlier build had it: nobody is asked. */
const unasked = (text: string): string =>
  ["judge_probes() {\n", "locks_nobody_out() {\n"].reduce(
    (program, opening) => replaceOnce(program, opening, `${opening}  return 0\n`),
    text,
  );

describe("a refresh that would lock every holder out", function () {
  this.timeout(60_000);
  let session: RefreshSession;
  let alter = (text: string): string => text;
  const good = async (): Promise<string> => (await request(session.lab, { certificate: "good" })).outcome;
  const installed = (): Promise<string> => session.lab.run("sha256sum /usr/local/ni/apache/conf/clientcert/crl.pem");

  before(async () => {
    session = await startRefreshSession({}, () => alter(hostScript()));
    assert.equal((await session.apply(sourced(session.publisher))).result, "applied");
  });
  after(() => session.stop());

  it("keeps the installed CRL, ends with 3, and says why to whoever asks", async () => {
    const before = await installed();
    session.publisher.fault(listName, "otherCertificate");
    assert.deepEqual(await session.timer(), { exitCode: 3, output: "" });
    assert.equal(await installed(), before);
    assert.equal(await good(), "200");
    const why = `httpd would refuse every certificate of the CA ${ca}: no CRL of it counts`;
    const { exitCode, output } = await session.refresh();
    assert.equal(exitCode, 3);
    assert.match(output, new RegExp(why));
    const status = await session.refresh("--status");
    assert.match(status.output, new RegExp(`refused: .*${why}.*\\(exit status 3\\)`));
    const { diagnostics } = await session.plan(sourced(session.publisher));
    assert.match(diagnostics.map(({ text }) => text).join("\n"), new RegExp(`failed on .*${why}`));
  });

  it("takes the next good one", async () => {
    session.publisher.fault(listName, "ok");
    await session.publishNew();
    assert.equal((await session.timer()).exitCode, 0);
    assert.equal(await good(), "200");
  });

  it("of a CA whose holders are refused already takes what is new, and raises the alarm", async () => {
    alter = unasked;
    session.publisher.fault(listName, "otherCertificate");
    assert.equal(
      (await session.apply({ ...sourced(session.publisher), organizations: ["ABC CORPORATION", "OTHER"] })).result,
      "applied",
    );
    assert.equal(await good(), "refused");
    alter = (text) => text;
    session.publisher.fault(listName, "ok");
    // The program on the host is the one of the last change.
    await session.lab.run(`cat >$(echo ${stateDirectory})/program`, hostScript());
    const later = await session.pki.crl({ number: 900_001, namesSerial: 2 });
    session.publisher.publish(listName, later);
    const { exitCode, output } = await session.refresh();
    assert.equal(exitCode, 2, output);
    assert.match(
      output,
      new RegExp(`refusing: it did what it could, and httpd refuses every certificate of the CA ${ca} already`),
    );
    const { diagnostics } = await session.plan({
      ...sourced(session.publisher),
      organizations: ["ABC CORPORATION", "OTHER"],
    });
    assert.match(
      diagnostics.map(({ text }) => text).join("\n"),
      /ended as "refusing": httpd refuses every certificate/,
    );
    session.publisher.publish(listName, await session.pki.crl({ number: 900_002 }));
    assert.equal((await session.timer()).exitCode, 0);
    assert.equal(await good(), "200");
  });
});
