/** Trees that lead a careless judge out of its view, and configurations that must not be quoted. */
import assert from "node:assert/strict";
import { startSession, type Session } from "../host/session.ts";
import { assertUnchanged, liveState, unchanged, type LiveState } from "../host/unchanged.ts";

const marker = "planted-9f3c";
const conf = "/usr/local/ni/apache/conf";

describe("a change of a tree with symlinks out of it and logs of 2 GB", function () {
  this.timeout(60_000);
  let session: Session;
  let state: LiveState;

  before(async () => {
    session = await startSession({ confSymlink: true, runSymlink: true, hugeLogs: true, virtualHosts: 2 });
    state = await liveState(session, { times: false });
  });
  after(() => session.stop());

  it("is judged without touching what the symlinks lead to", async () => {
    const outcome = await unchanged(session, () => session.judge());
    assert.deepEqual([outcome.result, outcome.judge, outcome.reasons], ["well", "shadow", []]);
  });

  it("is refused without touching what the symlinks lead to", async () => {
    const change = await session.prepare();
    const contents = new Map([...change.contents, ["crl.pem", Buffer.from("garbage\n")]]);
    const outcome = await unchanged(session, () => session.host.judge(session.target, { ...change, contents }));
    assert.deepEqual([outcome.result, outcome.judge], ["refused", "shadow"]);
  });

  it("is carried out and taken back behind the symlinks, which stay", async () => {
    assert.equal((await session.apply()).result, "applied");
    assert.equal(
      await session.lab.run(`readlink ${conf}; ls /srv/ni/conf/clientcert | grep -c .`),
      "/srv/ni/conf\n4\n",
    );
    assert.equal((await session.plan()).change, undefined);
    assert.equal((await session.remove()).result, "applied");
    await assertUnchanged(session, state, { times: false });
  });
});

describe("a configuration that names our directory itself", function () {
  this.timeout(60_000);

  for (const include of ["IncludeOptional conf/client*/*.conf", "IncludeOptional conf/clientcert"]) {
    it(`is a conflict: ${include}`, async () => {
      const session = await startSession({ serverDirectives: include });
      try {
        const { diagnostics } = await session.plan();
        const conflicts = diagnostics.filter(({ severity }) => severity === "conflict" || severity === "problem");
        assert.match(conflicts.map(({ place }) => place).join("\n"), /httpd\.conf:\d+$/m);
      } finally {
        await session.stop();
      }
    });
  }
});

/** Words of the customer's, in every place where a message might quote them. */
const customers = `# ${marker} comment
SetEnv ${marker}-variable ${marker}-value
Header set X-${marker} "${marker}"
<Directory "/usr/local/ni/apache/htdocs/${marker}">
    Require all granted
</Directory>
`;

describe("what is said of a configuration", function () {
  this.timeout(60_000);
  let session: Session;

  before(async () => {
    const recorder = `#!/bin/sh\nprintf '%s\\n' "$*" >>/run/logged\n`;
    session = await startSession({
      serverDirectives: customers,
      virtualHostDirectives: customers,
      environment: { PLANTED: `${marker}-environment` },
    });
    await session.lab.run("cat >/usr/local/bin/logger && chmod 755 /usr/local/bin/logger", recorder);
  });
  after(() => session.stop());

  /** Everything that leaves the run, but for the observation, which is held in memory only. */
  async function saidBy(run: () => Promise<{ readonly reasons: readonly string[] }>): Promise<string> {
    const steps = await run().then(
      ({ reasons }) => reasons.join("\n"),
      (error: Error) => error.message,
    );
    const logged = await session.lab.run("cat /run/logged");
    assert.match(logged, /^-t clientcert -- .* by root: /m);
    const journal = await session.lab.run(
      "cat /var/lib/clientcert/*/journal /var/lib/clientcert/*/run.*/errors 2>/dev/null || :",
    );
    return [steps, logged, journal].join("\n");
  }

  it("quotes nothing when the judge refuses", async () => {
    const change = await session.prepare();
    const contents = new Map([...change.contents, ["crl.pem", Buffer.from("garbage\n")]]);
    const said = await saidBy(() => session.host.apply(session.target, { ...change, contents }));
    assert.match(said, /httpd/);
    assert.ok(!said.includes(marker), said);
  });

  it("quotes nothing when the change goes live", async () => {
    const said = await saidBy(() => session.apply());
    assert.match(said, /^generation 1$/m);
    assert.ok(!said.includes(marker), said);
  });

  for (const [name, line] of [
    ["an unknown directive", `Unknown${marker} "${marker} value"`],
    ["a wrong value", `SSLVerifyDepth`],
    ["a file that is missing", `SSLCertificateKeyFile "/srv/${marker}.key"`],
    ["an unclosed section", `<Directory "/srv/${marker}">`],
  ] as const) {
    it(`quotes nothing of an unfinished edit: ${name}`, async () => {
      const change = await session.prepare({ organizations: ["OTHER CORPORATION"] });
      await session.lab.run(
        `cp -a ${conf}/httpd.conf /srv/kept; cat >>${conf}/httpd.conf`,
        `${line} ${name === "a wrong value" ? `${marker} ${marker}` : ""}\n`,
      );
      const said = await unchanged(session, () => saidBy(() => session.host.apply(session.target, change)), {
        exclude: ["/run/logged"],
      });
      await session.lab.run(`mv /srv/kept ${conf}/httpd.conf`);
      assert.match(said, /httpd does not accept its own live configuration|refused/);
      assert.ok(!said.includes(marker), said);
    });
  }
});
