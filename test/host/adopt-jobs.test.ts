import assert from "node:assert/strict";
import { startSession, type Session } from "./session.ts";
import { assertUnchanged, liveState } from "./unchanged.ts";

const crlFile = "/usr/local/ni/apache/conf/ssl.crl/ca-bundle.crl";
const mark = "#clientcert-adopted# ";

/** Where each kind of job lies, and as whom cron wants it. */
const kinds = [
  { manual: "cron.d", file: "/etc/cron.d/ni-crl", mode: "644", job: `1 1 * * * root wget -O ${crlFile} http://x` },
  {
    manual: "crontab",
    file: "/var/spool/cron/crontabs/root",
    mode: "600",
    job: `1 1 * * * wget -O ${crlFile} http://x`,
  },
] as const;

const findingsAt = async (session: Session, file: string, adopt: boolean): Promise<string[]> =>
  (await session.plan({ adopt })).diagnostics
    .filter(({ place }) => place.startsWith(file))
    .map(({ severity, place }) => `${severity} ${place}`);

for (const { manual, file, mode, job } of kinds) {
  describe(`a job that fetches the CRL, by ${manual}`, function () {
    this.timeout(60_000);
    let session: Session;
    let original: string;
    let state: Awaited<ReturnType<typeof liveState>>;

    before(async () => {
      session = await startSession({ manual });
      // A group of its own, as crontabs of users have.
      await session.lab.run(`chown 0:4242 ${file}`);
      original = await session.lab.run(`cat ${file}`);
      state = await liveState(session, { times: false });
    });
    after(() => session.stop());

    it("is a conflict, and with adopt a note", async () => {
      assert.deepEqual(await findingsAt(session, file, false), [`conflict ${file}:1`]);
      assert.deepEqual(await findingsAt(session, file, true), [`note ${file}:1`]);
    });

    it("is judged on a copy only", async () => {
      assert.equal((await session.judge({ adopt: true })).result, "well");
      await assertUnchanged(session, state, { times: false });
    });

    it("becomes a comment, with owner and mode as before and no stage left beside it", async () => {
      const outcome = await session.apply({ adopt: true });
      assert.deepEqual([outcome.result, outcome.reasons], ["applied", []]);
      assert.equal(await session.lab.run(`cat ${file}`), mark + original);
      assert.equal(await session.lab.run(`stat -c '%a %u:%g' ${file}`), `${mode} 0:4242\n`);
      assert.equal(await session.lab.run(`ls -A ${file.replace(/[^/]*$/, "")} | grep clientcert || :`), "");
    });

    it("leaves nothing to do for a second run", async () => {
      const { change, diagnostics } = await session.plan({ adopt: true });
      assert.deepEqual([change, diagnostics.filter(({ place }) => place.startsWith(file))], [undefined, []]);
    });

    it("is drift when somebody adds it again", async () => {
      await session.lab.run(`printf '%s\\n' '${job}' >>${file}`);
      assert.deepEqual(await findingsAt(session, file, false), [`conflict ${file}:2`]);
      assert.deepEqual(
        (await session.plan({ adopt: true })).change?.edits.map(({ path }) => path),
        [file],
      );
    });

    it("is taken out again with what was added meanwhile, and comes back byte for byte", async () => {
      assert.equal((await session.apply({ adopt: true })).result, "applied");
      assert.equal(await session.lab.run(`cat ${file}`), `${mark}${original}${mark}${job}\n`);
      assert.equal((await session.remove()).result, "applied");
      assert.equal(await session.lab.run(`cat ${file}`), `${original}${job}\n`);
      await session.lab.run(`sed -i 2d ${file}`);
      await assertUnchanged(session, state, { times: false });
    });

    it("comes back by the undo without Pulumi, too", async () => {
      assert.equal((await session.apply({ adopt: true })).result, "applied");
      assert.equal(await session.lab.run(`cat ${file}`), mark + original);
      await session.lab.run("sh /var/lib/clientcert/*/undo");
      await assertUnchanged(session, state, { times: false });
    });
  });
}

describe("a script of cron that fetches the CRL", function () {
  this.timeout(60_000);

  it("is named, and never edited", async () => {
    const session = await startSession({ manual: "cron.d" });
    try {
      const file = "/etc/cron.daily/fetch-crl";
      const text = `#!/bin/sh\nwget -q -O ${crlFile} http://crl.lab.test/ca.crl\n`;
      await session.lab.run(`printf '${text.replaceAll("\n", "\\n")}' >${file} && chmod 755 ${file}`);
      assert.deepEqual(await findingsAt(session, file, false), [`conflict ${file}:2`]);
      assert.deepEqual(await findingsAt(session, file, true), [`warning ${file}:2`]);
      assert.equal((await session.apply({ adopt: true })).result, "applied");
      assert.equal(await session.lab.run(`cat ${file}`), text);
    } finally {
      await session.stop();
    }
  });
});
