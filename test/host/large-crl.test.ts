import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { encodePem } from "../../core/pki/pem.ts";
import { makeLargeCrl } from "../../lab/large-crl.ts";
import { hostScript } from "../../provider/apache/host-program.ts";
import { faultyProgram } from "../faults/program.ts";
import { startSession, type Session } from "./session.ts";

const installed = "/usr/local/ni/apache/conf/clientcert/crl.pem";
const mostObservedBytes = 20_000;

/** In PEM, as a site's file. */
async function largeCrl({ lab }: Session, count: number, number: number): Promise<string> {
  return encodePem("X509 CRL", await makeLargeCrl(lab.pki, count, { number }));
}

describe("an installed CRL of 200,000 entries", function () {
  this.timeout(180_000);
  let session: Session;
  let crlPem: string;
  let program = hostScript();

  before(async () => {
    session = await startSession({}, {}, () => program);
    crlPem = await largeCrl(session, 200_000, 7);
    assert.ok(crlPem.length > 5_000_000);
    assert.equal((await session.apply({ crlPem })).result, "applied");
  });
  after(() => session.stop());

  it("is observed by its ends", async () => {
    const { own } = await session.host.observe(session.target);
    const bytes = own.get("crl.pem")?.bytes ?? "";
    assert.ok(bytes.length > 0 && bytes.length < mostObservedBytes, String(bytes.length));
  });

  it("leaves nothing to do for a second run", async () => {
    const { change, diagnostics } = await session.plan({ crlPem });
    assert.deepEqual([change, diagnostics.filter(({ severity }) => severity === "problem")], [undefined, []]);
  });

  it("stays when the site's CRL is older, and goes when it is newer", async () => {
    const { pki } = session.lab;
    assert.equal((await session.plan({ crlPem: await pki.crl({ number: 6 }) })).change, undefined);
    const newer = await session.plan({ crlPem: await pki.crl({ number: 8 }) });
    assert.deepEqual(
      newer.change?.write.map(({ role }) => role),
      ["crl"],
    );
  });

  it("gives httpd more time to start", async () => {
    program = faultyProgram({ more: 'judge_candidate() { refuse "$deadline_seconds seconds"; }' });
    const { reasons } = await session.judge({ crlPem, organizations: ["OTHER CORPORATION"] });
    program = hostScript();
    const expected = 15 + Math.floor(crlPem.length / 4_000_000);
    assert.ok(expected > 15);
    assert.deepEqual(reasons, [`${expected} seconds`]);
  });

  it("is read anew when somebody replaced it by a later one", async () => {
    const later = await largeCrl(session, 100_000, 9);
    writeFileSync(session.lab.path(installed), later);
    const { own } = await session.look();
    assert.deepEqual(
      own.crls.map(({ number }) => number),
      ["9"],
    );
    assert.equal((await session.plan({ crlPem })).change, undefined);
  });

  it("is replaced when somebody damaged its end", async () => {
    await session.lab.run(`truncate -s 1200000 ${installed}`);
    assert.deepEqual(
      (await session.plan({ crlPem })).change?.write.map(({ role }) => role),
      ["crl"],
    );
  });
});
