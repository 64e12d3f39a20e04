import assert from "node:assert/strict";
import { request } from "../../lab/client.ts";
import { startSession, type Session } from "../host/session.ts";
import { bytesOf, endHttpd } from "./bytes.ts";
import { faultyProgram, forgetSteps } from "./program.ts";

const root = "/usr/local/ni/apache";
const conf = `${root}/conf`;
const copies = "/run/fault/conf";
/** Keeps a copy of the configuration as it is at each step that changed it. */
const keepCopies = `fault_state=$(find ${conf} -printf '%p %i\\n' | sort | sha256sum)
  [ "$fault_state" = "$(cat /run/fault/last 2>/dev/null)" ] || { echo "$fault_state" >/run/fault/last; cp -a ${conf} ${copies}.$fault_step; }`;
/** The check at server level in one file, the list that it needs in another: no order of edits may part them. */
const checkAbove = {
  serverDirectives: "SSLCARevocationCheck leaf",
  virtualHostDirectives: `SSLCARevocationFile "${conf}/theirs.crl"`,
};
const listAbove = {
  serverDirectives: `SSLCARevocationFile "${conf}/theirs.crl"`,
  virtualHostDirectives: "SSLCARevocationCheck leaf",
};

for (const [where, spread] of [
  ["the check", checkAbove],
  ["the list", listAbove],
] as const) {
  describe(`a host that loses its power between any two steps, with ${where} for revocation at server level`, function () {
    this.timeout(120_000);
    let session: Session;
    let program = "";
    let clean: string;

    before(async () => {
      const detection = { config: `${conf}/httpd.conf`, httpd: `${root}/bin/httpd` };
      session = await startSession({ ...spread, stopped: true }, detection, () => program);
      await session.lab.run(`cat >${conf}/theirs.crl`, await session.lab.pki.crl());
      await session.lab.run(`${root}/bin/apachectl start`);
      clean = await bytesOf(session);
    });
    after(() => session.stop());

    /** Carries a run out, and then starts httpd on each configuration that was on the disk in between. */
    async function startOnEach(run: () => Promise<{ readonly result: string }>): Promise<void> {
      await session.lab.run(forgetSteps);
      program = faultyProgram({ unjudged: true, at: keepCopies });
      assert.equal((await run()).result, "applied");
      const names = (await session.lab.run(`ls -d ${copies}.*`)).trim().split("\n");
      assert.ok(names.length >= 4, names.join());
      await endHttpd(session);
      await session.lab.run(`mv ${conf} ${root}/conf.live`);
      for (const name of names) {
        await session.lab.run(`rm -rf ${conf} && cp -a ${name} ${conf} && ${root}/bin/apachectl start`);
        assert.equal((await request(session.lab)).outcome, "200", name);
        await endHttpd(session);
      }
      await session.lab.run(`rm -rf ${conf} && mv ${root}/conf.live ${conf} && ${root}/bin/apachectl start`);
    }

    for (const [title, wish] of Object.entries({
      "our CRL": { adopt: true },
      "no CRL": { adopt: true, crlPem: null },
    })) {
      it(`starts again on whatever is there, on the way to ${title} and back`, async () => {
        await startOnEach(() => session.apply(wish));
        await startOnEach(() => session.remove());
        assert.equal(await bytesOf(session), clean);
      });
    }
  });
}
